import { trusted } from 'mongoose';
import { Secret, TOTP } from 'otpauth';
import { createAccountTokenModel } from '../../src/users/account/account-tokens.model';
import { createSecretBox } from '../../src/common/secret-box';
import { createSecondFactorModel } from '../../src/users/second-factor/second-factors.model';
import { createSecondFactorRepository } from '../../src/users/second-factor/second-factors.repository';
import { stepOf } from '../../src/users/second-factor/totp';
import { createAttemptsModel } from '../../src/users/passwords/attempts.model';
import {
  encodeRefreshToken,
  hashSecret,
  newFamily,
  newSecret,
  sessionIdOf,
} from '../../src/users/sessions/refresh-token';
import { createSessionRepository } from '../../src/users/sessions/sessions.repository';
import { parsePayloadKeys } from '../../src/config/payload-keys';
import { openTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { TEST_ORIGIN } from '../support/origin';
import { sessionOf } from '../support/stored-session';
import { mailedToken, PASSWORD, person, signIn, type Person } from '../support/signed-in-users';

/** The clock of phones and of the API stands still, so that no time step ends between the making of a code and its check. */
const mockNow = Date.now();
jest.mock('../../src/users/second-factor/totp', () => {
  const totp = jest.requireActual<{ stepOf: typeof stepOf }>('../../src/users/second-factor/totp');
  return { ...totp, stepOf: (code: string, secret: string, now = mockNow) => totp.stepOf(code, secret, now) };
});

const KEYS = [
  'one:RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=',
  'two:qzZ2rkbS2v1sYfYd2D0n1h3sJrXv8mQeQ8tq0b1c2d4=',
];

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi({ env: { ADMIN_2FA: 'required', PAYLOAD_KEYS: KEYS[0] } });
});
beforeEach(() => api.clear());
afterAll(() => api.close());

const login = (email: string, password = PASSWORD) =>
  api.call('post', '/auth/login').send({ email, password });
const show = (challenge: string, code: string) => api.call('post', '/auth/totp').send({ challenge, code });
const begin = (user: Pick<Person, 'accessToken'>, body: object = { currentPassword: PASSWORD }) =>
  api.call('post', '/users/me/totp', user.accessToken).send(body);
const confirm = (user: Pick<Person, 'accessToken'>, code: string, token: string) =>
  api.call('post', '/users/me/totp/confirm', user.accessToken).send({ code, token });
const tokenOf = ({ email }: Pick<Person, 'email'>) => mailedToken(api, 'totp', email);
const remove = (user: Pick<Person, 'accessToken'>, code: string) =>
  api.call('delete', '/users/me/totp', user.accessToken).send({ code });
const listUsers = ({ accessToken }: Pick<Person, 'accessToken'>) => api.call('get', '/users', accessToken);

/** Returns the code of the time step that is so many after the current one. */
function codeOf(secret: string, steps = 0): string {
  return TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: mockNow + steps * 30_000 });
}

const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

/** The log lines of wrong passwords and codes of users who are signed in. */
const failuresInSessions = () =>
  api.logs.filter(
    ({ securityEvent, sessionId }) => securityEvent === 'login_failed' && sessionId !== undefined,
  );

/** Returns the secret of an app that is not on yet. */
async function begun(user: Pick<Person, 'accessToken'>): Promise<string> {
  const { body } = await begin(user).expect(201);
  return (body as { data: { secret: string } }).data.secret;
}

async function challengeOf(email: string): Promise<string> {
  const { body } = await login(email).expect(202);
  return (body as { data: { challenge: string } }).data.challenge;
}

async function refreshed({ refreshToken }: Pick<Person, 'refreshToken'>): Promise<Person> {
  const { body } = await api.call('post', '/auth/refresh').send({ refreshToken }).expect(200);
  return (body as { data: Person }).data;
}

/** An ADMIN who has set up an app with the code of the step before, so that the current one is still unused. */
async function adminWithApp(): Promise<{ admin: Person; secret: string; recoveryCodes: string[] }> {
  const limited = await person(api, 'ADMIN');
  const secret = await begun(limited);
  const confirmed = await confirm(limited, codeOf(secret, -1), await tokenOf(limited)).expect(200);
  const { recoveryCodes } = (confirmed.body as { data: { recoveryCodes: string[] } }).data;
  return { admin: { ...limited, ...(await refreshed(limited)) }, secret, recoveryCodes };
}

