import { trusted, type ClientSession, type Connection, type QueryFilter } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import type { Origin } from '../domain/audit';
import { createApiKeyModel, type ApiKeyDocument } from './api-keys.model';

/** Revokes the valid keys among those that match, as a part of a transaction. Returns how many there were. */
export type RevokeKeys = (
  which: QueryFilter<ApiKeyDocument>,
  origin: Origin,
  session: ClientSession,
) => Promise<number>;

/** Creates the one way in which keys are revoked, so that each of them has an entry in the audit log. */
export function createKeyRevocation(connection: Connection): RevokeKeys {
  const keys = createApiKeyModel(connection);
  const recordAudit = createAuditRecorder(connection);
  return async (which, origin, session) => {
    const valid = { ...which, revokedAt: null };
    const found = await keys.find(valid, { createdBy: 1 }, { session }).lean();
    if (found.length === 0) return 0;
    const ids = found.map(({ _id }) => _id);
    const revokedAt = new Date();
    await keys.updateMany({ _id: trusted({ $in: ids }) }, { $set: { revokedAt } }, { session });
    const change = { origin, action: 'api_key.revoke', personal: [] };
    const changes = [{ field: 'revokedAt', before: null, after: revokedAt }];
    await recordAudit(
      // About the maker: where a stolen session came from goes with the maker's data.
      found.map(({ _id: object, createdBy: subject }) => ({ ...change, object, subject, changes })),
      session,
    );
    return ids.length;
  };
}
