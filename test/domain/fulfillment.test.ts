import fc from 'fast-check';
import {
  correctedOrder,
  deliveredOrder,
  fulfill,
  fulfilledOrder,
  fulfillmentOf,
  requireCorrectable,
  requireDeliverable,
  requireFulfillable,
} from '../../src/domain/fulfillment';
import type { Order, OrderItem } from '../../src/domain/order';
import {
  command,
  CREATED,
  failing,
  fulfilling,
  fulfillment,
  intendedFulfillment,
  itemOf,
  LATER,
  line,
  orderIn,
  payment,
  priced,
  refundOf,
} from './fixtures';

/** An order with one of two units fulfilled. */
const begun = (fields: Partial<Order> = {}): Order =>
  orderIn({
    fulfillmentStatus: 'partially_fulfilled',
    paymentStatus: 'captured',
    captured: 3_000,
    items: [itemOf(priced('ps_a', 2), 1), itemOf(priced('ps_s', 1, 'service'))],
    fulfillments: [fulfillment()],
    ...fields,
  });

const free = (item: OrderItem): OrderItem => ({ ...item, unitPrice: 0, subtotal: 0, total: 0 });

describe('requireFulfillable', () => {
  it.each([
    ['all of it', [line('ps_a', 2), line('ps_s', 1)]],
    ['some of it', [line('ps_a', 1)]],
    ['lines of the same product', [line('ps_a', 1), line('ps_a', 1)]],
  ])('accepts %s', (_, items) => {
    expect(() => requireFulfillable(orderIn(), fulfilling(items))).not.toThrow();
  });

  it.each([
    ['more than was ordered', [line('ps_a', 3)], /Only 2 of SKU-ps_a are left to fulfill/],
    ['more than was ordered in two lines', [line('ps_a', 1), line('ps_a', 2)], /Only 2 of SKU-ps_a are left/],
    ['a product of another order', [line('ps_x', 1)], /ps_x is not part of this order/],
  ])('rejects %s', (_, items, message) => {
    const fulfill = () => requireFulfillable(orderIn(), fulfilling(items));
    expect(fulfill).toThrow(failing('InvalidTransition', message));
  });

  it('counts what is already fulfilled over all lines of the product', () => {
    const items = [itemOf(priced('ps_a', 2), 2), itemOf(priced('ps_a', 3), 1)];
    const order = begun({ items });
    expect(() => requireFulfillable(order, fulfilling([line('ps_a', 2)], { id: 'k2' }))).not.toThrow();
    expect(() => requireFulfillable(order, fulfilling([line('ps_a', 3)], { id: 'k2' }))).toThrow(
      /Only 2 of SKU-ps_a are left/,
    );
  });

  it.each([
    [{ status: 'pending', paymentStatus: 'pending' }, /is pending: only a confirmed one can be fulfilled/],
    [{ status: 'cancelled', fulfillmentStatus: 'cancelled' }, /is cancelled: only a confirmed one/],
    [{ paymentStatus: 'declined' }, /is not paid: .* It can be fulfilled when that is done\.$/],
  ] as const)('rejects an order that is %j', (state, message) => {
    const fulfill = () => requireFulfillable(orderIn(state), fulfilling([line('ps_a', 1)]));
    expect(fulfill).toThrow(failing('InvalidTransition', message));
  });

  it.each(['once', 'many'] as const)(
    'rejects what follows a whole refund, of a payment captured %s',
    (captures) => {
      const amount = captures === 'once' ? 3_000 : 1_000;
      const order = begun({
        captured: amount,
        refunded: amount,
        refunds: [refundOf(amount, 'r1')],
        paymentStatus: 'refunded',
        payment: { ...payment(3_000), captures },
      });
      const error = failing('InvalidTransition', /All that was paid for this order is refunded/);
      expect(() => requireFulfillable(order, fulfilling([line('ps_a', 1)], { id: 'k2' }))).toThrow(error);
    },
  );

  it.each([
    ['by the system, for units that were cancelled', { by: 'system' }],
    ['of units that came back', { items: [{ ...line('ps_a', 1), restock: true }] }],
  ])('accepts what follows a refund %s, if its share is captured', (_, fields) => {
    const order = begun({
      captured: 1_000,
      refunded: 1_000,
      refunds: [{ ...refundOf(1_000, 'r1'), ...fields }],
      paymentStatus: 'refunded',
      payment: { ...payment(3_000), captures: 'many' },
    });
    expect(() => requireFulfillable(order, fulfilling([line('ps_a', 1)], { id: 'k2' }))).not.toThrow();
  });

  it('accepts a repeat in any state of the order, and rejects another fulfillment under its key', () => {
    const done = begun({ status: 'completed', fulfillmentStatus: 'delivered' });
    expect(() => requireFulfillable(done, fulfilling([line('ps_a', 1)]))).not.toThrow();
    const another = fulfilling([line('ps_a', 1)], { fingerprint: 'other' });
    expect(() => requireFulfillable(done, another)).toThrow(failing('IdempotencyKeyReused', /./));
  });
});

