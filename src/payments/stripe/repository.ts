import { trusted, type Connection, type UpdateQuery } from 'mongoose';
import { createStripePaymentModel, type StripePaymentDocument } from './model';

export type StripePaymentRepository = ReturnType<typeof createStripePaymentRepository>;
export type StripePayment = Pick<StripePaymentDocument, 'reference' | 'declineReason'>;

/**
 * The PaymentIntent of each key, permanently: Stripe itself forgets idempotency keys after a day, and its
 * search is only eventually consistent.
 */
export function createStripePaymentRepository(connection: Connection) {
  const payments = createStripePaymentModel(connection);

  async function upsert(key: string, update: UpdateQuery<StripePaymentDocument>): Promise<StripePayment> {
    const { reference, declineReason } = await payments
      .findOneAndUpdate({ _id: key }, update, { upsert: true, returnDocument: 'after' })
      .lean();
    return { reference, declineReason };
  }

  return {
    async find(key: string): Promise<StripePayment | null> {
      const found = await payments.findById(key).lean();
      return found && { reference: found.reference, declineReason: found.declineReason };
    },

    /** Returns the key of a PaymentIntent, or null if it is not one of ours. */
    async findKey(reference: string): Promise<string | null> {
      // MongoDB uses the partial index only if the query names the type; otherwise it scans all payments.
      const indexed = trusted({ $eq: reference, $type: 'string' as const });
      return (await payments.findOne({ reference: indexed }, { _id: 1 }).lean())?._id ?? null;
    },

    /**
     * Ties the key to a PaymentIntent, or closes it (null). The first call for a key wins.
     * @returns what the key is tied to
     */
    claim(key: string, reference: string | null): Promise<StripePayment> {
      return upsert(key, { $setOnInsert: { reference, declineReason: null, createdAt: new Date() } });
    },

    /** Records why the payment was declined. */
    async decline(key: string, reason: string): Promise<void> {
      const inserted = { reference: null, createdAt: new Date() };
      await upsert(key, { $set: { declineReason: reason }, $setOnInsert: inserted });
    },
  };
}
