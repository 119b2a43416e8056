import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  createAdmin,
  disableDemoUsers,
  parseOptions,
  removeTotp,
  type AdminOptions,
} from '../src/create-admin/create-admin';
import { seed } from '../src/seed/seed';
import { DEMO_PASSWORD, DEMO_USERS } from '../src/users/demo-users';
import { createAuditModel } from '../src/audit/audit.model';
import { createSecondFactorModel } from '../src/users/second-factor/second-factors.model';
import { createSecondFactorRepository } from '../src/users/second-factor/second-factors.repository';
import { createUserModel } from '../src/users/users.model';
import { createUsersRepository } from '../src/users/users.repository';
import { openTestApi, type TestApi } from './support/api';
import { openTestDatabase } from './support/database';
import { testConfig } from './support/config';
import { runEntry } from './support/entries';
import { eventually } from './support/eventually';
import { PASSWORD, person, signIn } from './support/signed-in-users';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
beforeEach(() => api.clear());
afterAll(() => api.close());

const ADA = ['--email', ' Ada@Example.com ', '--name', 'Ada'];

const run = async (args: string[], password = PASSWORD) =>
  createAdmin(
    createUsersRepository(api.db.connection),
    parseOptions(args) as AdminOptions,
    async () => password,
  );

it('the command creates an ADMIN who can sign in, with the password from standard input', async () => {
  const env = { NODE_ENV: 'test', MONGODB_URI: api.db.uri };
  const { code, stdout, stderr } = await runEntry('create-admin', env, { args: ADA, input: `${PASSWORD}\n` });
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('the user is an ADMIN'), '']);
  const ada = await signIn(api, 'ada@example.com');
  await api.call('get', '/users', ada.accessToken).expect(200);
});

it('promotes an existing user', async () => {
  const alice = await person(api);
  await run(['--email', alice.email.toUpperCase().replace('.', '\uff0e'), '--promote']);
  await api.call('get', '/users', (await signIn(api, alice.email)).accessToken).expect(200);
});

it.each([
  ['without an address', [], PASSWORD, 'Usage'],
  ['without a name', ['--email', 'ada@example.com'], PASSWORD, 'name'],
  ['with an invalid address', ['--email', 'ada', '--name', 'Ada'], PASSWORD, 'email must be'],
  ['with a short password', ADA, 'short', 'at least 12'],
  ['with a password made of the address', ADA, 'ada@example.com', 'choose another'],
  ['with a common password', ADA, 'administrator', 'most common'],
  ['with an unknown option', [...ADA, '--role', 'ADMIN'], PASSWORD, 'Unknown option'],
  ['when demo users are to be disabled', [...ADA, '--disable-demo-users'], PASSWORD, 'Usage'],
  ['when one of them is to be promoted', [...ADA, '--promote'], PASSWORD, 'Usage'],
  ['when there is no user to promote', ['--email', 'ada@example.com', '--promote'], '', 'no account'],
])('creates no ADMIN %s', async (_case, args, password, message) => {
  await expect(run(args, password)).rejects.toThrow(message);
  expect(await createUsersRepository(api.db.connection).list({}, { limit: 1 })).toEqual([]);
});

it('creates no second account for an address', async () => {
  const id = await run(ADA);
  await expect(run(ADA)).rejects.toThrow('use --promote');
  expect(await run(['--email', 'ada@example.com', '--promote'])).toBe(id);
});

it('disables the demo users that there are, and may do so again', async () => {
  await seed(api.db.connection, 'development');
  const users = createUsersRepository(api.db.connection);
  const [gone, ...left] = DEMO_USERS;
  await createUserModel(api.db.connection).deleteOne({ email: gone!.email });
  await run(ADA);
  expect(parseOptions(['--disable-demo-users'])).toBe('disable-demo-users');
  for (let time = 0; time < 2; time++) await disableDemoUsers(users);
  for (const { email } of left) expect(await users.findByEmail(email)).toMatchObject({ status: 'disabled' });
});

it('says that a user has no authenticator app to remove, or does not exist', async () => {
  const alice = await person(api);
  const users = createUsersRepository(api.db.connection);
  const factors = createSecondFactorRepository(api.db.connection);
  for (const email of [alice.email, 'nobody@example.com'])
    await expect(removeTotp(users, factors, email)).rejects.toThrow('no account with this address that has');
});

