import { cancelledOf, openUnits, spread, withCancelled } from './allocation';
import type { Command } from './command';
import { owedVoid, unsettled } from './compensation';
import type { Order, OrderItem, OrderLine, OrderPayment, OrderState } from './order';
import { hasOpenUnits, progressed } from './order-progress';
import { changeOrder, isClosed } from './order-transitions';
import { InvalidTransition } from './errors';
import { currentPayment } from './order-payment';
import type { Rejection } from './rejection';

export interface CancelOrder extends Command {
  reason: string | null;
  internalNote?: string;
  /** What is given up; all that is open if this is absent. */
  items?: OrderLine[];
  /** Cancels the order only if nothing of it is fulfilled. */
  unlessBegun?: true;
}

export type ArchiveOrder = Command;

/** Returns whether the order may still be cancelled as a whole: nothing of it is fulfilled. */
export function isCancellable({ status, fulfillmentStatus }: OrderState): boolean {
  return !isClosed({ status }) && fulfillmentStatus === 'unfulfilled';
}

/** @throws {InvalidTransition} */
export function requireCancellable(
  order: Order,
  command: Omit<CancelOrder, keyof Command | 'reason' | 'internalNote'> = {},
): void {
  const { items, unlessBegun } = command;
  if (isClosed(order) || !hasOpenUnits(order) || (unlessBegun && !isCancellable(order))) {
    throw new InvalidTransition(
      `The order is ${stateOf(order)}: it can no longer be cancelled. ${insteadFor(order)}`,
    );
  }
  if (!items) return;
  if (order.status === 'pending') {
    throw new InvalidTransition(
      'The order is being placed: cancel all of it, or wait until it is confirmed.',
    );
  }
  requireRoomForDebt(order, 'cancel units when they are, or all that is open now');
  if (order.statusHistory.length >= MAX_HISTORY) {
    throw new InvalidTransition(
      `The history of this order has ${MAX_HISTORY} entries, the most that it can have: cancel all that is open.`,
    );
  }
  cancelledUnits(order, items);
}

/** What an order can tell at most, so that it stays far below the 16 MB of a document of MongoDB. */
const MAX_HISTORY = 1_000;

/** How many payments may wait to be voided or paid back, so that what a workflow knows of an order stays small. */
const MAX_UNSETTLED = 20;

/** @param advice what to do if the order owes too much already @throws {InvalidTransition} */
export function requireRoomForDebt(order: Order, advice: string): void {
  if (unsettled(order).length < MAX_UNSETTLED) return;
  throw new InvalidTransition(`${MAX_UNSETTLED} payments of this order are not settled yet: ${advice}.`);
}

function stateOf(order: Order): string {
  return isClosed(order) ? order.status : order.fulfillmentStatus.replace('_', ' ');
}

function insteadFor({ status, fulfillmentStatus }: Order): string {
  if (status === 'completed') return 'Have it refunded instead.';
  if (fulfillmentStatus === 'cancelled') return 'There is nothing left to do.';
  return 'Mark its fulfillments as delivered, undo one that was lost or came back, or have the order refunded.';
}

/** Returns how many units of each line are given up, from the last line of each product to the first. */
function cancelledUnits({ items }: Order, lines: readonly OrderLine[]): number[] {
  return spread(items, lines, {
    roomOf: openUnits,
    fromTheLast: true,
    tooMany: (sku, left) => `Only ${left} of ${sku} are open: what is fulfilled can be refunded.`,
  });
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
  internalNote?: string;
  rejection: Rejection | null;
  /** The payment was declined, so there is nothing to void. */
  isDeclined: boolean;
}

export function rejectedBecause(rejection: Rejection, isDeclined = false): Closing {
  return { to: 'rejected', by: 'system', reason: rejection.code, rejection, isDeclined };
}

/** Returns the order with all that is open cancelled, or the units that the command names. @throws {InvalidTransition} */
export function cancelledOrder(order: Order, command: CancelOrder, at: string): Order {
  requireCancellable(order, command);
  const { by, reason, internalNote } = command;
  const units = command.items ? cancelledUnits(order, command.items) : order.items.map(openUnits);
  const items = order.items.map((item, n): OrderItem => withCancelled(item, units[n]!, order.currency!));
  if (order.status === 'confirmed') {
    return progressed({ ...order, items }, { at, by, reason, internalNote, isTold: true });
  }
  const next = { ...order, items, cancelled: cancelledOf(items) };
  const closing = { to: 'cancelled', by, reason, internalNote, rejection: null, isDeclined: false } as const;
  return closedOrder(next, closing, at);
}

/**
 * Returns the order that is not confirmed yet as rejected or cancelled: its stock is released, and what may be reserved
 * has to be voided.
 */
export function closedOrder(order: Order, closing: Closing, at: string): Order {
  const { to, by, reason, internalNote, rejection, isDeclined } = closing;
  const payment = isDeclined ? null : paymentToVoid(order);
  const next: Order = {
    ...order,
    rejection,
    // Another order can have it: a rejected one is not what the customer wanted.
    externalRef: to === 'rejected' ? null : order.externalRef,
    reservation: order.reservation === 'held' ? 'released' : order.reservation,
    compensations: payment ? [...order.compensations, owedVoid(payment, at)] : order.compensations,
    payBy: null,
    retryUntil: null,
  };
  const change: Partial<OrderState> = { status: to, fulfillmentStatus: 'cancelled' };
  if (isDeclined) change.paymentStatus = 'declined';
  return changeOrder(next, change, { at, by, reason, internalNote });
}

/** Returns the payment that may be reserved: an opened order does not know yet whether it was authorised. */
function paymentToVoid(order: Order): OrderPayment | null {
  const mayBeAuthorized = order.version > 0 && order.total! > 0 && order.paymentStatus !== 'declined';
  return mayBeAuthorized ? currentPayment(order) : null;
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
