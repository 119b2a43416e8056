import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** An event of Stripe that has been handled. */
export interface PaymentEventDocument {
  /** The id of the event. */
  _id: string;
  type: string;
  handledAt: Date;
}

/** Stripe redelivers an event for three days, and people can resend it for thirty. */
const KEEP_SECONDS = 90 * 86_400;

const paymentEventSchema = new Schema<PaymentEventDocument>(
  {
    _id: { type: String, required: true },
    type: { type: String, required: true },
    handledAt: { type: Date, required: true },
  },
  { collection: 'payment_events', versionKey: false, autoIndex: false, autoCreate: false },
);

paymentEventSchema.index({ handledAt: 1 }, { expireAfterSeconds: KEEP_SECONDS });

export function createPaymentEventModel(connection: Connection): Model<PaymentEventDocument> {
  return modelOf(connection, 'PaymentEvent', paymentEventSchema);
}
