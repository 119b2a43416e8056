import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** Which PaymentIntent a payment key stands for. Only this one is ever confirmed. */
export interface StripePaymentDocument {
  /** The key of the payment. */
  _id: string;
  /** The id of the PaymentIntent; null when the key was closed before there was one. */
  reference: string | null;
  /** Why, when it was declined. */
  declineReason: string | null;
  createdAt: Date;
}

const stripePaymentSchema = new Schema<StripePaymentDocument>(
  {
    _id: { type: String, required: true },
    reference: { type: String, default: null },
    declineReason: { type: String, default: null },
    createdAt: { type: Date, required: true },
  },
  { collection: 'stripe_payments', versionKey: false, autoIndex: false, autoCreate: false },
);

// What Stripe tells us names the PaymentIntent, which belongs to one payment.
stripePaymentSchema.index(
  { reference: 1 },
  { unique: true, partialFilterExpression: { reference: { $type: 'string' } } },
);

export function createStripePaymentModel(connection: Connection): Model<StripePaymentDocument> {
  return modelOf(connection, 'StripePayment', stripePaymentSchema);
}
