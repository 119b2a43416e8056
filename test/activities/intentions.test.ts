import type { PaymentTaskCall } from '../../activities/payments.activities';
import type { Order, OrderLine } from '../../src/domain/order';
import type { OrderAnswer } from '../../src/domain/order-summary';
import type { Activities } from '../../src/worker/activities';
import { ledgerOf } from '../payments/sandbox/checked-ledger';
import { activitiesOn } from '../support/activities';
import { newCommand } from '../support/commands';
import { lines } from '../support/order-api';
import { openShop, orderRequest, type Shop } from '../support/shop';
import {
  amending,
  callFor,
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
const refusal = (type: string) => ({ type, message: expect.any(String) as string });

/** A command that waits for its payment, which is left to the payments queue. */
interface Intended extends Placed {
  /** The order before the command. */
  before: Order;
  call: PaymentTaskCall;
  repeat(fields?: object): Promise<OrderAnswer>;
}

async function intended(
  shopped: Placed,
  send: (order: Order, fields?: object) => Promise<OrderAnswer>,
): Promise<Intended> {
  const before = shopped.order;
  const { toPay, answer } = await send(before);
  expect(answer).toBeNull();
  const order = await load(before);
  return { ...shopped, before, order, call: callFor(order, toPay), repeat: (fields) => send(before, fields) };
}

async function amendment(quantity = 5): Promise<Intended> {
  const shopped = await placed(shop, activities, { available: 5 });
  const items: OrderLine[] = lines([shopped.productId, quantity]).items;
  const command = newCommand();
  return intended(shopped, (order) => activities.amendOrder(amending(order, { ...command, items }), QUEUED));
}

async function fulfillment(): Promise<Intended> {
  const shopped = await placed(shop, activities);
  const command = fulfilling(shopped.order);
  return intended(shopped, (_, fields) => activities.fulfillOrder({ ...command, ...fields }, QUEUED));
}

async function refund(): Promise<Intended> {
  const shopped = await placed(shop, activities);
  await activities.fulfillOrder(fulfilling(shopped.order), INLINE);
  const order = await load(shopped.order);
  const command = refunding(order, 500);
  return intended({ ...shopped, order }, (_, fields) =>
    activities.refundOrder({ ...command, ...fields }, QUEUED),
  );
}

/** Has the payment service do what the order waits for. */
const pay = ({ call }: Intended) => {
  const { authorizePayment, capturePayment, refundPayment } = activities;
  return { authorize: authorizePayment, capture: capturePayment, refund: refundPayment }[call.operation](
    call,
  );
};

const KINDS = [
  ['amendment', amendment],
  ['fulfillment', fulfillment],
  ['refund', refund],
] as const;

describe.each(KINDS)('an intended %s', (kind, intend) => {
  it('is written before the payment service is called, and no client can see it', async () => {
    const { order, before } = await intend();
    expect(order).toEqual({
      ...before,
      intention: expect.objectContaining({ kind }) as object,
      revision: before.revision + 1,
    });
  });

  it('keeps every other command out, without an answer', async () => {
    const { order, request, call } = await intend();
    const { orderId } = call;
    const others = [
      await activities.cancelOrder(cancelling(request), request),
      await activities.amendOrder(amending(order, { note: 'x' }), QUEUED),
      await activities.fulfillOrder(fulfilling(order), QUEUED),
      await activities.refundOrder(refunding(order, 1), QUEUED),
      await activities.deliverFulfillment({ ...newCommand(), orderId, fulfillmentId: 'x' }),
      await activities.archiveOrder({ ...newCommand(), orderId }),
    ];
    for (const { answer, toPay } of others)
      expect({ answer, call: callFor(order, toPay) }).toEqual({ answer: null, call });
    expect(await load(order)).toEqual(order);
  });

  it('is finished by another command that may pay inline, and which is then sent again', async () => {
    const { order, before, repeat } = await intend();
    const other = amending(order, { note: 'x' });
    expect(await activities.amendOrder(other, INLINE)).toMatchObject({ answer: null, toPay: null });
    expect((await repeat()).answer).toEqual({ version: before.version + 1, error: null });
    expect((await activities.amendOrder(other, INLINE)).answer).not.toBeNull();
  });

  it('stays one when the command comes again', async () => {
    const { order, repeat, call } = await intend();
    const { answer, toPay } = await repeat();
    expect({ answer, call: callFor(order, toPay) }).toEqual({ answer: null, call });
    expect(await load(order)).toEqual(order);
  });

  it('is carried out once by the outcome of the payment, however often it is recorded', async () => {
    const { order, before, call, ...rest } = await intend();
    const outcome = await pay({ order, before, call, ...rest });
    const answered = await repeatedly(() => activities.recordPayment(call, outcome));
    const version = before.version + 1;
    expect(answered).toMatchObject({ answer: { version, error: null }, version, toPay: null });
    expect(await load(order)).toMatchObject({ intention: null, version, revision: order.revision + 1 });
    expect((await rest.repeat()).answer).toEqual(answered.answer);
  });

  it('is withdrawn by a refusal of the payment service, which the order remembers', async () => {
    const { order, call, repeat } = await intend();
    const error = { type: 'PaymentRefused', message: 'It has lapsed.' };
    const { answer } = await repeatedly(() => activities.recordPayment(call, { state: 'rejected', error }));
    expect(answer!.error).toEqual(error);
    expect(await load(order)).toMatchObject({ intention: null });
    expect((await repeat()).answer).toEqual(answer);
  });

  it('lets others in once it is over', async () => {
    const { call, order, request } = await intend();
    const error = { type: 'PaymentRefused', message: 'It has lapsed.' };
    await activities.recordPayment(call, { state: 'rejected', error });
    const { answer } = await activities.cancelOrder(cancelling(request), request);
    expect(answer).not.toBeNull();
    expect((await load(order)).commands).toHaveLength(order.commands.length + 2);
  });
});

describe.each([
  ['fulfillment', fulfillment],
  ['refund', refund],
] as const)('an intended %s', (_, intend) => {
  it('turns down another content under its key', async () => {
    const { order, repeat } = await intend();
    const { answer } = await repeat({ fingerprint: 'other' });
    expect(answer!.error).toEqual(refusal('IdempotencyKeyReused'));
    expect(await load(order)).toEqual(order);
  });

  it('is finished after the order was resumed, since the money may have moved', async () => {
    const { order, request, call, ...rest } = await intend();
    const outcome = await pay({ order, request, call, ...rest });
    const resumed = await activities.resumeOrder(request, 'run_1');
    expect(callFor(order, resumed!.toPay)).toEqual(call);
    expect((await activities.recordPayment(call, outcome)).answer!.error).toBeNull();
    expect(await load(order)).toMatchObject({ intention: null });
  });
});

describe('an amendment that was interrupted', () => {
  it('is withdrawn when the order is resumed, and what may be reserved is owed', async () => {
    const { order, before, request } = await amendment();
    const resumed = await activities.resumeOrder(request, 'run_1');
    const step = `voidPayment-${order.revision}`;
    expect(resumed).toMatchObject({
      toPay: null,
      total: 2_000,
      owed: [{ step, payment: { amount: 5_000 } }],
    });
    expect(await load(order)).toMatchObject({
      intention: null,
      items: before.items,
      payment: before.payment,
      compensations: [{ step, state: 'owed' }],
    });
  });

  it('is withdrawn once, however often the order is resumed', async () => {
    const { order, request } = await amendment();
    await Promise.all([activities.resumeOrder(request, 'run_1'), activities.resumeOrder(request, 'run_1')]);
    const { owed } = (await activities.resumeOrder(request, 'run_1'))!;
    expect(owed).toHaveLength(1);
    expect(await load(order)).toMatchObject({ version: 2 }); // nothing that a client sees has changed
  });

  it('is not carried out by an outcome that comes late, and its authorisation is voided', async () => {
    const { order, request, call, ...rest } = await amendment();
    const outcome = await pay({ order, request, call, ...rest });
    const resumed = await activities.resumeOrder(request, 'run_1');
    const late = await activities.recordPayment(call, outcome);
    expect(late).toMatchObject({ version: resumed!.version, total: 2_000 });
    expect(late.answer!.error).toEqual(refusal('Interrupted'));

    const [{ payment, step } = resumed!.owed[0]!] = late.owed;
    const wasAuthorized = await activities.voidPayment({ ...payment, ...request });
    const settled = await activities.recordCompensation(
      { ...subjectOf(order), step },
      { state: 'done', wasAuthorized },
    );
    expect({ wasAuthorized, owed: settled.owed }).toEqual({ wasAuthorized: true, owed: [] });
    expect(await ledgerOf(shop.db, call.key)).toMatchObject({ authorized: 5_000, voided: 5_000 });
    expect(await ledgerOf(shop.db, order.payment!.key)).toMatchObject({ open: 2_000 });
  });

  it('is refused as interrupted when it comes again, also by an inline payment', async () => {
    const { request, repeat } = await amendment();
    await activities.resumeOrder(request, 'run_1');
    const { answer, toPay } = await repeat();
    expect({ answer, toPay }).toEqual({ answer: { version: 2, error: refusal('Interrupted') }, toPay: null });
  });

  it('is owed even though its product was retired meanwhile', async () => {
    const { request, productId } = await amendment();
    await shop.retire(productId);
    expect((await activities.resumeOrder(request, 'run_1'))!.owed).toHaveLength(1);
  });
});

describe('an amendment for which the stock runs out while its payment is authorised', () => {
  it('is turned down, and the authorisation is owed', async () => {
    const { order, before, call, productId, ...rest } = await amendment();
    const outcome = await pay({ order, before, call, productId, ...rest });
    await activities.placeOrder(orderRequest(lines([productId, 2])), INLINE);
    const { answer, owed, total } = await repeatedly(() => activities.recordPayment(call, outcome));
    expect(answer!.error).toEqual({
      type: 'OutOfStock',
      message: expect.stringContaining('(5 ordered, 3 available)') as string,
    });
    expect({ owed: owed.map(({ payment }) => payment.key), total }).toEqual({
      owed: [call.key],
      total: 2_000,
    });
    expect(await load(order)).toMatchObject({
      items: before.items,
      payment: before.payment,
      intention: null,
    });
    expect(await shop.stockOf(productId)).toEqual({ available: 1, reserved: 4 });
  });
});
