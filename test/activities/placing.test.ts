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
  INLINE,
  newRequest,
  placed,
  QUEUED,
  repeatedly,
  subjectOf,
  type ToPlace,
} from './fixtures';

let shop: Shop;
let activities: Activities;
beforeAll(async () => {
  shop = await openShop();
  activities = activitiesOn(shop.db);
});
afterAll(() => shop.close());

const load = async (id: string) => (await shop.orders.findById(id))!;
const keyReused = {
  type: 'IdempotencyKeyReused',
  message: expect.stringContaining('another order') as string,
};

/** An order that waits for its payment, which is left to the payments queue. */
async function opened(toPlace: ToPlace = {}) {
  const { request, productId } = await newRequest(shop, toPlace);
  const { toPay } = await activities.placeOrder(request, QUEUED);
  const order = await load(request.orderId);
  return { order, request, productId, call: callFor(order, toPay) };
}

describe('placeOrder', () => {
  it('tries no payment when too many of its sender were declined, and does not count that', async () => {
    const limited = activitiesOn(shop.db, { isAtDeclineLimit: () => true });
    for (const how of [INLINE, QUEUED]) {
      const { request, productId } = await newRequest(shop);
      expect(await limited.placeOrder(request, how)).toMatchObject({ status: 'rejected', toPay: null });
      expect(await limited.placeOrder(request, how)).toMatchObject({ status: 'rejected', isNew: false });
      const order = await load(request.orderId);
      expect(order).toMatchObject({ paymentStatus: 'declined', reservation: 'released', compensations: [] });
      expect(order.rejection).toMatchObject({
        code: 'payment_declined',
        detail: expect.stringMatching(/not tried/),
      });
      expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
      const filter = { _id: new RegExp(`^${request.orderId}`) } as object;
      for (const name of ['sandbox_payments', 'payment_declines'])
        expect(await shop.db.connection.collection(name).countDocuments(filter)).toBe(0);
    }
  });

  it('tries no other card either, when too many of who sends it were declined', async () => {
    const env = { PAYMENT_RETRY_WINDOW: '15m' };
    const { request } = await newRequest(shop, { paymentMethod: 'pm_card_chargeDeclined' });
    await activitiesOn(shop.db, { env }).placeOrder(request, INLINE);
    const asked: unknown[] = [];
    const isAtDeclineLimit = (payment: unknown) => asked.push(payment) > 0;
    const limited = activitiesOn(shop.db, { env, isAtDeclineLimit });
    const card = { ...newCommand(), fingerprint: 'f', attemptId: 'a', paymentMethod: 'pm_card_visa' };
    const answer = await limited.payOrder({ ...card, by: 'usr_payer', orderId: request.orderId }, INLINE);
    expect(asked).toEqual([{ by: 'usr_payer', customerId: request.customerId }]);
    expect(answer.answer!.error).toMatchObject({
      type: 'PaymentDeclined',
      message: expect.stringMatching(/not tried/),
      retryUntil: expect.any(String),
    });
    const order = await load(request.orderId);
    expect(order).toMatchObject({
      status: 'pending',
      attempts: [{ outcome: 'declined' }, {}],
      intention: null,
    });
    const filter = { _id: order.attempts[1]!.key } as object;
    for (const name of ['sandbox_payments', 'payment_declines'])
      expect(await shop.db.connection.collection(name).countDocuments(filter)).toBe(0);
  });

  it('counts a declined payment once for who has sent it, whichever worker was told', async () => {
    const { order, call } = await opened({ paymentMethod: 'pm_card_chargeDeclined' });
    const outcome = await activities.authorizePayment(call);
    await repeatedly(() => activities.recordPayment(call, outcome).then(({ status }) => status));
    const counted = shop.db.connection.collection('payment_declines').find({ by: order.placedBy });
    expect(await counted.toArray()).toEqual([
      { _id: `${order.id}-1`, by: order.placedBy, at: expect.any(Date) },
    ]);
  });

  it('confirms the order with its stock reserved and its payment authorised', async () => {
    const { request, productId } = await newRequest(shop);
    const answer = await activities.placeOrder(request, INLINE);
    expect(answer).toMatchObject({
      status: 'confirmed',
      version: 2,
      total: 2_000,
      toPay: null,
      owed: [],
      answer: { version: 2, error: null },
    });
    const order = await load(request.orderId);
    expect(order).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized', reservation: 'held' });
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 2 });
    const { reference } = await ledgerOf(shop.db, order.payment!.key);
    expect(order.payment).toMatchObject({ amount: 2_000, reference });
    expect(answer.snapshot).toEqual({
      lines: [[order.items[0]!.sku, 1_000, 0]],
      subtotal: 2_000,
      tax: 0,
      reference,
      captures: 'many',
    });
  });

  it('places the order once when it runs twice at once, and once again later', async () => {
    const { request, productId } = await newRequest(shop);
    await Promise.all([activities.placeOrder(request, INLINE), activities.placeOrder(request, INLINE)]);
    const stored = await load(request.orderId);
    expect(stored).toMatchObject({ status: 'confirmed', revision: 2 });
    expect(await activities.placeOrder(request, INLINE)).toMatchObject({ status: 'confirmed', version: 2 });
    expect(await load(request.orderId)).toEqual(stored);
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 2 });
    expect(await ledgerOf(shop.db, stored.payment!.key)).toMatchObject({ authorized: 2_000 });
  });

  it('returns what has become of the order when it runs late', async () => {
    const { request, order, productId } = await placed(shop, activities);
    await activities.cancelOrder(cancelling(request), request);
    expect(await activities.placeOrder(request, INLINE)).toMatchObject({ status: 'cancelled' });
    expect(await load(order.id)).toMatchObject({ status: 'cancelled', reservation: 'released' });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
  });

  it('does not pay for an order that it has found, which may have been interrupted at any point', async () => {
    const { request, order } = await opened();
    const answer = await activities.placeOrder(request, INLINE);
    expect(answer).toMatchObject({ isNew: false, status: 'pending', toPay: { key: `${order.id}-1` } });
    expect(await load(order.id)).toEqual(order);
    await expect(ledgerOf(shop.db, `${order.id}-1`)).rejects.toThrow('There is no payment');
  });

  it('rejects the order, with nothing reserved and nothing owed, if the payment is declined', async () => {
    const { order, productId } = await placed(shop, activities, { paymentMethod: 'pm_card_chargeDeclined' });
    expect(order).toMatchObject({
      status: 'rejected',
      paymentStatus: 'declined',
      rejection: { code: 'payment_declined' },
      compensations: [],
    });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
  });

  it.each([
    ['payments are left to their queue', {}, () => activities, QUEUED],
    [
      'the worker has no secrets of the payment service',
      {},
      () => activitiesOn(shop.db, { hasSecrets: false }),
      INLINE,
    ],
    ['the payment service fails', { paymentMethod: 'pm_sandbox_outage' }, () => activities, INLINE],
    ['its reply is lost', { paymentMethod: 'pm_sandbox_lost_reply' }, () => activities, INLINE],
  ])('leaves the payment of a pending order to be done if %s', async (_, toPlace, worker, inline) => {
    const { request, productId } = await newRequest(shop, toPlace);
    expect(await worker().placeOrder(request, inline)).toMatchObject({
      status: 'pending',
      version: 1,
      toPay: { operation: 'authorize', amount: 2_000, key: `${request.orderId}-1`, commandId: null },
    });
    expect(await load(request.orderId)).toMatchObject({
      status: 'pending',
      reservation: 'held',
      payment: null,
    });
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 2 });
  });

  it('does not ask the payment service for an order that costs nothing', async () => {
    const { request } = await newRequest(shop, { unitPrice: 0, paymentMethod: 'pm_sandbox_outage' });
    expect(await activities.placeOrder(request, QUEUED)).toMatchObject({ status: 'confirmed', toPay: null });
    expect(await load(request.orderId)).toMatchObject({ payment: { amount: 0, reference: null } });
  });

  it('holds no stock for an order of services', async () => {
    const { id } = await shop.sell({ kind: 'service', stock: null });
    const request = orderRequest(lines([id, 2]));
    await activities.placeOrder(request, INLINE);
    expect(await load(request.orderId)).toMatchObject({ status: 'confirmed', reservation: 'none' });
    expect(await shop.stockOf(id)).toBeNull();
  });
});

