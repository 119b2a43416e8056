import { trusted } from 'mongoose';
import { createAttemptsModel } from '../../src/users/passwords/attempts.model';
import { createUserModel } from '../../src/users/users.model';
import { createUsersRepository } from '../../src/users/users.repository';
import { openTestApi, type TestApi } from '../support/api';
import { confirmAddress } from '../support/signed-in-users';

const HOUR_SECONDS = 3_600;
const DAY_MS = 24 * HOUR_SECONDS * 1_000;
const CAROL = { email: 'carol@example.com', password: 'correct horse battery', name: 'Carol' };

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
beforeEach(() => api.clear());
afterAll(() => api.close());

const register = (body: object) => api.call('post', '/auth/register').send(body);
/** Registers a user whose address is confirmed. */
const signUp = async (account: { email: string; password: string; name: string }) => {
  const response = await register(account).expect(201);
  const { user } = (response.body as { data: { user: { email: string } } }).data;
  await confirmAddress(api, user.email);
  return response;
};
const login = (body: object) => api.call('post', '/auth/login').send(body);

describe('POST /auth/register', () => {
  it('opens an account for a CUSTOMER who is signed in at once', async () => {
    const { body, headers } = await signUp(CAROL);
    expect(body).toMatchObject({
      data: {
        user: { email: CAROL.email, name: 'Carol', role: 'CUSTOMER', status: 'active' },
        expiresIn: 900,
        refreshToken: expect.stringMatching(/^[\w-]{64}$/) as string,
      },
    });
    expect(headers['cache-control']).toBe('no-store');
    const { accessToken, user } = (body as { data: { accessToken: string; user: { id: string } } }).data;
    await api.call('post', '/product-services', accessToken).expect(403);
    await expect(createUsersRepository(api.db.connection).standingOf(user.id)).resolves.toEqual({
      status: 'active',
      isConfirmed: true,
    });
  });

  it('stores an argon2id hash with the recommended cost, and the e-mail address in lower case', async () => {
    await signUp({ ...CAROL, email: '  Carol@Example.COM ' });
    const stored = await createUserModel(api.db.connection).findOne().lean();
    expect(stored).toMatchObject({
      email: CAROL.email,
      passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) as string,
    });
  });

  it('reveals neither password nor hash in the response, nor the e-mail address in the log', async () => {
    const { text } = await signUp(CAROL);
    expect(text).not.toMatch(/hash|correct horse/i);
    await register(CAROL).expect(201);
    await login({ ...CAROL, name: undefined, password: 'wrong' }).expect(401);
    await api.mailed();
    expect(JSON.stringify(api.logs)).not.toMatch(/carol@|correct horse|argon2|"eyJ/i);
    expect(api.logs.filter(({ msg }) => msg === 'request')).toHaveLength(3);
  });

  it('and signing in are logged with the user', async () => {
    const { body } = await signUp(CAROL);
    const { id: userId } = (body as { data: { user: { id: string } } }).data.user;
    await login({ email: CAROL.email, password: CAROL.password }).expect(200);
    const lines = api.logs.filter(({ msg }) => msg === 'request');
    expect(lines.map(({ path, status, ...line }) => [path, status, line.userId])).toEqual([
      [expect.stringMatching(/\/auth\/register$/), 201, userId],
      [expect.stringMatching(/\/auth\/login$/), 200, userId],
    ]);
  });

  it('has one account for all spellings of a mailbox', async () => {
    const spellings = [
      'Zoe\u0308@Bu\u0308cher.example',
      'zo\u00eb@b\u00fccher\uff0eexample',
      'ZO\u00cb@XN--BCHER-KVA.example',
    ];
    const [one, ...others] = spellings.map((email) => ({ ...CAROL, email }));
    const { body } = await signUp(one!);
    const { user } = (body as { data: { user: { email: string } } }).data;
    expect(user.email).toBe('zo\u00eb@xn--bcher-kva.example');
    for (const other of others) {
      const { body: session } = await login({ email: other.email, password: CAROL.password }).expect(200);
      expect((session as { data: { user: object } }).data.user).toEqual({ ...user, isEmailConfirmed: true });
    }
  });

  it.each([
    [{ ...CAROL, email: 'carol@example.com:25' }, ['email']],
    [{ ...CAROL, email: 'carol\u200b@example.com' }, ['email']],
    [{ ...CAROL, name: '\u2800\u3164' }, ['name']],
    [{ ...CAROL, name: 'lorac\u202e' }, ['name']],
    [{ ...CAROL, password: `${'x'.repeat(12)}\ud800` }, ['password']],
    [{ ...CAROL, role: 'ADMIN' }, ['role']],
    [{ ...CAROL, password: 'x'.repeat(11) }, ['password']],
    [{ ...CAROL, password: 'x'.repeat(129) }, ['password']],
    [{ ...CAROL, password: 123_456_789_012 }, ['password']],
    [{ ...CAROL, password: 'Administrator' }, ['password']],
    [{ ...CAROL, password: 'qwertyuiop123' }, ['password']],
    [{ ...CAROL, password: 'LiverPool2024' }, ['password']],
    [{ ...CAROL, password: 'dragondragon!' }, ['password']],
    [{ ...CAROL, password: 'xyzxyzxyzxyz' }, ['password']],
    [{ ...CAROL, password: 'Orders-Demo-2027' }, ['password']],
    [{ ...CAROL, password: 'carol@example.com' }, ['password']],
    [{ ...CAROL, name: 'Caroline Meier', password: 'MEIER-caroline-1987' }, ['password']],
    [{ ...CAROL, password: 'example-secret-1' }, ['password']],
    [{ ...CAROL, email: 'carol' }, ['email']],
    [{ ...CAROL, email: `${'c'.repeat(250)}@example.com` }, ['email']],
    [{ ...CAROL, email: { $gt: '' } }, ['email']],
    [{ ...CAROL, name: ' ' }, ['name']],
    [{ ...CAROL, name: 'Carol\nAdmin' }, ['name']],
    [{}, ['email', 'password', 'name']],
  ])('rejects %j', async (body, paths) => {
    const { body: problem } = await register(body).expect(400);
    const found = (problem as { errors: { path: string }[] }).errors.map(({ path }) => path);
    expect([...new Set(found)]).toEqual(paths);
  });

  it.each(['729150386416', 'plum \u00e4nd pear', 'b\u00e4ren und '.repeat(10), 'carol sings at noon'])(
    'accepts the password %j',
    async (password) => {
      await signUp({ ...CAROL, password });
      await login({ email: CAROL.email, password }).expect(200);
    },
  );

  it('accepts a password in another Unicode composition, and no other change of it', async () => {
    const password = 'b\u00e4ren und plums';
    const send = (sent: string) => login({ email: CAROL.email, password: sent });
    await signUp({ ...CAROL, password });
    await send('ba\u0308ren und plums').expect(200);
    for (const other of [password.toUpperCase(), password.slice(0, -1), `${password} `])
      await send(other).expect(401);
  });
});

