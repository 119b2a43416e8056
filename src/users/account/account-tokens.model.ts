import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../../mongodb/model';

/** The purposes of tokens that are sent to an e-mail address. */
export const MAILED_PURPOSES = ['confirm', 'reset', 'totp'] as const;
/** What a token is good for, and for nothing else. */
export const TOKEN_PURPOSES = [...MAILED_PURPOSES, 'challenge'] as const;
export type MailedPurpose = (typeof MAILED_PURPOSES)[number];
export type TokenPurpose = (typeof TOKEN_PURPOSES)[number];

/** A token that was sent to an e-mail address, or given to a user who knows the password. It works once. */
export interface AccountTokenDocument {
  /** The purpose and the user, so that a newer token in a mail replaces the one before. */
  _id: string;
  /** SHA-256 of the token. */
  tokenHash: string;
  purpose: TokenPurpose;
  userId: string;
  /** The address to which it was sent, or which signed in. */
  email: string;
  /** The version of the user; a higher one has revoked the token. */
  tokenVersion: number;
  expiresAt: Date;
}

const accountTokenSchema = new Schema<AccountTokenDocument>(
  {
    _id: { type: String, required: true },
    tokenHash: { type: String, required: true },
    purpose: { type: String, enum: TOKEN_PURPOSES, required: true },
    userId: { type: String, required: true },
    email: { type: String, required: true },
    tokenVersion: { type: Number, required: true },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'account_tokens', versionKey: false, autoIndex: false, autoCreate: false },
);

accountTokenSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
accountTokenSchema.index({ tokenHash: 1 }, { unique: true });
// Finds what is left to erase of a user.
accountTokenSchema.index({ userId: 1 });

export function createAccountTokenModel(connection: Connection): Model<AccountTokenDocument> {
  return modelOf(connection, 'AccountToken', accountTokenSchema);
}
