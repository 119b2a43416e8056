import { Schema, type Connection, type Model } from 'mongoose';
import type { PaymentAction } from '../domain/payment';
import { modelOf } from '../mongodb/model';

/** What the customer has to do for a payment: the customer's secret, so it is kept apart from the order. */
export interface PaymentActionDocument extends PaymentAction {
  /** The key of the payment. */
  _id: string;
  keptUntil: Date;
}

const paymentActionSchema = new Schema<PaymentActionDocument>(
  {
    _id: { type: String, required: true },
    type: { type: String, required: true },
    clientSecret: String,
    redirectUrl: String,
    expiresAt: String,
    keptUntil: { type: Date, required: true },
  },
  { collection: 'payment_actions', versionKey: false, autoIndex: false, autoCreate: false },
);

paymentActionSchema.index({ keptUntil: 1 }, { expireAfterSeconds: 0 });

export function createPaymentActionModel(connection: Connection): Model<PaymentActionDocument> {
  return modelOf(connection, 'PaymentAction', paymentActionSchema);
}
