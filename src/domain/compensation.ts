import type { Command } from './command';
import { NotFound } from './errors';
import type { Compensation, ErrorRecord, Order, OrderPayment, OrderState, Refund } from './order';
import { changeOrder, type ChangeMade } from './order-transitions';
import { currentPayment, paidStatus } from './order-payment';

export interface RetryCompensation extends Command {
  step: string;
}

export interface ResolveCompensation extends RetryCompensation {
  /** How the operator settled it. */
  note: string;
}

/**
 * Returns the compensation for a payment that must not stay reserved or captured, named by the end of its
 * key.
 */
export function owedVoid(payment: OrderPayment, since: string): Compensation {
  return { ...owed(payment, since), step: `voidPayment${suffixOf(payment)}`, kind: 'void' };
}

/** Returns the compensation for a refund that the system owes, named by the write that makes it necessary. */
export function owedRefund(order: Order, { id: refundId, amount }: Refund, since: string): Compensation {
  const step = `refundPayment-${order.revision + 1}`;
  return { ...owed(order.payment!, since), step, kind: 'refund', amount, refundId };
}

/** Returns the compensation for what a payment reserves beyond what was captured of it. */
export function owedRelease({ payment, captured }: Order, since: string): Compensation {
  const step = `releasePayment${suffixOf(payment!)}`;
  return { ...owed(payment!, since), step, kind: 'release', amount: payment!.amount - captured };
}

function owed(payment: OrderPayment, since: string): Omit<Compensation, 'step' | 'kind'> {
  return { payment, amount: payment.amount, state: 'owed', since, failure: null, resolution: null };
}

function suffixOf({ key }: OrderPayment): string {
  return key.slice(key.indexOf('-'));
}

/** Returns the compensations that are still to be done. */
export function unsettled({ compensations }: Pick<Order, 'compensations'>): Compensation[] {
  return compensations.filter(({ state }) => state !== 'resolved');
}

/** Returns the compensations that keep failing. */
export function pendingCompensations({ compensations }: Pick<Order, 'compensations'>): Compensation[] {
  return compensations.filter(({ state }) => state === 'pending');
}

/**
 * Accepts a compensation that has never failed, too: the workflow may have been terminated before the first
 * attempt.
 * @throws {NotFound} the order has no such compensation that is to be done
 */
export function requireUnsettled(order: Order, { step }: RetryCompensation): void {
  if (unsettled(order).some((one) => one.step === step)) return;
  throw noSuchCompensation();
}

export function noSuchCompensation(): NotFound {
  return new NotFound(
    'This order has no outstanding compensation of this name: it was settled, or never existed.',
  );
}

/** How an attempt to settle a compensation ended. */
export type CompensationEvent =
  | { state: 'pending'; failure: string }
  | {
      state: 'done';
      /** Whether anything was reserved. */
      wasAuthorized: boolean;
    };

/** Returns the order with a compensation that keeps failing. One that is known to fail so stays as it is. */
export function withPending(order: Order, step: string, failure: string): Order {
  const known = unsettled(order).find((one) => one.step === step);
  if (!known || (known.state === 'pending' && known.failure === failure)) return order;
  const others = order.compensations.filter((one) => one !== known);
  return { ...order, compensations: [...others, { ...known, state: 'pending', failure }] };
}

/**
 * Returns the order with another compensation. Its version stays, as with every other change of compensations alone: only
 * operators see them, and a new version would outdate the If-Match of everyone else.
 */
export function withOwed(order: Order, owed: Compensation): Order {
  return { ...order, compensations: [...order.compensations, owed] };
}

/**
 * Returns the order with a compensation that an operator settled, or the same order if there is no such
 * compensation.
 */
export function withResolved(order: Order, command: ResolveCompensation, at: string): Order {
  const { step, note, by } = command;
  const settled = order.compensations.find((one) => one.step === step);
  if (!settled) return order;
  const resolution = { note, by, at };
  const compensation: Compensation = { ...settled, state: 'resolved', resolution };
  const others = order.compensations.filter((one) => one !== settled);
  const next = withRefundMade({ ...order, compensations: [...others, compensation] }, compensation);
  // The note is for operators, but customers read the reasons of status changes.
  const made: ChangeMade = { at, by, reason: null };
  return changePayment(next, paymentAfter(next, compensation, true), made);
}

/**
 * Returns the order without a compensation that is done, or the same order if that was settled before.
 * @param wasAuthorized whether anything was reserved
 */
export function withDone(order: Order, step: string, wasAuthorized: boolean, at: string): Order {
  const made: ChangeMade = { at, by: 'system', reason: null };
  const done = unsettled(order).find((one) => one.step === step);
  if (!done) return order;
  const others = { ...order, compensations: order.compensations.filter((one) => one !== done) };
  const next = withRefundMade(others, done);
  return changePayment(next, paymentAfter(next, done, wasAuthorized), made);
}

/** Returns the order with the refund that a compensation has made, if it is one that does. */
function withRefundMade(order: Order, { refundId }: Compensation): Order {
  const pending = order.refunds.find(({ id, status }) => id === refundId && status === 'pending');
  if (!pending) return order;
  const refunds = order.refunds.map((one): Refund =>
    one === pending ? { ...one, status: 'succeeded' } : one,
  );
  return { ...order, refunds, refunded: order.refunded + pending.amount };
}

/** Returns the next states of the payment. A payment that an amendment has replaced does not change them. */
function paymentAfter(
  order: Order,
  { kind, payment }: Compensation,
  wasAuthorized: boolean,
): OrderState['paymentStatus'][] {
  if (kind === 'release') return [];
  if (kind === 'refund') return [paidStatus(order)];
  if (payment.key !== currentPayment(order).key || (order.status === 'confirmed' && !order.payment?.isClosed))
    return [];
  if (order.paymentStatus === 'authorized' || order.paymentStatus === 'action_required') return ['voided'];
  if (order.paymentStatus !== 'pending') return [];
  return wasAuthorized ? ['authorized', 'voided'] : ['declined'];
}

/**
 * Returns the order after its payment has passed through all of these states: in the next version, or in the same one if
 * only operators see what has changed.
 */
function changePayment(order: Order, states: OrderState['paymentStatus'][], made: ChangeMade): Order {
  if (states.length === 0) return order;
  const changed = states.reduce((next, paymentStatus) => changeOrder(next, { paymentStatus }, made), order);
  return { ...changed, version: order.version + 1, updatedAt: made.at };
}

/** Why an operator who was slower than the payment service cannot resolve a compensation. */
export const VOIDED: ErrorRecord = {
  type: 'InvalidTransition',
  message:
    'The payment service has just voided or refunded this payment: do not pay the customer back again.',
};
/** Why an operator who was slower than another one cannot resolve a compensation. */
export const RESOLVED: ErrorRecord = {
  type: 'InvalidTransition',
  message:
    'Another operator has just settled this compensation: read the order, and do not pay the customer back again.',
};