describe('the bound of 500 fulfillments', () => {
  const many = (count: number) =>
    begun({
      items: [itemOf(priced('ps_a', 1_000), count)],
      fulfillments: Array.from({ length: count }, (_, n) => fulfillment({ id: `k${n}` })),
    });
  const another = fulfilling([line('ps_a')], { id: 'new' });

  it('allows the last one', () => {
    expect(() => requireFulfillable(many(499), another)).not.toThrow();
  });

  it('rejects one more', () => {
    const error = failing('InvalidTransition', /has 500 fulfillments, the most that it can have: cancel or/);
    expect(() => requireFulfillable(many(500), another)).toThrow(error);
  });

  it('accepts a repeat of one of them', () => {
    expect(() => requireFulfillable(many(500), fulfilling([line('ps_a')], { id: 'k499' }))).not.toThrow();
  });
});

describe('fulfill', () => {
  const command = fulfilling([line('ps_a', 1)]);

  it('intends the first fulfillment, whose payment has to be captured first', () => {
    const order = orderIn();
    const intention = intendedFulfillment();
    expect(fulfill(order, command, LATER)).toEqual({ ...order, intention });
  });

  it.each([
    ['the payment was captured', begun()],
    ['it costs nothing', orderIn({ payment: payment(0), total: 0, items: orderIn().items.map(free) })],
  ])('fulfills the order at once if %s', (_, order) => {
    const next = fulfill(order, { ...command, id: 'k2' }, LATER);
    expect(next.fulfillments.at(-1)).toEqual(fulfillment({ id: 'k2' }));
    expect(next).toMatchObject({ paymentStatus: 'captured', intention: null, version: 3 });
  });

  it('rejects more than is left', () => {
    const excess = () => fulfill(orderIn(), fulfilling([line('ps_a', 3)]), LATER);
    expect(excess).toThrow(failing('InvalidTransition', /Only 2/));
  });
});

it('fulfillmentOf takes over what the command says, not delivered yet', () => {
  const command = fulfilling([line('ps_a', 1)], { carrier: 'DHL', trackingNumber: 'T1' });
  expect(fulfillmentOf(command, LATER)).toEqual(fulfillment({ carrier: 'DHL', trackingNumber: 'T1' }));
});

const WHOLE = { amount: 3_000, isFinal: true };
const NOTHING = { amount: 0, isFinal: true };

