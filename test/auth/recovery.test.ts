import { createAuditModel } from '../../src/audit/audit.model';
import { createAccountTokenModel } from '../../src/users/account/account-tokens.model';
import { createUserModel } from '../../src/users/users.model';
import { openTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { mailedToken, PASSWORD, person, signIn } from '../support/signed-in-users';

const CAROL = { email: 'carol@example.com', password: PASSWORD, name: 'Carol' };
const NEW_PASSWORD = 'staple battery horse';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
beforeEach(() => api.clear());
afterAll(() => api.close());

type SignedIn = {
  user: { id: string; email: string; isEmailConfirmed: boolean };
  accessToken: string;
  refreshToken: string;
};

async function register(account = CAROL): Promise<SignedIn> {
  const { body } = await api.call('post', '/auth/register').send(account).expect(201);
  return (body as { data: SignedIn }).data;
}

const login = (email: string, password = PASSWORD) =>
  api.call('post', '/auth/login').send({ email, password });
const confirm = (token: string) => api.call('post', '/auth/confirm').send({ token });
const forgot = (email: string) => api.call('post', '/auth/forgot').send({ email });
const reset = (token: string, password = NEW_PASSWORD) =>
  api.call('post', '/auth/reset').send({ token, password });
const changeMe = ({ accessToken }: { accessToken: string }, body: object) =>
  api.call('patch', '/users/me', accessToken).send(body);
const users = () => createUserModel(api.db.connection);
const tokens = () => createAccountTokenModel(api.db.connection);

const tokenFor = (purpose: 'confirm' | 'reset', email: string) => mailedToken(api, purpose, email);

async function mailsTo(email: string): Promise<string[]> {
  return (await api.mailed()).filter(({ to }) => to === email).map(({ subject }) => subject);
}

describe('an address', () => {
  it('is confirmed by the token that was sent to it, once, and signs in from then on', async () => {
    const { user, accessToken } = await register();
    expect(user.isEmailConfirmed).toBe(false);
    await login(CAROL.email).expect(401);
    const token = await tokenFor('confirm', CAROL.email);
    await confirm(token).expect(204);
    await confirm(token).expect(400);
    const { body } = await login(CAROL.email).expect(200);
    expect((body as { data: SignedIn }).data.user).toMatchObject({ id: user.id, isEmailConfirmed: true });
    await api.call('get', '/users/me', accessToken).expect(200);
  });

  it('is not confirmed by a token that is too old, for another purpose, or made up', async () => {
    await register();
    const token = await tokenFor('confirm', CAROL.email);
    await reset(token).expect(400);
    await forgot(CAROL.email).expect(202);
    await confirm(await tokenFor('reset', CAROL.email)).expect(400);
    await confirm('x'.repeat(43)).expect(400);
    await tokens().updateMany({}, { expiresAt: new Date(Date.now() - 1) });
    const { body } = await confirm(token).expect(400);
    expect(body).toMatchObject({
      errors: [{ path: 'token', message: 'is not valid, or not any more: ask for another mail' }],
    });
    await expect(users().findOne().lean()).resolves.not.toHaveProperty('confirmedEmail');
  });

  it('is stored with a hash of its token, which is in no log line', async () => {
    await register();
    const token = await tokenFor('confirm', CAROL.email);
    const [stored] = await tokens().find().lean();
    expect(JSON.stringify([stored, api.logs])).not.toContain(token);
    const lifeMs = stored!.expiresAt.getTime() - Date.now();
    expect(lifeMs).toBeGreaterThan(29 * 60_000);
    expect(lifeMs).toBeLessThanOrEqual(30 * 60_000);
  });

  it('gets nothing of its owner by being given again, with the same response', async () => {
    const owner = await person(api);
    const account = { ...CAROL, email: owner.email };
    const fresh = await api.call('post', '/auth/register').send(CAROL).expect(201);
    const taken = await api.call('post', '/auth/register').send(account).expect(201);
    const shapeOf = ({ body, headers }: typeof fresh) =>
      JSON.stringify([body, Object.keys(headers)]).replaceAll(
        /"(id|accessToken|refreshToken|requestId|createdAt|email)":"[^"]*"/g,
        '$1',
      );
    expect(shapeOf(taken)).toBe(shapeOf(fresh));
    const { user, accessToken } = (taken.body as { data: SignedIn }).data;
    expect(user).toMatchObject({ email: owner.email, isEmailConfirmed: false });
    expect(user.id).not.toBe(owner.id);
    await login(owner.email, CAROL.password === PASSWORD ? 'another password' : CAROL.password).expect(401);
    expect((await signIn(api, owner.email)).id).toBe(owner.id);
    expect(await mailsTo(owner.email)).toContain('You have an account already');
    await changeMe({ accessToken }, { email: owner.email, currentPassword: PASSWORD }).expect(200);
    expect(await mailsTo(owner.email)).not.toContain('Confirm your e-mail address again');
    await expect(tokens().countDocuments({ userId: user.id })).resolves.toBe(0);
  });

  it('belongs to the first of two accounts that confirms it', async () => {
    const first = await register();
    const token = await tokenFor('confirm', CAROL.email);
    const second = await register();
    await confirm(await tokenFor('confirm', CAROL.email)).expect(204);
    await confirm(token).expect(409);
    expect((await signIn(api, CAROL.email)).id).toBe(second.user.id);
    await expect(users().findById(first.user.id).lean()).resolves.not.toHaveProperty('confirmedEmail');
  });

  it('is one for many accounts at once, of which one confirms it', async () => {
    const spellings = ['carol', 'CAROL', 'Carol', 'cArol'].map((name) => `${name}@example.com`);
    await Promise.all(spellings.map((email) => register({ ...CAROL, email })));
    await expect(users().countDocuments({ email: CAROL.email })).resolves.toBe(4);
    const sent = (await api.mailed()).map(({ text }) => /#confirm=([\w-]+)/.exec(text)![1]!);
    const statuses = await Promise.all(sent.map(async (token) => (await confirm(token)).status));
    expect(statuses.sort()).toEqual([204, 409, 409, 409]);
    await expect(users().countDocuments({ confirmedEmail: CAROL.email })).resolves.toBe(1);
  });

  it('can be changed with the password, once the new one is confirmed, and its owner is told', async () => {
    const carol = await person(api);
    const email = 'carol.new@example.com';
    await changeMe(carol, { email }).expect(400);
    await changeMe(carol, { email, currentPassword: 'wrong password' }).expect(400);
    await expect(mailsTo(email)).resolves.toEqual([]);
    const { body } = await changeMe(carol, {
      email: 'Carol.New@example.com',
      currentPassword: PASSWORD,
    }).expect(200);
    expect(body).toMatchObject({ data: { email: carol.email, isEmailConfirmed: true } });
    expect(await mailsTo(carol.email)).toContain('Your account was changed');
    await forgot(carol.email).expect(202);
    const resetToken = await tokenFor('reset', carol.email);
    await login(email).expect(401);
    await confirm(await tokenFor('confirm', email)).expect(204);
    await login(carol.email).expect(401);
    expect(await mailsTo(carol.email)).toContain('Your account has another e-mail address');
    expect((await signIn(api, email)).id).toBe(carol.id);
    await reset(resetToken).expect(400);
    await login(email).expect(200);
  });

  it('is not replaced by one that was asked for with an earlier password', async () => {
    const carol = await person(api);
    const asked = { email: 'thief@example.com', currentPassword: PASSWORD };
    await changeMe(carol, asked).expect(200);
    const first = await tokenFor('confirm', asked.email);
    await forgot(carol.email).expect(202);
    await reset(await tokenFor('reset', carol.email)).expect(204);
    await confirm(first).expect(400);
    const again = (await login(carol.email, NEW_PASSWORD).expect(200)).body as { data: SignedIn };
    await changeMe(again.data, { ...asked, currentPassword: NEW_PASSWORD }).expect(200);
    const second = await tokenFor('confirm', asked.email);
    await changeMe(again.data, { password: PASSWORD, currentPassword: NEW_PASSWORD }).expect(200);
    await confirm(second).expect(400);
    await login(carol.email).expect(200);
  });

  it('stays with the person who takes the account over by it, whatever another one asked for before', async () => {
    const other = await register();
    await changeMe(other, { email: 'thief@example.com', currentPassword: PASSWORD }).expect(200);
    const token = await tokenFor('confirm', 'thief@example.com');
    await forgot(CAROL.email).expect(202);
    await reset(await tokenFor('reset', CAROL.email)).expect(204);
    await confirm(token).expect(400);
    await login(CAROL.email, NEW_PASSWORD).expect(200);
  });

  it('gets the mail again, and five an hour at most', async () => {
    const carol = await register();
    for (let n = 0; n < 8; n++)
      await changeMe(carol, { email: CAROL.email, currentPassword: PASSWORD }).expect(200);
    expect(await mailsTo(CAROL.email)).toHaveLength(5);
    await confirm(await tokenFor('confirm', CAROL.email)).expect(204);
  });

  it('gets five mails an hour at most that say that another one was asked for', async () => {
    const carol = await person(api);
    for (let n = 0; n < 7; n++)
      await changeMe(carol, { email: `other-${n}@example.com`, currentPassword: PASSWORD }).expect(200);
    const told = (await mailsTo(carol.email)).filter((subject) => subject === 'Your account was changed');
    expect(told).toHaveLength(5);
  });

  it('gets at most ten mails an hour that a user causes, whichever the addresses', async () => {
    const carol = await register();
    for (let n = 0; n < 12; n++)
      await changeMe(carol, { email: `stranger-${n}@example.com`, currentPassword: PASSWORD }).expect(200);
    expect((await api.mailed()).filter(({ to }) => to.startsWith('stranger'))).toHaveLength(9); // and Carol's own
  });

  it('gets no mail with the words of another user', async () => {
    await register({ ...CAROL, name: 'Win at evil.example' });
    await forgot(CAROL.email).expect(202);
    expect(JSON.stringify(await api.mailed())).not.toMatch(/evil/);
  });

  it('has to be confirmed before its user can be an ADMIN', async () => {
    const admin = await person(api, 'ADMIN');
    const { user } = await register();
    const promote = () => api.call('patch', `/users/${user.id}`, admin.accessToken).send({ role: 'ADMIN' });
    const { body } = await promote().expect(409);
    expect(body).toMatchObject({
      code: 'invalid_transition',
      detail: expect.stringContaining('confirmed') as string,
    });
    await confirm(await tokenFor('confirm', CAROL.email)).expect(204);
    await promote().expect(200);
  });
});

describe('a forgotten password', () => {
  it('is replaced with the token that was sent, once, and ends all sessions and their API keys', async () => {
    const admin = await person(api, 'ADMIN');
    const made = await api
      .call('post', '/api-keys', admin.accessToken)
      .send({ name: 'K', scopes: ['users:read'] });
    const { key } = (made.body as { data: { key: string } }).data;
    await api.call('get', '/users', key).expect(200);
    await forgot(admin.email).expect(202);
    const token = await tokenFor('reset', admin.email);
    await reset(token).expect(204);
    await reset(token, 'another battery horse').expect(400);
    await login(admin.email).expect(401);
    await login(admin.email, NEW_PASSWORD).expect(200);
    await api.call('post', '/auth/refresh').send({ refreshToken: admin.refreshToken }).expect(401);
    for (const credential of [admin.accessToken, key])
      await eventually(async () => void (await api.call('get', '/users', credential).expect(401)));
    expect(await mailsTo(admin.email)).toContain('Your account was changed');
  });

  it('gets the same response whether or not there is an account, and a mail only if there is one', async () => {
    const carol = await person(api);
    const gone = await person(api);
    await users().updateOne({ _id: gone.id }, { status: 'disabled' });
    api.logs.length = 0;
    const answers = new Set<string>();
    for (const email of [carol.email, gone.email, 'nobody@example.com']) {
      const { text, headers } = await forgot(email).set('X-Request-Id', 'same').expect(202);
      const { date: _date, ...others } = headers as Record<string, string>;
      answers.add(JSON.stringify([text, Object.entries(others).filter(([name]) => !/ratelimit/.test(name))]));
    }
    expect([...answers]).toHaveLength(1);
    expect((await api.mailed()).filter(({ subject }) => subject === 'Choose a new password')).toMatchObject([
      { to: carol.email },
    ]);
    expect(JSON.stringify(api.logs)).not.toContain('@');
  });

  it('is asked for 20 times an hour at most from one address, whether or not there is an account', async () => {
    const limited = await openTestApi({ db: api.db, env: { MAX_REGISTRATIONS_PER_ADDRESS: '' } });
    const { email } = await person(api);
    const statuses = [];
    for (let n = 0; n < 22; n++) {
      const sent = { email: n % 2 ? email : 'nobody@example.com' };
      statuses.push((await limited.call('post', '/auth/forgot').send(sent)).status);
    }
    expect(statuses).toEqual([...Array<number>(20).fill(202), 429, 429]);
    await limited.close();
  });

  it('is not replaced by one that is easy to guess, which leaves the token valid', async () => {
    const carol = await person(api);
    await forgot(carol.email).expect(202);
    const token = await tokenFor('reset', carol.email);
    await reset(token, 'password1234').expect(400);
    const { body } = await reset(token, carol.email).expect(400);
    expect(body).toMatchObject({ errors: [{ path: 'password' }] });
    await reset(token).expect(204);
  });

  it.each([
    [
      'the password was changed',
      (c: SignedIn) => changeMe(c, { currentPassword: PASSWORD, password: NEW_PASSWORD }),
    ],
    ['another mail was sent', async (c: SignedIn) => forgot(c.user.email)],
  ])('is not replaced by an earlier token once %s', async (_what, happens) => {
    const carol = await person(api);
    await forgot(carol.email).expect(202);
    const token = await tokenFor('reset', carol.email);
    await happens({ ...carol, user: { id: carol.id, email: carol.email, isEmailConfirmed: true } });
    await api.mailed();
    await reset(token).expect(400);
  });

  it('is replaced by one of many tries at once', async () => {
    const carol = await person(api);
    await forgot(carol.email).expect(202);
    const token = await tokenFor('reset', carol.email);
    const tries = Array.from({ length: 5 }, (_, n) => reset(token, `${NEW_PASSWORD} ${n}`));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([204, 400, 400, 400, 400]);
  });

  it('confirms the address of an account whose session is lost', async () => {
    const { user } = await register();
    await forgot(CAROL.email).expect(202);
    await reset(await tokenFor('reset', CAROL.email)).expect(204);
    const { body } = await login(CAROL.email, NEW_PASSWORD).expect(200);
    expect((body as { data: SignedIn }).data.user).toMatchObject({ id: user.id, isEmailConfirmed: true });
  });
});

it('writes to the audit log what ADMINs change of their own accounts, and nothing of customers', async () => {
  const [admin, carol] = [await person(api, 'ADMIN'), await person(api)];
  for (const who of [admin, carol]) {
    await changeMe(who, { name: 'Another' }).expect(200);
    await changeMe(who, { email: `new-${who.email}`, currentPassword: PASSWORD }).expect(200);
    await confirm(await tokenFor('confirm', `new-${who.email}`)).expect(204);
    await changeMe(who, { password: NEW_PASSWORD, currentPassword: PASSWORD }).expect(200);
    await forgot(`new-${who.email}`).expect(202);
    await reset(await tokenFor('reset', `new-${who.email}`), `${PASSWORD} again`).expect(204);
  }
  const audit = createAuditModel(api.db.connection);
  const written = await audit
    .find({ action: 'user.change_profile', actor: admin.id })
    .sort({ _id: 1 })
    .lean();
  const password = { field: 'password', before: null, after: 'changed' };
  expect(written.map(({ object, changes, ...entry }) => [object, changes, entry.private!.changes])).toEqual([
    [admin.id, [], [{ field: 'name', before: expect.any(String) as string, after: 'Another' }]],
    [admin.id, [], [{ field: 'confirmedEmail', before: admin.email, after: `new-${admin.email}` }]],
    [admin.id, [password], []],
    [admin.id, [password], []],
  ]);
  await expect(audit.countDocuments({ actor: carol.id })).resolves.toBe(0);
});
