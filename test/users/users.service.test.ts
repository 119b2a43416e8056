import { createApiKeyRepository } from '../../src/api-keys/api-keys.repository';
import { createApiKeyService } from '../../src/api-keys/api-keys.service';
import {
  createSessionRepository,
  type SessionRepository,
} from '../../src/users/sessions/sessions.repository';
import { createJwt } from '../../src/jwt/jwt';
import { newId } from '../../src/common/ids';
import type { UserPrincipal } from '../../src/role/principal';
import { hashPassword, verifyPassword } from '../../src/users/passwords/password';
import { createPasswordRules } from '../../src/users/passwords/password-rules';
import { createIssueTokens } from '../../src/users/sessions/issued-tokens';
import { isRevokedBy } from '../../src/users/sessions/signed-in';
import { createUserModel } from '../../src/users/users.model';
import { createUsersRepository, type User, type UsersRepository } from '../../src/users/users.repository';
import { createUsersService } from '../../src/users/users.service';
import { testConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { TEST_ORIGIN } from '../support/origin';
import { sessionOf } from '../support/stored-session';

const PASSWORD = 'correct horse battery';
const report = () => undefined;
const SENDER = { requestId: null, address: '192.0.2.1' };
const PROOF = { ...TEST_ORIGIN, ...SENDER, currentPassword: undefined };
const CHANGE = { currentPassword: PASSWORD, password: 'staple battery horse' };

let db: TestDatabase;
let users: UsersRepository;
let sessions: SessionRepository;
beforeAll(async () => {
  db = await openTestDatabase();
  users = createUsersRepository(db.connection);
  sessions = createSessionRepository(db.connection);
});
afterAll(() => db.drop());

async function signedIn(): Promise<UserPrincipal> {
  const id = newId('usr');
  const passwordHash = await hashPassword(PASSWORD);
  const email = `${id}@example.com`;
  await users.insert({ id, email, confirmedEmail: email, name: 'A', role: 'CUSTOMER', passwordHash });
  const session = sessionOf(id);
  const sessionId = session.id;
  await sessions.insert(session);
  const authenticatedAt = Math.floor(Date.now() / 1_000);
  const expiresAt = authenticatedAt + 60;
  return { id, role: 'CUSTOMER', tokenVersion: 0, sessionId, authenticatedAt, expiresAt };
}

/** Creates a service that accepts every password, and calls `happens` while it checks one. */
function serviceWhere(happens: (id: string) => Promise<unknown>, id = '') {
  return createUsersService({
    users,
    sessions,
    passwordRules: createPasswordRules(),
    requireRecentSignIn: async () => void (await happens(id)),
    report,
    mails: { askToConfirm: () => undefined, tellChange: () => undefined },
    issueTokens: createIssueTokens(createJwt(testConfig().jwt), false),
    accessTokenTtlSeconds: 60,
    refreshTokenTtlSeconds: 60,
  });
}

/** The API keys, for which nobody is asked for the password. */
function apiKeys() {
  const keys = createApiKeyRepository(db.connection);
  const requireRecentSignIn = async () => undefined;
  return { keys, service: createApiKeyService({ keys, requireRecentSignIn, ttlDays: 1, report }) };
}

const MEANWHILE: [string, (id: string) => Promise<unknown>, Partial<User>][] = [
  ['disabled', (id) => users.change(id, { status: 'disabled' }), { status: 'disabled' }],
  ['made an ADMIN', (id) => users.change(id, { role: 'ADMIN' }), { role: 'ADMIN', status: 'active' }],
];

it.each(MEANWHILE)(
  'rejects a password change and keeps no token if the user is %s meanwhile',
  async (_what, happens, after) => {
    const principal = await signedIn();
    const change = serviceWhere(happens, principal.id).changeProfile(principal, CHANGE, SENDER);
    await expect(change).rejects.toMatchObject({ code: 'unauthorized' });
    const user = (await users.findById(principal.id))!;
    expect(user).toMatchObject(after);
    expect(await verifyPassword(user.passwordHash, PASSWORD)).toBe(true);
    expect(isRevokedBy(user, principal)).toBe(true);
  },
);

it('gives no name again to a user whose data are erased meanwhile', async () => {
  const principal = await signedIn();
  const service = serviceWhere((id) => users.erase(id, TEST_ORIGIN), principal.id);
  const change = { name: 'B', currentPassword: PASSWORD };
  const changing = service.changeProfile(principal, change, SENDER);
  await expect(changing).rejects.toMatchObject({ code: 'unauthorized' });
  expect((await users.findById(principal.id))!.name).not.toBe('B');
});

it('keeps a name that is given while the password is being changed, and audits what was there before', async () => {
  const customer = await signedIn();
  await users.change(customer.id, { role: 'ADMIN' });
  const admin = { ...customer, role: 'ADMIN', tokenVersion: 1 } as const;
  const renameTo = async (name: string) => users.rename((await users.findById(admin.id))!, name, TEST_ORIGIN);
  await serviceWhere(() => renameTo('B')).changeProfile(admin, CHANGE, SENDER);
  expect((await users.findById(admin.id))!.name).toBe('B');
  const again = { name: 'D', currentPassword: CHANGE.password };
  await serviceWhere(() => renameTo('C')).changeProfile(admin, again, SENDER);
  const own = { object: admin.id, actor: { $in: [admin.id, TEST_ORIGIN.by] }, action: 'user.change_profile' };
  const entries = await db.connection.collection('audit').find(own).sort({ _id: 1 }).toArray();
  const names = (before: string, after: string) => [{ field: 'name', before, after }];
  expect(entries.map((entry) => (entry.private as { changes: unknown[] }).changes)).toEqual([
    names('A', 'B'),
    [],
    names('B', 'C'),
    names('C', 'D'),
  ]);
});

it('rejects changes with a revoked token that the process does not know of', async () => {
  const principal = await signedIn();
  await users.change(principal.id, { status: 'disabled' });
  await users.change(principal.id, { status: 'active' });
  const service = serviceWhere(async () => undefined);
  for (const change of [CHANGE, { name: 'B' }, { ...CHANGE, name: 'B' }]) {
    const changing = service.changeProfile(principal, change, SENDER);
    await expect(changing).rejects.toMatchObject({ code: 'unauthorized' });
  }
  const user = (await users.findById(principal.id))!;
  expect(user.name).toBe('A');
  expect(await verifyPassword(user.passwordHash, PASSWORD)).toBe(true);
});

it('makes a change that collides with everything, also of who asks for it, whose API keys wait for it', async () => {
  const customer = await signedIn();
  await users.change((await signedIn()).id, { role: 'ADMIN' });
  await users.change(customer.id, { role: 'ADMIN' });
  const { id } = customer;
  const model = createUserModel(db.connection);
  const isWaiting = async () => {
    const { inprog } = await db.connection.db!.admin().command({ currentOp: true });
    expect(JSON.stringify((inprog as { command: object }[]).map(({ command }) => command))).toContain(
      'heldUntil',
    );
  };
  const { demoting } = await db.connection.withSession(async (session) => {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
    await model.updateOne({ _id: id }, { $inc: { reliedOn: 1 } }, { session });
    const change = users.change(id, { role: 'CUSTOMER' }, { ...customer, tokenVersion: 1 }, TEST_ORIGIN);
    await eventually(isWaiting);
    await session.abortTransaction();
    return { demoting: change };
  });
  await expect(demoting).resolves.toMatchObject({ before: { role: 'ADMIN' }, after: { role: 'CUSTOMER' } });

  await users.change(id, { role: 'ADMIN' });
  const admin = { ...customer, role: 'ADMIN', tokenVersion: 3 } as const;
  const { service } = apiKeys();
  const make = () => service.create({ name: 'X', scopes: ['orders:read'] }, admin, PROOF);
  await model.updateOne({ _id: id }, { heldUntil: new Date(Date.now() + 3_600_000) });
  await expect(make()).rejects.toMatchObject({ code: 'invalid_transition' });
  const rename = () => serviceWhere(async () => undefined).changeProfile(admin, { name: 'B' }, SENDER);
  await expect(rename()).rejects.toMatchObject({ code: 'invalid_transition' });
  await model.updateOne({ _id: id }, { heldUntil: new Date(Date.now() - 1) });
  await expect(make()).resolves.toMatchObject({ apiKey: { name: 'X' } });
  await expect(rename()).resolves.toMatchObject({ user: { name: 'B' } });
});

describe('an ADMIN whose revoked token the process does not know of', () => {
  it('cannot change any user, not even themselves', async () => {
    const [mallory, other] = [await signedIn(), await signedIn()];
    await users.change(other.id, { role: 'ADMIN' });
    await users.change(mallory.id, { role: 'ADMIN' });
    const actor = { ...mallory, role: 'ADMIN', tokenVersion: 1 } as const;
    await users.change(mallory.id, { role: 'CUSTOMER', status: 'disabled' });
    const service = serviceWhere(async () => undefined);
    for (const id of [mallory.id, other.id]) {
      const changing = service.change(id, { role: 'ADMIN', status: 'active' }, actor, PROOF);
      await expect(changing).rejects.toMatchObject({ code: 'unauthorized' });
    }
    expect(await users.findById(mallory.id)).toMatchObject({ role: 'CUSTOMER', status: 'disabled' });
  });

  it.each([
    ['demoted', ({ id }: UserPrincipal) => users.change(id, { role: 'CUSTOMER' })],
    ['signed out', ({ sessionId }: UserPrincipal) => sessions.end(sessionId)],
    ['robbed', ({ sessionId }: UserPrincipal) => sessions.endStolen(sessionId, TEST_ORIGIN)],
  ])('cannot create an API key once %s', async (_what, happens) => {
    const customer = await signedIn();
    await users.change(customer.id, { role: 'ADMIN' });
    await users.change((await signedIn()).id, { role: 'ADMIN' });
    const mallory = { ...customer, role: 'ADMIN', tokenVersion: 1 } as const;
    const { keys, service } = apiKeys();
    const make = () => service.create({ name: 'X', scopes: ['orders:read'] }, mallory, PROOF);
    await make();
    await happens(mallory);
    await expect(make()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await keys.list({ createdBy: mallory.id }, { limit: 10 })).toHaveLength(1);
  });

  it.each([
    ['the role was taken away', ({ id }: UserPrincipal) => users.change(id, { role: 'CUSTOMER' })],
    [
      'the session turned out to be stolen',
      ({ sessionId }: UserPrincipal) => sessions.endStolen(sessionId, TEST_ORIGIN),
    ],
  ])('leaves no key behind that was made while %s', async (_what, happens) => {
    const { keys, service } = apiKeys();
    await users.change((await signedIn()).id, { role: 'ADMIN' });
    const customer = await signedIn();
    await users.change(customer.id, { role: 'ADMIN' });
    const mallory = { ...customer, role: 'ADMIN', tokenVersion: 1 } as const;
    const make = () => service.create({ name: 'X', scopes: ['orders:read'] }, mallory, PROOF);
    const making = Promise.allSettled(Array.from({ length: 10 }, make));
    await happens(mallory);
    await making;
    const left = await keys.list({ createdBy: mallory.id }, { limit: 100 });
    expect(left.filter(({ revokedAt }) => revokedAt === null)).toEqual([]);
  });
});

it('keeps the session of a password change, which can change the password again', async () => {
  const principal = await signedIn();
  const service = serviceWhere(async () => undefined);
  await service.changeProfile(principal, CHANGE, SENDER);
  await service.changeProfile(principal, CHANGE, SENDER);
  const user = (await users.findById(principal.id))!;
  expect([user.tokenVersion, isRevokedBy(user, principal)]).toEqual([2, false]);
  expect(isRevokedBy(user, { ...principal, sessionId: 'b'.repeat(32) })).toBe(true);
});
