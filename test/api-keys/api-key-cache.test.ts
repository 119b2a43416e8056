import type { mongo } from 'mongoose';
import pino from 'pino';
import { hashApiKey, newApiKey } from '../../src/api-keys/api-key';
import { createApiKeyCache } from '../../src/api-keys/api-key-cache';
import type { ApiKey, ApiKeyRepository } from '../../src/api-keys/api-keys.repository';
import { eventually } from '../support/eventually';

const KEY = newApiKey();
const STORED: ApiKey = {
  id: 'key_1',
  name: 'Warehouse',
  keyHash: hashApiKey(KEY),
  start: KEY.slice(0, 8),
  scopes: [],
  createdBy: 'usr_1',
  sessionId: 'a-session',
  createdAt: new Date(),
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};

/** Creates a cache on a repository whose behaviour the test defines. */
function cacheOf(keys: Partial<ApiKeyRepository>) {
  const repository = { recordUse: async () => undefined, ...keys } as ApiKeyRepository;
  return createApiKeyCache(repository, { connected: Promise.resolve() }, pino({ level: 'silent' }));
}

it('does not remember a key that is revoked while it is being read', async () => {
  let revoke!: (change: object) => void;
  const revoked = new Promise<object>((resolve) => (revoke = resolve));
  let finishReading!: () => void;
  const read = new Promise<ApiKey>((resolve) => (finishReading = () => resolve(STORED)));
  let isApplied = false;
  const stream = {
    tryNext: async () => null,
    async *[Symbol.asyncIterator]() {
      yield await revoked;
      isApplied = true;
    },
    close: async () => undefined,
  };
  const cache = cacheOf({
    findByHash: () => read,
    watchRevocations: () => stream as unknown as mongo.ChangeStream<never>,
  });
  await cache.ready;
  const reading = cache.principalOf(KEY);
  revoke({ operationType: 'update' });
  await eventually(async () => expect(isApplied).toBe(true));
  finishReading();
  expect(await reading).toMatchObject({ id: 'key_1' }); // the key was valid when it was read
  expect(cache.recognise(KEY)).toBeUndefined();
  await cache.close();
});

it('recognises the keys in memory while MongoDB is away', async () => {
  let attempts = 0;
  const cache = cacheOf({
    findByHash: async () => STORED,
    watchRevocations() {
      attempts++;
      throw new Error('no server');
    },
  });
  await cache.principalOf(KEY);
  await eventually(async () => expect(attempts).toBeGreaterThan(2));
  expect(cache.recognise(KEY)).toMatchObject({ id: 'key_1' });
  await cache.close();
});
