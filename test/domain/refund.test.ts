import fc from 'fast-check';
import type { Dispute, Order } from '../../src/domain/order';
import {
  refund,
  refundAmount,
  refundedOrder,
  refundOf as madeFrom,
  requireRefundable,
} from '../../src/domain/refund';
import { CREATED, failing, itemOf, LATER, orderIn, priced, refunding, refundOf } from './fixtures';

const disputed: Dispute = { id: 'dp_1', amount: 3_000, status: 'opened', reason: 'fraudulent', at: CREATED };

const captured = (fields: Partial<Order> = {}): Order =>
  orderIn({ paymentStatus: 'captured', captured: 3_000, fulfillmentStatus: 'fulfilled', ...fields });

describe('refundAmount', () => {
  it.each([
    ['a part', 1_000, 0, 1_000],
    ['the whole', 3_000, 0, 3_000],
    ['all that is left', null, 1_000, 2_000],
    ['just what is left', 2_000, 1_000, 2_000],
  ])('returns %s: %s of 3 000 after %i is %i', (_, amount, refunded, expected) => {
    expect(refundAmount(captured({ refunded }), { amount })).toBe(expected);
  });

  it.each([
    ['more than was captured', captured(), 3_001, /Only 30.00 EUR of the captured 30.00 EUR are left/],
    [
      'more than is left',
      captured({ refunded: 1_000 }),
      2_001,
      /Only 20.00 EUR of the captured 30.00 EUR are left to refund/,
    ],
    ['more than nothing when all is refunded', captured({ refunded: 3_000 }), 1, /has already been refunded/],
    ['the rest when all is refunded', captured({ refunded: 3_000 }), null, /has already been refunded/],
    ['what the bank has taken back', captured({ disputes: [disputed] }), null, /disputed at the bank/],
    [
      'what cards cannot be paid back exactly',
      captured({ currency: 'KWD' }),
      1_004,
      /cards are charged in multiples of 0.010 KWD, so choose 1000 \(1.000 KWD\) or 1010 \(1.010 KWD\)/,
    ],
    ['a part before the capture', orderIn(), 1, /No payment was captured/],
    ['the rest before the capture', orderIn(), null, /No payment was captured/],
  ])('rejects %s', (_, order, amount, message) => {
    const error = failing('InvalidTransition', message);
    expect(() => refundAmount(order, { amount })).toThrow(error);
    expect(() => requireRefundable(order, refunding(amount))).toThrow(error);
  });

  it('accepts a repeat at any time, and rejects another refund under its key', () => {
    const order = captured({ refunded: 3_000, refunds: [refundOf(3_000, 'k1')] });
    expect(() => requireRefundable(order, refunding(3_000, { fingerprint: 'f-k1' }))).not.toThrow();
    expect(() => requireRefundable(order, refunding(1, { fingerprint: 'other' }))).toThrow(
      failing('IdempotencyKeyReused', /./),
    );
  });
});

describe('refundAmount of items', () => {
  const line = (id: string, total: number) => ({ ...itemOf(priced(id, 2), 2), total });
  const order = captured({ items: [line('ps_a', 2_000), line('ps_b', 1_000)] });
  const amountOf = (quantities: Record<string, number>, from = order) => {
    const items = Object.entries(quantities).map(([productServiceId, quantity]) => ({
      productServiceId,
      quantity,
      restock: false,
    }));
    return refundAmount(from, { amount: null, items });
  };

  it('returns what they cost', () => {
    expect([amountOf({ ps_a: 1 }), amountOf({ ps_a: 2 }), amountOf({ ps_a: 1, ps_b: 1 })]).toEqual([
      1_000, 2_000, 1_500,
    ]);
  });

  it('returns no more than what is left, and all of it for the last units', () => {
    expect(amountOf({ ps_a: 2 }, { ...order, refunded: 2_500 })).toBe(500);
    expect(amountOf({ ps_a: 2, ps_b: 2 }, { ...order, captured: 3_300 })).toBe(3_300);
  });

  it('rejects more units than the customer has', () => {
    expect(() => amountOf({ ps_a: 3 })).toThrow(/Only 2 of SKU-ps_a are fulfilled and not refunded/);
  });

  it('is refunded with the internal note, if there is one', () => {
    const noted = madeFrom(order, refunding(1_000, { internalNote: 'Called' }), LATER);
    expect(noted.internalNote).toBe('Called');
    expect(madeFrom(order, refunding(1_000), LATER)).not.toHaveProperty('internalNote');
  });
});

