import { owedVoid, unsettled } from './compensation';
import { closedOrder, rejectedBecause } from './closing';
import { nameOf, type KeyedCommand } from './command';
import { InvalidTransition, PaymentUnsettled } from './errors';
import type { Order, OrderPayment, PaymentAttempt } from './order';
import { currentPayment, nextPayment } from './order-payment';
import { hasOpenUnits } from './order-progress';
import { changeOrder, isClosed } from './order-transitions';
import { confirmedOrder } from './placing';
import { REJECTION_CODES, type Rejection } from './rejection';

export interface PayOrder extends KeyedCommand {
  paymentMethod: string;
}

/** How long an order waits for its customer, with its stock held. */
export interface PaymentPolicy {
  /** For what the bank asks of them, in milliseconds. */
  actionDeadlineMs: number;
  /** For another card, in milliseconds; 0 if a payment that is turned down ends the order. */
  retryWindowMs: number;
}

/** What an order waits for the customer to do. */
export interface CustomerWait {
  what: 'action' | 'card';
  /** Until when, ISO 8601. */
  until: string;
  /** The payment that waits, or that was turned down. */
  paymentKey: string;
}

/** Returns what the order waits for the customer to do, or null. */
export function customerWaitOf(order: Order): CustomerWait | null {
  const { paymentStatus, payBy, retryUntil } = order;
  if (isClosed(order)) return null;
  const { key: paymentKey } = currentPayment(order);
  // It has none any more when nothing of the order is open: the payment is about to be voided.
  if (paymentStatus === 'action_required') return payBy ? { what: 'action', until: payBy, paymentKey } : null;
  if (retryUntil) return { what: 'card', until: retryUntil, paymentKey };
  return null;
}

/** Returns whether the first payment of the order has not been answered yet. */
export function isBeingPlaced({ status, paymentStatus }: Pick<Order, 'status' | 'paymentStatus'>): boolean {
  return status === 'pending' && paymentStatus === 'pending';
}

/** Returns who has sent the card that the order is about to be paid with; null if it is not, or is with the same card. */
export function cardSenderOf(order: Order): string | null {
  const { intention, placedBy } = order;
  if (intention) return intention.kind === 'payment' ? intention.by : null;
  return isBeingPlaced(order) ? placedBy : null;
}

/** Returns whether nothing is, or is going to be, reserved for the order that it could be sent for. */
export function isUnpaid({ paymentStatus }: Pick<Order, 'paymentStatus'>): boolean {
  return paymentStatus === 'action_required' || paymentStatus === 'declined' || paymentStatus === 'voided';
}

/** What the customer can do about an order that is not paid, for the message of a command that needs a payment. */
export function howToPay({ paymentStatus }: Pick<Order, 'paymentStatus'>): string {
  return paymentStatus === 'action_required'
    ? 'The payment of the order waits for the customer to confirm it at the bank.'
    : 'The order is not paid: its payment was turned down or has lapsed, and another card can be tried with POST /orders/{id}/payment.';
}

/** How many cards can be tried for an order. */
const MAX_ATTEMPTS = 20;

/**
 * @throws {InvalidTransition} the order needs no other payment
 * @throws {PaymentUnsettled} one before may still be live
 */
export function requirePayable(order: Order): void {
  const { status, paymentStatus, retryUntil, attempts } = order;
  if (paymentStatus === 'action_required') {
    throw new InvalidTransition(
      'The payment of the order waits for the customer to confirm it at the bank: only if that fails can another card be tried.',
    );
  }
  const isLapsed = status === 'confirmed' && isUnpaid(order) && hasOpenUnits(order);
  if (!retryUntil && !isLapsed) {
    throw new InvalidTransition(
      `The order is ${status} and its payment ${paymentStatus}: there is nothing to pay.`,
    );
  }
  if (attempts.length >= MAX_ATTEMPTS) {
    throw new InvalidTransition(
      `${MAX_ATTEMPTS} payments were tried for this order, the most that it can have: place a new one.`,
    );
  }
  if (unsettled(order).some(({ kind }) => kind === 'void')) {
    throw new PaymentUnsettled(
      'The payment before is still being given up, so that never two of them are reserved: try again in a minute.',
    );
  }
}

/** Returns the order intending to be paid with another card. @throws {InvalidTransition} @throws {PaymentUnsettled} */
export function pay(order: Order, command: PayOrder, at: string): Order {
  requirePayable(order);
  const { retryUntil } = order;
  if (retryUntil && at >= retryUntil) {
    throw new InvalidTransition(
      'The time in which another card could be tried for this order is over: place a new one.',
    );
  }
  const payment = nextPayment(order, command.paymentMethod);
  return {
    ...order,
    intention: { kind: 'payment', command: nameOf(command), since: at, payment, by: command.by },
  };
}

