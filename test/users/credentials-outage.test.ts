import pino from 'pino';
import { createApiKeyRepository } from '../../src/api-keys/api-keys.repository';
import { createApiKeyService } from '../../src/api-keys/api-keys.service';
import { newId } from '../../src/common/ids';
import { openMongoDb, type MongoDb } from '../../src/mongodb/mongodb';
import { followCredentials } from '../../src/api-identity';
import { createApiKeyModel } from '../../src/users/api-keys.model';
import { createSessionRepository } from '../../src/users/sessions/sessions.repository';
import { createUsersRepository } from '../../src/users/users.repository';
import { openMongodbProxy } from '../support/mongodb-proxy';
import { TEST_ORIGIN } from '../support/origin';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { sessionOf } from '../support/stored-session';
import { eventually, HANG_MS } from '../support/eventually';

const logger = pino({ level: 'silent' });
const ISSUED = { tokenVersion: 0, sessionId: 'a'.repeat(32) };

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

/** Connects to the same database through a proxy that can be closed. */
function connectBy(port: number): MongoDb {
  const uri = new URL(db.uri);
  uri.host = `127.0.0.1:${port}`;
  uri.search = 'directConnection=true';
  return openMongoDb({ uri: uri.href, responseTimeoutMs: HANG_MS }, logger);
}

async function disabledUser(): Promise<{ id: string; disable(): Promise<unknown> }> {
  const users = createUsersRepository(db.connection);
  const id = newId('usr');
  await users.insert({ id, email: `${id}@example.com`, name: 'A', role: 'CUSTOMER', passwordHash: 'x' });
  return { id, disable: () => users.change(id, { status: 'disabled' }) };
}

it('keeps what a process knows during an outage of MongoDB, and catches up afterwards', async () => {
  const keys = createApiKeyService({
    keys: {
      ...createApiKeyRepository(db.connection),
      insert: (key) =>
        createApiKeyModel(db.connection)
          .create({ _id: key.id, ...key })
          .then(() => 'inserted' as const),
    },
    requireRecentSignIn: async () => undefined,
    ttlDays: 1,
    report: () => undefined,
  });
  const [before, meanwhile] = [await disabledUser(), await disabledUser()];
  const { apiKey, key } = await keys.create(
    { name: 'Warehouse', scopes: ['orders:read'] },
    { id: newId('usr'), role: 'ADMIN', ...ISSUED, authenticatedAt: 0, expiresAt: Infinity },
    { ...TEST_ORIGIN, currentPassword: undefined, address: '192.0.2.1' },
  );
  const isRevoked = ({ id }: { id: string }) => revokedTokens.has({ id, ...ISSUED });
  const sessions = createSessionRepository(db.connection);
  const session = sessionOf(newId('usr'));
  await sessions.insert(session);
  const hasEnded = () => revokedTokens.has({ id: session.userId, tokenVersion: 0, sessionId: session.id });

  const proxy = await openMongodbProxy();
  const mongodb = connectBy(proxy.port);
  const credentials = followCredentials(mongodb, logger);
  const { revokedTokens, apiKeys } = credentials;
  expect(credentials.isLoaded()).toBe(false);
  await credentials.ready;
  expect(credentials.isLoaded()).toBe(true);
  await before.disable();
  await eventually(async () => expect(isRevoked(before)).toBe(true));
  await apiKeys.followed; // loading the keys again forgets those that were read before
  expect(await apiKeys.principalOf(key)).toMatchObject({ id: apiKey.id, scopes: ['orders:read'] });

  await proxy.close();
  await meanwhile.disable();
  await sessions.end(session.id);
  await keys.revoke(apiKey.id, TEST_ORIGIN);
  expect([isRevoked(before), isRevoked(meanwhile), hasEnded()]).toEqual([true, false, false]);
  expect(await apiKeys.principalOf(key)).toMatchObject({ id: apiKey.id });

  const restored = await openMongodbProxy(proxy.port);
  await eventually(async () => expect([isRevoked(meanwhile), hasEnded()]).toEqual([true, true]));
  await eventually(async () => expect(await apiKeys.principalOf(key)).toBeUndefined());
  expect(isRevoked(before)).toBe(true);

  await credentials.close();
  await mongodb.close();
  await restored.close();
});

it('loads revocations whose tokens have not expired when a process starts', async () => {
  const user = await disabledUser();
  await user.disable();
  const credentials = followCredentials(db.mongodb, logger);
  await credentials.ready;
  expect(credentials.revokedTokens.has({ id: user.id, ...ISSUED })).toBe(true);
  expect(credentials.revokedTokens.has({ id: user.id, ...ISSUED, tokenVersion: 1 })).toBe(false);
  await credentials.close();
});

it('can be closed if MongoDB was never reachable', async () => {
  const reserved = await openMongodbProxy();
  await reserved.close();
  const mongodb = connectBy(reserved.port);
  const credentials = followCredentials(mongodb, logger);
  await credentials.close();
  await mongodb.close();
});