/** Tries that many wrong passwords. */
async function guess(count: number, email: string, address?: string): Promise<number[]> {
  const statuses = [];
  for (let attempt = 0; attempt < count; attempt++) {
    const call = login({ email, password: `guess ${attempt}` });
    if (address) call.set('X-Forwarded-For', address);
    statuses.push((await call).status);
  }
  return statuses;
}

describe('a caller who guesses passwords', () => {
  const TEN = Array.from({ length: 10 }, () => 401);

  it.each(['carol@example.com', 'nobody@example.com'])(
    'is rejected after ten failures for %s, with Retry-After',
    async (email) => {
      await signUp(CAROL);
      const started = Date.now();
      expect(await guess(10, email)).toEqual(TEN);
      const { headers, body } = await login({ email, password: CAROL.password }).expect(429);
      expect(body).toMatchObject({ code: 'rate_limited' });
      const end = Date.now() + Number(headers['retry-after']) * 1_000;
      expect(end).toBeGreaterThanOrEqual(started + 15 * 60_000);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(15 * 60);
    },
  );

  it('gets the same response for an account that exists and for one that does not', async () => {
    await signUp(CAROL);
    const responses = [];
    for (const email of [CAROL.email, 'nobody@example.com']) {
      await guess(10, email);
      const { text } = await login({ email, password: 'guess' }).set('X-Request-Id', 'same').expect(429);
      responses.push(text.replace(/\d+ s/, 'N s'));
    }
    expect(responses[1]).toBe(responses[0]);
  });

  it('locks out neither the owner at another address nor other accounts', async () => {
    const behindProxy = await openTestApi({ db: api.db, env: { TRUSTED_PROXIES: '1' } });
    const from = (address: string, body: object) =>
      behindProxy.call('post', '/auth/login').set('X-Forwarded-For', address).send(body);
    await signUp(CAROL);
    await signUp({ ...CAROL, email: 'dave@example.com' });
    for (let attempt = 0; attempt < 10; attempt++)
      await from('192.0.2.1', { email: CAROL.email, password: 'guess' }).expect(401);
    await from('192.0.2.1', { email: CAROL.email, password: CAROL.password }).expect(429);
    await from('192.0.2.1', { email: 'dave@example.com', password: CAROL.password }).expect(200);
    await from('192.0.2.2', { email: CAROL.email, password: CAROL.password }).expect(200);
    await behindProxy.close();
  });

  it('is counted by the network of an IPv6 address', async () => {
    const behindProxy = await openTestApi({ db: api.db, env: { TRUSTED_PROXIES: '1' } });
    const from = (address: string, password: string) =>
      behindProxy
        .call('post', '/auth/login')
        .set('X-Forwarded-For', address)
        .send({ email: CAROL.email, password });
    await signUp(CAROL);
    for (let attempt = 0; attempt < 10; attempt++) await from(`2001:db8::${attempt}`, 'guess').expect(401);
    await from('2001:db8::ffff', CAROL.password).expect(429);
    await from('2001:db8:0:1::', CAROL.password).expect(200);
    await behindProxy.close();
  });

  it('gets at most ten attempts from several processes together', async () => {
    const other = await openTestApi({ db: api.db });
    await signUp(CAROL);
    const responses = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        (n % 2 ? api : other)
          .call('post', '/auth/login')
          .send({ email: CAROL.email, password: `guess ${n}` }),
      ),
    );
    expect(responses.filter(({ status }) => status === 401)).toHaveLength(10);
    await other.close();
  });

  it('gets at most ten attempts at once', async () => {
    await signUp(CAROL);
    const responses = await Promise.all(
      Array.from({ length: 30 }, (_, n) => login({ email: CAROL.email, password: `guess ${n}` })),
    );
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([...TEN, ...Array.from({ length: 20 }, () => 429)]);
  });

  it('gets ten new attempts after a success, and after 15 minutes', async () => {
    await signUp(CAROL);
    expect(await guess(9, CAROL.email)).not.toContain(429);
    await login({ email: CAROL.email, password: CAROL.password }).expect(200);
    expect(await guess(10, CAROL.email)).toEqual(TEN);
    await createAttemptsModel(api.db.connection).updateMany({}, { expiresAt: new Date(Date.now() - 1) });
    expect(await guess(10, CAROL.email)).toEqual(TEN);
    await login({ email: CAROL.email, password: CAROL.password }).expect(429);
  });

  it('leaves no e-mail or network address in the database', async () => {
    await guess(1, CAROL.email);
    const stored = await createAttemptsModel(api.db.connection).find().lean();
    expect(stored).toHaveLength(3);
    expect(JSON.stringify(stored)).not.toMatch(/carol|127\.0\.0\.1|::1/);
  });
});

