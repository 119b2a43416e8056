import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** The PaymentIntent of a payment key. Only this one is ever confirmed. */
export interface StripePaymentDocument {
  /** The key of the payment. */
  _id: string;
  orderId: string;
  /** The id of the PaymentIntent, or null if the key was closed before there was one. */
  reference: string | null;
  /** The reason for the customer if the payment was declined. */
  declineReason: string | null;
  createdAt: Date;
}

const stripePaymentSchema = new Schema<StripePaymentDocument>(
  {
    _id: { type: String, required: true },
    orderId: { type: String, required: true },
    reference: { type: String, default: null },
    declineReason: { type: String, default: null },
    createdAt: { type: Date, required: true },
  },
  { collection: 'stripe_payments', versionKey: false, autoIndex: false, autoCreate: false },
);

// Stripe's events name the PaymentIntent, which belongs to one payment.
stripePaymentSchema.index(
  { reference: 1 },
  { unique: true, partialFilterExpression: { reference: { $type: 'string' } } },
);

export function createStripePaymentModel(connection: Connection): Model<StripePaymentDocument> {
  return modelOf(connection, 'StripePayment', stripePaymentSchema);
}
