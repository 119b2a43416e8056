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
  createdAt: new Date(),
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};

/** A cache whose MongoDB does and says what a test tells. */
function cacheOf(keys: Partial<ApiKeyRepository>) {
  const repository = { recordUse: async () => undefined, ...keys } as ApiKeyRepository;
  return createApiKeyCache(repository, { connected: Promise.resolve() }, pino({ level: 'silent' }));
}

it('a key that is revoked while it is being read is not remembered', async () => {
  let revoke!: (change: object) => void;
  const revoked = new Promise<object>((resolve) => (revoke = resolve));
  let answer!: () => void;
  const read = new Promise<ApiKey>((resolve) => (answer = () => resolve(STORED)));
  let isEnded = false;
  const stream = {
    tryNext: async () => null,
    async *[Symbol.asyncIterator]() {
      yield await revoked;
      isEnded = true;
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
  await eventually(async () => expect(isEnded).toBe(true));
  answer();
  expect(await reading).toMatchObject({ id: 'key_1' }); // it was good when it was read
  expect(cache.recognise(KEY)).toBeUndefined();
  await cache.close();
});

it('while MongoDB is away, keys that are known go on', async () => {
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
