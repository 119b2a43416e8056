import pino from 'pino';
import { startServer } from '../../src/api-server';
import { createDemoUsersCheck } from '../../src/health/demo-users';
import { seed } from '../../src/seed/seed';
import { DEMO_USERS } from '../../src/users/demo-users';
import * as passwords from '../../src/users/passwords/password';
import { createUserModel } from '../../src/users/users.model';
import { createUsersRepository, type User, type UsersRepository } from '../../src/users/users.repository';
import { PRODUCTION_ENV, testConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

jest.mock('../../src/users/passwords/password', () => {
  const actual = jest.requireActual<typeof passwords>('../../src/users/passwords/password');
  return { ...actual, verifyPassword: jest.fn(actual.verifyPassword) };
});

const ADMIN = DEMO_USERS[0]!.email;

let db: TestDatabase;
let users: UsersRepository;
beforeAll(async () => {
  db = await openTestDatabase();
  users = createUsersRepository(db.connection);
});
beforeEach(async () => {
  await createUserModel(db.connection).deleteMany();
  jest.mocked(passwords.verifyPassword).mockClear();
});
afterAll(() => db.drop());

const find = async (email: string): Promise<User> => (await users.findByEmail(email))!;
const changePassword = async (email: string) => {
  const passwordHash = await passwords.hashPassword('correct horse battery');
  await createUserModel(db.connection).updateOne({ email }, { passwordHash });
};
const disable = async (email: string) => users.change((await find(email)).id, { status: 'disabled' });

it('succeeds without demo users', async () => {
  await expect(createDemoUsersCheck(users)()).resolves.toBeUndefined();
});

it('fails until the last demo user with the demo password is disabled or has another password', async () => {
  await seed(db.connection, 'development');
  const check = createDemoUsersCheck(users);
  const [admin, ...others] = DEMO_USERS.map(({ email }) => email);
  await expect(check()).rejects.toThrow('--disable-demo-users');
  for (const email of others) await disable(email);
  await expect(check()).rejects.toThrow('--disable-demo-users');
  await changePassword(admin!);
  await expect(check()).resolves.toBeUndefined();
});

it('verifies each password once, and again only if it has changed', async () => {
  await seed(db.connection, 'development');
  const check = createDemoUsersCheck(users);
  for (let probe = 0; probe < 5; probe++) await check().catch(() => undefined);
  expect(passwords.verifyPassword).toHaveBeenCalledTimes(DEMO_USERS.length);
  await changePassword(ADMIN);
  for (let probe = 0; probe < 5; probe++) await check().catch(() => undefined);
  expect(passwords.verifyPassword).toHaveBeenCalledTimes(DEMO_USERS.length + 1);
});

describe('the API with demo users', () => {
  const logs: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logs.push(line) });
  const start = (env: NodeJS.ProcessEnv) =>
    startServer(testConfig({ PORT: '0', MONGODB_URI: db.uri, ...env }), logger);
  beforeEach(async () => {
    logs.length = 0;
    await seed(db.connection, 'development');
  });

  it('is not ready in production, and tells clients nothing but the name of the check', async () => {
    const server = await start(PRODUCTION_ENV);
    // The other checks may be down first, if they are slow.
    await eventually(async () => {
      const response = await fetch(`${server.url}/health/ready`);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        code: 'service_unavailable',
        detail: 'Not ready: demoUsers. Try again shortly; the log of the API says why.',
        data: {
          checks: {
            mongodb: { status: 'up' },
            temporal: { status: 'up' },
            demoUsers: { status: 'down', latencyMs: expect.any(Number) as number },
          },
        },
      });
    });
    await server.close();
  });

  it('logs at its start what to do, even if nobody probes', async () => {
    const server = await start(PRODUCTION_ENV);
    await eventually(async () =>
      expect(logs.join('')).toMatch(/published password: run .*--disable-demo-users/),
    );
    await server.close();
  });

  it('is ready in development', async () => {
    const server = await start({});
    await eventually(async () => {
      const response = await fetch(`${server.url}/health/ready`);
      expect(response.status).toBe(200);
      expect(await response.json()).not.toHaveProperty('data.checks.demoUsers');
    });
    await server.close();
  });
});
