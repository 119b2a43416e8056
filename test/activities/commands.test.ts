import { withAnswer } from '../../src/domain/command';
import type { Order } from '../../src/domain/order';
import type { Activities } from '../../src/worker/activities';
import { ledgerOf } from '../payments/sandbox/checked-ledger';
import { activitiesOn } from '../support/activities';
import { newCommand } from '../support/commands';
import { lines } from '../support/order-api';
import { openShop, type Shop } from '../support/shop';
import {
  amending,
  cancelling,
  fulfilling,
  INLINE,
  placed,
  QUEUED,
  refunding,
  repeatedly,
  subjectOf,
  type Placed,
} from './fixtures';

let shop: Shop;
let activities: Activities;
beforeAll(async () => {
  shop = await openShop();
  activities = activitiesOn(shop.db);
});
afterAll(() => shop.close());

const load = async ({ id }: Order) => (await shop.orders.findById(id))!;
const units = ({ productId }: Placed, quantity: number) => lines([productId, quantity]).items;
const restock = ({ productId: productServiceId }: Placed, delta: number) =>
  shop.stockUp(productServiceId, delta);
const error = (type: string, message: RegExp = /./) => ({
  type,
  message: expect.stringMatching(message) as string,
});

/** An order of which everything is fulfilled. */
async function fulfilled(): Promise<Placed> {
  const shopped = await placed(shop, activities);
  await activities.fulfillOrder(fulfilling(shopped.order), INLINE);
  return { ...shopped, order: await load(shopped.order) };
}

describe('a command that comes twice at once, and once again later', () => {
  it('amends the order once', async () => {
    const { order, ...rest } = await placed(shop, activities, { available: 5 });
    const command = amending(order, { items: units({ order, ...rest }, 5) });
    const [one, other] = await Promise.all([
      activities.amendOrder(command, INLINE),
      activities.amendOrder(command, INLINE),
    ]);
    expect(one.answer).toEqual({ version: 3, error: null });
    expect(other.answer).toEqual(one.answer);
    const amended = await load(order);
    expect((await activities.amendOrder(command, INLINE)).answer).toEqual(one.answer);
    expect(await load(order)).toEqual(amended);
    expect(amended).toMatchObject({ total: 5_000, version: 3, compensations: [{ step: 'voidPayment-1' }] });
    expect(await shop.stockOf(rest.productId)).toEqual({ available: 0, reserved: 5 });
    expect(await ledgerOf(shop.db, amended.payment!.key)).toMatchObject({ authorized: 5_000 });
  });

  it('fulfills the order once', async () => {
    const { order, productId } = await placed(shop, activities);
    const command = fulfilling(order);
    expect(await repeatedly(() => activities.fulfillOrder(command, INLINE))).toMatchObject({
      answer: { version: 3, error: null },
      paymentStatus: 'captured',
      captured: 2_000,
    });
    expect((await load(order)).fulfillments).toHaveLength(1);
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 0 });
    expect(await ledgerOf(shop.db, order.payment!.key)).toMatchObject({ captured: 2_000 });
  });

  it('refunds the order once', async () => {
    const { order } = await fulfilled();
    const command = refunding(order, 500);
    const { answer } = await repeatedly(() => activities.refundOrder(command, INLINE));
    expect(answer).toEqual({ version: 4, error: null });
    expect(await load(order)).toMatchObject({ refunded: 500, paymentStatus: 'partially_refunded' });
    expect(await ledgerOf(shop.db, order.payment!.key)).toMatchObject({ refunded: 500 });
  });

  it('delivers a fulfillment once', async () => {
    const { order } = await fulfilled();
    const command = { ...newCommand(), orderId: order.id, fulfillmentId: order.fulfillments[0]!.id };
    const { answer } = await repeatedly(() => activities.deliverFulfillment(command));
    expect(answer).toEqual({ version: 4, error: null });
    expect(await load(order)).toMatchObject({ status: 'completed', version: 4 });
  });

  it('cancels and archives the order once', async () => {
    const { order, request, productId } = await placed(shop, activities);
    const cancel = cancelling(request, { reason: 'No' });
    const cancelled = await repeatedly(() => activities.cancelOrder(cancel, request));
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      answer: { version: 3, error: null },
      owed: [{ step: 'voidPayment-1', state: 'owed' }],
    });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
    const done = { state: 'done', wasAuthorized: true } as const;
    const owed = { ...subjectOf(order), step: 'voidPayment-1' };
    await repeatedly(() => activities.recordCompensation(owed, done));
    const archive = { ...newCommand(), orderId: order.id };
    const { answer } = await repeatedly(() => activities.archiveOrder(archive));
    expect(answer).toEqual({ version: 5, error: null });
    expect(await load(order)).toMatchObject({ paymentStatus: 'voided', version: 5, compensations: [] });
  });

  it('saves an order that was never opened as cancelled once, and placing it late reserves nothing', async () => {
    const { order, request, productId } = await placed(shop, activities);
    await shop.db.connection.collection('orders').deleteOne({ _id: order.id as never });
    const stock = await shop.stockOf(productId);
    const cancel = cancelling(request);
    const { answer } = await repeatedly(() => activities.cancelOrder(cancel, request));
    expect(answer).toEqual({ version: 1, error: null });
    expect(await load(order)).toMatchObject({
      status: 'cancelled',
      currency: null,
      items: [{ quantity: 2, total: null }],
      compensations: [],
    });
    expect(await activities.placeOrder(request, INLINE)).toMatchObject({ status: 'cancelled', toPay: null });
    expect(await shop.stockOf(productId)).toEqual(stock);
  });

  it('resolves a compensation once', async () => {
    const { order, request } = await placed(shop, activities);
    await activities.cancelOrder(cancelling(request), request);
    const command = { ...newCommand(), orderId: order.id, step: 'voidPayment-1', note: 'By hand.' };
    const { answer } = await repeatedly(() => activities.resolveCompensation(command));
    expect(answer).toEqual({ version: 4, error: null });
    const resolution = expect.objectContaining({ note: 'By hand.', by: 'usr_1' }) as object;
    expect((await load(order)).compensations).toMatchObject([{ state: 'resolved', resolution }]);
  });
});

