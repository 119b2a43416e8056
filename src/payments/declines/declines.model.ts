import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** How long a declined payment counts. */
export const DECLINE_WINDOW_MS = 3_600_000;

/** A payment that was declined within the last hour. Workers write it, and the API adds the address. */
export interface DeclineDocument {
  /** The key of the payment, so that each attempt counts once, however often it is recorded. */
  _id: string;
  /** The id of the user or API key that sent the order. */
  by: string;
  /** A keyed hash of the address that sent it, if it counts and the API process that knows it is still there. */
  from?: string;
  at: Date;
}

const declineSchema = new Schema<DeclineDocument>(
  {
    _id: { type: String, required: true },
    by: { type: String, required: true },
    from: String,
    at: { type: Date, required: true },
  },
  { collection: 'payment_declines', versionKey: false, autoIndex: false, autoCreate: false },
);

declineSchema.index({ at: 1 }, { expireAfterSeconds: DECLINE_WINDOW_MS / 1_000 });

export function createDeclineModel(connection: Connection): Model<DeclineDocument> {
  return modelOf(connection, 'PaymentDecline', declineSchema);
}
