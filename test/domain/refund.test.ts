import fc from 'fast-check';
import type { Order } from '../../src/domain/order';
import { refundAmount, refundedOrder, requireRefundable } from '../../src/domain/refund';
import { failing, LATER, orderIn, refunding, refundOf } from './fixtures';

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

describe('refundedOrder', () => {
  it('adds one refund to the order', () => {
    const order = captured();
    expect(refundedOrder(order, refunding(1_000), LATER)).toEqual({
      ...order,
      refunded: 1_000,
      paymentStatus: 'partially_refunded',
      version: 3,
      updatedAt: LATER,
      refunds: [{ ...refundOf(1_000, 'k1'), fingerprint: 'f1', attemptId: 'a1', createdAt: LATER }],
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
            expect(() => refundedOrder(order, command, LATER)).toThrow(failing('InvalidTransition', /./));
            continue;
          }
          order = refundedOrder(order, command, LATER);
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
