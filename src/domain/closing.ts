import type { Command } from './command';
import { owedVoid, unsettled } from './compensation';
import type { Order, OrderPayment, OrderState } from './order';
import { canTransition, changeOrder, isClosed } from './order-transitions';
import { InvalidTransition } from './errors';
import { firstPayment, firstPaymentKey } from './order-payment';
import type { Rejection } from './rejection';

/** Who cancels an order, why, and because of which HTTP request. */
export interface Cancellation extends Pick<Command, 'by' | 'requestId'> {
  reason: string | null;
}

export interface CancelOrder extends Command, Cancellation {
  /** Cancels the order only if this is its payment. */
  paymentKey?: string;
}

export type ArchiveOrder = Command;

/** Returns whether the order may still be cancelled: nothing of it has been fulfilled. */
export function isCancellable(order: Order): boolean {
  return (
    canTransition('status', order.status, 'cancelled') &&
    canTransition('fulfillmentStatus', order.fulfillmentStatus, 'cancelled')
  );
}

/** @throws {InvalidTransition} */
export function requireCancellable(order: Order, { paymentKey }: Pick<CancelOrder, 'paymentKey'> = {}): void {
  const key = order.payment?.key ?? firstPaymentKey(order.id);
  if (paymentKey !== undefined && paymentKey !== key) {
    throw new InvalidTransition('The order now uses a different payment.');
  }
  if (isCancellable(order)) return;
  const state = isClosed(order) ? order.status : order.fulfillmentStatus.replace('_', ' ');
  const isBegun = order.fulfillmentStatus !== 'unfulfilled' && order.fulfillmentStatus !== 'cancelled';
  const instead = isBegun ? 'Have it refunded instead.' : 'There is nothing left to do.';
  throw new InvalidTransition(`The order is ${state}: it can no longer be cancelled. ${instead}`);
}

/** @throws {InvalidTransition} the order is open, or one of its compensations is not settled */
export function requireArchivable(order: Order): void {
  if (!isClosed(order)) {
    throw new InvalidTransition(`The order is ${order.status}: only a closed order can be archived.`);
  }
  if (unsettled(order).length > 0) {
    throw new InvalidTransition(
      'A compensation of this order is not settled yet: retry or resolve it first.',
    );
  }
}

export interface Closing {
  to: Extract<OrderState['status'], 'rejected' | 'cancelled'>;
  by: string;
  reason: string | null;
  rejection: Rejection | null;
  /** The payment was declined, so there is nothing to void. */
  isDeclined: boolean;
}

/**
 * Returns the order rejected or cancelled: its stock is released, and what may be reserved has to be voided.
 */
export function closedOrder(order: Order, closing: Closing, at: string): Order {
  const { to, by, reason, rejection, isDeclined } = closing;
  const payment = isDeclined ? null : paymentToVoid(order);
  const next: Order = {
    ...order,
    rejection,
    reservation: order.reservation === 'held' ? 'released' : order.reservation,
    compensations: payment ? [...order.compensations, owedVoid(payment, at)] : order.compensations,
  };
  const change: Partial<OrderState> = { status: to, fulfillmentStatus: 'cancelled' };
  if (isDeclined) change.paymentStatus = 'declined';
  else if (!payment && order.paymentStatus === 'authorized') change.paymentStatus = 'voided'; // the amount was 0
  return changeOrder(next, change, { at, by, reason });
}

/** Returns the payment that may be reserved: an opened order does not know yet whether it was authorised. */
function paymentToVoid(order: Order): OrderPayment | null {
  if (order.paymentStatus === 'authorized') return order.payment!.amount > 0 ? order.payment : null;
  const mayBeAuthorized = order.version > 0 && order.total! > 0;
  return mayBeAuthorized ? firstPayment(order) : null;
}

/** Returns the order without a place in the lists; it is still readable by its id. */
export function archivedOrder(order: Order, { by }: ArchiveOrder, at: string): Order {
  return { ...changeOrder(order, {}, { at, by, reason: null }), archivedAt: at };
}
