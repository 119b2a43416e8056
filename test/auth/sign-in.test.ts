import { createLoginFailuresModel } from '../../src/users/passwords/login-failures.model';
import { createUserModel } from '../../src/users/users.model';
import { createUsersRepository } from '../../src/users/users.repository';
import { openTestApi, type TestApi } from '../support/api';

const CAROL = { email: 'carol@example.com', password: 'correct horse battery', name: 'Carol' };

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
beforeEach(() => api.clear());
afterAll(() => api.close());

const register = (body: object) => api.call('post', '/auth/register').send(body);
const login = (body: object) => api.call('post', '/auth/login').send(body);

describe('POST /auth/register', () => {
  it('opens an account for a CUSTOMER who is signed in at once', async () => {
    const { body, headers } = await register(CAROL).expect(201);
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
    await expect(createUsersRepository(api.db.connection).exists(user.id)).resolves.toBe(true);
  });

  it('keeps the password as an argon2id hash with the recommended cost, and the e-mail address in lower case', async () => {
    await register({ ...CAROL, email: '  Carol@Example.COM ' }).expect(201);
    const stored = await createUserModel(api.db.connection).findOne().lean();
    expect(stored).toMatchObject({
      email: CAROL.email,
      passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) as string,
    });
  });

  it('tells neither password nor hash nor e-mail address to anyone: not in the answer, not in the log', async () => {
    const { text } = await register(CAROL).expect(201);
    expect(text).not.toMatch(/hash|correct horse/i);
    await register(CAROL).expect(409);
    await login({ ...CAROL, name: undefined, password: 'wrong' }).expect(401);
    expect(JSON.stringify(api.logs)).not.toMatch(/carol@|correct horse|argon2|eyJ/i);
    expect(api.logs).toHaveLength(3);
  });

  it('answers 409 for an e-mail address that is taken, in whatever case; one of many at once wins', async () => {
    const answers = await Promise.all(
      ['carol', 'CAROL', 'Carol', 'cArol'].map((name) =>
        register({ ...CAROL, email: `${name}@example.com` }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    await expect(createUserModel(api.db.connection).countDocuments()).resolves.toBe(1);
  });

  it.each([
    [{ ...CAROL, role: 'ADMIN' }, ['role']],
    [{ ...CAROL, password: 'x'.repeat(11) }, ['password']],
    [{ ...CAROL, password: 'x'.repeat(129) }, ['password']],
    [{ ...CAROL, password: 123_456_789_012 }, ['password']],
    [{ ...CAROL, password: 'Administrator' }, ['password']],
    [{ ...CAROL, password: 'qwertyuiop123' }, ['password']],
    [{ ...CAROL, email: 'carol' }, ['email']],
    [{ ...CAROL, email: `${'c'.repeat(250)}@example.com` }, ['email']],
    [{ ...CAROL, email: { $gt: '' } }, ['email']],
    [{ ...CAROL, name: ' ' }, ['name']],
    [{ ...CAROL, name: 'Carol\nAdmin' }, ['name']],
    [{}, ['email', 'password', 'name']],
  ])('refuses %j', async (body, paths) => {
    const { body: answer } = await register(body).expect(400);
    const found = (answer as { errors: { path: string }[] }).errors.map(({ path }) => path);
    expect([...new Set(found)]).toEqual(paths);
  });

  it.each(['x'.repeat(12), ' '.repeat(12), '\u00e4'.repeat(128)])(
    'takes the password %j',
    async (password) => {
      await register({ ...CAROL, password }).expect(201);
      await login({ email: CAROL.email, password }).expect(200);
    },
  );

  it('knows a password that is composed in another way', async () => {
    await register({ ...CAROL, password: 'p\u00e4ssword-p\u00e4ssword' }).expect(201);
    await login({ email: CAROL.email, password: 'pa\u0308ssword-pa\u0308ssword' }).expect(200);
  });
});

/** Logs in wrongly so many times. */
async function guess(count: number, email: string, address?: string): Promise<number[]> {
  const statuses = [];
  for (let attempt = 0; attempt < count; attempt++) {
    const call = login({ email, password: `guess ${attempt}` });
    if (address) call.set('X-Forwarded-For', address);
    statuses.push((await call).status);
  }
  return statuses;
}

describe('whoever guesses passwords', () => {
  const TEN = Array.from({ length: 10 }, () => 401);

  it.each(['carol@example.com', 'nobody@example.com'])(
    'is stopped after ten failures, for %s too, and told when to come back',
    async (email) => {
      await register(CAROL).expect(201);
      expect(await guess(10, email)).toEqual(TEN);
      const { headers, body } = await login({ email, password: CAROL.password }).expect(429);
      expect(body).toMatchObject({ code: 'rate_limited' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(14 * 60);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(15 * 60);
    },
  );

  it('is stopped in the same words for an account that is there and for one that is not', async () => {
    await register(CAROL).expect(201);
    const answers = [];
    for (const email of [CAROL.email, 'nobody@example.com']) {
      await guess(10, email);
      const { text } = await login({ email, password: 'guess' }).set('X-Request-Id', 'same').expect(429);
      answers.push(text.replace(/\d+ s/, 'N s'));
    }
    expect(answers[1]).toBe(answers[0]);
  });

  it('does not keep out its owner, who comes from elsewhere, nor other accounts', async () => {
    const behindProxy = await openTestApi({ db: api.db, env: { TRUSTED_PROXIES: '1' } });
    const from = (address: string, body: object) =>
      behindProxy.call('post', '/auth/login').set('X-Forwarded-For', address).send(body);
    await register(CAROL).expect(201);
    await register({ ...CAROL, email: 'dave@example.com' }).expect(201);
    for (let attempt = 0; attempt < 10; attempt++)
      await from('192.0.2.1', { email: CAROL.email, password: 'guess' }).expect(401);
    await from('192.0.2.1', { email: CAROL.email, password: CAROL.password }).expect(429);
    await from('192.0.2.1', { email: 'dave@example.com', password: CAROL.password }).expect(200);
    await from('192.0.2.2', { email: CAROL.email, password: CAROL.password }).expect(200);
    await behindProxy.close();
  });

  it('is counted by the network of an IPv6 address, of which there are as many as one likes', async () => {
    const behindProxy = await openTestApi({ db: api.db, env: { TRUSTED_PROXIES: '1' } });
    const from = (address: string, password: string) =>
      behindProxy
        .call('post', '/auth/login')
        .set('X-Forwarded-For', address)
        .send({ email: CAROL.email, password });
    await register(CAROL).expect(201);
    for (let attempt = 0; attempt < 10; attempt++) await from(`2001:db8::${attempt}`, 'guess').expect(401);
    await from('2001:db8::ffff', CAROL.password).expect(429);
    await from('2001:db8:0:1::', CAROL.password).expect(200);
    await behindProxy.close();
  });

  it('gets no more than ten answers from several processes together', async () => {
    const other = await openTestApi({ db: api.db });
    await register(CAROL).expect(201);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        (n % 2 ? api : other)
          .call('post', '/auth/login')
          .send({ email: CAROL.email, password: `guess ${n}` }),
      ),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
    await other.close();
  });

  it('gets no more than ten answers when all guesses come at once', async () => {
    await register(CAROL).expect(201);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => login({ email: CAROL.email, password: `guess ${n}` })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...TEN, ...Array.from({ length: 20 }, () => 429)]);
  });

  it('starts anew after a success, and after a quarter of an hour', async () => {
    await register(CAROL).expect(201);
    expect(await guess(9, CAROL.email)).not.toContain(429);
    await login({ email: CAROL.email, password: CAROL.password }).expect(200);
    expect(await guess(10, CAROL.email)).toEqual(TEN);
    await createLoginFailuresModel(api.db.connection).updateMany({}, { expiresAt: new Date(Date.now() - 1) });
    expect(await guess(10, CAROL.email)).toEqual(TEN);
    await login({ email: CAROL.email, password: CAROL.password }).expect(429);
  });

  it('leaves neither e-mail address nor network address behind', async () => {
    await guess(1, CAROL.email);
    const [stored] = await createLoginFailuresModel(api.db.connection).find().lean();
    expect(JSON.stringify(stored)).not.toMatch(/carol|127\.0\.0\.1|::1/);
  });
});

describe('POST /auth/login', () => {
  it('tells a disabled user so, but only who knows the password', async () => {
    await register(CAROL).expect(201);
    await createUserModel(api.db.connection).updateOne({ email: CAROL.email }, { status: 'disabled' });
    await login({ email: CAROL.email, password: 'wrong' }).expect(401);
    const { body } = await login({ email: CAROL.email, password: CAROL.password }).expect(403);
    expect(body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('disabled') as string });
  });

  it('signs in, whatever the case of the e-mail address', async () => {
    await register(CAROL).expect(201);
    const { body, headers } = await login({ email: ' CAROL@example.com', password: CAROL.password }).expect(
      200,
    );
    expect(body).toMatchObject({
      data: { user: { email: CAROL.email }, accessToken: expect.any(String) as string },
    });
    expect(headers['cache-control']).toBe('no-store');
  });

  it('answers an unknown e-mail address exactly as a wrong password', async () => {
    await register(CAROL).expect(201);
    const answers = [];
    for (const body of [
      { email: CAROL.email, password: 'wrong' },
      { email: 'nobody@example.com', password: 'wrong' },
      { email: 'nobody@example.com', password: CAROL.password },
    ]) {
      const { text, headers } = await login(body).set('X-Request-Id', 'same').expect(401);
      answers.push([text, headers['www-authenticate'], headers['content-length']]);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it.each([
    {},
    { email: 'carol@example.com' },
    { email: 'carol@example.com', password: { $ne: '' } },
    { ...CAROL },
  ])('refuses %j', async (body) => {
    await login(body).expect(400);
  });
});
