import {
  PaymentDeclined,
  PaymentKeyReused,
  PaymentRefused,
  type Authorization,
  type PaymentRef,
} from '../../domain/payment';
import { declineReasonOf } from './methods';
import { authorized, declined, neverAuthorized, operationOf, type Operation } from './payment';
import type { SandboxMove, SandboxPayment, SandboxRepository } from './repository';

export interface LedgerAnswer {
  payment: SandboxPayment;
  /** It was done just now; otherwise it had been done before. */
  isNew: boolean;
}

type AskedOperation = Pick<Operation, 'key' | 'kind'> & { amount?: number };

/** The rules of the sandbox. Everything is decided by conditional updates of one document: it may run beside itself. */
export function createSandboxLedger(payments: SandboxRepository) {
  /** @throws {PaymentDeclined} @throws {PaymentRefused} */
  async function authorize(authorization: Authorization): Promise<LedgerAnswer> {
    requireAmount(authorization.amount);
    const declineReason = declineReasonOf(authorization.paymentMethod);
    const asked = declineReason ? declined(authorization, declineReason) : authorized(authorization);
    const payment = await payments.open(asked);
    if (!payment || !isSame(payment, authorization)) throw keyReused(authorization.key);
    if (payment.status === 'voided') throw refused(payment, 'cannot be authorised');
    if (payment.declineReason !== null) throw new PaymentDeclined(payment.declineReason);
    return { payment, isNew: payment.reference === asked.reference };
  }

  function capture(key: string, { key: paymentKey }: PaymentRef): Promise<LedgerAnswer> {
    return perform(paymentKey, { key, kind: 'capture' }, (payment) => {
      if (payment.status !== 'authorized') throw refused(payment, 'cannot be captured');
      const { amount } = payment;
      return { from: 'authorized', to: 'captured', changes: { open: -amount, captured: amount }, amount };
    });
  }

  async function voidPayment(key: string, ref: PaymentRef): Promise<LedgerAnswer> {
    const tombstone = neverAuthorized(key, ref);
    const opened = await payments.open(tombstone);
    if (!opened) throw keyReused(key);
    if (opened.reference === tombstone.reference) return { payment: opened, isNew: true };
    return perform(ref.key, { key, kind: 'void' }, (payment) => {
      if (payment.status === 'captured') throw refused(payment, 'cannot be voided: refund it instead');
      if (payment.status !== 'authorized') return undefined; // there is nothing to give back
      const { amount } = payment;
      return { from: 'authorized', to: 'voided', changes: { open: -amount, voided: amount }, amount };
    });
  }

  async function refund(key: string, { key: paymentKey }: PaymentRef, amount: number): Promise<LedgerAnswer> {
    requireAmount(amount);
    return perform(paymentKey, { key, kind: 'refund', amount }, (payment) => {
      if (payment.status !== 'captured') throw refused(payment, 'cannot be refunded');
      const refundedAtMost = payment.captured - amount;
      if (payment.refunded > refundedAtMost) throw tooMuch(payment, amount);
      return { from: 'captured', to: 'captured', refundedAtMost, changes: { refunded: amount }, amount };
    });
  }

  /** Does what `plan` makes of the payment, once for the operation's key; nothing when it plans nothing. */
  async function perform(
    paymentKey: string,
    asked: AskedOperation,
    plan: (payment: SandboxPayment) => (Omit<SandboxMove, 'operation'> & { amount: number }) | undefined,
  ): Promise<LedgerAnswer> {
    for (;;) {
      const payment = await payments.find(paymentKey);
      if (!payment) throw unknown(paymentKey);
      if (isRepeat(payment, asked)) return { payment, isNew: false };
      const planned = plan(payment);
      if (!planned) return { payment, isNew: false };
      const { amount, ...move } = planned;
      const operation = operationOf(asked.key, asked.kind, amount);
      const moved = await payments.move(paymentKey, { ...move, operation });
      if (moved === undefined) throw keyReused(asked.key);
      if (moved) return { payment: moved, isNew: true };
      // It has changed since it was read: look again.
    }
  }

  return { authorize, capture, void: voidPayment, refund, find: payments.find };
}

/** @throws {PaymentRefused} the key was used for something else */
function isRepeat(payment: SandboxPayment, { key, kind, amount }: AskedOperation): boolean {
  const earlier = payment.operations.find((operation) => operation.key === key);
  if (!earlier) return false;
  if (earlier.kind !== kind || (amount ?? earlier.amount) !== earlier.amount) throw keyReused(key);
  return true;
}

function isSame(payment: SandboxPayment, asked: Authorization): boolean {
  const { orderId, amount, currency, paymentMethod } = payment;
  return (
    asked.orderId === orderId &&
    asked.amount === amount &&
    asked.currency === currency &&
    asked.paymentMethod === paymentMethod
  );
}

function requireAmount(amount: number): void {
  if (Number.isSafeInteger(amount) && amount > 0) return;
  throw new PaymentRefused(`${amount} is no amount: ask for a whole number of minor units above 0.`);
}

function refused({ key, status }: SandboxPayment, what: string): PaymentRefused {
  return new PaymentRefused(`The payment ${key} is ${status} and ${what}.`);
}

function unknown(key: string): PaymentRefused {
  return new PaymentRefused(`There is no payment ${key}: authorise it first.`);
}

function tooMuch({ key, captured, refunded }: SandboxPayment, amount: number): PaymentRefused {
  return new PaymentRefused(
    `${amount} cannot be refunded of the payment ${key}, since only ${captured - refunded} is left: refund less.`,
  );
}

function keyReused(key: string): PaymentKeyReused {
  return new PaymentKeyReused(
    `The key ${key} was used for something else: use a new key for each operation.`,
  );
}
