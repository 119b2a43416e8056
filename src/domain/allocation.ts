import { InvalidTransition } from './errors';
import { chargeableStep, divideHalfEven } from './money';
import type { Order, OrderItem, OrderLine } from './order';

type Line = Pick<OrderItem, 'quantity' | 'total'>;
type Touched = Line & Pick<OrderItem, 'fulfilledQuantity' | 'cancelledQuantity' | 'refundedQuantity'>;

/** Returns the units of a line that are neither fulfilled nor cancelled. */
export function openUnits({
  quantity,
  fulfilledQuantity,
  cancelledQuantity,
}: Omit<Touched, 'total' | 'refundedQuantity'>): number {
  return quantity - fulfilledQuantity - cancelledQuantity;
}

/** Returns the fulfilled units of a line that were not paid back. */
export function keptUnits({
  fulfilledQuantity,
  refundedQuantity,
}: Pick<OrderItem, 'fulfilledQuantity' | 'refundedQuantity'>): number {
  return fulfilledQuantity - refundedQuantity;
}

/**
 * Returns what the first units of a line cost: the exact share, rounded half to even to what cards can be charged. So parts
 * always sum to the whole, in whatever sizes they are taken.
 */
export function costOfFirst(units: number, { quantity, total }: Line, currency: string): number {
  const whole = BigInt(total ?? 0);
  return Number(divideHalfEven(whole * BigInt(units), BigInt(quantity), stepOf(whole, currency)));
}

/** A whole that cards cannot be charged was never paid for by card. */
function stepOf(whole: bigint, currency: string): bigint {
  const step = BigInt(chargeableStep(currency));
  return whole % step === 0n ? step : 1n;
}

/** Returns what the next units of a line that are cancelled or refunded are worth, in minor units. */
export function worthOfNext(units: number, item: Touched, currency: string): number {
  const before = item.cancelledQuantity + item.refundedQuantity;
  return costOfFirst(before + units, item, currency) - costOfFirst(before, item, currency);
}

/** Returns a line with that many more of its units cancelled. */
export function withCancelled(item: OrderItem, units: number, currency: string): OrderItem {
  if (units === 0) return item;
  return {
    ...item,
    cancelledQuantity: item.cancelledQuantity + units,
    cancelledAmount: item.cancelledAmount + worthOfNext(units, item, currency),
  };
}

/** Returns what the order would cost if all that is open were cancelled, in minor units. */
export function dueIfClosedShort({ items, currency }: Pick<Order, 'items' | 'currency'>): number {
  return items.reduce(
    (sum, item) => sum + item.total! - withCancelled(item, openUnits(item), currency!).cancelledAmount,
    0,
  );
}

/** Returns what was cancelled of the lines, in minor units. */
export function cancelledOf(items: readonly OrderItem[]): number {
  return items.reduce((sum, { cancelledAmount }) => sum + cancelledAmount, 0);
}

export interface Spreading {
  /** How many units of a line can be taken. */
  roomOf(item: OrderItem): number;
  /** Whether the last line of a product gives its units first. */
  fromTheLast?: boolean;
  /** Says what to do about a product of which the order has less. */
  tooMany(sku: string, left: number): string;
}

/**
 * Returns how many units each line of the order gives, for lines of a command that name products.
 * @throws {InvalidTransition} a product is not part of the order, or has fewer units
 */
export function spread(
  items: readonly OrderItem[],
  lines: readonly OrderLine[],
  { roomOf, fromTheLast = false, tooMany }: Spreading,
): number[] {
  const wanted = new Map<string, number>();
  for (const { productServiceId, quantity } of lines) {
    wanted.set(productServiceId, (wanted.get(productServiceId) ?? 0) + quantity);
  }
  const units = items.map(() => 0);
  const order = [...items.entries()];
  for (const [index, item] of fromTheLast ? order.reverse() : order) {
    const asked = wanted.get(item.productServiceId) ?? 0;
    units[index] = Math.min(asked, roomOf(item));
    wanted.set(item.productServiceId, asked - units[index]);
  }
  const excess = [...wanted].find(([, quantity]) => quantity > 0);
  if (!excess) return units;
  const same = items.filter((item) => item.productServiceId === excess[0]);
  if (same.length === 0) {
    throw new InvalidTransition(`${excess[0]} is not part of this order: name only products of its items.`);
  }
  const left = same.reduce((sum, item) => sum + roomOf(item), 0);
  throw new InvalidTransition(tooMany(same[0]!.sku ?? excess[0], left));
}
