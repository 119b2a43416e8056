import { trusted, type Connection, type mongo } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../mongodb/follow-changes';
import { createApiKeyModel, type ApiKeyDocument } from './api-keys.model';

export type ApiKey = Omit<ApiKeyDocument, '_id'> & { id: string };

export interface ApiKeyRepository {
  insert(key: ApiKey): Promise<void>;
  findByHash(keyHash: string): Promise<ApiKey | null>;
  /** Lists keys, newest first. @param after the id of the last key of the previous page */
  list(page: { limit: number; after?: string }): Promise<ApiKey[]>;
  /** Does nothing to a key that is revoked already. Returns false if there is no such key. */
  revoke(id: string): Promise<boolean>;
  recordUse(id: string, at: Date): Promise<void>;
  /** Watches for keys that are being revoked. */
  watchRevocations(): mongo.ChangeStream<ApiKeyDocument>;
}

export function createApiKeyRepository(connection: Connection): ApiKeyRepository {
  const keys = createApiKeyModel(connection);
  return {
    async insert({ id, ...fields }) {
      await keys.create({ _id: id, ...fields });
    },

    async findByHash(keyHash) {
      const found = await keys.findOne({ keyHash }).lean();
      return found && toApiKey(found);
    },

    async list({ limit, after }) {
      const filter = after === undefined ? {} : { _id: trusted({ $lt: after }) };
      const found = await keys.find(filter).sort({ _id: -1 }).limit(limit).lean();
      return found.map(toApiKey);
    },

    async revoke(id) {
      const { matchedCount } = await keys.updateOne(
        { _id: id, revokedAt: null },
        { $currentDate: { revokedAt: true } },
      );
      return matchedCount > 0 || (await keys.exists({ _id: id })) !== null;
    },

    async recordUse(id, at) {
      await keys.updateOne({ _id: id }, { $max: { lastUsedAt: at } });
    },

    watchRevocations: () =>
      connection
        .db!.collection<ApiKeyDocument>(keys.collection.name)
        .watch<ApiKeyDocument>(
          [{ $match: { 'updateDescription.updatedFields.revokedAt': { $exists: true } } }],
          {
            maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS,
          },
        ),
  };
}

function toApiKey({ _id, ...fields }: ApiKeyDocument): ApiKey {
  return { id: _id, ...fields };
}
