import fc from 'fast-check';
import type { Order, Reservation } from '../../src/domain/order';
import { reservationOf, stockMoves } from '../../src/domain/stock';
import { itemOf, priced, pricingOf } from './fixtures';

type Stocked = Pick<Order, 'items' | 'reservation'>;

const holding = (...items: Order['items']): Stocked => ({ items, reservation: 'held' });
const product = (id: string, quantity: number, fulfilled = 0) => itemOf(priced(id, quantity), fulfilled);
const service = (id: string, quantity: number, fulfilled = 0) =>
  itemOf(priced(id, quantity, 'service'), fulfilled);
const move = (productServiceId: string, available: number, reserved: number) => ({
  productServiceId,
  available,
  reserved,
});

describe('stockMoves', () => {
  const order = holding(product('ps_b', 2), service('ps_s', 9), product('ps_a', 1), product('ps_b', 3));

  it('reserves the products of a new order, summed and sorted, and no services', () => {
    expect(stockMoves(null, order)).toEqual([move('ps_a', -1, 1), move('ps_b', -5, 5)]);
  });

  it('makes what a released order held available again', () => {
    const moves = stockMoves(order, { ...order, reservation: 'released' });
    expect(moves).toEqual([move('ps_a', 1, -1), move('ps_b', 5, -5)]);
  });

  it('moves the difference of an amendment, and nothing where there is none', () => {
    const amended = holding(product('ps_a', 1), product('ps_b', 7), product('ps_c', 1));
    expect(stockMoves(order, amended)).toEqual([move('ps_b', -2, 2), move('ps_c', -1, 1)]);
    expect(stockMoves(amended, order)).toEqual([move('ps_b', 2, -2), move('ps_c', 1, -1)]);
  });

  it('takes fulfilled lines out of the stock', () => {
    const fulfilled = holding(
      product('ps_b', 2, 2),
      service('ps_s', 9, 9),
      product('ps_a', 1),
      product('ps_b', 3, 1),
    );
    expect(stockMoves(order, fulfilled)).toEqual([move('ps_b', 0, -3)]);
  });

  it('moves nothing of what is committed', () => {
    const last = holding(product('ps_a', 2, 1));
    const committed: Stocked = { items: [product('ps_a', 2, 2)], reservation: 'committed' };
    expect(stockMoves(last, committed)).toEqual([move('ps_a', 0, -1)]);
    expect(stockMoves(committed, committed)).toEqual([]);
  });

  it('moves nothing for an order that holds nothing', () => {
    for (const reservation of ['none', 'released'] as const) {
      expect(stockMoves(null, { ...order, reservation })).toEqual([]);
    }
    expect(stockMoves(null, holding(service('ps_s', 2)))).toEqual([]);
  });

  it('moves nothing for a line without a price', () => {
    expect(stockMoves(null, holding({ ...product('ps_a', 2), kind: null }))).toEqual([]);
  });
});

it('keeps the sum of available, reserved and fulfilled units over any sequence of changes', () => {
  const item = fc
    .record({
      id: fc.constantFrom('ps_a', 'ps_b', 'ps_c'),
      kind: fc.constantFrom('product' as const, 'service' as const),
      quantity: fc.integer({ min: 1, max: 100 }),
      share: fc.integer({ min: 0, max: 4 }),
    })
    .map(({ id, kind, quantity, share }) =>
      itemOf(priced(id, quantity, kind), Math.floor((quantity * share) / 4)),
    );
  const state = fc.record({
    items: fc.array(item, { minLength: 1, maxLength: 5 }),
    reservation: fc.constantFrom<Reservation>('none', 'held', 'released', 'committed'),
  });
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 8 }), (states) => {
      const stock = new Map(['ps_a', 'ps_b', 'ps_c'].map((id) => [id, { available: 1_000, reserved: 0 }]));
      let before: Stocked | null = null;
      for (const after of states) {
        for (const { productServiceId, available, reserved } of stockMoves(before, after)) {
          const entry = stock.get(productServiceId)!;
          entry.available += available;
          entry.reserved += reserved;
        }
        before = after;
        for (const [id, { available, reserved }] of stock) {
          expect(reserved).toBe(
            after.reservation === 'held'
              ? units(after, id, (one) => one.quantity - one.fulfilledQuantity)
              : 0,
          );
          expect(available + reserved + units(after, id, (one) => one.fulfilledQuantity)).toBe(1_000);
        }
      }
    }),
  );
});

it('moves the opposite for the opposite change', () => {
  const quantities = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }));
  fc.assert(
    fc.property(quantities, ([a, b]) => {
      const [one, other] = [holding(product('ps_a', a)), holding(product('ps_a', b))];
      const [there, back] = [stockMoves(one, other), stockMoves(other, one)];
      expect(there.map(({ available, reserved }) => [available, reserved])).toEqual(
        back.map(({ available, reserved }) => [0 - available, 0 - reserved]),
      );
    }),
  );
});

it('holds stock when one of the lines is a product', () => {
  const kinds = fc.array(fc.constantFrom('product' as const, 'service' as const), { minLength: 1 });
  fc.assert(
    fc.property(kinds, (of) => {
      const pricing = pricingOf(...of.map((kind, n) => priced(`ps_${n}`, 1, kind)));
      expect(reservationOf(pricing)).toBe(of.includes('product') ? 'held' : 'none');
    }),
  );
});

function units({ items }: Stocked, id: string, count: (item: Order['items'][number]) => number): number {
  const same = items.filter((one) => one.productServiceId === id && one.kind === 'product');
  return same.reduce((sum, one) => sum + count(one), 0);
}
