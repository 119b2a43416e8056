import type { Capture } from '../../domain/payment';
import { unchargeableReason } from '../../domain/money';
import { PaymentKeyReused, PaymentRefused } from '../../domain/errors';
import type { SandboxOperation } from './model';
import type { SandboxMove, SandboxPayment, SandboxRepository } from './repository';

export interface LedgerResult {
  payment: SandboxPayment;
  /** Whether this call made the change; false for a repeat. */
  isNew: boolean;
}

/** An operation before it is carried out; only captures and refunds name their amount. */
export type RequestedOperation = Pick<SandboxOperation, 'key' | 'kind'> & Partial<Capture>;

/** What an operation does to the payment as it was read. */
export type PlannedMove = Omit<SandboxMove, 'from' | 'operation'> & {
  operation: Omit<SandboxOperation, 'key' | 'kind' | 'at'>;
};

/** Returns what the operation does to the payment; undefined if there is nothing to do. @throws {PaymentRefused} */
export type Plan = (payment: SandboxPayment) => PlannedMove | undefined;

/**
 * Each operation is one conditional update of one document, so any number of processes may run them concurrently.
 */
export function createPerform(payments: SandboxRepository) {
  /** Makes the move that `plan` returns for the payment, once per operation key. */
  return async (paymentKey: string, requested: RequestedOperation, plan: Plan): Promise<LedgerResult> => {
    for (;;) {
      const payment = await payments.find(paymentKey);
      if (!payment) throw unknown(paymentKey);
      if (isRepeat(payment, requested)) return { payment, isNew: false };
      const planned = plan(payment);
      if (!planned) return { payment, isNew: false };
      const { status, open, disputed } = payment;
      const { key, kind } = requested;
      const operation = { key, kind, ...planned.operation, at: new Date() };
      const move = { ...planned, from: { status, open, disputed }, operation };
      const moved = await payments.move(paymentKey, move);
      if (moved === undefined) throw keyReused(key);
      if (moved) return { payment: moved, isNew: true };
      // The payment has changed since it was read: read it again.
    }
  };
}

/** @throws {PaymentKeyReused} the key was used for a different operation */
function isRepeat(payment: SandboxPayment, { key, kind, amount, isFinal }: RequestedOperation): boolean {
  const earlier = payment.operations.find((operation) => operation.key === key);
  if (!earlier) return false;
  const wasFinal = earlier.released !== undefined;
  if (earlier.kind !== kind || (amount ?? earlier.amount) !== earlier.amount) throw keyReused(key);
  if ((isFinal ?? wasFinal) !== wasFinal) throw keyReused(key);
  return true;
}

/** What a capture does. @throws {PaymentRefused} */
export function planCapture(payment: SandboxPayment, { amount, isFinal }: Capture): PlannedMove {
  const { key, status, open } = payment;
  if (status !== 'authorized') throw refused(payment, 'cannot be captured');
  requireExact(amount, payment);
  if (amount > open)
    throw new PaymentRefused(
      `The payment ${key} has only ${open} left to capture, not ${amount}: capture less.`,
    );
  const released = isFinal ? open - amount : 0;
  return {
    to: released + amount === open ? 'captured' : 'authorized',
    changes: { open: -released - amount, captured: amount, voided: released },
    operation: { amount, ...(isFinal && { released }) },
  };
}

/** What ends the reservation of what is left. */
export function endReservation({ open, captured }: SandboxPayment): PlannedMove {
  const to = captured > 0 ? 'captured' : 'voided';
  return { to, changes: { open: -open, voided: open }, operation: { amount: open } };
}

/** What a refund does. @throws {PaymentRefused} */
export function planRefund(payment: SandboxPayment, amount: number, isPending: boolean): PlannedMove {
  const { key, status, captured, refunded, disputed } = payment;
  if (captured === 0) throw refused(payment, 'has no capture to refund');
  requireExact(amount, payment);
  if (openDispute(payment))
    throw new PaymentRefused('The payment is disputed: it can be refunded once the dispute is settled.');
  const refundedAtMost = captured - disputed - amount;
  if (refunded > refundedAtMost)
    throw new PaymentRefused(
      `The payment ${key} has only ${captured - disputed - refunded} left to refund, not ${amount}: refund less.`,
    );
  return {
    to: status,
    refundedAtMost,
    changes: { refunded: amount },
    operation: { amount, ...(isPending && { isPending }) },
  };
}

/** Returns the dispute that the bank has not decided on. */
export function openDispute({ operations }: SandboxPayment): SandboxOperation | undefined {
  return operations.find(
    ({ kind, key }) => kind === 'dispute' && !operations.some(({ decides }) => decides === key),
  );
}

export function requireAmount(amount: number): void {
  if (Number.isSafeInteger(amount) && amount > 0) return;
  throw new PaymentRefused(`The amount ${amount} is invalid: it must be a whole number above 0.`);
}

/** Cards are charged and paid back in steps of some currencies. */
function requireExact(amount: number, { currency }: SandboxPayment): void {
  const reason = unchargeableReason(amount, currency);
  if (reason !== null) throw new PaymentRefused(`The amount ${amount} is not possible: ${reason}.`);
}

export function refused({ key, status }: SandboxPayment, what: string): PaymentRefused {
  return new PaymentRefused(`The payment ${key} is ${status} and ${what}.`);
}

function unknown(key: string): PaymentRefused {
  return new PaymentRefused(`There is no payment ${key}: authorise it first.`);
}

export function keyReused(key: string): PaymentKeyReused {
  return new PaymentKeyReused(
    `The key ${key} was used for a different operation: use a new key for each operation.`,
  );
}
