import { ulid } from 'ulid';
import type { Authorization, Capture, PaymentRef } from '../../domain/payment';
import { unchargeableReason } from '../../domain/money';
import { PaymentDeclined, PaymentKeyReused, PaymentRefused } from '../../domain/errors';
import { amountNotAccepted, cardAmountProblem } from '../amounts';
import { capturesOf, declineReasonOf } from './payment-methods';
import type { SandboxOperation } from './model';
import type { SandboxMove, SandboxPayment, SandboxRepository } from './repository';

export interface LedgerResult {
  payment: SandboxPayment;
  /** Whether this call made the change; false for a repeat. */
  isNew: boolean;
}

/** An operation before it is carried out; only captures and refunds name their amount. */
type RequestedOperation = Pick<SandboxOperation, 'key' | 'kind'> & Partial<Capture>;

/** What an operation does to the payment as it was read. */
type PlannedMove = Omit<SandboxMove, 'from' | 'operation'> & {
  operation: Pick<SandboxOperation, 'amount' | 'released'>;
};

/**
 * The rules of the sandbox. Each operation is one conditional update of one document, so any number of
 * processes may run them concurrently.
 */
export function createSandboxLedger(payments: SandboxRepository) {
  /** @throws {PaymentDeclined} @throws {PaymentRefused} */
  async function authorize(authorization: Authorization): Promise<LedgerResult> {
    requireAmount(authorization.amount);
    const { amount, currency, paymentMethod } = authorization;
    const declineReason =
      cardAmountProblem(amount, currency) === null
        ? declineReasonOf(paymentMethod)
        : amountNotAccepted(authorization);
    const created = declineReason ? declined(authorization, declineReason) : authorized(authorization);
    const payment = await payments.open(created);
    if (!payment || !isSame(payment, authorization)) throw keyReused(authorization.key);
    if (payment.status === 'voided') throw refused(payment, 'cannot be authorised');
    if (payment.declineReason !== null) throw new PaymentDeclined(payment.declineReason);
    return { payment, isNew: payment.reference === created.reference };
  }

  function capture(
    key: string,
    { key: paymentKey }: PaymentRef,
    { amount, isFinal }: Capture,
  ): Promise<LedgerResult> {
    requireAmount(amount);
    return perform(paymentKey, { key, kind: 'capture', amount, isFinal }, (payment) => {
      const { status, open, paymentMethod } = payment;
      if (status !== 'authorized') throw refused(payment, 'cannot be captured');
      requireExact(amount, payment);
      if (amount > open) throw tooMuchToCapture(payment, amount);
      if (!isFinal && capturesOf(paymentMethod) === 'once') throw capturedOnce(payment);
      const released = isFinal ? open - amount : 0;
      return {
        to: released + amount === open ? 'captured' : 'authorized',
        changes: { open: -released - amount, captured: amount, voided: released },
        operation: { amount, ...(isFinal && { released }) },
      };
    });
  }

  function release(key: string, { key: paymentKey }: PaymentRef): Promise<LedgerResult> {
    return perform(paymentKey, { key, kind: 'release' }, (payment) => {
      const { status, open, captured } = payment;
      if (captured === 0) throw refused(payment, 'has no capture, so there is no rest to release: void it');
      if (status !== 'authorized') return undefined; // nothing is reserved
      return { to: 'captured', changes: { open: -open, voided: open }, operation: { amount: open } };
    });
  }

  async function voidPayment(key: string, ref: PaymentRef): Promise<LedgerResult> {
    const tombstone = neverAuthorized(key, ref);
    const opened = await payments.open(tombstone);
    if (!opened) throw keyReused(key);
    if (opened.reference === tombstone.reference) return { payment: opened, isNew: true };
    return perform(ref.key, { key, kind: 'void' }, (payment) => {
      const { status, open, captured } = payment;
      if (captured > 0)
        throw refused(payment, 'has a capture, so it cannot be voided: release and refund it');
      if (status !== 'authorized') return undefined; // nothing is reserved
      return { to: 'voided', changes: { open: -open, voided: open }, operation: { amount: open } };
    });
  }

  async function refund(key: string, { key: paymentKey }: PaymentRef, amount: number): Promise<LedgerResult> {
    requireAmount(amount);
    return perform(paymentKey, { key, kind: 'refund', amount }, (payment) => {
      const { status, captured, refunded } = payment;
      if (captured === 0) throw refused(payment, 'has no capture to refund');
      requireExact(amount, payment);
      const refundedAtMost = captured - amount;
      if (refunded > refundedAtMost) throw tooMuchToRefund(payment, amount);
      return { to: status, refundedAtMost, changes: { refunded: amount }, operation: { amount } };
    });
  }

  /**
   * Makes the move that `plan` returns for the payment, once per operation key. No plan means nothing to do.
   */
  async function perform(
    paymentKey: string,
    requested: RequestedOperation,
    plan: (payment: SandboxPayment) => PlannedMove | undefined,
  ): Promise<LedgerResult> {
    for (;;) {
      const payment = await payments.find(paymentKey);
      if (!payment) throw unknown(paymentKey);
      if (isRepeat(payment, requested)) return { payment, isNew: false };
      const planned = plan(payment);
      if (!planned) return { payment, isNew: false };
      const { status, open } = payment;
      const operation = { key: requested.key, kind: requested.kind, ...planned.operation, at: new Date() };
      const moved = await payments.move(paymentKey, { ...planned, from: { status, open }, operation });
      if (moved === undefined) throw keyReused(requested.key);
      if (moved) return { payment: moved, isNew: true };
      // The payment has changed since it was read: read it again.
    }
  }

  return { authorize, capture, release, void: voidPayment, refund, find: payments.find };
}