describe('a caller who guesses from one address or from many', () => {
  let behindProxy: TestApi;
  beforeAll(
    async () => void (behindProxy = await openTestApi({ db: api.db, env: { TRUSTED_PROXIES: '1' } })),
  );
  afterAll(() => behindProxy.close());
  const from = (address: string, email: string, password = 'guess') =>
    behindProxy.call('post', '/auth/login').set('X-Forwarded-For', address).send({ email, password });
  const attempts = () => createAttemptsModel(api.db.connection);
  /** The stored attempts for one account over all addresses. */
  const DELAYED = { nextAt: trusted({ $exists: true }) };
  /**
   * Has the wait for the account end so much later than now, since the clock runs faster than a slow machine guesses.
   * Returns how many seconds it was.
   */
  async function moveWait(seconds: number): Promise<number> {
    const nextAt = new Date(Date.now() + seconds * 1_000);
    const before = await attempts().findOneAndUpdate(DELAYED, { nextAt }).lean();
    const countedAt = before!.expiresAt.getTime() - DAY_MS;
    return (before!.nextAt!.getTime() - countedAt) / 1_000;
  }

  it('cannot spray one password over 40 accounts', async () => {
    await signUp(CAROL);
    const statuses = [];
    for (let n = 0; n < 40; n++) statuses.push((await from('192.0.2.1', `victim-${n}@example.com`)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(30);
    const { body, headers } = await from('192.0.2.1', CAROL.email, CAROL.password).expect(429);
    expect(body).toMatchObject({ detail: expect.stringContaining('from your address') as string });
    expect(Number(headers['retry-after'])).toBeGreaterThan(800);
    await from('192.0.2.2', CAROL.email, CAROL.password).expect(200);
    for (let n = 0; n < 31; n++) await from('192.0.2.2', `victim-${n}@example.com`);
    await from('192.0.2.2', 'dave@example.com').expect(429);
    await from('192.0.2.2', CAROL.email, CAROL.password).expect(200); // signed in there already
  });

  it('does not use up the attempts of an address by signing in', async () => {
    await signUp(CAROL);
    for (let n = 0; n < 25; n++) await from('192.0.2.1', `victim-${n}@example.com`).expect(401);
    for (let n = 0; n < 10; n++) await from('192.0.2.1', CAROL.email, CAROL.password).expect(200);
  });

  it('waits longer after each guess for one account, whatever the addresses', async () => {
    await signUp(CAROL);
    for (let n = 0; n < 20; n++) await from(`192.0.2.${n % 6}`, CAROL.email).expect(401);
    const waits = [];
    for (let n = 20; n < 33; n++) {
      waits.push(await moveWait(60));
      const { headers } = await from('203.0.113.1', CAROL.email, CAROL.password).expect(429);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
      expect(Number(headers['retry-after'])).toBeGreaterThan(1);
      await moveWait(0);
      await from(`198.51.100.${n}`, CAROL.email).expect(401);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    await moveWait(0);
    await from('203.0.113.1', CAROL.email, CAROL.password).expect(200);
    await expect(attempts().findOne(DELAYED)).resolves.toBeNull();
  });

  it('gets 20 of 60 guesses for one account from six addresses', async () => {
    await signUp(CAROL);
    const statuses = [];
    for (let n = 0; n < 60; n++) {
      statuses.push((await from(`192.0.2.${n % 6}`, CAROL.email)).status);
      if (n === 19) await moveWait(HOUR_SECONDS);
    }
    expect(statuses).toEqual([...Array<number>(20).fill(401), ...Array<number>(40).fill(429)]);
  });

  it('is not taken for the owner by opening another account with the same e-mail address', async () => {
    await signUp(CAROL);
    for (let n = 0; n < 20; n++) await from(`198.51.100.${n}`, CAROL.email).expect(401);
    await moveWait(HOUR_SECONDS);
    const there = (path: string, body: object) =>
      behindProxy.call('post', path).set('X-Forwarded-For', '203.0.113.9').send(body);
    const account = { ...CAROL, password: 'staple battery horse' };
    const { body } = await there('/auth/register', account).expect(201);
    await from('203.0.113.9', CAROL.email).expect(429);
    const { refreshToken } = (body as { data: { refreshToken: string } }).data;
    await there('/auth/refresh', { refreshToken }).expect(200);
    await from('203.0.113.9', CAROL.email).expect(429);
  });

  it('does not lock out the owner where they are signed in', async () => {
    const { body } = await signUp(CAROL);
    const { accessToken, refreshToken } = (body as { data: Record<string, string> }).data;
    const refresh = (token: string) =>
      behindProxy
        .call('post', '/auth/refresh')
        .set('X-Forwarded-For', '203.0.113.7')
        .send({ refreshToken: token });
    await refresh(refreshToken!).expect(200);
    for (let n = 0; n < 20; n++) await from(`198.51.100.${n}`, CAROL.email).expect(401);
    await moveWait(HOUR_SECONDS);
    await from('203.0.113.8', CAROL.email, CAROL.password).expect(429);
    const change = { currentPassword: CAROL.password, password: 'staple battery horse' };
    await behindProxy
      .call('patch', '/users/me', accessToken)
      .set('X-Forwarded-For', '203.0.113.8')
      .send(change)
      .expect(200);
    await from('203.0.113.7', CAROL.email, change.password).expect(200);
  });

  it('opens at most 20 accounts an hour, whether or not the addresses are taken', async () => {
    const limited = await openTestApi({ db: api.db, env: { MAX_REGISTRATIONS_PER_ADDRESS: '' } });
    const statuses = [];
    for (let n = 0; n < 40; n++) {
      const body = { ...CAROL, email: `carol-${n % 10}@example.com` };
      statuses.push((await limited.call('post', '/auth/register').send(body)).status);
    }
    expect(statuses).toEqual([201, 429].flatMap((status) => Array<number>(20).fill(status)));
    const { headers } = await limited.call('post', '/auth/register').send(CAROL).expect(429);
    expect(Number(headers['retry-after'])).toBeGreaterThan(3_500);
    await limited.close();
  });

  it('leaves others their turn, however many connections it has', async () => {
    await signUp(CAROL);
    let answered = 0;
    const flood = Array.from({ length: 100 }, async (_, n) => {
      const body = { ...CAROL, email: `flood-${n}@example.com` };
      const { status } = await behindProxy
        .call('post', '/auth/register')
        .set('X-Forwarded-For', '192.0.2.1')
        .send(body);
      answered++;
      return status;
    });
    await from('192.0.2.2', CAROL.email, CAROL.password).expect(200);
    expect(answered).toBeLessThan(80); // those that are refused at once, and a few that had their turn
    expect(new Set(await Promise.all(flood))).toEqual(new Set([201, 503]));
  });

  it('has at most 50 attempts for one account waiting', async () => {
    await signUp(CAROL);
    const sent = { email: CAROL.email, password: CAROL.password };
    const responses = await Promise.all(Array.from({ length: 80 }, () => login(sent)));
    const statuses = responses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(50);
  });
});

describe('POST /auth/login', () => {
  it('returns 403 for a disabled user with the right password only', async () => {
    await signUp(CAROL);
    await createUserModel(api.db.connection).updateOne({ email: CAROL.email }, { status: 'disabled' });
    await login({ email: CAROL.email, password: 'wrong' }).expect(401);
    const { body } = await login({ email: CAROL.email, password: CAROL.password }).expect(403);
    expect(body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('disabled') as string });
  });

  it('accepts the e-mail address in any case', async () => {
    await signUp(CAROL);
    const { body, headers } = await login({ email: ' CAROL@example.com', password: CAROL.password }).expect(
      200,
    );
    expect(body).toMatchObject({
      data: { user: { email: CAROL.email }, accessToken: expect.any(String) as string },
    });
    expect(headers['cache-control']).toBe('no-store');
  });

  it('returns the same response for an unknown e-mail address and a wrong password', async () => {
    await signUp(CAROL);
    const responses = [];
    for (const body of [
      { email: CAROL.email, password: 'wrong' },
      { email: 'nobody@example.com', password: 'wrong' },
      { email: 'nobody@example.com', password: CAROL.password },
    ]) {
      const { text, headers } = await login(body).set('X-Request-Id', 'same').expect(401);
      responses.push([text, headers['www-authenticate'], headers['content-length']]);
    }
    expect(responses[1]).toEqual(responses[0]);
    expect(responses[2]).toEqual(responses[0]);
  });

  it.each([
    {},
    { email: 'carol@example.com' },
    { email: 'carol@example.com', password: { $ne: '' } },
    { ...CAROL },
  ])('rejects %j', async (body) => {
    await login(body).expect(400);
  });
});
