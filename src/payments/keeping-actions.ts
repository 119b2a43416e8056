import type { ProviderPayment } from '../domain/payment';
import type { PaymentActionRepository } from './actions.repository';
import type { PaymentProvider } from './payment-provider';

/**
 * Returns the provider with its customers' secrets kept aside: payments leave it without their `action`, so that it
 * reaches neither Temporal nor the order nor a log. Only the API reads it, for the customer.
 */
export function keepingActions(
  provider: PaymentProvider,
  actions: Pick<PaymentActionRepository, 'keep' | 'remove'>,
): PaymentProvider {
  async function keep({ action, ...payment }: ProviderPayment): Promise<ProviderPayment> {
    if (action) await actions.keep(payment.key, action);
    return payment;
  }
  return {
    ...provider,
    authorize: async (authorization) => keep(await provider.authorize(authorization)),

    async find(payment) {
      const found = await provider.find(payment);
      if (found && found.status !== 'action_required') await actions.remove(found.key);
      return found && keep(found);
    },

    async list(request) {
      const { payments, nextCursor } = await provider.list(request);
      return { payments: payments.map(({ action: _, ...payment }) => payment), nextCursor };
    },
  };
}
