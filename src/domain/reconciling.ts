import type { Command } from './command';
import { unsettled } from './compensation';
import type { Compensation, Dispute, Order, OrderPayment, Refund } from './order';
import { currentPayment, paidStatus, providerKeyOf, sumOf } from './order-payment';
import { progressed, refundIdOf, withExcessOwed } from './order-progress';
import { changeOrder } from './order-transitions';
import {
  customerWaitOf,
  isBeingPlaced,
  isUnpaid,
  lapsedOrder,
  paidOrder,
  turnedDownOrder,
  type PaymentPolicy,
} from './paying';
import { disputedOf, isLive, refundedOf, type ProviderPayment, type ProviderRefund } from './payment';

/** Asks for an order to be brought in line with what the payment service knows of a payment. */
export interface CheckPayment extends Command {
  paymentKey: string;
  /** The deadline of the customer that has passed by the clock of the workflow, ISO 8601. */
  passed?: string;
}

/** Asks the order, as it was read, for a look at a payment. */
export function paymentCheck(
  { requestId, revision }: Order,
  named: Pick<CheckPayment, 'id' | 'by' | 'paymentKey'>,
): CheckPayment {
  return { ...named, requestId, seenRevision: revision };
}

/**
 * Returns whether the order is being placed or changed: what the payment service says of it now may be out of date when
 * that is done.
 */
export function isBeingChanged(order: Order): boolean {
  return isBeingPlaced(order) || order.intention !== null;
}

export interface Reconciling {
  /** The time, ISO 8601. */
  at: string;
  policy: PaymentPolicy;
  /** The deadline of the customer that has passed, even if it is later by another clock. */
  passed?: string;
}

/**
 * Returns the order brought in line with the payment service's record of its payment, or the same order if it is. What has
 * happened there is not told by events but by the record, so it makes no difference how often, how late and in which order
 * they come.
 * @param found null if the payment service does not know the payment
 */
export function reconciledOrder(order: Order, found: ProviderPayment | null, context: Reconciling): Order {
  if (isBeingChanged(order) || order.status === 'rejected') return order;
  const { at } = context;
  const isWaiting = customerWaitOf(order)?.what === 'action';
  const acted = isWaiting ? actedOrder(order, found, context) : order;
  const next = found?.key === currentPayment(acted).key ? withMoney(acted, found, at) : acted;
  return next === order ? order : { ...next, version: order.version + 1, updatedAt: at };
}

/** Returns the order after what the customer has done, or has not done in time. */
function actedOrder(order: Order, found: ProviderPayment | null, { at, policy, passed }: Reconciling): Order {
  const payment = order.payment!;
  const isLate = at >= order.payBy! || passed === order.payBy;
  if (found?.status === 'authorized' || found?.status === 'captured') {
    const { reference, captures } = found;
    return paidOrder(order, { ...payment, reference, captures }, at);
  }
  if (isLate) return turnedDownOrder(order, payment, { outcome: 'expired', reason: EXPIRED }, at, policy);
  if (found?.status !== 'declined' && found?.status !== 'voided') return order;
  const failed = { outcome: 'failed', reason: found.declineReason ?? FAILED } as const;
  return turnedDownOrder(order, payment, failed, at, policy);
}

const FAILED =
  'The payment was not confirmed at the bank, so nothing is charged: use another payment method.';
const EXPIRED =
  'The bank asked for the payment to be confirmed, and that was not done in time, so nothing is charged.';

/** Returns the order that knows what has become of the money of its payment, and owes what it has to. */
function withMoney(order: Order, found: ProviderPayment, at: string): Order {
  const next = withRefunds(withCaptures(withDisputes(order, found, at), found, at), found, at);
  return withPayableDebts(order, next, found, at);
}

/**
 * Returns the order without the refunds that it owes and that the payment service cannot make, since others have paid the
 * amount back or the bank has taken it for good; what is still too much of what was captured is owed anew, as when a
 * dispute is won.
 */
function withPayableDebts(before: Order, order: Order, found: ProviderPayment, at: string): Order {
  // What is disputed may come back, and what is owed waits for that: both of an old and of a new refund could be paid.
  const lost = found.disputes.filter(({ status }) => status === 'lost');
  let left = found.captured - refundedOf(found) - disputedOf({ disputes: lost });
  const isPayable = ({ kind, amount, payment, refundId }: Compensation) => {
    if (kind !== 'refund' || payment.key !== found.key) return true;
    if (found.refunds.some(({ key }) => key === refundId)) return true;
    if (amount > left) return false;
    left -= amount;
    return true;
  };
  const dropped = unsettled(order).filter((one) => !isPayable(one));
  const isWon = ({ id, status }: Dispute) =>
    status === 'won' && before.disputes.some((one) => one.id === id && one.status !== 'won');
  if (dropped.length === 0 && !order.disputes.some(isWon)) return order;
  const known = new Set(before.refunds.map(({ id }) => id));
  const isDropped = ({ id }: Refund) => dropped.some(({ refundId }) => refundId === id);
  const next: Order = {
    ...order,
    compensations: order.compensations.filter((one) => !dropped.includes(one)),
    refunds: order.refunds
      .filter((one) => !isDropped(one) || known.has(one.id))
      .map((one): Refund => (isDropped(one) ? { ...one, status: 'failed' } : one)),
  };
  return withExcessOwed(next, { at, reason: null });
}

