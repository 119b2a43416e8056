import { ulid } from 'ulid';
import { PaymentRefused } from '../../domain/errors';
import { declined } from './actions';
import type { SandboxOperation, SandboxOperationKind } from './model';
import {
  createPerform,
  endReservation,
  openDispute,
  planCapture,
  planRefund,
  refused,
  requireAmount,
  type Plan,
  type PlannedMove,
} from './moves';
import { NOT_CONFIRMED, refundsArePending } from './payment-methods';
import type { SandboxPayment, SandboxRepository } from './repository';

/** What can be done to a payment in the sandbox's dashboard. */
export const DASHBOARD_OPERATIONS = [
  'capture',
  'refund',
  'settle_refund',
  'fail_refund',
  'expire',
  'dispute',
  'win_dispute',
  'lose_dispute',
] as const satisfies readonly SandboxOperationKind[];

export interface DashboardRequest {
  operation: (typeof DASHBOARD_OPERATIONS)[number];
  /** Of a capture, a refund or a dispute; all that is possible by default. */
  amount?: number;
  /** Of a capture: whether the rest is released, which it is by default. */
  isFinal?: boolean;
  /** The refund or the dispute that is decided; the last one that can be by default. */
  id?: string;
  /** Of a dispute. */
  reason?: string;
}

export type SandboxDashboard = ReturnType<typeof createSandboxDashboard>;

/**
 * The dashboard of the sandbox: what happens to payments at a payment service without a request of ours, since people work
 * there, banks decide and time passes.
 */
export function createSandboxDashboard(payments: SandboxRepository) {
  const perform = createPerform(payments);

  return {
    /** Returns the payments of an order, the oldest first. */
    paymentsOf: payments.ofOrder,

    /** @returns null if the payment is unknown @throws {PaymentRefused} it is not possible now */
    async operate(paymentKey: string, request: DashboardRequest): Promise<SandboxPayment | null> {
      if (!(await payments.find(paymentKey))) return null;
      const requested = { key: `sbx_${ulid()}`, kind: request.operation };
      return (await perform(paymentKey, requested, planOf(request))).payment;
    },
  };
}

function planOf({ operation, amount, isFinal = true, id, reason = 'general' }: DashboardRequest): Plan {
  switch (operation) {
    case 'capture':
      return (payment) => planCapture(payment, { amount: possible(amount, payment.open), isFinal });
    case 'refund':
      return (payment) =>
        planRefund(
          payment,
          possible(amount, payment.captured - payment.refunded - payment.disputed),
          refundsArePending(payment.paymentMethod),
        );
    case 'settle_refund':
      return (payment) => decide(payment, refundToDecide(payment, id, isUndecidedRefund), {});
    case 'fail_refund':
      return (payment) => {
        const refund = refundToDecide(payment, id, () => true);
        return decide(payment, refund, { refunded: -refund.amount });
      };
    case 'expire':
      return expire;
    case 'dispute':
      return (payment) => dispute(payment, possible(amount, payment.captured - payment.disputed), reason);
    case 'win_dispute':
      return (payment) => {
        const disputed = disputeToDecide(payment, id);
        return decide(payment, disputed, { disputed: -disputed.amount });
      };
    case 'lose_dispute':
      return (payment) => decide(payment, disputeToDecide(payment, id), {});
  }
}

/** @throws {PaymentRefused} nothing is possible */
function possible(amount: number | undefined, all: number): number {
  const chosen = amount ?? all;
  if (all <= 0) throw new PaymentRefused('Nothing of the payment is left for this.');
  requireAmount(chosen);
  return chosen;
}

function decide(
  { status }: SandboxPayment,
  { key, amount }: SandboxOperation,
  changes: { refunded?: number; disputed?: number },
) {
  return { to: status, changes, operation: { amount, decides: key } };
}

/** An authorisation lapses, or the customer is too late. */
function expire(payment: SandboxPayment): PlannedMove {
  if (payment.status === 'action_required') return declined(payment, NOT_CONFIRMED.late);
  if (payment.status !== 'authorized') throw refused(payment, 'has nothing that can expire');
  return endReservation(payment);
}

/** The bank takes the amount back until it has decided. */
function dispute(payment: SandboxPayment, amount: number, reason: string) {
  if (amount > payment.captured - payment.disputed)
    throw new PaymentRefused(`The payment ${payment.key} has less to dispute than ${amount}: dispute less.`);
  if (openDispute(payment)) throw refused(payment, 'is disputed already: decide on that dispute first');
  const refundedAtMost = payment.captured - payment.disputed - amount;
  if (payment.refunded > refundedAtMost)
    throw refused(payment, 'has been refunded, so there is less left to dispute');
  return { to: payment.status, refundedAtMost, changes: { disputed: amount }, operation: { amount, reason } };
}

function refundToDecide(
  { key: paymentKey, operations }: SandboxPayment,
  id: string | undefined,
  canBe: (refund: SandboxOperation, operations: SandboxOperation[]) => boolean,
): SandboxOperation {
  const hasFailed = ({ key }: SandboxOperation) =>
    operations.some(({ kind, decides }) => kind === 'fail_refund' && decides === key);
  const found = operations
    .filter(
      (operation) => operation.kind === 'refund' && !hasFailed(operation) && canBe(operation, operations),
    )
    .findLast(({ key }) => id === undefined || key === id);
  if (!found) throw new PaymentRefused(`The payment ${paymentKey} has no such refund to decide on.`);
  return found;
}

function isUndecidedRefund({ key, isPending }: SandboxOperation, operations: SandboxOperation[]): boolean {
  return isPending === true && !operations.some(({ decides }) => decides === key);
}

function disputeToDecide(payment: SandboxPayment, id: string | undefined): SandboxOperation {
  const found = openDispute(payment);
  if (!found || (id !== undefined && found.key !== id))
    throw new PaymentRefused(`The payment ${payment.key} has no such dispute to decide on.`);
  return found;
}