/** Returns the order with its payment authorised: it is confirmed, if it was not before. */
export function paidOrder(order: Order, payment: OrderPayment, at: string): Order {
  const isFirst = order.attempts.length === 0;
  const next = isFirst ? order : withAttempt(order, payment, { outcome: 'authorized', reason: null, at });
  return confirmedOrder(next, payment, at);
}

/** Returns the order whose payment waits for the customer to act. */
export function actionRequiredOrder(
  order: Order,
  payment: OrderPayment,
  at: string,
  { actionDeadlineMs }: PaymentPolicy,
): Order {
  const waiting = withAttempt(order, payment, { outcome: 'action_required', reason: null, at });
  const next = { ...waiting, payment, payBy: later(at, actionDeadlineMs) };
  return changeOrder(next, { paymentStatus: 'action_required' }, { at, by: 'system', reason: null });
}

/** Why a payment is not authorised. */
export interface Failure {
  outcome: 'declined' | 'failed' | 'expired';
  /** For the customer. */
  reason: string;
}

/**
 * Returns the order whose payment was turned down: for some time another card can be tried, if the order has not been sent. One
 * that is not confirmed is rejected if there is no such time, or when it is over.
 */
export function turnedDownOrder(
  order: Order,
  payment: OrderPayment,
  { outcome, reason }: Failure,
  at: string,
  { retryWindowMs }: PaymentPolicy,
): Order {
  const noted = withAttempt(order, payment, { outcome, reason, at });
  const retryUntil = order.retryUntil ?? later(at, retryWindowMs);
  // It may still be authorised if the customer acts after all.
  const isDead = outcome !== 'expired';
  if (order.status === 'pending' && retryUntil <= at) {
    const next = order.attempts.length > 0 ? noted : order;
    return closedOrder(next, rejectedBecause({ code: CODES[outcome], detail: reason }, isDead), at);
  }
  const next: Order = {
    ...noted,
    payment: { ...payment, isClosed: true },
    payBy: null,
    ...(order.status === 'pending' && { retryUntil }),
    compensations: isDead ? order.compensations : [...order.compensations, owedVoid(payment, at)],
  };
  return changeOrder(next, { paymentStatus: 'declined' }, { at, by: 'system', reason: CODES[outcome] });
}

/** Returns the order whose authorisation is gone without our doing: it can be paid again while nothing is sent. */
export function lapsedOrder(order: Order, at: string): Order {
  const payment = order.payment!;
  const reason = 'The payment service does not reserve it any more.';
  const noted = withAttempt(order, payment, { outcome: 'lapsed', reason, at });
  const next: Order = { ...noted, payment: { ...payment, isClosed: true } };
  return changeOrder(
    next,
    { paymentStatus: 'voided' },
    { at, by: 'provider', reason: 'authorization_lapsed' },
  );
}

/**
 * Returns the order that was not paid with another card in time, rejected; the same order if it does not wait for one any
 * more.
 * @param until the time that has passed
 */
export function givenUpOrder(order: Order, until: string, at: string): Order {
  const wait = customerWaitOf(order);
  if (order.intention || wait?.what !== 'card' || wait.until !== until) return order;
  return closedOrder(order, rejectedBecause(unpaidBecause(order)), at);
}

/** Returns why the order is not paid, in the words of its last attempt. */
export function unpaidBecause({ attempts }: Pick<Order, 'attempts'>): Rejection {
  const { outcome, reason } = attempts.at(-1)!;
  const code = outcome === 'failed' || outcome === 'expired' ? CODES[outcome] : CODES.declined;
  return { code, detail: reason ?? UNKNOWN_REASON };
}

const UNKNOWN_REASON = 'The payment was turned down: use another payment method.';

const CODES = {
  declined: REJECTION_CODES.PaymentDeclined,
  failed: REJECTION_CODES.PaymentActionFailed,
  expired: REJECTION_CODES.PaymentActionExpired,
} as const;

/** Returns the order that knows how an attempt to pay it has ended; one that was waiting ends by this. */
export function withAttempt(
  order: Order,
  { key, paymentMethod = order.paymentMethod }: OrderPayment,
  { outcome, reason, at }: Pick<PaymentAttempt, 'outcome' | 'reason' | 'at'>,
): Order {
  const others = order.attempts.filter((one) => one.key !== key);
  const begun = order.attempts.find((one) => one.key === key)?.at ?? at;
  return { ...order, attempts: [...others, { key, paymentMethod, at: begun, outcome, reason }] };
}

function later(at: string, ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString();
}
