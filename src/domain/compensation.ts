import { NotFound, type Command } from './command';
import type { Compensation, Order, OrderPayment, OrderState } from './order';
import { changeOrder, type ChangeMade } from './order-transitions';
import { firstPaymentKey } from './order-payment';

export interface RetryCompensation extends Command {
  step: string;
}

export interface ResolveCompensation extends RetryCompensation {
  /** What the person did. */
  note: string;
}

/** That a payment must not stay reserved or captured. What its key adds to the order's id names the step. */
export function owedVoid(payment: OrderPayment, since: string): Compensation {
  const suffix = payment.key.slice(payment.key.indexOf('-'));
  return { step: `voidPayment${suffix}`, payment, state: 'owed', since, failure: null, resolution: null };
}

/** What is still to be done. */
export function unsettled({ compensations }: Pick<Order, 'compensations'>): Compensation[] {
  return compensations.filter(({ state }) => state !== 'resolved');
}

/** Those that keep failing. */
export function pendingCompensations({ compensations }: Pick<Order, 'compensations'>): Compensation[] {
  return compensations.filter(({ state }) => state === 'pending');
}

/**
 * Also one that has not been seen to fail: its workflow may have been terminated before.
 * @throws {NotFound}
 */
export function requireUnsettled(order: Order, { step }: RetryCompensation): void {
  if (unsettled(order).some((one) => one.step === step)) return;
  throw new NotFound('This order owes no compensation of this name: it was done or settled, or never owed.');
}

/** The order with a compensation that keeps failing. */
export function withPending(order: Order, compensation: Compensation, failure: string, at: string): Order {
  return replace(order, { ...compensation, state: 'pending', failure }, { at, by: 'system', reason: null });
}

/** The order that owes this too. Its new version keeps out a write that comes late. */
export function withOwed(order: Order, owed: Compensation, at: string): Order {
  return inNextVersion({ ...order, compensations: [...order.compensations, owed] }, at);
}

/** The order as it is, in a version that keeps out a write that comes late. */
export function inNextVersion(order: Order, at: string): Order {
  return changeOrder(order, {}, { at, by: 'system', reason: null });
}

/** The order with a compensation that a person settled; the order itself when it is not owed any more. */
export function withResolved(order: Order, command: ResolveCompensation, at: string): Order {
  const { step, note, by } = command;
  const settled = order.compensations.find((one) => one.step === step);
  if (!settled) return order;
  const resolution = { note, by, at };
  const compensation: Compensation = { ...settled, state: 'resolved', resolution };
  // The note is for operators; a customer reads the reasons of status changes.
  return replace(order, compensation, { at, by, reason: null }, paymentAfter(order, compensation, true));
}

/**
 * The order with a compensation that is done.
 * @param wasAuthorized whether there was anything to give back
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

/** The steps of the payment's status: only a closed order's own payment changes it, not one that was replaced. */
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

/** One version further, through each of the states. */
function changePayment(order: Order, states: OrderState['paymentStatus'][], made: ChangeMade): Order {
  const changed = states.reduce((next, paymentStatus) => changeOrder(next, { paymentStatus }, made), order);
  return { ...changed, version: order.version + 1, updatedAt: made.at };
}
