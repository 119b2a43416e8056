import { openUnits } from './allocation';
import type { Order, Pricing } from './order';

/**
 * The units of one product that an order or a cart moves when it changes. `available + reserved + held` lose what leaves
 * the stock.
 */
export interface StockMove {
  productServiceId: string;
  available: number;
  reserved: number;
  /** Those that carts keep from others; absent if it moves none. */
  held?: number;
}

type Stocked = Pick<Order, 'items' | 'reservation'>;

/** Returns whether an order of these items holds stock: services have none. */
export function reservationOf({ items }: Pick<Pricing, 'items'>): 'held' | 'none' {
  return items.some(({ kind }) => kind === 'product') ? 'held' : 'none';
}

/**
 * Returns what a change of an order moves in stock, sorted by product so that all transactions lock in the
 * same order. For each product, the sum of what is available, reserved, with customers and written off stays the same.
 * @param before null for a new order
 */
export function stockMoves(before: Stocked | null, after: Stocked): StockMove[] {
  const reserved = difference(before, after, heldUnits);
  const gone = difference(before, after, goneUnits);
  return [...new Set([...reserved.keys(), ...gone.keys()])]
    .sort()
    .map((productServiceId) => {
      const toReserved = reserved.get(productServiceId) ?? 0;
      const leaving = gone.get(productServiceId) ?? 0;
      return { productServiceId, reserved: toReserved, available: 0 - toReserved - leaving };
    })
    .filter(({ available, reserved }) => available !== 0 || reserved !== 0);
}

type Units = (order: Stocked) => Map<string, number>;

function difference(before: Stocked | null, after: Stocked, units: Units): Map<string, number> {
  const result = units(after);
  for (const [id, quantity] of before ? units(before) : []) result.set(id, (result.get(id) ?? 0) - quantity);
  return result;
}

/** Returns the units of each product that the order keeps from others. */
export function heldUnits({ items, reservation }: Stocked): Map<string, number> {
  if (reservation !== 'held') return new Map();
  return unitsOf(items, openUnits);
}

/** Returns the units that are with the customer or written off. */
function goneUnits({ items }: Stocked): Map<string, number> {
  return unitsOf(
    items,
    ({ fulfilledQuantity, restockedQuantity, writtenOffQuantity }) =>
      fulfilledQuantity - restockedQuantity + writtenOffQuantity,
  );
}

function unitsOf(
  items: Order['items'],
  count: (item: Order['items'][number]) => number,
): Map<string, number> {
  const units = new Map<string, number>();
  for (const item of items) {
    if (item.kind !== 'product') continue; // a service has no stock, an unpriced line holds nothing
    units.set(item.productServiceId, (units.get(item.productServiceId) ?? 0) + count(item));
  }
  return units;
}
