import { orderEventTypes } from './events';
import type { Order } from './order';
import type { RejectionCode } from './rejection';

/** What of the business happened to an order between two of its versions, for statistics. Amounts are in minor units. */
export interface OrderFigures {
  isPlaced: boolean;
  isConfirmed: boolean;
  isCancelled: boolean;
  isCompleted: boolean;
  rejected: RejectionCode | null;
  /** Refunds that the payment service has made. */
  refunds: number;
  /** Null if nothing of it was ever priced. */
  currency: string | null;
  /** Amounts that were added to what the order has of them. */
  amounts: { placed: number; captured: number; refunded: number };
  /** From its creation until it was confirmed, in milliseconds; null if that did not happen. */
  confirmedAfterMs: number | null;
  /** From its creation until it was not pending any more, in milliseconds; null if that did not happen. */
  settledAfterMs: number | null;
  /** Whether its customer had to do something for that, which takes as long as people take. */
  isCustomerAsked: boolean;
}

/** @param before null if there was no such order, or nothing is known of it */
export function figuresOf(before: Order | null, after: Order): OrderFigures {
  const types = new Set(orderEventTypes(before, after));
  const isPlaced = types.has('order.placed');
  const isSettled = after.status !== 'pending' && (!before || before.status === 'pending');
  const settledAt = after.statusHistory.find(({ axis, from }) => axis === 'status' && from === 'pending')?.at;
  const settledAfterMs = isSettled && settledAt ? Date.parse(settledAt) - Date.parse(after.createdAt) : null;
  return {
    isPlaced,
    isConfirmed: types.has('order.confirmed'),
    isCancelled: types.has('order.cancelled'),
    isCompleted: types.has('order.completed'),
    rejected: types.has('order.rejected') ? (after.rejection?.code ?? null) : null,
    refunds: succeeded(after) - succeeded(before),
    currency: after.currency,
    amounts: {
      placed: isPlaced ? (after.total ?? 0) : 0,
      captured: after.captured - (before?.captured ?? 0),
      refunded: after.refunded - (before?.refunded ?? 0),
    },
    confirmedAfterMs: types.has('order.confirmed') ? settledAfterMs : null,
    settledAfterMs,
    isCustomerAsked:
      after.statusHistory.some(({ to }) => to === 'action_required') || after.retryUntil !== null,
  };
}

function succeeded(order: Order | null): number {
  return order?.refunds.filter(({ status }) => status === 'succeeded').length ?? 0;
}
