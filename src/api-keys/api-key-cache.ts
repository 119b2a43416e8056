import type { Logger } from 'pino';
import type { Principal } from '../role/principal';
import { followChanges, type Follower } from '../mongodb/follow-changes';
import type { MongoDb } from '../mongodb/mongodb';
import { Role } from '../role/role';
import type { ReportSecurityEvent } from '../security/security-events';
import { hashApiKey } from './api-key';
import type { ApiKey, ApiKeyRepository } from './api-keys.repository';

const RECORD_USE_EVERY_MS = 60_000;

export interface ApiKeyAuthentication {
  /** Looks in memory only, so that it also returns undefined for a key that was not used here before. */
  recognise(key: string): Principal | undefined;
  /**
   * Returns undefined for a key that is unknown, revoked or expired.
   * @param address of the client, for the log
   */
  principalOf(key: string, address?: string): Promise<Principal | undefined>;
}

interface Known {
  key: ApiKey;
  usedAt: number;
}

/**
 * Keeps keys that were used here in memory. Each is read once, and forgotten within milliseconds when any
 * process revokes it. While MongoDB is away, the keys in memory stay valid.
 */
export function createApiKeyCache(
  keys: Pick<ApiKeyRepository, 'findByHash' | 'recordUse' | 'watchRevocations'>,
  { connected }: Pick<MongoDb, 'connected'>,
  logger: Logger,
  report: ReportSecurityEvent = () => undefined,
): ApiKeyAuthentication & Follower {
  const known = new Map<string, Known>();
  /** Counts revocations, so that a key is not remembered if one happened while it was read. */
  let revocations = 0;

  async function find(hash: string, address?: string): Promise<Known | undefined> {
    const cached = known.get(hash);
    if (cached) return cached;
    const before = revocations;
    const key = await keys.findByHash(hash);
    if (!key) return undefined;
    if (key.revokedAt) {
      report('key_used_after_end', { apiKeyId: key.id }, address);
      return undefined;
    }
    const found = { key, usedAt: 0 };
    if (revocations === before) known.set(hash, found);
    return found;
  }

  function principalBy(used: Known | undefined): Principal | undefined {
    if (!used || isExpired(used.key)) return undefined;
    recordUse(used);
    return { id: used.key.id, role: Role.ADMIN, scopes: used.key.scopes };
  }

  function recordUse(used: Known): void {
    const now = Date.now();
    if (now - used.usedAt < RECORD_USE_EVERY_MS) return;
    used.usedAt = now;
    keys.recordUse(used.key.id, new Date(now)).catch((err: unknown) => {
      logger.warn({ err, apiKeyId: used.key.id }, 'could not record the use of an API key');
    });
  }

  function forget(): void {
    revocations++;
    known.clear();
  }

  const follower = followChanges(
    {
      name: 'revoked API keys',
      connected,
      open: keys.watchRevocations,
      load: async (isFollowed) => (isFollowed ? forget() : undefined), // keys may have been revoked unnoticed
      apply: forget, // revoking is rare, and reading the other keys again is cheap
    },
    logger,
  );
  return {
    ...follower,
    recognise: (key) => principalBy(known.get(hashApiKey(key))),
    async principalOf(key, address) {
      const found = await find(hashApiKey(key), address);
      if (found && isExpired(found.key)) report('key_used_after_end', { apiKeyId: found.key.id }, address);
      return principalBy(found);
    },
  };
}

function isExpired({ expiresAt }: ApiKey): boolean {
  return expiresAt !== null && expiresAt.getTime() <= Date.now();
}
