import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** Wrong passwords for one account from one address. */
export interface LoginFailuresDocument {
  /** A hash of both, so that neither e-mail nor network addresses are stored. */
  _id: string;
  count: number;
  /** When the count starts again, a fixed time after the first wrong password. */
  expiresAt: Date;
}

const loginFailuresSchema = new Schema<LoginFailuresDocument>(
  {
    _id: { type: String, required: true },
    count: { type: Number, required: true },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'login_failures', versionKey: false, autoIndex: false, autoCreate: false },
);

loginFailuresSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export function createLoginFailuresModel(connection: Connection): Model<LoginFailuresDocument> {
  return modelOf(connection, 'LoginFailures', loginFailuresSchema);
}