describe('an answer', () => {
  it('is the same refusal after the reason for it is gone', async () => {
    const shopped = await placed(shop, activities);
    const command = amending(shopped.order, { items: units(shopped, 60) });
    const refused = await activities.amendOrder(command, INLINE);
    expect(refused.answer).toEqual({
      version: 2, // the payment of the amendment was authorised, and is owed: no client sees that
      error: error('OutOfStock', /\(60 ordered, 2 available\)/),
    });
    await restock(shopped, 100);
    expect((await activities.amendOrder(command, INLINE)).answer).toEqual(refused.answer);
    expect(await load(shopped.order)).toMatchObject({ total: 2_000, version: 2 });
    expect(await shop.stockOf(shopped.productId)).toEqual({ available: 100, reserved: 2 });
  });

  it('is the same after the product was retired', async () => {
    const shopped = await placed(shop, activities, { available: 5 });
    const command = amending(shopped.order, { items: units(shopped, 3) });
    const { answer } = await activities.amendOrder(command, INLINE);
    await shop.retire(shopped.productId);
    expect((await activities.amendOrder(command, INLINE)).answer).toEqual(answer);
    expect(answer).toEqual({ version: 3, error: null });
  });

  it('to a superseded amendment changes nothing any more', async () => {
    const shopped = await placed(shop, activities, { available: 5 });
    const { order } = shopped;
    const [first, second] = [5, 1].map((quantity) => amending(order, { items: units(shopped, quantity) }));
    await activities.amendOrder(first!, INLINE);
    await activities.amendOrder(second!, INLINE);
    const { answer, total } = await activities.amendOrder(first!, INLINE);
    expect({ answer, total }).toEqual({ answer: { version: 3, error: null }, total: 1_000 });
    expect(await shop.stockOf(shopped.productId)).toEqual({ available: 4, reserved: 1 });
  });

  it('of the payment service is remembered when it is a refusal', async () => {
    const { order, request } = await placed(shop, activities);
    await activities.voidPayment({ ...order.payment!, ...request });
    const command = fulfilling(order);
    const { answer } = await repeatedly(() => activities.fulfillOrder(command, INLINE));
    expect(answer).toEqual({ version: 2, error: error('PaymentRefused') });
    expect(await load(order)).toMatchObject({ fulfillments: [], intention: null, version: 2 });
  });

  it('to another content under the same key is a refusal that is not remembered', async () => {
    const { order } = await placed(shop, activities);
    const command = fulfilling(order);
    const { answer } = await activities.fulfillOrder(command, INLINE);
    const stored = await load(order);
    const other = await activities.fulfillOrder({ ...command, fingerprint: 'other' }, INLINE);
    expect(other.answer).toEqual({ version: 3, error: error('IdempotencyKeyReused') });
    expect(await load(order)).toEqual(stored);
    expect((await activities.fulfillOrder(command, INLINE)).answer).toEqual(answer);
  });
});