describe('an ADMIN without an authenticator app', () => {
  it('may do what CUSTOMERs may, until one is set up', async () => {
    const { body } = await login((await person(api, 'ADMIN')).email).expect(200);
    const limited = (body as { data: Person & { mustSetUpTotp: boolean } }).data;
    expect(limited.mustSetUpTotp).toBe(true);
    const { body: problem } = await listUsers(limited).expect(403);
    expect((problem as { detail: string }).detail).toContain('POST /users/me/totp');
    await api.call('get', '/users/me', limited.accessToken).expect(200);
    await listUsers(await refreshed(limited)).expect(403);
    const { admin } = await adminWithApp();
    await listUsers(admin).expect(200);
  });

  it('keeps the limits with a new password', async () => {
    const limited = await person(api, 'ADMIN');
    const change = { currentPassword: PASSWORD, password: 'staple battery horse' };
    const { body } = await api.call('patch', '/users/me', limited.accessToken).send(change).expect(200);
    await listUsers((body as { data: Person }).data).expect(403);
  });

  it('may do everything where it is optional', async () => {
    const lax = await openTestApi({ db: api.db, env: { ADMIN_2FA: 'optional' } });
    const admin = await person(lax, 'ADMIN');
    await lax.call('get', '/users', admin.accessToken).expect(200);
    await lax.close();
  });
});

