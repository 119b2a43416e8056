import { createHash } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { createAuthService } from '../../../src/auth/auth.service';
import { createAccountRepository } from '../../../src/users/account/accounts.repository';
import { createIssueTokens } from '../../../src/users/sessions/issued-tokens';
import type { ReportSecurityEvent } from '../../../src/security/security-events';
import { createSessionRepository } from '../../../src/users/sessions/sessions.repository';
import { createGuestRepository } from '../../../src/users/guests.repository';
import { createUsersRepository, type UsersRepository } from '../../../src/users/users.repository';
import { createSessionModel } from '../../../src/users/sessions/sessions.model';
import { createUserModel } from '../../../src/users/users.model';
import { openTestApi, type TestApi } from '../../support/api';
import { expectRejected, person, signIn, type Person } from '../../support/signed-in-users';

const SENDER = { requestId: null, address: '192.0.2.1' };

let api: TestApi;
/** Another process on the same database. */
let other: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  other = await openTestApi({ db: api.db });
  await other.credentials.revokedTokens.followed;
});
beforeEach(() => api.clear());
afterAll(async () => {
  await other.close();
  await api.close();
});

const refresh = (refreshToken: string) => api.call('post', '/auth/refresh').send({ refreshToken });
const logout = (refreshToken: string) => api.call('post', '/auth/logout').send({ refreshToken });
const me = ({ accessToken }: Pick<Person, 'accessToken'>) => api.call('get', '/users/me', accessToken);
const sessions = () => createSessionModel(api.db.connection).find({ endedAt: null }).lean();

const expectSignedOut = (user: Pick<Person, 'accessToken'>) => expectRejected([api, other], user);

async function nextOf(refreshToken: string): Promise<Person> {
  const { body } = await refresh(refreshToken).expect(200);
  return (body as { data: Person }).data;
}

/** A service on the real database that finds users in another way. */
function authWith(findById: UsersRepository['findById'], report: ReportSecurityEvent = () => undefined) {
  const { connection } = api.db;
  return createAuthService({
    users: { ...createUsersRepository(connection), findById },
    sessions: createSessionRepository(connection),
    checkPassword: async () => true,
    passwordRules: { requireImpersonal: () => undefined },
    limitRegistrations: async () => undefined,
    mails: { askToConfirm: () => undefined, tellChange: () => undefined },
    accounts: createAccountRepository(connection),
    factors: { find: async () => null },
    codes: { use: async () => null },
    attemptKeys: { ofAccountAndAddress: () => 'somewhere' },
    demoPassword: { allowsPassword: () => true, allowsUser: async () => true },
    report,
    issueTokens: createIssueTokens(api.jwt, false),
    guests: createGuestRepository(connection),
    accessTokenTtlSeconds: 60,
    refreshTokenTtlSeconds: 60,
  });
}

