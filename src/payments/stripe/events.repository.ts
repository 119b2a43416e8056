import type { Connection } from 'mongoose';
import { createPaymentEventModel } from './events.model';

/** The events of the payment service that have been handled. */
export interface PaymentEventRepository {
  isHandled(id: string): Promise<boolean>;
  /** Does nothing when it is there already. */
  add(event: { id: string; type: string }): Promise<void>;
}

export function createPaymentEventRepository(connection: Connection): PaymentEventRepository {
  const events = createPaymentEventModel(connection);
  return {
    isHandled: async (id) => (await events.exists({ _id: id })) !== null,

    async add({ id, type }) {
      await events.replaceOne({ _id: id }, { type, handledAt: new Date() }, { upsert: true });
    },
  };
}