describe('an order that has answered 50 more commands', () => {
  /** Has the order answer that many commands, by changing its note. */
  async function forget(order: Order, count: number): Promise<void> {
    for (let n = 0; n < count; n++) await activities.amendOrder(amending(order, { note: `${n}` }), INLINE);
  }

  it('gives the first answer to a command for which it has no room any more, whatever revision that names', async () => {
    const { order } = await placed(shop, activities);
    const command = amending(order, { note: 'First', seenRevision: order.revision });
    const { answer: first } = await activities.amendOrder(command, INLINE);
    await forget(order, 50);
    const stored = await load(order);
    expect(stored).toMatchObject({ note: '49', version: 53 });
    expect(stored.commands.map(({ id }) => id)).not.toContain(command.id);
    for (const seenRevision of [order.revision, stored.revision]) {
      expect((await activities.amendOrder({ ...command, seenRevision }, INLINE)).answer).toEqual(first);
    }
    expect(await load(order)).toEqual(stored); // another one was not pushed out for it
  });

  it('gives the later of two answers to a command that was interrupted, and carried out when it was repeated', async () => {
    const { order } = await placed(shop, activities);
    const keyed = (attemptId: string) => ({
      ...amending(order, { note: 'Repeated' }),
      id: `amd_${order.id}`,
      fingerprint: 'f',
      attemptId,
    });
    const interrupted = { type: 'Interrupted', message: 'Repeat the request.' };
    const at = new Date().toISOString();
    const { revision } = order;
    await shop.orders.save(withAnswer({ ...order, revision: revision + 1 }, keyed('first'), interrupted, at));
    await forget(order, 50);
    expect((await activities.amendOrder(keyed('first'), INLINE)).answer).toMatchObject({
      error: interrupted,
    });
    const { answer } = await activities.amendOrder(keyed('second'), INLINE);
    expect(answer).toEqual({ version: 53, error: null });
    await forget(order, 50);
    expect((await activities.amendOrder(keyed('third'), INLINE)).answer).toEqual(answer);
    expect(await load(order)).toMatchObject({ note: '49' });
  });

  it('has not forgotten what a command has added', async () => {
    const { order } = await placed(shop, activities);
    const command = fulfilling(order);
    await activities.fulfillOrder(command, INLINE);
    await forget(order, 50); // refused, each with an answer of its own
    const stored = await load(order);
    expect(stored.commands).toHaveLength(50);
    expect((await activities.fulfillOrder(command, INLINE)).answer).toEqual({ version: 3, error: null });
    expect(await load(order)).toEqual(stored);
  });
});

describe('an order that was resumed', () => {
  it('turns down a command that was sent before an earlier change, and accepts one that was not', async () => {
    const { order, request } = await placed(shop, activities);
    await activities.amendOrder(amending(order, { note: 'Changed' }), INLINE);
    await activities.resumeOrder(request, 'run_1');
    const outdated = amending(order, { note: 'Old', seenRevision: 2 });
    const refused = await activities.amendOrder(outdated, INLINE);
    expect(refused.answer!.error).toEqual(error('OutdatedCommand', /came too late to be judged/));
    const again = { ...outdated, seenRevision: 3 };
    expect((await activities.amendOrder(again, INLINE)).answer).toEqual({ version: 4, error: null });
    expect(await load(order)).toMatchObject({ note: 'Old' });
  });
});

