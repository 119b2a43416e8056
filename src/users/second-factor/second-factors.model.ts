import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** What a user has to show besides the password: codes of an authenticator app (TOTP, RFC 6238). */
export interface SecondFactorDocument {
  /** The id of the user. */
  _id: string;
  /** The secret that the app shares, sealed. */
  secret: string;
  /** Whether the user has shown a code of it; before, it is not asked for. */
  isOn: boolean;
  /** The time step of the last code that was used: it and those before are of no use any more. */
  lastStep: number;
  /** SHA-256 of the codes that stand in for the app, each of which works once. */
  recoveryCodes: string[];
}

const secondFactorSchema = new Schema<SecondFactorDocument>(
  {
    _id: { type: String, required: true },
    secret: { type: String, required: true },
    isOn: { type: Boolean, required: true },
    lastStep: { type: Number, required: true },
    recoveryCodes: { type: [String], required: true },
  },
  { collection: 'second_factors', versionKey: false, autoIndex: false, autoCreate: false },
);

export function createSecondFactorModel(connection: Connection): Model<SecondFactorDocument> {
  return modelOf(connection, 'SecondFactor', secondFactorSchema);
}
