import type { Connection } from 'mongoose';
import { createPaymentEventModel } from './events.model';

export type PaymentEventRepository = ReturnType<typeof createPaymentEventRepository>;

/** The events of Stripe that have been handled. */
export function createPaymentEventRepository(connection: Connection) {
  const events = createPaymentEventModel(connection);
  return {
    async isHandled(id: string): Promise<boolean> {
      return (await events.exists({ _id: id })) !== null;
    },

    async add({ id, type }: { id: string; type: string }): Promise<void> {
      await events.replaceOne({ _id: id }, { type, handledAt: new Date() }, { upsert: true });
    },
  };
}