describe('a command of a workflow that another one has replaced', () => {
  it('is not carried out', async () => {
    const { order, request } = await placed(shop, activities);
    const resumed = (await activities.resumeOrder(request, 'run_1'))!;
    const stored = await load(order);
    const late = { ...fulfilling(order), resumedRevision: order.resumedRevision };
    expect(await activities.fulfillOrder(late, INLINE)).toEqual({ ...resumed, answer: null });
    expect(await load(order)).toEqual(stored);
    const now = { ...late, resumedRevision: resumed.resumedRevision };
    expect((await activities.fulfillOrder(now, INLINE)).answer).toEqual({ version: 3, error: null });
  });

  it('gets the answer that it got before', async () => {
    const { order, request } = await placed(shop, activities);
    const command = { ...fulfilling(order), resumedRevision: order.resumedRevision };
    const { answer } = await activities.fulfillOrder(command, INLINE);
    await activities.resumeOrder(request, 'run_1');
    expect((await activities.fulfillOrder(command, INLINE)).answer).toEqual(answer);
  });

  it('does not pay for what the other one has to finish', async () => {
    const { order, request } = await placed(shop, activities);
    const command = { ...fulfilling(order), resumedRevision: order.resumedRevision };
    await activities.fulfillOrder(command, QUEUED);
    await activities.resumeOrder(request, 'run_1');
    const { answer, toPay } = await activities.fulfillOrder(command, INLINE);
    expect(answer).toBeNull();
    expect(toPay).toMatchObject({ operation: 'capture', commandId: command.id });
    expect(await ledgerOf(shop.db, order.payment!.key)).toMatchObject({ captured: 0 });
  });
});

describe('an amendment', () => {
  it('moves the difference in stock, or nothing', async () => {
    const shopped = await placed(shop, activities, { available: 5 });
    const amend = (quantity: number) =>
      activities.amendOrder(amending(shopped.order, { items: units(shopped, quantity) }), INLINE);
    await amend(5);
    expect(await shop.stockOf(shopped.productId)).toEqual({ available: 0, reserved: 5 });
    const { answer } = await amend(6);
    expect(answer!.error).toEqual(error('OutOfStock', /\(6 ordered, 5 available\)/));
    expect(await shop.stockOf(shopped.productId)).toEqual({ available: 0, reserved: 5 });
    await amend(1);
    expect(await shop.stockOf(shopped.productId)).toEqual({ available: 4, reserved: 1 });
  });

  it('says that the order has changed before it says anything of the new lines', async () => {
    const { order } = await placed(shop, activities);
    const command = amending(order, { ifMatch: [1], items: lines(['ps_unknown', 1]).items });
    const { answer } = await activities.amendOrder(command, INLINE);
    expect(answer).toEqual({ version: 2, error: error('StaleVersion', /at version 2/) });
  });

  it('to an unknown product is refused, and remembered', async () => {
    const { order } = await placed(shop, activities);
    const command = amending(order, { items: lines(['ps_unknown', 1]).items });
    await activities.amendOrder(command, INLINE);
    const { commands, version } = await load(order);
    expect(commands).toMatchObject([{ id: command.id, error: error('UnknownProduct') }]);
    expect(version).toBe(2);
  });

  it('to a total of 0 needs no payment, and has the earlier one to void', async () => {
    const shopped = await placed(shop, activities);
    const free = await shop.sell({ unitPrice: 0 });
    const command = amending(shopped.order, { items: lines([free.id, 1]).items });
    const { answer, owed } = await activities.amendOrder(command, QUEUED);
    expect(answer).toEqual({ version: 3, error: null });
    expect(owed).toMatchObject([{ step: 'voidPayment-1' }]);
  });
});

