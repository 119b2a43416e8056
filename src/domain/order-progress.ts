import { cancelledOf, dueIfClosedShort, openUnits } from './allocation';
import { owedRefund, owedRelease, owedVoid } from './compensation';
import { dueOf, type Fulfillment, type Order, type OrderState, type Refund, type Reservation } from './order';
import { changeOrder, type ChangeMade } from './order-transitions';
import { capturedForGoods, isCapturable, leftToRefund } from './order-payment';
import type { Capture } from './payment';

/** Returns whether units of the order are neither fulfilled nor cancelled. */
export function hasOpenUnits({ items }: Pick<Order, 'items'>): boolean {
  return items.some((item) => openUnits(item) > 0);
}

/** Returns the fulfillments that count: those that were not undone. */
export function countingFulfillments({ fulfillments }: Pick<Order, 'fulfillments'>): Fulfillment[] {
  return fulfillments.filter(({ undone }) => !undone);
}

/**
 * Returns what is to be captured when the lines of the order are as they are given. A payment service that captures in
 * parts captures what the order would cost if the rest were cancelled, so that closing it short pays nothing back.
 */
export function captureFor(order: Order): Capture {
  const payment = order.payment!;
  const isFinal = payment.captures === 'once' || !hasOpenUnits(order);
  if (!isCapturable(order)) return { amount: 0, isFinal };
  const target = isFinal ? dueOf(order)! : dueIfClosedShort(order);
  return { amount: Math.max(0, target - capturedForGoods(order)), isFinal };
}

/** Returns what the payment lacks for the lines as they are given, if nothing more of it can be captured. */
export function shortfallOf(order: Order): number {
  return isCapturable(order) ? 0 : Math.max(0, dueIfClosedShort(order) - capturedForGoods(order));
}

/**
 * Returns the next version of an order whose lines or fulfillments have changed: its states and its reservation follow
 * from them, and money that it holds without need is owed.
 */
export function progressed(
  changed: Order,
  made: ChangeMade,
  payment: Partial<Pick<OrderState, 'paymentStatus'>> = {},
): Order {
  const { at, reason } = made;
  const overdueSince = hasOpenUnits(changed) ? changed.overdueSince : null;
  const cancelled = { ...changed, overdueSince, cancelled: cancelledOf(changed.items) };
  const progress = progressOf(cancelled);
  const reserved = { ...cancelled, reservation: reservationAfter(cancelled, progress) };
  const repaid = withExcessOwed(reserved, { at, reason });
  const { order, isVoided } = withRestGivenUp(repaid, at);
  return changeOrder(order, { ...payment, ...progress, ...(isVoided && { paymentStatus: 'voided' }) }, made);
}

/** Returns the states that follow from the lines and the fulfillments. */
function progressOf(order: Order): Partial<OrderState> {
  const isSent = order.items.some(({ fulfilledQuantity }) => fulfilledQuantity > 0);
  if (hasOpenUnits(order)) return { fulfillmentStatus: isSent ? 'partially_fulfilled' : 'unfulfilled' };
  if (!isSent) return { status: 'cancelled', fulfillmentStatus: 'cancelled' };
  const isDelivered = countingFulfillments(order).every(({ deliveredAt }) => deliveredAt);
  if (!isDelivered) return { fulfillmentStatus: 'fulfilled' };
  return { fulfillmentStatus: 'delivered', status: 'completed' };
}

function reservationAfter(
  { reservation }: Order,
  { status, fulfillmentStatus }: Partial<OrderState>,
): Reservation {
  if (reservation === 'none') return 'none';
  if (status === 'cancelled') return 'released';
  return fulfillmentStatus === 'fulfilled' || fulfillmentStatus === 'delivered' ? 'committed' : 'held';
}

/** Returns the order owing back what was captured of units that are cancelled. */
export function withExcessOwed(order: Order, { at, reason }: Pick<ChangeMade, 'at' | 'reason'>): Order {
  const excess = Math.min(leftToRefund(order), capturedForGoods(order) - (dueOf(order) ?? 0));
  const id = systemRefundId(order);
  if (excess <= 0 || order.refunds.some((one) => one.id === id)) return order;
  const refund: Refund = {
    id,
    amount: excess,
    status: 'pending',
    items: [],
    reason: reason ?? 'cancelled',
    fingerprint: 'system',
    attemptId: 'system',
    by: 'system',
    createdAt: at,
  };
  return {
    ...order,
    refunds: [...order.refunds, refund],
    compensations: [...order.compensations, owedRefund(order, refund, at)],
  };
}

/** A refund that a write of the order owes is named by the order and the write, so that none has the same name. */
function systemRefundId({ id, revision }: Order): string {
  const write = (revision + 1).toString(16).padStart(8, '0');
  return refundIdOf(id, write);
}

/** Returns the id of a refund of the order that ends so. */
export function refundIdOf(orderId: string, end: string): string {
  return `${orderId.replace('ord_', 'ref_').slice(0, -end.length)}${end}`;
}

/** Returns the order that gives up what its payment still reserves, if nothing of it is open any more. */
function withRestGivenUp(order: Order, at: string): { order: Order; isVoided: boolean } {
  const { payment, paymentStatus, compensations } = order;
  const asIs = { order, isVoided: false };
  if (!payment || payment.isClosed || hasOpenUnits(order)) return asIs;
  if (payment.amount === 0) return { order, isVoided: paymentStatus === 'authorized' && isUnsent(order) };
  const isReserved = paymentStatus === 'authorized' || paymentStatus === 'action_required';
  const owed = isReserved ? owedVoid(payment, at) : owedRelease(order, at);
  const closed: Order = { ...order, payBy: null, payment: { ...payment, isClosed: true } };
  return { order: { ...closed, compensations: [...compensations, owed] }, isVoided: false };
}

function isUnsent({ items }: Order): boolean {
  return items.every(({ fulfilledQuantity }) => fulfilledQuantity === 0);
}
