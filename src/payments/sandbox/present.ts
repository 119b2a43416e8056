import type { ListedPayment, ProviderDispute, ProviderPayment, ProviderRefund } from '../../domain/payment';
import type { SandboxOperation } from './model';
import { capturesOf } from './payment-methods';
import type { SandboxPayment } from './repository';

/** Presents the state of a payment, without what is its customer's secret. */
export function presentPayment(payment: SandboxPayment): ProviderPayment {
  const { key, reference, status, amount, currency, authorized, captured, operations, declineReason } =
    payment;
  return {
    key,
    reference,
    status,
    amount,
    currency,
    authorized,
    captured,
    captures: capturesOf(payment.paymentMethod),
    refunds: ofKind(operations, 'refund').map((refund) => refundOf(refund, operations)),
    disputes: ofKind(operations, 'dispute').map((dispute) => disputeOf(dispute, operations)),
    ...(declineReason !== null && { declineReason }),
  };
}

/** Presents a payment in a list, with what identifies it. */
export function presentListed(payment: SandboxPayment): ListedPayment {
  const { orderId, paymentMethod, operations } = payment;
  return { ...presentPayment(payment), orderId, paymentMethod, createdAt: operations[0]!.at.toISOString() };
}

function ofKind(operations: SandboxOperation[], kind: SandboxOperation['kind']): SandboxOperation[] {
  return operations.filter((operation) => operation.kind === kind);
}

function refundOf({ key, amount, isPending }: SandboxOperation, all: SandboxOperation[]): ProviderRefund {
  const undecided = isPending ? 'pending' : 'succeeded';
  const status = { fail_refund: 'failed', settle_refund: 'succeeded' } as const;
  return { key, amount, status: decisionOn(key, all, status) ?? undecided };
}

function disputeOf(
  { key, amount, reason = 'general' }: SandboxOperation,
  all: SandboxOperation[],
): ProviderDispute {
  const status = { win_dispute: 'won', lose_dispute: 'lost' } as const;
  return { id: key, amount, status: decisionOn(key, all, status) ?? 'opened', reason };
}

/** Returns what the last operation that decides on the key makes of it. */
function decisionOn<T extends string>(
  key: string,
  operations: SandboxOperation[],
  statuses: Partial<Record<SandboxOperation['kind'], T>>,
): T | undefined {
  const decision = operations.filter(({ decides }) => decides === key).at(-1);
  return decision && statuses[decision.kind];
}