describe('an order that cannot be placed', () => {
  it('is saved as rejected, with its lines as sent, for an unknown product', async () => {
    const request = orderRequest(lines(['ps_unknown', 2]));
    const answer = await activities.placeOrder(request, INLINE);
    expect(answer).toMatchObject({ status: 'rejected', rejection: { code: 'unknown_product' }, toPay: null });
    expect(await load(request.orderId)).toMatchObject({
      status: 'rejected',
      currency: null,
      items: [{ productServiceId: 'ps_unknown', quantity: 2, total: null }],
    });
  });

  it('is saved as rejected, with its prices and what is available, for a lack of stock', async () => {
    const { request, productId } = await newRequest(shop, { quantity: 3, available: 2 });
    await activities.placeOrder(request, INLINE);
    const detail = expect.stringMatching(
      /\(3 ordered, 2 available\)\. Nothing was changed; order fewer/,
    ) as string;
    expect(await load(request.orderId)).toMatchObject({
      status: 'rejected',
      total: 3_000,
      reservation: 'none',
      rejection: { code: 'out_of_stock', detail },
    });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
  });

  it('is the second one if two orders want the last units at once', async () => {
    const { request, productId } = await newRequest(shop);
    const rival = orderRequest(lines([productId, 2]));
    await Promise.all([activities.placeOrder(request, INLINE), activities.placeOrder(rival, INLINE)]);
    const statuses = [await load(request.orderId), await load(rival.orderId)].map(({ status }) => status);
    expect(statuses.sort()).toEqual(['confirmed', 'rejected']);
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 2 });
  });

  it('stays rejected when the step runs again after the stock has risen', async () => {
    const { request, productId } = await newRequest(shop, { quantity: 3, available: 2 });
    await activities.placeOrder(request, INLINE);
    await shop.stockUp(productId, 5);
    expect(await activities.placeOrder(request, INLINE)).toMatchObject({ status: 'rejected', version: 1 });
    expect(await shop.stockOf(productId)).toEqual({ available: 7, reserved: 0 });
  });
});

