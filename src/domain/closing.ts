import type { Command } from './command';
import { owedVoid, unsettled } from './compensation';
import type { Order, OrderPayment, OrderState } from './order';
import { canTransition, changeOrder, InvalidTransition, isClosed } from './order-transitions';
import { firstPayment, firstPaymentKey } from './order-payment';
import type { Rejection } from './rejection';

/** Who cancels an order, why, and because of which HTTP request. */
export interface Cancellation extends Pick<Command, 'by' | 'requestId'> {
  reason: string | null;
}

export interface CancelOrder extends Command, Cancellation {
  /** Only if this is the payment that the order stands on. */
  paymentKey?: string;
}

export type ArchiveOrder = Command;

/** Whether the order may still be cancelled: nothing of it has been fulfilled. */
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
    throw new InvalidTransition('The order stands on another payment by now.');
  }
  if (isCancellable(order)) return;
  const state = isClosed(order) ? order.status : order.fulfillmentStatus.replace('_', ' ');
  const isBegun = order.fulfillmentStatus !== 'unfulfilled' && order.fulfillmentStatus !== 'cancelled';
  const instead = isBegun ? 'Have it refunded instead.' : 'There is nothing left to do.';
  throw new InvalidTransition(`The order is ${state}: it can no longer be cancelled. ${instead}`);
}

/** @throws {InvalidTransition} the order is open, or still owes something */
export function requireArchivable(order: Order): void {
  if (!isClosed(order)) {
    throw new InvalidTransition(`The order is ${order.status}: only a closed order can be archived.`);
  }
  if (unsettled(order).length > 0) {
    throw new InvalidTransition('A compensation of this order is pending: settle it first.');
  }
}

export interface Closing {
  to: Extract<OrderState['status'], 'rejected' | 'cancelled'>;
  by: string;
  reason: string | null;
  rejection: Rejection | null;
  /** The provider said no: there is nothing to give back. */
  isDeclined: boolean;
}

/** The order as rejected or cancelled: it holds no stock any more, and owes what may be reserved of the payment. */
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
  else if (!payment && order.paymentStatus === 'authorized') change.paymentStatus = 'voided'; // nothing was to pay
  return changeOrder(next, change, { at, by, reason });
}

/** An order that was opened may have been authorised, whether it knows it or not. */
function paymentToVoid(order: Order): OrderPayment | null {
  if (order.paymentStatus === 'authorized') return order.payment!.amount > 0 ? order.payment : null;
  const mayBeAuthorized = order.version > 0 && order.total! > 0;
  return mayBeAuthorized ? firstPayment(order) : null;
}

/** The order out of the lists, still readable by its id. */
export function archivedOrder(order: Order, { by }: ArchiveOrder, at: string): Order {
  return { ...changeOrder(order, {}, { at, by, reason: null }), archivedAt: at };
}