describe('a refresh token', () => {
  it('has 256 random bits, of which the database stores a hash', async () => {
    const { refreshToken } = await person(api);
    const bytes = Buffer.from(refreshToken, 'base64url');
    const secret = bytes.subarray(-32);
    const [session] = await sessions();
    expect(bytes).toHaveLength(48);
    expect(session!.tokenHash).toBe(createHash('sha256').update(secret).digest('hex'));
    const stored = JSON.stringify(session);
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(stored).not.toContain(secret.toString(encoding));
  });

  it('returns new tokens that caches must not store', async () => {
    const alice = await person(api);
    const { body, headers } = await refresh(alice.refreshToken).expect(200);
    expect(body).toMatchObject({ data: { user: { id: alice.id, email: alice.email }, expiresIn: 900 } });
    expect(headers['cache-control']).toBe('no-store');
    await me((body as { data: Person }).data).expect(200);
    expect(await sessions()).toHaveLength(1);
  });

  it('ends the session if it is used a second time', async () => {
    const alice = await person(api);
    const elsewhere = await signIn(api, alice.email);
    const second = await nextOf(alice.refreshToken);
    await refresh(alice.refreshToken).expect(401);
    await refresh(second.refreshToken).expect(401);
    for (const tokens of [alice, second]) await expectSignedOut(tokens);
    await me(elsewhere).expect(200);
    await refresh(elsewhere.refreshToken).expect(200);
  });

  it('does not renew when the user signed in', async () => {
    const alice = await person(api);
    const earlier = new Date(Date.now() - 3_600_000);
    await createSessionModel(api.db.connection).collection.updateOne({}, { $set: { createdAt: earlier } });
    const { auth_time: since } = jwt.decode((await nextOf(alice.refreshToken)).accessToken) as {
      auth_time: number;
    };
    expect(since).toBe(Math.floor(earlier.getTime() / 1_000));
  });

  it('has at most one successor if it is sent ten times at once', async () => {
    const alice = await person(api);
    const responses = await Promise.all(Array.from({ length: 10 }, () => refresh(alice.refreshToken)));
    const successors = responses.filter(({ status }) => status === 200);
    expect(successors).toHaveLength(1);
    const alive = await Promise.all(
      successors.map(({ body }) => refresh((body as { data: Person }).data.refreshToken)),
    );
    expect(alive.filter(({ status }) => status === 200)).toEqual([]);
    expect(await sessions()).toEqual([]);
  });

  it('can be used after an outage of the database in which it failed', async () => {
    const alice = await person(api);
    const { findById } = createUsersRepository(api.db.connection);
    const gone = () => Promise.reject(new Error('no server'));
    await expect(authWith(gone).refresh(alice.refreshToken, SENDER)).rejects.toThrow('no server');
    await expect(authWith(findById).refresh(alice.refreshToken, SENDER)).resolves.toMatchObject({
      user: { id: alice.id },
    });
  });

  it('is no sign of theft if its owner signs out while it is being used', async () => {
    const alice = await person(api);
    const { findById } = createUsersRepository(api.db.connection);
    const signsOut = async (id: string) => {
      await logout(alice.refreshToken).expect(204);
      return findById(id);
    };
    const reported: string[] = [];
    const refreshing = authWith(signsOut, (name) => void reported.push(name)).refresh(
      alice.refreshToken,
      SENDER,
    );
    await expect(refreshing).rejects.toMatchObject({ code: 'unauthorized' });
    expect(reported).toEqual([]);
  });

  it('gets the same response, byte for byte, whatever is wrong with it', async () => {
    const [used, out, expired, disabled] = [
      await person(api),
      await person(api),
      await person(api),
      await person(api),
    ];
    await refresh(used.refreshToken).expect(200);
    await logout(out.refreshToken).expect(204);
    await createSessionModel(api.db.connection).updateOne(
      { userId: expired.id },
      { expiresAt: new Date(Date.now() - 1) },
    );
    await createUserModel(api.db.connection).updateOne({ _id: disabled.id }, { status: 'disabled' });
    const texts = new Set<string>();
    for (const token of [
      ...[used, out, expired, disabled].map(({ refreshToken }) => refreshToken),
      'nonsense',
      used.accessToken.slice(0, 200),
      Buffer.alloc(48).toString('base64url'),
    ]) {
      const { text } = await refresh(token).set('X-Request-Id', 'same').expect(401);
      texts.add(text);
    }
    expect([...texts]).toHaveLength(1);
  });

  it('is rejected as an access token, and an access token as a refresh token', async () => {
    const alice = await person(api);
    await me({ accessToken: alice.refreshToken }).expect(401);
    await refresh(alice.accessToken).expect(400); // longer than any refresh token
  });

  it('expires, and is then removed by MongoDB', async () => {
    await person(api);
    const [session] = await sessions();
    expect(session!.expiresAt.getTime() - session!.createdAt.getTime()).toBeGreaterThan(29 * 86_400_000);
    const indexes = await createSessionModel(api.db.connection).listIndexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }));
  });
});

describe('POST /auth/logout', () => {
  it('ends the session, and no other', async () => {
    const alice = await person(api);
    const elsewhere = await signIn(api, alice.email);
    const newest = await nextOf(alice.refreshToken);
    await logout(newest.refreshToken).expect(204);
    await refresh(newest.refreshToken).expect(401);
    for (const tokens of [alice, newest]) await expectSignedOut(tokens);
    await me(elsewhere).expect(200);
    await refresh(elsewhere.refreshToken).expect(200);
  });

  it('is known to a process that starts later, until the access tokens have expired', async () => {
    const alice = await person(api);
    await logout(alice.refreshToken).expect(204);
    const later = await openTestApi({ db: api.db });
    await later.call('get', '/users/me', alice.accessToken).expect(401);
    await later.close();
    const [ended] = await createSessionModel(api.db.connection).find().lean();
    const { exp } = jwt.decode(alice.accessToken) as { exp: number };
    expect(ended!.expiresAt.getTime()).toBeGreaterThan(exp * 1_000);
  });

  it('ends the session with an earlier token as well', async () => {
    const alice = await person(api);
    const newest = await nextOf(alice.refreshToken);
    await logout(alice.refreshToken).expect(204);
    await refresh(newest.refreshToken).expect(401);
  });

  it('does nothing for what an access token reveals', async () => {
    const alice = await person(api);
    const { sid } = jwt.decode(alice.accessToken) as { sid: string };
    for (const secret of [Buffer.alloc(32), Buffer.from(alice.refreshToken, 'base64url').subarray(16)])
      await logout(Buffer.concat([Buffer.from(sid, 'hex'), secret]).toString('base64url')).expect(204);
    await refresh(alice.refreshToken).expect(200);
  });

  it.each(['nonsense', Buffer.alloc(48).toString('base64url')])('returns 204 for %s', async (token) => {
    await logout(token).expect(204);
  });
});

it.each([{}, { refreshToken: 5 }, { refreshToken: { $ne: '' } }, { refreshToken: 'x', role: 'ADMIN' }])(
  'rejects the body %j',
  async (body) => {
    await api.call('post', '/auth/refresh').send(body).expect(400);
    await api.call('post', '/auth/logout').send(body).expect(400);
  },
);
