import type { Authorization } from '../../domain/payment';
import { trusted, type Connection, type UpdateQuery } from 'mongoose';
import { createStripePaymentModel, type StripePaymentDocument } from './model';

export type StripePaymentRepository = ReturnType<typeof createStripePaymentRepository>;
/** What a payment is known by here. */
type Named = Pick<Authorization, 'key' | 'orderId'>;
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

    /** Returns the payment of a PaymentIntent, or null if it is not one of ours. */
    async findByReference(reference: string): Promise<Named | null> {
      // MongoDB uses the partial index only if the query names the type; otherwise it scans all payments.
      const indexed = trusted({ $eq: reference, $type: 'string' as const });
      const found = await payments.findOne({ reference: indexed }, { orderId: 1 }).lean();
      return found && { key: found._id, orderId: found.orderId };
    },

    /**
     * Ties the key to a PaymentIntent, or closes it (null). The first call for a key wins.
     * @returns what the key is tied to
     */
    claim({ key, orderId }: Named, reference: string | null): Promise<StripePayment> {
      const inserted = { orderId, reference, declineReason: null, createdAt: new Date() };
      return upsert(key, { $setOnInsert: inserted });
    },

    /** Records why the payment was declined. */
    async decline({ key, orderId }: Named, reason: string): Promise<void> {
      const inserted = { orderId, reference: null, createdAt: new Date() };
      await upsert(key, { $set: { declineReason: reason }, $setOnInsert: inserted });
    },
  };
}
