import type { Connection } from 'mongoose';
import type { PaymentAction } from '../domain/payment';
import { createPaymentActionModel } from './actions.model';

export type PaymentActionRepository = ReturnType<typeof createPaymentActionRepository>;

/** How long an action is kept that the payment service does not limit. */
const KEEP_MS = 86_400_000;

/** What customers have to do for their payments, by the key of the payment. */
export function createPaymentActionRepository(connection: Connection) {
  const actions = createPaymentActionModel(connection);
  return {
    async find(paymentKey: string): Promise<PaymentAction | null> {
      const found = await actions.findById(paymentKey, { _id: 0, keptUntil: 0 }).lean();
      return found;
    },

    async keep(paymentKey: string, action: PaymentAction): Promise<void> {
      const keptUntil = new Date(action.expiresAt ?? Date.now() + KEEP_MS);
      await actions.replaceOne({ _id: paymentKey }, { ...action, keptUntil }, { upsert: true });
    },

    async remove(paymentKey: string): Promise<void> {
      await actions.deleteOne({ _id: paymentKey });
    },
  };
}
