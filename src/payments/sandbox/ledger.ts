import type { Authorization, Capture, PaymentRef } from '../../domain/payment';
import { PaymentDeclined, PaymentRefused } from '../../domain/errors';
import { createSandboxActions } from './actions';
import {
  createPerform,
  endReservation,
  keyReused,
  planCapture,
  planRefund,
  refused,
  requireAmount,
  type LedgerResult,
} from './moves';
import { decidedPayment, neverAuthorized } from './new-payment';
import { capturesOf, refundsArePending } from './payment-methods';
import type { SandboxPayment, SandboxRepository } from './repository';

/** The rules of the sandbox, for what its interface can do. */
export function createSandboxLedger(payments: SandboxRepository, { actionTtlMs }: { actionTtlMs: number }) {
  const perform = createPerform(payments);
  const actions = createSandboxActions(payments);

  /** @throws {PaymentDeclined} @throws {PaymentRefused} */
  async function authorize(authorization: Authorization): Promise<LedgerResult> {
    requireAmount(authorization.amount);
    const decided = decidedPayment(authorization, actionTtlMs);
    const opened = await payments.open(decided);
    if (!opened || !isSame(opened, authorization)) throw keyReused(authorization.key);
    const payment = await actions.settle(opened);
    if (payment.status === 'voided') throw refused(payment, 'cannot be authorised');
    if (payment.declineReason !== null) throw new PaymentDeclined(payment.declineReason);
    return { payment, isNew: payment.reference === decided.reference };
  }

  function capture(key: string, ref: PaymentRef, requested: Capture): Promise<LedgerResult> {
    requireAmount(requested.amount);
    return perform(ref.key, { key, kind: 'capture', ...requested }, (payment) => {
      const planned = planCapture(payment, requested);
      if (!requested.isFinal && capturesOf(payment.paymentMethod) === 'once') throw capturedOnce(payment);
      return planned;
    });
  }

  function release(key: string, { key: paymentKey }: PaymentRef): Promise<LedgerResult> {
    return perform(paymentKey, { key, kind: 'release' }, (payment) => {
      const { status, captured } = payment;
      if (captured === 0) throw refused(payment, 'has no capture, so there is no rest to release: void it');
      return status === 'authorized' ? endReservation(payment) : undefined; // nothing is reserved
    });
  }

  async function voidPayment(key: string, ref: PaymentRef): Promise<LedgerResult> {
    const tombstone = neverAuthorized(key, ref);
    const opened = await payments.open(tombstone);
    if (!opened) throw keyReused(key);
    if (opened.reference === tombstone.reference) return { payment: opened, isNew: true };
    return perform(ref.key, { key, kind: 'void' }, (payment) => {
      const { status, captured } = payment;
      if (captured > 0)
        throw refused(payment, 'has a capture, so it cannot be voided: release and refund it');
      if (status === 'voided' || status === 'declined') return undefined; // nothing is reserved, and nothing will be
      return endReservation(payment);
    });
  }

  async function refund(key: string, { key: paymentKey }: PaymentRef, amount: number): Promise<LedgerResult> {
    requireAmount(amount);
    return perform(paymentKey, { key, kind: 'refund', amount }, (payment) =>
      planRefund(payment, amount, refundsArePending(payment.paymentMethod)),
    );
  }

  async function find(key: string): Promise<SandboxPayment | null> {
    const found = await payments.find(key);
    return found && actions.settle(found);
  }

  return { authorize, capture, release, void: voidPayment, refund, find };
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

function capturedOnce({ key }: SandboxPayment): PaymentRefused {
  return new PaymentRefused(`The payment ${key} can be captured only once: make its capture final.`);
}