describe('another request for the same order', () => {
  it.each(['placeOrder', 'openOrder'] as const)(
    'is turned down by %s, and changes neither the order nor its payment',
    async (step) => {
      const { request, order } = await opened();
      const other = { ...request, fingerprint: 'another' };
      expect((await activities[step](other, INLINE)).answer).toEqual({ version: 1, error: keyReused });
      expect(await load(request.orderId)).toEqual(order);
      await expect(ledgerOf(shop.db, `${order.id}-1`)).rejects.toThrow('There is no payment');
    },
  );

  it('cannot cancel it', async () => {
    const { request, order } = await placed(shop, activities);
    const other = { ...request, fingerprint: 'another' };
    const { answer } = await activities.cancelOrder(cancelling(request), other);
    // The workflow of the other request is told nothing of the stored order.
    expect(answer).toEqual({ version: 0, error: keyReused });
    expect(await load(order.id)).toEqual(order);
  });
});

describe('openOrder', () => {
  it('saves the order as pending once, however often it runs', async () => {
    const { request, productId } = await newRequest(shop);
    const open = () => activities.openOrder(request);
    const answers = [...(await Promise.all([open(), open()])), await open()];
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'pending', version: 1, toPay: { amount: 2_000 } });
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await load(request.orderId)).toMatchObject({ status: 'pending', revision: 1 });
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 2 });
  });
});

