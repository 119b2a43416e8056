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
  /**
   * From its creation until it was confirmed, rejected or cancelled, or its customer was asked to act, who takes as long as
   * people take; in milliseconds, and null if that did not happen.
   */
  settledAfterMs: number | null;
  /** The same until it was confirmed; null as well if its customer was asked to act before. */
  confirmedAfterMs: number | null;
}

/** @param before null if there was no such order, or nothing is known of it */
export function figuresOf(before: Order | null, after: Order): OrderFigures {
  const types = new Set(orderEventTypes(before, after));
  const isPlaced = types.has('order.placed');
  const settledAt = before && settledAtOf(before) ? undefined : settledAtOf(after);
  const settledAfterMs = settledAt ? Date.parse(settledAt) - Date.parse(after.createdAt) : null;
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
  };
}

/** States in which the payment waits for the customer: to confirm it, or to try another card. */
const WAITS: ReadonlySet<string> = new Set(['action_required', 'declined']);

function settledAtOf({ statusHistory }: Order): string | undefined {
  return statusHistory.find(({ axis, from, to }) => (axis === 'status' && from !== null) || WAITS.has(to))
    ?.at;
}

function succeeded(order: Order | null): number {
  return order?.refunds.filter(({ status }) => status === 'succeeded').length ?? 0;
}
