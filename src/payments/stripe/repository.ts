import { trusted, type Connection, type UpdateQuery } from 'mongoose';
import { createStripePaymentModel, type StripePaymentDocument } from './model';

export type StripePayment = Pick<StripePaymentDocument, 'reference' | 'declineReason'>;

/**
 * Which PaymentIntent a key stands for, for ever: Stripe itself forgets idempotency keys after a day, and its search is
 * only eventually consistent.
 */
export interface StripePaymentRepository {
  find(key: string): Promise<StripePayment | null>;
  /** The key that the PaymentIntent was made for; null when it is not one of ours. */
  findKey(reference: string): Promise<string | null>;
  /**
   * Ties the key to a PaymentIntent, or to none (null), which closes it. The first one wins.
   * @returns what the key is tied to
   */
  claim(key: string, reference: string | null): Promise<StripePayment>;
  /** Remembers why the payment was declined. */
  decline(key: string, reason: string): Promise<void>;
}

export function createStripePaymentRepository(connection: Connection): StripePaymentRepository {
  const payments = createStripePaymentModel(connection);

  async function upsert(key: string, update: UpdateQuery<StripePaymentDocument>): Promise<StripePayment> {
    const { reference, declineReason } = await payments
      .findOneAndUpdate({ _id: key }, update, { upsert: true, returnDocument: 'after' })
      .lean();
    return { reference, declineReason };
  }

  return {
    async find(key) {
      const found = await payments.findById(key).lean();
      return found && { reference: found.reference, declineReason: found.declineReason };
    },

    async findKey(reference) {
      // The type says that the partial index has it; without, MongoDB would look through all payments.
      const known = trusted({ $eq: reference, $type: 'string' as const });
      return (await payments.findOne({ reference: known }, { _id: 1 }).lean())?._id ?? null;
    },

    claim: (key, reference) =>
      upsert(key, { $setOnInsert: { reference, declineReason: null, createdAt: new Date() } }),

    async decline(key, reason) {
      const inserted = { reference: null, createdAt: new Date() };
      await upsert(key, { $set: { declineReason: reason }, $setOnInsert: inserted });
    },
  };
}
