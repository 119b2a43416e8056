import fc from 'fast-check';
import { costOfFirst, spread, withCancelled, worthOfNext } from '../../src/domain/allocation';
import type { OrderItem } from '../../src/domain/order';
import { failing, itemOf, line, priced } from './fixtures';

/** A line of that total, which need not divide by its units. */
const lineOf = (total: number, quantity: number): OrderItem => ({
  ...itemOf(priced('ps_a', quantity)),
  total,
});

it.each([
  [100, 3, 'EUR', [0, 33, 67, 100]],
  [1, 2, 'EUR', [0, 0, 1]], // half of 1 is rounded to even
  [3, 2, 'EUR', [0, 2, 3]],
  [4_758, 1, 'EUR', [0, 4_758]],
  [0, 2, 'EUR', [0, 0, 0]],
  [1_255, 2, 'KWD', [0, 628, 1_255]], // was never paid for by card
  [1_250, 3, 'KWD', [0, 420, 830, 1_250]], // cards are charged in tens of the minor unit
])('the first units of a line of %d for %d units in %s cost %j', (total, quantity, currency, costs) => {
  const item = lineOf(total, quantity);
  expect(costs.map((_, units) => costOfFirst(units, item, currency))).toEqual(costs);
});

it('is exact for the largest amounts', () => {
  const item = lineOf(Number.MAX_SAFE_INTEGER, 10_000);
  expect(costOfFirst(9_999, item, 'EUR')).toBe(9_006_298_534_815_517);
  expect(costOfFirst(10_000, item, 'EUR')).toBe(Number.MAX_SAFE_INTEGER);
});

it('parts sum to the whole, in whatever sizes and whether units are cancelled or refunded', () => {
  const parts = fc.array(fc.record({ units: fc.integer({ min: 1, max: 5 }), isRefund: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  });
  const currency = fc.constantFrom('EUR', 'JPY', 'KWD');
  fc.assert(
    fc.property(parts, fc.nat({ max: 1_000_000 }), currency, (given, tens, currency) => {
      const total = tens * 10;
      let item = lineOf(
        total,
        given.reduce((sum, { units }) => sum + units, 0),
      );
      let sum = 0;
      for (const { units, isRefund } of given) {
        const worth = worthOfNext(units, item, currency);
        expect(worth).toBeGreaterThanOrEqual(0);
        sum += worth;
        item = isRefund
          ? { ...item, refundedQuantity: item.refundedQuantity + units }
          : withCancelled(item, units, currency);
      }
      expect(sum).toBe(total);
    }),
  );
});

describe('spread', () => {
  const items = [itemOf(priced('ps_a', 2), 1), itemOf(priced('ps_b', 3)), itemOf(priced('ps_a', 2))];
  const open = {
    roomOf: ({ quantity, fulfilledQuantity }: OrderItem) => quantity - fulfilledQuantity,
    tooMany: (sku: string, left: number) => `Only ${left} of ${sku}.`,
  };

  it('takes units from the first line of a product to the last, or the other way', () => {
    const lines = [line('ps_a', 1), line('ps_a', 1), line('ps_b', 3)];
    expect(spread(items, lines, open)).toEqual([1, 3, 1]);
    expect(spread(items, [line('ps_a', 2)], { ...open, fromTheLast: true })).toEqual([0, 0, 2]);
  });

  it('rejects more than there is, and products of other orders', () => {
    expect(() => spread(items, [line('ps_a', 4)], open)).toThrow(
      failing('InvalidTransition', /Only 3 of SKU-ps_a/),
    );
    expect(() => spread(items, [line('ps_x', 1)], open)).toThrow(
      failing('InvalidTransition', /ps_x is not part of this order/),
    );
  });
});
