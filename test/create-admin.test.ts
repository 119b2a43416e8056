import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { main } from '../src/create-admin';
import { createUsersRepository } from '../src/users/users.repository';
import { openTestApi, type TestApi } from './support/api';
import { testConfig } from './support/config';
import { PASSWORD, person, signIn } from './support/signed-in-users';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
beforeEach(() => api.clear());
afterAll(() => api.close());

const ADA = ['--email', ' Ada@Example.com ', '--name', 'Ada'];

const run = (args: string[], password = PASSWORD) =>
  main({ NODE_ENV: 'test', LOG_LEVEL: 'silent', MONGODB_URI: api.db.uri }, args, async () => password);

it('makes an ADMIN who can sign in', async () => {
  await run(ADA);
  const ada = await signIn(api, 'ada@example.com');
  await api.call('get', '/users', ada.accessToken).expect(200);
});

it('makes an ADMIN of somebody who has an account', async () => {
  const alice = await person(api);
  await run(['--email', alice.email, '--promote']);
  await api.call('get', '/users', (await signIn(api, alice.email)).accessToken).expect(200);
});

it.each([
  ['without an address', [], PASSWORD, 'Usage'],
  ['without a name', ['--email', 'ada@example.com'], PASSWORD, 'name'],
  ['for no address', ['--email', 'ada', '--name', 'Ada'], PASSWORD, 'email must be'],
  ['with a short password', ADA, 'short', 'at least 12'],
  ['with a common password', ADA, 'administrator', 'most common'],
  ['with an unknown option', [...ADA, '--role', 'ADMIN'], PASSWORD, 'Unknown option'],
  ['promoting nobody', ['--email', 'ada@example.com', '--promote'], '', 'no account'],
])('refuses to do it %s', async (_what, args, password, message) => {
  await expect(run(args, password)).rejects.toThrow(message);
  expect(await createUsersRepository(api.db.connection).list({}, { limit: 1 })).toEqual([]);
});

it('does not enable somebody whom an ADMIN has disabled', async () => {
  const alice = await person(api);
  const users = createUsersRepository(api.db.connection);
  await users.change(alice.id, { status: 'disabled' });
  await expect(run(['--email', alice.email, '--promote'])).rejects.toThrow('disabled');
  expect(await users.findById(alice.id)).toMatchObject({ role: 'CUSTOMER', status: 'disabled' });
});

it('refuses an address that is taken, in a database that is not set up yet too', async () => {
  await api.db.connection.dropDatabase();
  await run(ADA);
  await expect(run(ADA)).rejects.toThrow('--promote');
});

it.each(['ES256', 'RS256', 'HS256'])(
  'npm run jwt:key makes a key for %s that JWT_KEYS takes',
  (algorithm) => {
    const script = join(__dirname, '..', 'scripts', 'make-jwt-key.mjs');
    const { stdout } = spawnSync(process.execPath, [script, algorithm], { encoding: 'utf8' });
    const { keys } = testConfig({ JWT_KEYS: stdout }).jwt;
    expect(keys[0]).toMatchObject({ algorithm });
  },
);