describe('signing in with an authenticator app', () => {
  it('takes the password and a code', async () => {
    const { admin, secret } = await adminWithApp();
    const { body, headers } = await login(admin.email).expect(202);
    expect(body).toMatchObject({ data: { expiresIn: 300 } });
    expect(JSON.stringify(body)).not.toMatch(/accessToken/);
    expect(headers['cache-control']).toBe('no-store');
    const { challenge } = (body as { data: { challenge: string } }).data;
    await show(challenge, wrong(codeOf(secret))).expect(401);
    const signedIn = await show(challenge, codeOf(secret)).expect(200);
    expect(signedIn.body).not.toHaveProperty('data.mustSetUpTotp');
    await listUsers((signedIn.body as { data: Person }).data).expect(200);
    await listUsers(await refreshed((signedIn.body as { data: Person }).data)).expect(200);
    await show(challenge, codeOf(secret, 1)).expect(401);
  });

  it('takes each code once, and none before it', async () => {
    const { admin, secret } = await adminWithApp();
    await show(await challengeOf(admin.email), codeOf(secret, 1)).expect(200);
    for (const steps of [1, 0, -1])
      await show(await challengeOf(admin.email), codeOf(secret, steps)).expect(401);
  });

  it('takes a code once if it is sent many times at once', async () => {
    const { admin, secret } = await adminWithApp();
    const challenges = [];
    for (let n = 0; n < 5; n++) challenges.push(await challengeOf(admin.email));
    const code = codeOf(secret);
    const statuses = (await Promise.all(challenges.map((one) => show(one, code)))).map(
      ({ status }) => status,
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  it('takes a recovery code instead, once, and tells the user', async () => {
    const { admin, recoveryCodes } = await adminWithApp();
    expect(new Set(recoveryCodes).size).toBe(10);
    const stored = JSON.stringify(await createSecondFactorModel(api.db.connection).find().lean());
    for (const code of recoveryCodes) expect(stored).not.toContain(code);
    await show(await challengeOf(admin.email), recoveryCodes[3]!).expect(200);
    await show(await challengeOf(admin.email), recoveryCodes[3]!).expect(401);
    await show(await challengeOf(admin.email), recoveryCodes[4]!).expect(200);
    expect((await api.mailed()).map(({ text }) => text).join()).toContain('recovery code');
  });

  it('is limited as passwords are, whatever the challenge', async () => {
    const { admin, secret } = await adminWithApp();
    for (let n = 0; n < 10; n++)
      await show(await challengeOf(admin.email), wrong(codeOf(secret))).expect(401);
    const { modifiedCount } = await createAttemptsModel(api.db.connection).updateMany(
      { nextAt: trusted({ $exists: true }) },
      { nextAt: new Date(Date.now() + 60_000) },
    );
    expect(modifiedCount).toBe(1);
    const { headers } = await show(await challengeOf(admin.email), codeOf(secret)).expect(429);
    expect(Number(headers['retry-after'])).toBeGreaterThan(50);
    const events = api.logs.flatMap(({ securityEvent }) => securityEvent ?? []).slice(-11);
    expect(events).toEqual([...Array<string>(10).fill('login_failed'), 'login_locked']);
  });

  it.each([
    [
      'is too old',
      () => createAccountTokenModel(api.db.connection).updateMany({}, { expiresAt: new Date(0) }),
    ],
    [
      'was given before the password was changed',
      ({ accessToken }: Person) =>
        api
          .call('patch', '/users/me', accessToken)
          .send({ currentPassword: PASSWORD, password: 'staple battery horse' })
          .expect(200),
    ],
  ])('does not take a challenge that %s', async (_what, happens) => {
    const { admin, secret } = await adminWithApp();
    const challenge = await challengeOf(admin.email);
    await happens(admin);
    await show(challenge, codeOf(secret)).expect(401);
  });

  it('is not gone around by a new password', async () => {
    const { admin } = await adminWithApp();
    await api.call('post', '/auth/forgot').send({ email: admin.email }).expect(202);
    const token = await mailedToken(api, 'reset', admin.email);
    await api.call('post', '/auth/reset').send({ token, password: 'staple battery horse' }).expect(204);
    await login(admin.email, 'staple battery horse').expect(202);
  });
});

describe('setting up an authenticator app', () => {
  it('asks for the password, and shows the secret once', async () => {
    const admin = await person(api, 'ADMIN');
    await begin(admin, {}).expect(400);
    await begin(admin, { currentPassword: 'wrong password' }).expect(400);
    const { body } = await begin(admin).expect(201);
    const { secret, uri } = (body as { data: { secret: string; uri: string } }).data;
    expect(uri).toMatch(new RegExp(`^otpauth://totp/.*secret=${secret}&`));
    const [stored] = await createSecondFactorModel(api.db.connection).find().lean();
    expect(stored!.secret).toMatch(/^one:/);
    expect(JSON.stringify([stored, api.logs])).not.toContain(secret);
    await login(admin.email).expect(200); // not before the first code
    const token = await tokenOf(admin);
    await confirm(admin, wrong(codeOf(secret)), token).expect(400);
    expect(failuresInSessions()).toHaveLength(2); // the password above, and the code
    await confirm(admin, codeOf(secret), token).expect(200);
    await login(admin.email).expect(202);
    await begin(admin).expect(409);
    await confirm(admin, codeOf(secret, 1), token).expect(409);
  });

  it('takes more than the password: the token that is mailed to the owner', async () => {
    const admin = await person(api, 'ADMIN');
    const thief = await signIn(api, admin.email);
    const mallory = await person(api);
    await begun(mallory);
    await api.call('post', '/auth/forgot').send({ email: admin.email }).expect(202);
    const secret = await begun(thief);
    const others = [await tokenOf(mallory), await mailedToken(api, 'reset', admin.email), 'x'.repeat(43)];
    for (const token of others) {
      const { body } = await confirm(thief, codeOf(secret), token).expect(400);
      expect(body).toMatchObject({ errors: [{ path: 'token' }] });
    }
    const moved = await refreshed(thief);
    await listUsers(moved).expect(403);
    const move = { email: 'thief@example.com', currentPassword: PASSWORD };
    const { body: refusal } = await api.call('patch', '/users/me', moved.accessToken).send(move).expect(403);
    expect((refusal as { detail: string }).detail).toContain('authenticator app');
    expect((await api.mailed()).filter(({ to }) => to === move.email)).toEqual([]);
    const mail = (await api.mailed()).find(({ to, text }) => to === admin.email && text.includes('#totp='))!;
    expect(mail.text).toContain('choose a new password at once');
    await createAccountTokenModel(api.db.connection).updateMany({}, { expiresAt: new Date(0) });
    await confirm(thief, codeOf(secret), await tokenOf(admin)).expect(400);
  });

  it('turns on no other secret than the one whose code was shown', async () => {
    const admin = await person(api, 'ADMIN');
    const factors = createSecondFactorRepository(api.db.connection);
    const secret = await begun(admin);
    const { secret: seen } = (await factors.find(admin.id))!;
    await begun(await signIn(api, admin.email)); // a thief who knows the password
    const token = await tokenOf(admin);
    await confirm(admin, codeOf(secret), token).expect(400);
    const user = { id: admin.id, tokenVersion: 0 };
    const session = sessionOf(admin.id);
    await createSessionRepository(api.db.connection).insert(session);
    const late = { user, sessionId: session.id, token, secret: seen, step: 1, recoveryCodes: [] };
    await expect(factors.turnOn(late, TEST_ORIGIN)).resolves.toBeNull();
    await expect(factors.find(admin.id)).resolves.toMatchObject({ isOn: false });
  });

  it('needs a confirmed address', async () => {
    const account = { email: 'carol@example.com', password: PASSWORD, name: 'Carol' };
    const { body } = await api.call('post', '/auth/register').send(account).expect(201);
    const { body: problem } = await begin((body as { data: Person }).data).expect(409);
    expect(problem).toMatchObject({
      code: 'invalid_transition',
      detail: expect.stringContaining('not confirmed') as string,
    });
  });

  it('ends the other sessions, which began without it', async () => {
    const admin = await person(api, 'ADMIN');
    const elsewhere = await signIn(api, admin.email);
    await confirm(admin, codeOf(await begun(admin)), await tokenOf(admin)).expect(200);
    const late = await signedInWithoutCode(admin);
    const move = { email: 'new@example.com', currentPassword: PASSWORD };
    const withApp = await refreshed(admin);
    await api.call('patch', '/users/me', withApp.accessToken).send(move).expect(200);
    await eventually(
      async () => void (await api.call('get', '/users/me', elsewhere.accessToken).expect(401)),
    );
    for (const refreshToken of [elsewhere.refreshToken, late])
      await api.call('post', '/auth/refresh').send({ refreshToken }).expect(401);
    await api.call('get', '/users/me', admin.accessToken).expect(200);
    await listUsers(withApp).expect(200);
  });

  /** Begins a session as a process does that found no app, and is slow. Returns its refresh token. */
  async function signedInWithoutCode({ id: userId }: Person): Promise<string> {
    const token = { family: newFamily(), secret: newSecret() };
    const session = sessionOf(userId, { id: sessionIdOf(token), tokenHash: hashSecret(token.secret) });
    await createSessionRepository(api.db.connection).insert(session);
    return encodeRefreshToken(token);
  }

  it('is undone with a code only, which ends all sessions and leaves the ADMIN with the limits', async () => {
    const { admin, secret } = await adminWithApp();
    await listUsers(admin).expect(200);
    await remove(admin, wrong(codeOf(secret))).expect(400);
    expect(failuresInSessions()).toHaveLength(1);
    await remove(admin, codeOf(secret)).expect(204);
    await eventually(async () => void (await listUsers(admin).expect(401)));
    const limited = await signIn(api, admin.email);
    await listUsers(limited).expect(403);
    await remove(limited, codeOf(secret)).expect(404);
    const log = await api.db.connection.collection('audit').find({ object: admin.id }).toArray();
    expect(log.map(({ action }) => String(action))).toEqual(
      expect.arrayContaining(['user.totp_on', 'user.totp_off']),
    );
  });
});

it('finds the vectors of RFC 6238, one step around the time', () => {
  const secret = Buffer.from('12345678901234567890').toString('latin1');
  const base32 = Secret.fromLatin1(secret).base32;
  expect(stepOf('287082', base32, 59_000)).toBe(1); // 94287082 of eight digits
  expect(stepOf('287082', base32, 89_000)).toBe(1);
  expect(stepOf('287082', base32, 119_000)).toBeNull();
});

it('seals secrets for one user, with the first of the keys', () => {
  const [one, both] = [KEYS[0]!, KEYS.toReversed().join()].map((text) =>
    createSecretBox(parsePayloadKeys(text), 'test'),
  );
  const sealed = one!.seal('secret', 'usr_1');
  expect(both!.open(sealed, 'usr_1')).toBe('secret');
  expect(both!.seal('secret', 'usr_1')).toMatch(/^two:/);
  expect(() => one!.open(sealed, 'usr_2')).toThrow();
  expect(() => one!.open(both!.seal('secret', 'usr_1'), 'usr_1')).toThrow('PAYLOAD_KEYS');
  expect(() => createSecretBox(parsePayloadKeys(KEYS[0]!), 'other').open(sealed, 'usr_1')).toThrow();
});