describe('the answer to an amendment of the lines', () => {
  const amendedTo = async (quantity: number, inline = INLINE) => {
    const shopped = await placed(shop, activities, { available: 5 });
    const command = amending(shopped.order, { items: units(shopped, quantity) });
    return { ...shopped, answer: await activities.amendOrder(command, inline) };
  };

  it('has the new prices and the key of the new payment', async () => {
    const { order, answer } = await amendedTo(5);
    const { payment, items } = await load(order);
    expect(payment!.key).not.toBe(order.payment!.key);
    expect(answer).toMatchObject({
      paymentKey: payment!.key,
      snapshot: {
        lines: [[items[0]!.sku, 1_000, 0]],
        subtotal: 5_000,
        tax: 0,
        reference: payment!.reference,
      },
    });
  });

  it('has them as they are intended while the payment is left to the payments queue', async () => {
    const { order, answer } = await amendedTo(5, QUEUED);
    const { intention } = await load(order);
    expect(answer).toMatchObject({
      answer: null,
      total: 2_000,
      paymentKey: intention!.kind === 'amendment' && intention!.payment.key,
      snapshot: { lines: [[order.items[0]!.sku, 1_000, 0]], subtotal: 5_000, reference: null },
    });
  });

  it('has none of that if only the note changes', async () => {
    const { order } = await placed(shop, activities);
    const answer = await activities.amendOrder(amending(order, { note: 'New' }), INLINE);
    expect(answer).not.toHaveProperty('snapshot');
    expect(answer).not.toHaveProperty('paymentKey');
  });
});

it('a fulfillment of what is not reserved throws, since the stock was changed by hand', async () => {
  const { order, productId } = await placed(shop, activities);
  await shop.db.connection
    .collection('product_services')
    .updateOne({ _id: productId as never }, { $set: { 'stock.reserved': 1 } });
  await expect(activities.fulfillOrder(fulfilling(order), INLINE)).rejects.toThrow('changed by hand');
});

it.each([
  ['its lines', 'items', 'expected items: one at least, found items: []'],
  ['an amount', 'captured', 'found captured: absent'],
])(
  'a command on an order that has lost %s throws, and is carried out when the order is whole again',
  async (_, lost, why) => {
    const { order, request } = await placed(shop, activities);
    const orders = shop.db.connection.collection<{ _id: string }>('orders');
    const whole = (await orders.findOne({ _id: order.id }))!;
    await orders.updateOne({ _id: order.id }, { $unset: { [lost]: 1 } });
    const damaged = await orders.findOne({ _id: order.id });
    const command = cancelling(request, { id: 'cmd_damaged' });
    const cancelled = () => activities.cancelOrder(command, request);
    await expect(cancelled()).rejects.toThrow(why);
    await expect(cancelled()).rejects.toThrow('docs/failure-modes.md#order_malformed');
    expect(await orders.findOne({ _id: order.id })).toEqual(damaged);
    await orders.replaceOne({ _id: order.id }, whole);
    expect(await cancelled()).toMatchObject({ status: 'cancelled' });
  },
);

it('a command on an order that is missing in MongoDB throws, instead of creating it', async () => {
  const { order } = await placed(shop, activities);
  const missing = { ...order, id: 'ord_missing' };
  await expect(activities.fulfillOrder(fulfilling(missing), INLINE)).rejects.toThrow('missing in MongoDB');
});

it('keeps the failure of a compensation, and that it was done', async () => {
  const { order, request } = await placed(shop, activities);
  await activities.cancelOrder(cancelling(request), request);
  const owed = { ...subjectOf(order), step: 'voidPayment-1' };
  const failed = await activities.recordCompensation(owed, { state: 'pending', failure: 'It is down.' });
  expect(failed.owed).toMatchObject([{ step: 'voidPayment-1', state: 'pending', failure: 'It is down.' }]);
  const done = await activities.recordCompensation(owed, { state: 'done', wasAuthorized: true });
  expect(done).toMatchObject({ owed: [], paymentStatus: 'voided' });
  const late = await activities.recordCompensation(owed, { state: 'pending', failure: 'It is down.' });
  expect(late).toEqual(done);
});