function authorized(authorization: Authorization): SandboxPayment {
  const { key, amount } = authorization;
  const operation = operationOf(key, 'authorize', amount);
  return { ...newPayment(authorization, operation), status: 'authorized', authorized: amount, open: amount };
}

function declined(authorization: Authorization, declineReason: string): SandboxPayment {
  const operation = operationOf(authorization.key, 'decline', authorization.amount);
  return { ...newPayment(authorization, operation), status: 'declined', declineReason };
}

/** Returns a payment that only closes its key, so that a later authorisation is rejected. */
function neverAuthorized(voidKey: string, authorization: Authorization): SandboxPayment {
  return { ...newPayment(authorization, operationOf(voidKey, 'void', 0)), status: 'voided' };
}

function newPayment(
  { key, orderId, amount, currency, paymentMethod }: Authorization,
  operation: SandboxOperation,
): Omit<SandboxPayment, 'status'> {
  return {
    key,
    reference: `sbx_${ulid()}`,
    orderId,
    paymentMethod,
    amount,
    currency,
    authorized: 0,
    open: 0,
    captured: 0,
    voided: 0,
    refunded: 0,
    declineReason: null,
    operations: [operation],
  };
}

function operationOf(key: string, kind: SandboxOperation['kind'], amount: number): SandboxOperation {
  return { key, kind, amount, at: new Date() };
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

function isSame(payment: SandboxPayment, requested: Authorization): boolean {
  const { orderId, amount, currency, paymentMethod } = payment;
  return (
    requested.orderId === orderId &&
    requested.amount === amount &&
    requested.currency === currency &&
    requested.paymentMethod === paymentMethod
  );
}

function requireAmount(amount: number): void {
  if (Number.isSafeInteger(amount) && amount > 0) return;
  throw new PaymentRefused(`The amount ${amount} is invalid: it must be a whole number above 0.`);
}

/** Cards are charged and paid back in steps of some currencies. */
function requireExact(amount: number, { currency }: SandboxPayment): void {
  const reason = unchargeableReason(amount, currency);
  if (reason !== null) throw new PaymentRefused(`The amount ${amount} is not possible: ${reason}.`);
}

function refused({ key, status }: SandboxPayment, what: string): PaymentRefused {
  return new PaymentRefused(`The payment ${key} is ${status} and ${what}.`);
}

function unknown(key: string): PaymentRefused {
  return new PaymentRefused(`There is no payment ${key}: authorise it first.`);
}

function capturedOnce({ key }: SandboxPayment): PaymentRefused {
  return new PaymentRefused(`The payment ${key} can be captured only once: make its capture final.`);
}

function tooMuchToCapture({ key, open }: SandboxPayment, amount: number): PaymentRefused {
  return new PaymentRefused(
    `The payment ${key} has only ${open} left to capture, not ${amount}: capture less.`,
  );
}

function tooMuchToRefund({ key, captured, refunded }: SandboxPayment, amount: number): PaymentRefused {
  return new PaymentRefused(
    `The payment ${key} has only ${captured - refunded} left to refund, not ${amount}: refund less.`,
  );
}

function keyReused(key: string): PaymentKeyReused {
  return new PaymentKeyReused(
    `The key ${key} was used for a different operation: use a new key for each operation.`,
  );
}
