import { createAuditModel } from '../../../src/audit/audit.model';
import { openTestApi, type TestApi } from '../../support/api';
import { eventually } from '../../support/eventually';
import { expectRejected, PASSWORD, person, signIn, type Person } from '../../support/signed-in-users';

let api: TestApi;
/** Another process on the same database. */
let other: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  other = await openTestApi({ db: api.db });
});
beforeEach(() => api.clear());
afterAll(async () => {
  await other.close();
  await api.close();
});

type Token = Pick<Person, 'accessToken'>;
interface Listed {
  id: string;
  isCurrent: boolean;
  createdAt: string;
  refreshedAt: string;
  expiresAt: string;
}

async function sessionsOf({ accessToken }: Token): Promise<Listed[]> {
  const { body } = await api.call('get', '/users/me/sessions', accessToken).expect(200);
  return (body as { data: Listed[] }).data;
}

const end = ({ accessToken }: Token, id = '') =>
  api.call('delete', `/users/me/sessions${id && `/${id}`}`, accessToken);
const currentId = async (user: Token) => (await sessionsOf(user)).find(({ isCurrent }) => isCurrent)!.id;

async function expectSignedOut(user: Person): Promise<void> {
  await expectRejected([api, other], user);
  await api.call('post', '/auth/refresh').send({ refreshToken: user.refreshToken }).expect(401);
}

async function keyMadeIn({ accessToken }: Token): Promise<string> {
  const { body } = await api
    .call('post', '/api-keys', accessToken)
    .send({ name: 'K', scopes: ['users:read'] })
    .expect(201);
  return (body as { data: { key: string } }).data.key;
}

it('lists the sessions of the caller that last, newest first, without their tokens', async () => {
  const alice = await person(api);
  const phone = await signIn(api, alice.email);
  const bob = await person(api);
  const sessions = await sessionsOf(alice);
  expect(sessions.map(({ isCurrent }) => isCurrent)).toEqual([false, true]);
  expect(sessions[0]!.id).toBe(await currentId(phone));
  expect(Object.keys(sessions[0]!).sort()).toEqual([
    'createdAt',
    'expiresAt',
    'id',
    'isCurrent',
    'refreshedAt',
  ]);
  await expect(sessionsOf(bob)).resolves.toHaveLength(1);
  await api.call('post', '/auth/logout').send({ refreshToken: phone.refreshToken }).expect(204);
  await expect(sessionsOf(alice)).resolves.toHaveLength(1);
});

it('does not list the sessions that a change of the password has ended', async () => {
  const alice = await person(api);
  await signIn(api, alice.email);
  const change = { currentPassword: PASSWORD, password: 'staple battery horse' };
  await api.call('patch', '/users/me', alice.accessToken).send(change).expect(200);
  await expect(sessionsOf(alice)).resolves.toMatchObject([{ isCurrent: true }]);
});

it('ends one session on every process, with the API keys that were made in it', async () => {
  const admin = await person(api, 'ADMIN');
  const phone = await signIn(api, admin.email);
  const [kept, lost] = [await keyMadeIn(admin), await keyMadeIn(phone)];
  await end(admin, await currentId(phone)).expect(204);
  await expectSignedOut(phone);
  await eventually(async () => void (await api.call('get', '/users', lost).expect(401)));
  await api.call('get', '/users', kept).expect(200);
  await api.call('get', '/users/me', admin.accessToken).expect(200);
  const revoked = await createAuditModel(api.db.connection).find({ action: 'api_key.revoke' }).lean();
  expect(revoked).toMatchObject([{ actor: admin.id }]);
});

it('ends the current session as signing out does', async () => {
  const admin = await person(api, 'ADMIN');
  const key = await keyMadeIn(admin);
  await end(admin, await currentId(admin)).expect(204);
  await expectSignedOut(admin);
  await api.call('get', '/users', key).expect(200);
});

it('ends all sessions but the current one', async () => {
  const alice = await person(api);
  const others = [await signIn(api, alice.email), await signIn(api, alice.email)];
  const bob = await person(api);
  await end(alice).expect(204);
  for (const one of others) await expectSignedOut(one);
  await api.call('get', '/users/me', alice.accessToken).expect(200);
  await expect(sessionsOf(alice)).resolves.toHaveLength(1);
  await expect(sessionsOf(bob)).resolves.toHaveLength(1);
});

it("does not end another user's session, which looks like a missing one", async () => {
  const [alice, bob] = [await person(api), await person(api)];
  const ids = [await currentId(bob), '0'.repeat(32)];
  const answers = [];
  for (const id of ids) answers.push((await end(alice, id).set('X-Request-Id', 'same').expect(404)).text);
  expect(answers[0]).toBe(answers[1]);
  await api.call('get', '/users/me', bob.accessToken).expect(200);
});
