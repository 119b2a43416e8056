import { trusted, type Connection, type mongo } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../mongodb/follow-changes';
import { createTransact } from '../mongodb/transaction';
import { createActorChecks, type Actor } from '../users/sessions/actor';
import { createApiKeyModel, type ApiKeyDocument } from '../users/api-keys.model';

export type ApiKey = Omit<ApiKeyDocument, '_id'> & { id: string };

export type ApiKeyFilter = Partial<Pick<ApiKey, 'createdBy'>>;

export interface ApiKeyRepository {
  /**
   * Inserts a key. Returns false if its maker is no longer signed in, judged in the same transaction, so that no key
   * outlives what ends the keys of a user or session.
   */
  insert(key: ApiKey, maker: Actor): Promise<boolean>;
  findByHash(keyHash: string): Promise<ApiKey | null>;
  /**
   * Lists keys, newest first.
   * @param filter the user who made them
   * @param page `after` is the id of the last key of the previous page
   */
  list(filter: ApiKeyFilter, page: { limit: number; after?: string }): Promise<ApiKey[]>;
  /** Does nothing to a key that is revoked already. Returns false if there is no such key. */
  revoke(id: string): Promise<boolean>;
  recordUse(id: string, at: Date): Promise<void>;
  /** Watches for keys that are being revoked. */
  watchRevocations(): mongo.ChangeStream<ApiKeyDocument>;
}

export function createApiKeyRepository(connection: Connection): ApiKeyRepository {
  const keys = createApiKeyModel(connection);
  const { mayAct, relyOn } = createActorChecks(connection);
  const transact = createTransact(connection);
  return {
    insert: ({ id, ...fields }, maker) =>
      transact(async (session) => {
        if (!(await mayAct(maker, session))) return false;
        await relyOn(maker, session);
        await keys.create([{ _id: id, ...fields }], { session });
        return true;
      }),

    async findByHash(keyHash) {
      const found = await keys.findOne({ keyHash }).lean();
      return found && toApiKey(found);
    },

    async list({ createdBy }, { limit, after }) {
      const matching = {
        ...(createdBy !== undefined && { createdBy }),
        ...(after !== undefined && { _id: trusted({ $lt: after }) }),
      };
      const found = await keys.find(matching).sort({ _id: -1 }).limit(limit).lean();
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
