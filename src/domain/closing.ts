import type { Command } from './command';
import { owedVoid, unsettled } from './compensation';
import type { Order, OrderPayment, OrderState } from './order';
import { canTransition, changeOrder, isClosed } from './order-transitions';
import { InvalidTransition } from './errors';
import { firstPayment, firstPaymentKey } from './order-payment';
import type { Rejection } from './rejection';

export interface CancelOrder extends Command {
  reason: string | null;
  /** Cancels the order only if this is its payment. */
  paymentKey?: string;
}

export type ArchiveOrder = Command;

/** Returns whether the order may still be cancelled: nothing of it has been fulfilled. */
export function isCancellable({ status, fulfillmentStatus }: OrderState): boolean {
  return (
    canTransition('status', status, 'cancelled') &&
    canTransition('fulfillmentStatus', fulfillmentStatus, 'cancelled')
  );
}

/** Returns whether the command is about the payment that the order has. */
export function isForPayment(order: Order, { paymentKey }: Pick<CancelOrder, 'paymentKey'>): boolean {
  return paymentKey === undefined || paymentKey === (order.payment?.key ?? firstPaymentKey(order.id));
}

export function anotherPayment(): InvalidTransition {
  return new InvalidTransition('The order now uses a different payment.');
}

/** @throws {InvalidTransition} */
export function requireCancellable(order: Order, command: Pick<CancelOrder, 'paymentKey'> = {}): void {
  if (!isForPayment(order, command)) throw anotherPayment();
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

export function rejectedBecause(rejection: Rejection, isDeclined = false): Closing {
  return { to: 'rejected', by: 'system', reason: rejection.code, rejection, isDeclined };
}

/** Returns the order cancelled. @throws {InvalidTransition} */
export function cancelledOrder(order: Order, command: CancelOrder, at: string): Order {
  requireCancellable(order, command);
  const { by, reason } = command;
  return closedOrder(order, { to: 'cancelled', by, reason, rejection: null, isDeclined: false }, at);
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

/**
 * Returns the order without a place in the lists; it is still readable by its id. One that is archived stays as it is.
 * @throws {InvalidTransition}
 */
export function archivedOrder(order: Order, { by }: ArchiveOrder, at: string): Order {
  requireArchivable(order);
  if (order.archivedAt) return order;
  return { ...changeOrder(order, {}, { at, by, reason: null }), archivedAt: at };
}
