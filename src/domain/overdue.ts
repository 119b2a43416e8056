import type { Order } from './order';
import { hasOpenUnits } from './order-progress';
import { changeOrder } from './order-transitions';

/**
 * Returns since when a confirmed order waits for its next fulfillment: since it was confirmed, or since the last time that
 * something was shipped or a shipment was undone. Null if it waits for none.
 */
export function waitingSince(order: Order): string | null {
  if (order.status !== 'confirmed' || !hasOpenUnits(order)) return null;
  const confirmedAt = order.statusHistory.find(({ to }) => to === 'confirmed')?.at ?? order.createdAt;
  return order.fulfillments.reduce(
    (last, { createdAt, undone }) => later(last, undone?.at ?? createdAt),
    confirmedAt,
  );
}

/** Times of ISO 8601 in UTC sort as they follow each other. */
function later(one: string, other: string): string {
  return one > other ? one : other;
}

/**
 * Returns the order of which a part is fulfilled, known to wait too long for the rest; the same order if it does not.
 * @param since the time since when it has waited too long: it may have been fulfilled or changed since
 */
export function overdueOrder(order: Order, since: string, at: string): Order {
  const isWaiting = order.fulfillmentStatus === 'partially_fulfilled' && waitingSince(order) === since;
  if (!isWaiting || order.overdueSince) return order;
  return { ...changeOrder(order, {}, { at, by: 'system', reason: null }), overdueSince: at };
}
