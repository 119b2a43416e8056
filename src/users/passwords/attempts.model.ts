import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** What was tried by, or with, something that is limited: wrong passwords for an account, accounts from an address. */
export interface AttemptsDocument {
  /** A keyed hash of what is limited, so that neither e-mail nor network addresses are stored. */
  _id: string;
  count: number;
  /** The last attempt that was counted, if each makes the next one wait: `nextAt` is its doing. */
  latestId?: string;
  /** When the next attempt may follow; absent if at once. */
  nextAt?: Date;
  /** When the count starts again. */
  expiresAt: Date;
}

const attemptsSchema = new Schema<AttemptsDocument>(
  {
    _id: { type: String, required: true },
    count: { type: Number, required: true },
    latestId: String,
    nextAt: Date,
    expiresAt: { type: Date, required: true },
  },
  { collection: 'attempts', versionKey: false, autoIndex: false, autoCreate: false },
);

attemptsSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export function createAttemptsModel(connection: Connection): Model<AttemptsDocument> {
  return modelOf(connection, 'Attempts', attemptsSchema);
}
