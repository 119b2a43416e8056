import { newId } from '../common/ids';
import { pageOf, type Page } from '../common/pagination';
import { invalid } from '../common/validate';
import { AppError } from '../errors/app-error';
import { hashApiKey, newApiKey, startOf } from './api-key';
import type { ApiKey, ApiKeyRepository } from './api-keys.repository';
import type { CreateApiKeyBody } from './api-keys.schema';

export type ApiKeyService = ReturnType<typeof createApiKeyService>;

export function createApiKeyService(keys: Pick<ApiKeyRepository, 'insert' | 'list' | 'revoke'>) {
  return {
    /** @returns the key too, which nobody can read again @throws {AppError} validation_failed */
    async create(
      { name, scopes, expiresAt }: CreateApiKeyBody,
      createdBy: string,
    ): Promise<{ apiKey: ApiKey; key: string }> {
      const key = newApiKey();
      const createdAt = new Date();
      const end = expiresAt == null ? null : new Date(expiresAt);
      if (end && end <= createdAt) throw invalid([{ path: 'expiresAt', message: 'must be in the future' }]);
      const apiKey: ApiKey = {
        id: newId('key'),
        ...{ name, scopes, createdBy, createdAt },
        ...{ keyHash: hashApiKey(key), start: startOf(key) },
        ...{ expiresAt: end, revokedAt: null, lastUsedAt: null },
      };
      await keys.insert(apiKey);
      return { apiKey, key };
    },

    async list({ limit, after }: { limit: number; after?: string }): Promise<Page<ApiKey>> {
      return pageOf(await keys.list({ limit: limit + 1, after }), limit);
    },

    /** @throws {AppError} not_found */
    async revoke(id: string): Promise<void> {
      if (!(await keys.revoke(id))) throw new AppError('not_found', 'There is no API key with this id.');
    },
  };
}
