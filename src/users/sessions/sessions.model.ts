import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** A user's session on one device: a family of refresh tokens, of which only the newest is valid. */
export interface SessionDocument {
  _id: string;
  userId: string;
  /** SHA-256 of the secret in the newest refresh token. */
  tokenHash: string;
  /** The version of the user when the session began; a higher one has revoked the session. */
  tokenVersion: number;
  createdAt: Date;
  refreshedAt: Date;
  expiresAt: Date;
}

const sessionSchema = new Schema<SessionDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    tokenHash: { type: String, required: true },
    tokenVersion: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    refreshedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'sessions', versionKey: false, autoIndex: false, autoCreate: false },
);

sessionSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
sessionSchema.index({ userId: 1 });

export function createSessionModel(connection: Connection): Model<SessionDocument> {
  return modelOf(connection, 'Session', sessionSchema);
}
