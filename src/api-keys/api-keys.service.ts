import { newId } from '../common/ids';
import { pageOf, type Page } from '../common/pagination';
import { invalid } from '../http/validate';
import { AppError } from '../errors/app-error';
import { hashApiKey, newApiKey, startOf } from './api-key';
import type { UserPrincipal } from '../role/principal';
import { requireSignedIn } from '../users/sessions/signed-in';
import type { UsersRepository } from '../users/users.repository';
import type { ApiKey, ApiKeyRepository } from './api-keys.repository';
import type { CreateApiKeyBody } from './api-keys.schema';

export type ApiKeyService = ReturnType<typeof createApiKeyService>;

export interface ApiKeyServiceDeps {
  keys: Pick<ApiKeyRepository, 'insert' | 'list' | 'revoke'>;
  users: Pick<UsersRepository, 'findById'>;
}

export function createApiKeyService({ keys, users }: ApiKeyServiceDeps) {
  return {
    /**
     * Returns the key as well, which cannot be read again.
     * @throws {AppError} validation_failed, unauthorized
     */
    async create(
      { name, scopes, expiresAt }: CreateApiKeyBody,
      principal: UserPrincipal,
    ): Promise<{ apiKey: ApiKey; key: string }> {
      const { id: createdBy } = requireSignedIn(await users.findById(principal.id), principal);
      const key = newApiKey();
      const createdAt = new Date();
      const expiry = expiresAt == null ? null : new Date(expiresAt);
      if (expiry && expiry <= createdAt)
        throw invalid([{ path: 'expiresAt', message: 'must be in the future' }]);
      const apiKey: ApiKey = {
        id: newId('key'),
        name,
        scopes,
        createdBy,
        createdAt,
        keyHash: hashApiKey(key),
        start: startOf(key),
        expiresAt: expiry,
        revokedAt: null,
        lastUsedAt: null,
      };
      await keys.insert(apiKey);
      return { apiKey, key };
    },

    async list({ limit, after }: { limit: number; after?: string }): Promise<Page<ApiKey>> {
      return pageOf(await keys.list({ limit: limit + 1, after }), limit);
    },

    /** @throws {AppError} not_found */
    async revoke(id: string): Promise<void> {
      if (!(await keys.revoke(id))) throw new AppError('not_found', 'API key not found: check the id.');
    },
  };
}
