import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** A user's session on one device: a family of refresh tokens, of which only the newest is valid. */
export interface SessionDocument {
  _id: string;
  userId: string;
  /** What all refresh tokens of the session begin with, in hexadecimal: it can end the session, and no more. */
  family: string;
  /** SHA-256 of the secret in the newest refresh token. */
  tokenHash: string;
  /** The version of the user when the session began; a higher one has revoked the session. */
  tokenVersion: number;
  /** When the user signed in. */
  createdAt: Date;
  refreshedAt: Date;
  /** When the last of its access tokens expires. */
  accessUntil: Date;
  /** A keyed hash of the account and the address from which it was signed in or refreshed last. */
  usedFrom: string;
  /** Whether the user has also shown a code of an authenticator app. */
  hasSecondFactor: boolean;
  /** When it was signed out of, or its refresh token turned out to be stolen; absent while it lasts. */
  endedAt?: Date;
  /** When the document is of no use any more: an ended session has to be known until its access tokens expire. */
  expiresAt: Date;
  /** Raised by each change that relies on the session, so that it collides with the end of the session. */
  reliedOn?: number;
}

const sessionSchema = new Schema<SessionDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    family: { type: String, required: true },
    tokenHash: { type: String, required: true },
    tokenVersion: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    refreshedAt: { type: Date, required: true },
    accessUntil: { type: Date, required: true },
    usedFrom: { type: String, required: true },
    hasSecondFactor: { type: Boolean, required: true },
    endedAt: Date,
    expiresAt: { type: Date, required: true },
    reliedOn: Number,
  },
  { collection: 'sessions', versionKey: false, autoIndex: false, autoCreate: false },
);

sessionSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
sessionSchema.index({ userId: 1, createdAt: -1 });
// Finds out whether an account is signed in at an address.
sessionSchema.index({ usedFrom: 1 });
// Finds sessions that ended while their access tokens are valid.
sessionSchema.index({ endedAt: 1 }, { sparse: true });

export function createSessionModel(connection: Connection): Model<SessionDocument> {
  return modelOf(connection, 'Session', sessionSchema);
}