it('removes the authenticator app of a user whose address is written in another way', async () => {
  const alice = await person(api);
  const app = { _id: alice.id, secret: '!:JBSWY3DPEHPK3PXP', isOn: true, lastStep: 1, recoveryCodes: [] };
  await createSecondFactorModel(api.db.connection).create(app);
  const factors = createSecondFactorRepository(api.db.connection);
  const users = createUsersRepository(api.db.connection);
  const { email, removeTotp: isRemoval } = parseOptions([
    '--email',
    ` ${alice.email.toUpperCase()} `,
    '--remove-totp',
  ]) as AdminOptions;
  expect(isRemoval).toBe(true);
  expect(await removeTotp(users, factors, email)).toBe(alice.id);
  await signIn(api, alice.email);
});

it('the command disables the demo users, and ends their sessions', async () => {
  await seed(api.db.connection, 'development');
  const { accessToken } = await signIn(api, DEMO_USERS[1]!.email, DEMO_PASSWORD);
  await run(ADA);
  const env = { NODE_ENV: 'test', MONGODB_URI: api.db.uri };
  const { code, stdout } = await runEntry('create-admin', env, { args: ['--disable-demo-users'] });
  expect([code, stdout]).toEqual([0, expect.stringContaining('the demo users are disabled')]);
  const users = createUsersRepository(api.db.connection);
  for (const { email } of DEMO_USERS)
    expect(await users.findByEmail(email)).toMatchObject({ status: 'disabled' });
  await eventually(() => api.call('get', '/users/me', accessToken).expect(401));
});

it('the command removes the authenticator app of a user who has lost it, once', async () => {
  const alice = await person(api);
  await createSecondFactorModel(api.db.connection).create({
    _id: alice.id,
    secret: '!:JBSWY3DPEHPK3PXP',
    isOn: true,
    lastStep: 1,
    recoveryCodes: [],
  });
  await api.call('post', '/auth/login').send({ email: alice.email, password: PASSWORD }).expect(202);
  const env = { NODE_ENV: 'test', MONGODB_URI: api.db.uri };
  const args = ['--email', alice.email, '--remove-totp'];
  const { code, stdout } = await runEntry('create-admin', env, { args });
  expect([code, stdout]).toEqual([0, expect.stringContaining('the authenticator app is removed')]);
  await signIn(api, alice.email);
  const entries = await createAuditModel(api.db.connection).find({ action: 'user.totp_off' }).lean();
  expect(entries).toMatchObject([{ actor: 'operator', object: alice.id }]);
  expect(await runEntry('create-admin', env, { args })).toMatchObject({ code: 1 });
});

it('disables no last ADMIN, though it is a demo user', async () => {
  await seed(api.db.connection, 'development');
  await expect(disableDemoUsers(createUsersRepository(api.db.connection))).rejects.toThrow(
    'last active ADMIN',
  );
  await signIn(api, DEMO_USERS[0]!.email, DEMO_PASSWORD);
});

it('does not promote a disabled user', async () => {
  const alice = await person(api);
  const users = createUsersRepository(api.db.connection);
  await users.change(alice.id, { status: 'disabled' });
  await expect(run(['--email', alice.email, '--promote'])).rejects.toThrow('disabled');
  expect(await users.findById(alice.id)).toMatchObject({ role: 'CUSTOMER', status: 'disabled' });
});

it('rejects an address that is taken, even in a database without indexes', async () => {
  const db = await openTestDatabase({ own: true });
  await db.connection.dropDatabase();
  const env = { NODE_ENV: 'test', MONGODB_URI: db.uri };
  const results = [];
  for (let attempt = 0; attempt < 2; attempt++)
    results.push(await runEntry('create-admin', env, { args: ADA, input: PASSWORD }));
  expect(results).toMatchObject([
    { code: 0 },
    { code: 1, stderr: expect.stringContaining('--promote') as string },
  ]);
  await db.drop();
});

it.each(['ES256', 'RS256', 'HS256'])(
  'npm run jwt:key creates a key for %s that JWT_KEYS accepts',
  (algorithm) => {
    const script = join(__dirname, '..', 'scripts', 'make-jwt-key.mjs');
    const { stdout } = spawnSync(process.execPath, [script, algorithm], { encoding: 'utf8' });
    const { keys } = testConfig({ JWT_KEYS: stdout }).jwt;
    expect(keys[0]).toMatchObject({ algorithm });
  },
);