describe('recordPayment', () => {
  it('confirms the order once, however often it runs', async () => {
    const { order, call } = await opened();
    const outcome = await activities.authorizePayment(call);
    const answer = await repeatedly(() => activities.recordPayment(call, outcome));
    expect(answer).toMatchObject({ status: 'confirmed', version: 2, toPay: null });
    expect(await load(order.id)).toMatchObject({ status: 'confirmed', revision: 2, compensations: [] });
  });

  it('rejects the order, and owes what may be reserved, if the payment service did not answer', async () => {
    const { order, call, productId } = await opened();
    const error = { type: 'PaymentUnanswered', message: 'Too late.' };
    const { owed } = await activities.recordPayment(call, { state: 'unanswered', error });
    expect(owed).toMatchObject([{ step: 'voidPayment-1', state: 'owed', payment: { amount: 2_000 } }]);
    expect(await load(order.id)).toMatchObject({ status: 'rejected', reservation: 'released' });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 0 });
  });

  it('changes nothing if the order was cancelled meanwhile, which owes the payment', async () => {
    const { order, request, call } = await opened();
    await activities.cancelOrder(cancelling(request), request);
    const cancelled = await load(order.id);
    const late = await activities.recordPayment(call, await activities.authorizePayment(call));
    expect(late).toMatchObject({ status: 'cancelled', owed: [{ step: 'voidPayment-1' }] });
    expect(await load(order.id)).toEqual(cancelled);
  });
});

describe('resumeOrder', () => {
  it('returns null if nothing is stored', async () => {
    const { request } = await newRequest(shop);
    expect(await activities.resumeOrder(request, 'run_1')).toBeNull();
  });

  it('returns what a pending order waits for', async () => {
    const { request, call } = await opened();
    const resumed = await activities.resumeOrder(request, 'run_1');
    expect(callFor(await load(request.orderId), resumed!.toPay)).toEqual(call);
  });

  it('keeps out what was sent before, without a new version, however often it runs', async () => {
    const { request, order } = await placed(shop, activities);
    const resumed = await repeatedly(() => activities.resumeOrder(request, 'run_1'));
    expect(resumed).toMatchObject({ resumedRevision: 2 });
    expect(await load(order.id)).toEqual({ ...order, revision: 3, resumedRevision: 2, resumedBy: 'run_1' });
  });

  it('lets in a command that was sent just before, although the step has run twice for the same run', async () => {
    const { request, order } = await placed(shop, activities);
    await repeatedly(() => activities.resumeOrder(request, 'run_1'));
    const command = amending(order, { note: 'New', seenRevision: order.revision });
    expect((await activities.amendOrder(command, INLINE)).answer).toEqual({ version: 3, error: null });
    expect(await load(order.id)).toMatchObject({ note: 'New' });
  });

  it('tells two runs apart that resume the order one after the other', async () => {
    const { request, order } = await placed(shop, activities);
    await activities.resumeOrder(request, 'run_1');
    expect(await activities.resumeOrder(request, 'run_2')).toMatchObject({ resumedRevision: 3 });
    expect(await load(order.id)).toEqual({ ...order, revision: 4, resumedRevision: 3, resumedBy: 'run_2' });
  });
});

describe('loadOrder', () => {
  it('returns the order as it is', async () => {
    const { order } = await placed(shop, activities);
    expect(await activities.loadOrder(subjectOf(order))).toMatchObject({ status: 'confirmed', version: 2 });
    expect(await load(order.id)).toEqual(order);
  });

  it('throws for an order that is missing in MongoDB, instead of creating it', async () => {
    const missing = activities.loadOrder({ orderId: 'ord_missing', requestId: 'test' });
    await expect(missing).rejects.toThrow('Order ord_missing is missing in MongoDB');
    expect(await shop.orders.findById('ord_missing')).toBeNull();
  });
});
