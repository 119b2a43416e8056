import { NOT_CONFIRMED, reasonAfterConfirmation } from './payment-methods';
import { createPerform, type PlannedMove } from './moves';
import type { SandboxPayment, SandboxRepository } from './repository';

export type SandboxActions = ReturnType<typeof createSandboxActions>;

/** What customers answer their banks on the sandbox's page, and what becomes of payments that wait for it. */
export function createSandboxActions(payments: SandboxRepository) {
  const perform = createPerform(payments);

  /** Returns the payment, declined if its customer is too late. */
  async function settle(payment: SandboxPayment): Promise<SandboxPayment> {
    if (payment.status !== 'action_required' || payment.action!.expiresAt > new Date()) return payment;
    return decline(payment, 'late');
  }

  async function decline({ key }: SandboxPayment, why: 'failed' | 'late'): Promise<SandboxPayment> {
    const requested = { key: `${key}/${why}`, kind: 'decline' } as const;
    const { payment } = await perform(key, requested, (waiting) =>
      waiting.status === 'action_required' ? declined(waiting, NOT_CONFIRMED[why]) : undefined,
    );
    return payment;
  }

  async function confirm({ key, paymentMethod }: SandboxPayment): Promise<SandboxPayment> {
    const reason = reasonAfterConfirmation(paymentMethod);
    const kind = reason === null ? 'authorize' : 'decline';
    const { payment } = await perform(key, { key: `${key}/confirmed`, kind }, (waiting) => {
      if (waiting.status !== 'action_required') return undefined;
      return reason === null ? authorized(waiting) : declined(waiting, reason);
    });
    return payment;
  }

  return {
    settle,

    /** Returns the payment whose customer has to act on the page with this id. */
    async find(actionId: string): Promise<SandboxPayment | null> {
      const found = await payments.findByAction(actionId);
      return found && settle(found);
    },

    /** Carries out what the customer answered. It changes nothing if the payment does not wait for it any more. */
    async answer(waiting: SandboxPayment, answer: 'authorise' | 'fail'): Promise<SandboxPayment> {
      const payment = await settle(waiting);
      return answer === 'authorise' ? confirm(payment) : decline(payment, 'failed');
    },
  };
}

function authorized({ amount }: SandboxPayment): PlannedMove {
  return { to: 'authorized', changes: { authorized: amount, open: amount }, operation: { amount } };
}

/** What ends the wait for the customer. */
export function declined({ amount }: SandboxPayment, declineReason: string): PlannedMove {
  return { to: 'declined', declineReason, changes: {}, operation: { amount } };
}
