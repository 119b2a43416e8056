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
 * @param deadlineMs how long it may wait
 */
export function overdueOrder(order: Order, deadlineMs: number, at: string): Order {
  const since = waitingSince(order);
  if (since === null || order.overdueSince || order.fulfillmentStatus !== 'partially_fulfilled') return order;
  if (Date.parse(at) < Date.parse(since) + deadlineMs) return order;
  return { ...changeOrder(order, {}, { at, by: 'system', reason: null }), overdueSince: at };
}
