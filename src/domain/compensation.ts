import type { Command } from './command';
import { NotFound } from './errors';
import type { Compensation, Order, OrderPayment, OrderState } from './order';
import { changeOrder, type ChangeMade } from './order-transitions';
import { firstPaymentKey } from './order-payment';

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
  const suffix = payment.key.slice(payment.key.indexOf('-'));
  return { step: `voidPayment${suffix}`, payment, state: 'owed', since, failure: null, resolution: null };
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
  throw new NotFound(
    'This order has no outstanding compensation of this name: it was settled, or never existed.',
  );
}

/** Returns the order with a compensation that keeps failing. */
export function withPending(order: Order, compensation: Compensation, failure: string, at: string): Order {
  return replace(order, { ...compensation, state: 'pending', failure }, { at, by: 'system', reason: null });
}

/** Returns the order with another compensation. Its new version keeps out a write that comes late. */
export function withOwed(order: Order, owed: Compensation, at: string): Order {
  return inNextVersion({ ...order, compensations: [...order.compensations, owed] }, at);
}

/** Returns the same order in a new version, which keeps out a write that comes late. */
export function inNextVersion(order: Order, at: string): Order {
  return changeOrder(order, {}, { at, by: 'system', reason: null });
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
  // The note is for operators, but customers read the reasons of status changes.
  return replace(order, compensation, { at, by, reason: null }, paymentAfter(order, compensation, true));
}

/**
 * Returns the order without a compensation that is done.
 * @param wasAuthorized whether anything was reserved
 */
export function withDone(order: Order, done: Compensation, wasAuthorized: boolean, at: string): Order {
  const made: ChangeMade = { at, by: 'system', reason: null };
  const compensations = order.compensations.filter(({ step }) => step !== done.step);
  const next = { ...order, compensations };
  return changePayment(next, paymentAfter(order, done, wasAuthorized), made);
}

function replace(
  order: Order,
  compensation: Compensation,
  made: ChangeMade,
  payment: OrderState['paymentStatus'][] = [],
): Order {
  const others = order.compensations.filter(({ step }) => step !== compensation.step);
  return changePayment({ ...order, compensations: [...others, compensation] }, payment, made);
}

/** Returns the next states of the payment. A payment that an amendment has replaced does not change them. */
function paymentAfter(
  order: Order,
  { payment }: Compensation,
  wasAuthorized: boolean,
): OrderState['paymentStatus'][] {
  const key = order.payment?.key ?? firstPaymentKey(order.id);
  if (payment.key !== key || order.status === 'confirmed') return [];
  if (order.paymentStatus === 'authorized') return ['voided'];
  if (order.paymentStatus !== 'pending') return [];
  return wasAuthorized ? ['authorized', 'voided'] : ['declined'];
}

/** Returns the next version of the order, which passes through all of these states. */
function changePayment(order: Order, states: OrderState['paymentStatus'][], made: ChangeMade): Order {
  const changed = states.reduce((next, paymentStatus) => changeOrder(next, { paymentStatus }, made), order);
  return { ...changed, version: order.version + 1, updatedAt: made.at };
}