/** Returns the order that knows what was captured elsewhere, and whether its authorisation is gone. */
function withCaptures(order: Order, found: ProviderPayment, at: string): Order {
  const { payment, captured } = order;
  if (!payment || payment.amount === 0 || isGivenUp(order)) return order;
  const isGone = !isLive(found);
  if (found.captured === 0) {
    const isLapsed = isGone && order.paymentStatus === 'authorized';
    return isLapsed && !payment.isClosed ? lapsedOrder(order, at) : order;
  }
  const isClosing = isGone && !payment.isClosed;
  if (found.captured <= captured && !isClosing) return order;
  const next: Order = {
    ...order,
    captured: Math.max(captured, found.captured),
    payment: isClosing ? closed(payment) : payment,
  };
  const isMore = next.captured > captured;
  const made = { at, by: 'provider', reason: isMore ? 'captured_elsewhere' : 'authorization_lapsed' };
  return progressed(next, made, { paymentStatus: paidStatus(next) });
}

/** Returns whether all of its payment is, or is to be, given up: what happens to it then is not the order's. */
function isGivenUp(order: Order): boolean {
  const { status, captured } = order;
  return isUnpaid(order) || (status === 'cancelled' && captured === 0);
}

function closed(payment: OrderPayment): OrderPayment {
  return { ...payment, isClosed: true };
}

/** Returns the order that knows which refunds have failed, and which were made elsewhere. */
function withRefunds(order: Order, found: ProviderPayment, at: string): Order {
  if (order.captured === 0) return order;
  const known = order.refunds.map((one): Refund => {
    const theirs = found.refunds.find(({ key }) => key === providerKeyOf(one));
    const status = theirs ? statusOf(one, theirs) : one.status;
    return status === one.status ? one : { ...one, status };
  });
  const keys = new Set(order.refunds.map(providerKeyOf));
  const others = found.refunds
    .filter(({ key }) => !keys.has(key))
    .map((theirs, n) => refundElsewhere(order, theirs, n, at));
  const hasChanged = others.length > 0 || known.some((one, n) => one !== order.refunds[n]);
  if (!hasChanged) return order;
  const refunds = [...known, ...others];
  const refunded = sumOf(refunds.filter(({ status }) => status === 'succeeded'));
  const next: Order = { ...order, refunds, refunded };
  const reason = others.length > 0 ? 'refunded_elsewhere' : 'refund_failed';
  return changeOrder(next, { paymentStatus: paidStatus(next) }, { at, by: 'provider', reason });
}

/** One that a compensation is to make is the compensation's; one that is under way at the bank counts as made. */
function statusOf({ status, by }: Refund, theirs: ProviderRefund): Refund['status'] {
  if (by === 'provider') return theirs.status;
  if (status === 'pending') return status;
  return theirs.status === 'failed' ? 'failed' : 'succeeded';
}

function refundElsewhere(
  order: Order,
  { key, amount, status }: ProviderRefund,
  n: number,
  at: string,
): Refund {
  return {
    id: refundIdElsewhere(order, n),
    amount,
    status,
    items: [],
    reason: 'Refunded at the payment service',
    fingerprint: 'provider',
    attemptId: 'provider',
    by: 'provider',
    createdAt: at,
    providerKey: key,
  };
}

/** Named by the order and the write, as one that a write of the order owes, from whose ids the `f` keeps it apart. */
function refundIdElsewhere({ id, revision }: Order, n: number): string {
  const write = (revision + 1).toString(16).padStart(7, '0');
  return refundIdOf(id, `f${n.toString(16).padStart(3, '0')}${write}`);
}

/** Returns the order that knows what the customer contests at the bank, which only operators see. */
function withDisputes(order: Order, found: ProviderPayment, at: string): Order {
  const disputes = found.disputes.map((theirs): Dispute => {
    const known = order.disputes.find(({ id }) => id === theirs.id);
    const isKnown = known?.status === theirs.status && known.amount === theirs.amount;
    return isKnown ? known : { ...theirs, at };
  });
  const isSame = disputes.every((one) => order.disputes.includes(one));
  return isSame ? order : { ...order, disputes };
}
