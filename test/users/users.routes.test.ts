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
  test('opens an account for a CUSTOMER who is signed in at once', async () => {
    const { body, headers } = await register(CAROL).expect(201);
    expect(body).toMatchObject({
      data: { user: { email: CAROL.email, name: 'Carol', role: 'CUSTOMER' }, expiresIn: 900 },
    });
    expect(headers['cache-control']).toBe('no-store');
    const { accessToken, user } = (body as { data: { accessToken: string; user: { id: string } } }).data;
    await api.call('post', '/product-services', accessToken).expect(403);
    await expect(createUsersRepository(api.db.connection).exists(user.id)).resolves.toBe(true);
  });

  test('keeps the password as an argon2id hash with the recommended cost, and the e-mail address in lower case', async () => {
    await register({ ...CAROL, email: '  Carol@Example.COM ' }).expect(201);
    const stored = await createUserModel(api.db.connection).findOne().lean();
    expect(stored).toMatchObject({
      email: CAROL.email,
      passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) as string,
    });
  });

  test('tells neither password nor hash nor e-mail address to anyone: not in the answer, not in the log', async () => {
    const { text } = await register(CAROL).expect(201);
    expect(text).not.toMatch(/hash|correct horse/i);
    await register(CAROL).expect(409);
    await login({ ...CAROL, name: undefined, password: 'wrong' }).expect(401);
    expect(JSON.stringify(api.logs)).not.toMatch(/carol@|correct horse|argon2|eyJ/i);
    expect(api.logs).toHaveLength(3);
  });

  test('answers 409 for an e-mail address that is taken, in whatever case; one of many at once wins', async () => {
    const answers = await Promise.all(
      ['carol', 'CAROL', 'Carol', 'cArol'].map((name) =>
        register({ ...CAROL, email: `${name}@example.com` }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    await expect(createUserModel(api.db.connection).countDocuments()).resolves.toBe(1);
  });

  test.each([
    [{ ...CAROL, role: 'ADMIN' }, ['role']],
    [{ ...CAROL, password: 'x'.repeat(11) }, ['password']],
    [{ ...CAROL, password: 'x'.repeat(129) }, ['password']],
    [{ ...CAROL, password: 123456789012 }, ['password']],
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

  test.each(['x'.repeat(12), ' '.repeat(12), '\u00e4'.repeat(128)])(
    'takes the password %j',
    async (password) => {
      await register({ ...CAROL, password }).expect(201);
      await login({ email: CAROL.email, password }).expect(200);
    },
  );

  test('knows a password that is composed in another way', async () => {
    await register({ ...CAROL, password: 'p\u00e4ssword-p\u00e4ssword' }).expect(201);
    await login({ email: CAROL.email, password: 'pa\u0308ssword-pa\u0308ssword' }).expect(200);
  });
});

describe('POST /auth/login', () => {
  test('signs in, whatever the case of the e-mail address', async () => {
    await register(CAROL).expect(201);
    const { body, headers } = await login({ email: ' CAROL@example.com', password: CAROL.password }).expect(
      200,
    );
    expect(body).toMatchObject({
      data: { user: { email: CAROL.email }, accessToken: expect.any(String) as string },
    });
    expect(headers['cache-control']).toBe('no-store');
  });

  test('answers an unknown e-mail address exactly as a wrong password', async () => {
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

  test.each([
    {},
    { email: 'carol@example.com' },
    { email: 'carol@example.com', password: { $ne: '' } },
    { ...CAROL },
  ])('refuses %j', async (body) => {
    await login(body).expect(400);
  });
});