describe('fulfilledOrder', () => {
  it('captures the payment with the first fulfillment', () => {
    const order = orderIn();
    const shipped = fulfillment({ carrier: 'DHL', trackingNumber: 'T1' });
    const by = { at: LATER, by: 'usr_9', reason: null };
    expect(fulfilledOrder(order, shipped, WHOLE, LATER)).toEqual({
      ...order,
      items: [itemOf(priced('ps_a', 2), 1), itemOf(priced('ps_s', 1, 'service'))],
      fulfillments: [shipped],
      payment: { ...order.payment, isClosed: true },
      paymentStatus: 'captured',
      captured: 3_000,
      fulfillmentStatus: 'partially_fulfilled',
      statusHistory: [
        ...order.statusHistory,
        { ...by, axis: 'paymentStatus', from: 'authorized', to: 'captured' },
        { ...by, axis: 'fulfillmentStatus', from: 'unfulfilled', to: 'partially_fulfilled' },
      ],
      version: 3,
      updatedAt: LATER,
    });
  });

  it('captures what is authorised, which may be nothing', () => {
    const free = orderIn({ payment: payment(0), total: 0 });
    const next = fulfilledOrder(free, fulfillment(), NOTHING, LATER);
    expect(next).toMatchObject({ captured: 0, paymentStatus: 'captured' });
  });

  it('leaves the payment of a free order as it is, if that is not reserved any more', () => {
    const free = orderIn({ payment: payment(0), total: 0, paymentStatus: 'captured', refunded: 0 });
    const { statusHistory } = fulfilledOrder(free, fulfillment(), NOTHING, LATER);
    expect(statusHistory.filter(({ axis }) => axis === 'paymentStatus')).toEqual([]);
  });

  it('captures nothing with a later fulfillment, and keeps the refunds', () => {
    const order = begun({ paymentStatus: 'partially_refunded', refunded: 10 });
    const next = fulfilledOrder(order, fulfillment({ id: 'k2', items: [line('ps_s', 1)] }), NOTHING, LATER);
    expect(next).toMatchObject({
      paymentStatus: 'partially_refunded',
      captured: 3_000,
      fulfillmentStatus: 'partially_fulfilled',
      reservation: 'held',
      version: 3,
    });
    expect(next.fulfillments.map(({ id }) => id)).toEqual(['k1', 'k2']);
  });

  it.each([
    ['held', 'committed'],
    ['none', 'none'],
  ] as const)('turns stock that was %s into %s with the last fulfillment', (reservation, after) => {
    const rest = fulfillment({ id: 'k2', items: [line('ps_a', 1), line('ps_s', 1)] });
    const next = fulfilledOrder(begun({ reservation }), rest, NOTHING, LATER);
    expect(next).toMatchObject({ fulfillmentStatus: 'fulfilled', reservation: after, status: 'confirmed' });
  });

  it('never fulfills more than was ordered, and exactly what the fulfillments say', () => {
    const quantity = fc.integer({ min: 1, max: 5 });
    const product = fc.constantFrom('ps_a', 'ps_b');
    const lines = fc.array(fc.tuple(product, quantity), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lines, fc.array(lines, { maxLength: 6 }), (ordered, wishes) => {
        let order = orderIn({ items: ordered.map(([id, units]) => itemOf(priced(id, units))) });
        for (const [n, wish] of wishes.entries()) {
          const wanted = fulfilling(
            wish.map(([id, units]) => line(id, units)),
            { id: `k${n}`, fingerprint: `f${n}` },
          );
          if (!isPossible(order, wanted.items)) {
            expect(() => requireFulfillable(order, wanted)).toThrow(failing('InvalidTransition', /./));
            continue;
          }
          requireFulfillable(order, wanted);
          order = fulfilledOrder(order, fulfillmentOf(wanted, LATER), NOTHING, LATER);
          expect(order.items.every((item) => item.fulfilledQuantity <= item.quantity)).toBe(true);
        }
        for (const id of ['ps_a', 'ps_b']) {
          const shipped = order.fulfillments.flatMap(({ items }) => items);
          expect(units(order.items, id, 'fulfilledQuantity')).toBe(units(shipped, id, 'quantity'));
        }
        const isAll = order.items.every((item) => item.fulfilledQuantity === item.quantity);
        expect(order.fulfillmentStatus === 'fulfilled').toBe(isAll);
      }),
    );
  });

  type Line = { productServiceId: string; quantity: number; fulfilledQuantity?: number };

  function units(lines: readonly Line[], id: string, field: 'quantity' | 'fulfilledQuantity'): number {
    const same = lines.filter((one) => one.productServiceId === id);
    return same.reduce((sum, one) => sum + one[field]!, 0);
  }

  function isPossible(order: Order, lines: readonly Line[]): boolean {
    return ['ps_a', 'ps_b'].every((id) => {
      const left = units(order.items, id, 'quantity') - units(order.items, id, 'fulfilledQuantity');
      return order.status === 'confirmed' && units(lines, id, 'quantity') <= left;
    });
  }
});

describe('what follows when all that was paid is paid back', () => {
  const paidBack = (captures: 'once' | 'many', fields: Partial<Order['refunds'][number]>) =>
    begun({
      captured: 1_000,
      refunded: 1_000,
      refunds: [refundOf(0, 'r0'), { ...refundOf(1_000, 'r1'), ...fields }],
      paymentStatus: 'refunded',
      payment: { ...payment(3_000), captures, ...(captures === 'once' && { isClosed: true }) },
    });
  const next = fulfilling([line('ps_a', 1)], { id: 'k2' });
  const ofUnits = { items: [{ ...line('ps_a', 1), restock: true }] };

  it('is rejected if nothing more can be captured, although the refund was of units', () => {
    const error = failing('InvalidTransition', /All that was paid for this order is refunded/);
    expect(() => requireFulfillable(paidBack('once', ofUnits), next)).toThrow(error);
  });

  it('is rejected if one refund of several was of an amount', () => {
    const order = paidBack('many', {});
    const refunds = [{ ...refundOf(500, 'r2'), ...ofUnits }, refundOf(500, 'r3')];
    const error = failing('InvalidTransition', /All that was paid for this order is refunded/);
    expect(() => requireFulfillable({ ...order, refunds }, next)).toThrow(error);
  });

  it('is accepted after refunds of units and of nothing, if its share can be captured', () => {
    expect(() => requireFulfillable(paidBack('many', ofUnits), next)).not.toThrow();
  });
});

