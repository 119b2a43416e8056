import { trusted, type Connection, type mongo } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import { changesBetween, type Origin } from '../domain/audit';
import { CHANGES_MAX_AWAIT_MS } from '../mongodb/follow-changes';
import { createTransact } from '../mongodb/transaction';
import { MAX_VALID_KEYS } from './api-key';
import { createActorChecks, type Actor } from '../users/sessions/actor';
import { createApiKeyModel, type ApiKeyDocument } from '../users/api-keys.model';
import { createKeyRevocation } from '../users/key-revocation';

export type ApiKey = Omit<ApiKeyDocument, '_id'> & { id: string };

export type ApiKeyFilter = Partial<Pick<ApiKey, 'createdBy'>>;

export interface ApiKeyRepository {
  /**
   * Inserts a key, unless its maker is no longer signed in, has too many valid ones, or is being changed (`held`), judged in
   * the same transaction, so that no key outlives what ends the keys of a user or session.
   */
  insert(key: ApiKey, maker: Actor, origin: Origin): Promise<'inserted' | 'signed_out' | 'too_many' | 'held'>;
  findByHash(keyHash: string): Promise<ApiKey | null>;
  /**
   * Lists keys, newest first.
   * @param filter the user who made them
   * @param page `after` is the id of the last key of the previous page
   */
  list(filter: ApiKeyFilter, page: { limit: number; after?: string }): Promise<ApiKey[]>;
  /** Does nothing to a key that is revoked already. Returns false if there is no such key. */
  revoke(id: string, origin: Origin): Promise<boolean>;
  recordUse(id: string, at: Date): Promise<void>;
  /** Watches for keys that are being revoked. */
  watchRevocations(): mongo.ChangeStream<ApiKeyDocument>;
}

export function createApiKeyRepository(connection: Connection): ApiKeyRepository {
  const keys = createApiKeyModel(connection);
  const { mayAct, relyOn } = createActorChecks(connection);
  const transact = createTransact(connection);
  const recordAudit = createAuditRecorder(connection);
  const revokeKeys = createKeyRevocation(connection);
  return {
    insert: ({ id, ...fields }, maker, origin) =>
      transact(async (session) => {
        if (!(await mayAct(maker, session))) return 'signed_out';
        const valid = {
          createdBy: maker.id,
          revokedAt: null,
          $or: [{ expiresAt: null }, { expiresAt: trusted({ $gt: fields.createdAt }) }],
        };
        if ((await keys.countDocuments(valid, { session, limit: MAX_VALID_KEYS })) === MAX_VALID_KEYS)
          return 'too_many';
        if (!(await relyOn(maker, session))) return 'held'; // also lets each of two keys at once count the other
        await keys.create([{ _id: id, ...fields }], { session });
        const changes = changesBetween(null, fields, ['scopes', 'expiresAt']);
        const personal = changesBetween(null, fields, ['name']); // which may be that of a person
        const made = { action: 'api_key.create', object: id, subject: null };
        await recordAudit({ ...made, origin, changes, personal }, session);
        return 'inserted';
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

    revoke: (id, origin) =>
      transact(async (session) => {
        if ((await revokeKeys({ _id: id }, origin, session)) > 0) return true;
        return (await keys.exists({ _id: id }).session(session)) !== null;
      }),

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
