import type { Command } from './command';
import { NotFound } from './errors';
import type { Compensation, ErrorRecord, Order, OrderPayment, OrderState } from './order';
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
export function withPending(order: Order, step: string, failure: string, at: string): Order {
  const known = unsettled(order).find((one) => one.step === step);
  // A new version would outdate the customer's If-Match.
  if (!known || (known.state === 'pending' && known.failure === failure)) return order;
  return replace(order, { ...known, state: 'pending', failure }, { at, by: 'system', reason: null });
}

/** Returns the order with another compensation. */
export function withOwed(order: Order, owed: Compensation, at: string): Order {
  const next = { ...order, compensations: [...order.compensations, owed] };
  return changeOrder(next, {}, { at, by: 'system', reason: null });
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
 * Returns the order without a compensation that is done, or the same order if that was settled before.
 * @param wasAuthorized whether anything was reserved
 */
export function withDone(order: Order, step: string, wasAuthorized: boolean, at: string): Order {
  const made: ChangeMade = { at, by: 'system', reason: null };
  const done = unsettled(order).find((one) => one.step === step);
  if (!done) return order;
  const next = { ...order, compensations: order.compensations.filter((one) => one !== done) };
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
