import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../mongodb/model';
import type { Scope } from '../role/scope';

/**
 * A key with which a program may do some of what an ADMIN may. The model belongs to users, since keys end with the users
 * and sessions that made them.
 */
export interface ApiKeyDocument {
  _id: string;
  name: string;
  /** SHA-256 of the key. */
  keyHash: string;
  /** The first characters of the key, for people. */
  start: string;
  scopes: Scope[];
  /** The id of the ADMIN who created it. */
  createdBy: string;
  /** The session in which it was created. */
  sessionId: string;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** When the key was used last, accurate to the minute. */
  lastUsedAt: Date | null;
}

const apiKeySchema = new Schema<ApiKeyDocument>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    keyHash: { type: String, required: true },
    start: { type: String, required: true },
    scopes: { type: [String], required: true },
    createdBy: { type: String, required: true },
    sessionId: { type: String, required: true },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, default: null },
    revokedAt: { type: Date, default: null },
    lastUsedAt: { type: Date, default: null },
  },
  { collection: 'api_keys', versionKey: false, autoIndex: false, autoCreate: false },
);

apiKeySchema.index({ keyHash: 1 }, { unique: true });
// Finds the keys of an ADMIN, and those that end with a session.
apiKeySchema.index({ createdBy: 1, _id: -1 });
apiKeySchema.index({ sessionId: 1 });

export function createApiKeyModel(connection: Connection): Model<ApiKeyDocument> {
  return modelOf(connection, 'ApiKey', apiKeySchema);
}