describe('the bound of 500 refunds', () => {
  const many = (count: number) =>
    captured({ refunds: Array.from({ length: count }, (_, n) => refundOf(1, `k${n}`)), refunded: count });
  const another = refunding(1, { id: 'new' });

  it('allows the last one', () => {
    expect(() => requireRefundable(many(499), another)).not.toThrow();
  });

  it('rejects one more', () => {
    const error = failing(
      'InvalidTransition',
      /has 500 refunds, the most that it can have: pay the rest back/,
    );
    expect(() => requireRefundable(many(500), another)).toThrow(error);
  });

  it('does not count what the system has paid back', () => {
    const order = many(500);
    const refunds = order.refunds.map((one, n) => (n === 0 ? { ...one, by: 'system' } : one));
    expect(() => requireRefundable({ ...order, refunds }, another)).not.toThrow();
  });

  it('accepts a repeat of one of them', () => {
    const repeat = refunding(1, { id: 'k499', fingerprint: 'f-k499' });
    expect(() => requireRefundable(many(500), repeat)).not.toThrow();
  });
});

describe('refund', () => {
  it('intends the refund, under the key of the command', () => {
    const order = captured();
    const intention = {
      kind: 'refund',
      command: { id: 'k1', fingerprint: 'f1', attemptId: 'a1' },
      since: LATER,
      refund: madeFrom(order, refunding(1_000), LATER),
    };
    expect(refund(order, refunding(1_000), LATER)).toEqual({ ...order, intention });
  });

  it('rejects more than is left', () => {
    const excess = () => refund(captured(), refunding(3_001), LATER);
    expect(excess).toThrow(failing('InvalidTransition', /Only 30.00 EUR/));
  });
});

describe('refundOf', () => {
  it('has the content of the command', () => {
    const made = { ...refundOf(1_000, 'k1'), fingerprint: 'f1', attemptId: 'a1', createdAt: LATER };
    expect(madeFrom(captured(), refunding(1_000), LATER)).toEqual(made);
  });

  it('has all that is left if the command names no amount', () => {
    expect(madeFrom(captured({ refunded: 1_000 }), refunding(null), LATER).amount).toBe(2_000);
  });
});

describe('refundedOrder', () => {
  it('adds one refund to the order', () => {
    const order = captured();
    const added = refundOf(1_000, 'k1');
    expect(refundedOrder(order, added, LATER)).toEqual({
      ...order,
      refunded: 1_000,
      paymentStatus: 'partially_refunded',
      version: 3,
      updatedAt: LATER,
      refunds: [added],
      statusHistory: [
        ...order.statusHistory,
        {
          at: LATER,
          by: 'usr_9',
          reason: 'Broken',
          axis: 'paymentStatus',
          from: 'captured',
          to: 'partially_refunded',
        },
      ],
    });
  });

  it('leaves the payment as it is if nothing was captured, since what comes back cost nothing', () => {
    const free = orderIn({ items: [{ ...itemOf(priced('ps_a', 2), 2), total: 0 }], total: 0 });
    const back = { ...refundOf(0, 'k1'), items: [{ productServiceId: 'ps_a', quantity: 1, restock: true }] };
    const { paymentStatus, items } = refundedOrder(free, back, LATER);
    expect(paymentStatus).toBe('authorized');
    expect(items[0]).toMatchObject({ refundedQuantity: 1, restockedQuantity: 1 });
  });

  it('keeps the sum of the refunds, never above what was captured', () => {
    const amountLists = fc.array(fc.option(fc.integer({ min: 1, max: 1_500 })), { maxLength: 12 });
    fc.assert(
      fc.property(amountLists, (amounts) => {
        let order = captured();
        let sum = 0;
        for (const [n, amount] of amounts.entries()) {
          const command = refunding(amount, { id: `k${n}` });
          const expected = amount ?? 3_000 - sum;
          if (expected === 0 || sum + expected > 3_000) {
            expect(() => madeFrom(order, command, LATER)).toThrow(failing('InvalidTransition', /./));
            continue;
          }
          order = refundedOrder(order, madeFrom(order, command, LATER), LATER);
          sum += expected;
          expect(order.refunds.at(-1)!.amount).toBe(expected);
          expect(order.paymentStatus).toBe(sum === 3_000 ? 'refunded' : 'partially_refunded');
        }
        expect(order.refunded).toBe(sum);
        expect(order.refunds.reduce((total, { amount }) => total + amount, 0)).toBe(sum);
      }),
    );
  });
});