describe('a fulfillment that is corrected', () => {
  const correct = (fields: { carrier?: string | null; trackingNumber?: string | null }) =>
    correctedOrder(
      begun({
        fulfillments: [fulfillment({ carrier: 'DHL', trackingNumber: 'T1' }), fulfillment({ id: 'k2' })],
      }),
      { ...command, fulfillmentId: 'k1', ...fields },
      LATER,
    );

  it.each([
    [{ carrier: 'UPS' }, { carrier: 'UPS', trackingNumber: 'T1' }],
    [{ trackingNumber: 'T2' }, { carrier: 'DHL', trackingNumber: 'T2' }],
    [{ carrier: null }, { carrier: null, trackingNumber: 'T1' }],
  ])('by %j has that, and the next version', (fields, expected) => {
    const { fulfillments, version } = correct(fields);
    expect(fulfillments).toEqual([fulfillment(expected), fulfillment({ id: 'k2' })]);
    expect(version).toBe(3);
  });

  it('by what it has already stays in the version that it has', () => {
    expect(correct({ carrier: 'DHL', trackingNumber: 'T1' }).version).toBe(2);
  });

  it('is under way: it was neither delivered nor undone', () => {
    const undone = { at: CREATED, by: 'usr_9', reason: 'Lost', restock: true };
    const require = (one: Partial<Order['fulfillments'][number]>) => () =>
      requireCorrectable(begun({ fulfillments: [fulfillment(one)] }), { ...command, fulfillmentId: 'k1' });
    expect(require({})).not.toThrow();
    expect(require({ deliveredAt: CREATED })).toThrow(
      failing('InvalidTransition', /already delivered at 2026/),
    );
    expect(require({ undone })).toThrow(failing('InvalidTransition', /already undone at 2026/));
  });
});

describe('requireDeliverable', () => {
  it('accepts a fulfillment once', () => {
    const order = begun();
    expect(() => requireDeliverable(order, { ...command, fulfillmentId: 'k1' })).not.toThrow();
    const delivered = begun({ fulfillments: [fulfillment({ deliveredAt: CREATED })] });
    const error = failing('InvalidTransition', /was already delivered at 2026-01-01T00:00:00.000Z/);
    expect(() => requireDeliverable(delivered, { ...command, fulfillmentId: 'k1' })).toThrow(error);
  });

  it('rejects a fulfillment of another order', () => {
    const error = failing('NotFound', /no fulfillment with this id/);
    expect(() => requireDeliverable(begun(), { ...command, fulfillmentId: 'k2' })).toThrow(error);
  });
});

describe('deliveredOrder', () => {
  const [first, second] = [fulfillment(), fulfillment({ id: 'k2' })];
  const deliver = (order: Order, fulfillmentId: string) =>
    deliveredOrder(order, { ...command, fulfillmentId }, LATER);

  it('completes the order with the last delivery when everything is fulfilled', () => {
    const order = begun({
      fulfillmentStatus: 'fulfilled',
      fulfillments: [{ ...first, deliveredAt: CREATED }, second],
    });
    const by = { at: LATER, by: 'usr_9', reason: null };
    expect(deliver(order, 'k2')).toEqual({
      ...order,
      status: 'completed',
      fulfillmentStatus: 'delivered',
      version: 3,
      updatedAt: LATER,
      fulfillments: [
        { ...first, deliveredAt: CREATED },
        { ...second, deliveredAt: LATER },
      ],
      statusHistory: [
        ...order.statusHistory,
        { ...by, axis: 'fulfillmentStatus', from: 'fulfilled', to: 'delivered' },
        { ...by, axis: 'status', from: 'confirmed', to: 'completed' },
      ],
    });
  });

  it.each([
    ['other fulfillments are not delivered', 'fulfilled', [first, second]],
    ['something is not fulfilled', 'partially_fulfilled', [first]],
  ] as const)('leaves the order open while %s', (_, fulfillmentStatus, fulfillments) => {
    const order = begun({ fulfillmentStatus, fulfillments: [...fulfillments] });
    expect(deliver(order, 'k1')).toEqual({
      ...order,
      version: 3,
      updatedAt: LATER,
      fulfillments: order.fulfillments.map((one) => (one.id === 'k1' ? { ...one, deliveredAt: LATER } : one)),
    });
  });
});
