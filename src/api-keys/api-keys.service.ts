import AsyncLock from 'async-lock';
import { newId } from '../common/ids';
import { pageOf, type Page } from '../common/pagination';
import { invalid } from '../errors/invalid';
import { AppError } from '../errors/app-error';
import { invalidToken } from '../errors/unauthorized';
import { hashApiKey, MAX_VALID_KEYS, newApiKey, startOf } from './api-key';
import type { Origin } from '../domain/audit';
import type { ReportSecurityEvent } from '../security/security-events';
import type { UserPrincipal } from '../role/principal';
import { beingChanged } from '../users/being-changed';
import type { Proof, Reauthentication } from '../users/reauthentication';
import type { ApiKey, ApiKeyFilter, ApiKeyRepository } from './api-keys.repository';
import type { CreateApiKeyBody } from './api-keys.schema';

export type ApiKeyService = ReturnType<typeof createApiKeyService>;

export interface ApiKeyServiceDeps {
  keys: Pick<ApiKeyRepository, 'insert' | 'list' | 'revoke'>;
  requireRecentSignIn: Reauthentication;
  /** How long a key is valid that names no end itself. */
  ttlDays: number;
  report: ReportSecurityEvent;
}

const DAY_MS = 86_400_000;

export function createApiKeyService({ keys, requireRecentSignIn, ttlDays, report }: ApiKeyServiceDeps) {
  /** Each insertion collides with the demotion of its maker, which many at once could put off for seconds. */
  const oneByOne = new AsyncLock({ maxPending: Infinity });

  /** @param written null for a key that is valid until it is revoked */
  function expiryOf(written: string | null | undefined, createdAt: Date): Date | null {
    if (written === null) return null;
    return new Date(written ?? createdAt.getTime() + ttlDays * DAY_MS);
  }

  return {
    /**
     * Returns the key as well, which cannot be read again.
     * @throws {AppError} validation_failed, unauthorized if the maker's session is revoked or too old, rate_limited for
     * too many wrong passwords, invalid_transition for too many keys, or while the account is being changed
     */
    async create(
      { name, scopes, expiresAt }: Omit<CreateApiKeyBody, 'currentPassword'>,
      principal: UserPrincipal,
      { currentPassword, ...origin }: Proof & Origin,
    ): Promise<{ apiKey: ApiKey; key: string }> {
      await requireRecentSignIn(principal, { currentPassword, address: origin.address });
      const key = newApiKey();
      const createdAt = new Date();
      const expiry = expiryOf(expiresAt, createdAt);
      if (expiry && expiry <= createdAt)
        throw invalid([{ path: 'expiresAt', message: 'must be in the future' }]);
      const apiKey: ApiKey = {
        id: newId('key'),
        name,
        scopes,
        createdBy: principal.id,
        sessionId: principal.sessionId,
        createdAt,
        keyHash: hashApiKey(key),
        start: startOf(key),
        expiresAt: expiry,
        revokedAt: null,
        lastUsedAt: null,
      };
      const insert = () => keys.insert(apiKey, principal, origin);
      const outcome = await oneByOne.acquire(principal.id, insert);
      if (outcome === 'signed_out') throw invalidToken();
      if (outcome === 'too_many') throw tooManyKeys();
      if (outcome === 'held') throw beingChanged();
      report('key_created', { apiKeyId: apiKey.id, by: principal.id, scopes }, origin.address);
      return { apiKey, key };
    },

    async list({
      limit,
      after,
      ...filter
    }: ApiKeyFilter & { limit: number; after?: string }): Promise<Page<ApiKey>> {
      return pageOf(await keys.list(filter, { limit: limit + 1, after }), limit);
    },

    /** @throws {AppError} not_found */
    async revoke(id: string, origin: Origin): Promise<void> {
      if (!(await keys.revoke(id, origin)))
        throw new AppError('not_found', 'API key not found: check the id.');
    },
  };
}

function tooManyKeys(): AppError {
  return new AppError(
    'invalid_transition',
    `You have ${MAX_VALID_KEYS} valid API keys: revoke those that are not needed any more first.`,
  );
}
