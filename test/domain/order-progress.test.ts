import type { Order } from '../../src/domain/order';
import { captureFor, progressed, refundIdOf, withExcessOwed } from '../../src/domain/order-progress';
import { CREATED, fulfillment, itemOf, LATER, line, orderIn, payment, priced } from './fixtures';

const made = { at: LATER, by: 'usr_9', reason: null };
const [product, service] = orderIn().items as [Order['items'][number], Order['items'][number]];
const cancelledItem = (item: Order['items'][number]) => ({
  ...item,
  cancelledQuantity: item.quantity,
  cancelledAmount: item.total!,
});

describe('a fulfillment captures', () => {
  const once = payment(3_000);
  const many = { ...once, captures: 'many' } as const;
  const partly = [itemOf(priced('ps_a', 2), 1), service];
  const whole = [itemOf(priced('ps_a', 2), 2), itemOf(priced('ps_s', 1, 'service'), 1)];

  it.each<[string, Partial<Order>, { amount: number; isFinal: boolean }]>([
    [
      'all of a payment that is captured once',
      { payment: once, items: partly },
      { amount: 3_000, isFinal: true },
    ],
    [
      'its share, if it can be captured in parts',
      { payment: many, items: partly },
      { amount: 1_000, isFinal: false },
    ],
    [
      'what is left, with the last units',
      { payment: many, items: whole, captured: 1_000 },
      { amount: 2_000, isFinal: true },
    ],
    [
      'nothing of a payment that is closed',
      { payment: { ...many, isClosed: true } },
      { amount: 0, isFinal: false },
    ],
  ])('%s', (_, fields, capture) => {
    expect(captureFor(orderIn(fields))).toEqual(capture);
  });
});

describe('an order whose units are all sent', () => {
  const items = [itemOf(priced('ps_a', 2), 2), itemOf(priced('ps_s', 1, 'service'), 1)];
  const sent = (...delivered: (string | null)[]) =>
    progressed(
      orderIn({
        items,
        captured: 3_000,
        paymentStatus: 'captured',
        payment: { ...payment(3_000), isClosed: true },
        fulfillmentStatus: 'partially_fulfilled',
        fulfillments: delivered.map((deliveredAt, n) =>
          fulfillment({ id: `k${n}`, items: [line('ps_a')], deliveredAt }),
        ),
      }),
      made,
    );

  it('is completed once all of them are delivered', () => {
    expect(sent(CREATED, null)).toMatchObject({ status: 'confirmed', fulfillmentStatus: 'fulfilled' });
    expect(sent(CREATED, CREATED)).toMatchObject({ status: 'completed', fulfillmentStatus: 'delivered' });
  });
});

describe('an order that has captured too much', () => {
  const id = 'ord_01HZX3K5Q8W9R2T4Y6U7V8X9Z0';
  const order = orderIn({ id, captured: 3_000, cancelled: 1_000, paymentStatus: 'captured', revision: 0xa0 });
  const refund = {
    id: 'ref_01HZX3K5Q8W9R2T4Y6000000a1',
    amount: 1_000,
    status: 'pending',
    items: [],
    reason: 'cancelled',
    fingerprint: 'system',
    attemptId: 'system',
    by: 'system',
    createdAt: LATER,
  };

  it('owes it back by a refund that is named by the write', () => {
    const owing = withExcessOwed(order, made);
    expect(owing.refunds).toStrictEqual([refund]);
    expect(owing.compensations).toMatchObject([
      { step: 'refundPayment-161', kind: 'refund', amount: 1_000, refundId: refund.id, state: 'owed' },
    ]);
  });

  it('says why to the customer, if there is a reason', () => {
    expect(withExcessOwed(order, { ...made, reason: 'Broken' }).refunds).toMatchObject([
      { reason: 'Broken' },
    ]);
  });

  it('owes one refund by each write', () => {
    const owing = withExcessOwed(order, made);
    const more = { ...owing, cancelled: 2_000 };
    expect(withExcessOwed(more, made)).toBe(more);
    expect(withExcessOwed({ ...more, revision: 0xa1 }, made).refunds).toMatchObject([
      { id: refund.id },
      { id: 'ref_01HZX3K5Q8W9R2T4Y6000000a2', amount: 1_000 },
    ]);
  });

  it('has names for its refunds that are as long as its own', () => {
    expect(refundIdOf(id, 'ab')).toBe('ref_01HZX3K5Q8W9R2T4Y6U7V8X9ab');
  });
});

describe('an order of which nothing is open any more gives up', () => {
  const items = [cancelledItem(product), cancelledItem(service)];

  it.each(['authorized', 'action_required'] as const)('a payment that is %s', (paymentStatus) => {
    const closed = progressed(orderIn({ items, paymentStatus, payBy: LATER }), made);
    expect(closed).toMatchObject({
      status: 'cancelled',
      payBy: null,
      payment: { isClosed: true },
      compensations: [{ kind: 'void', amount: 3_000 }],
    });
  });

  it('the rest of a payment that was captured in part', () => {
    const half = [itemOf(priced('ps_a', 2), 2), cancelledItem(service)];
    const fields: Partial<Order> = { items: half, captured: 2_000, paymentStatus: 'captured' };
    expect(progressed(orderIn({ ...fields, fulfillments: [fulfillment()] }), made)).toMatchObject({
      fulfillmentStatus: 'fulfilled',
      compensations: [{ kind: 'release', amount: 1_000 }],
    });
  });

  it('what costs nothing only if nothing of it was sent', () => {
    const free = payment(0);
    expect(progressed(orderIn({ items, payment: free }), made)).toMatchObject({
      paymentStatus: 'voided',
      compensations: [],
    });
    const half = [itemOf(priced('ps_a', 2), 2), cancelledItem(service)];
    expect(
      progressed(orderIn({ items: half, payment: free, fulfillments: [fulfillment()] }), made),
    ).toMatchObject({
      paymentStatus: 'authorized',
      compensations: [],
    });
  });
});
