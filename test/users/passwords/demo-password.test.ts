import { seed } from '../../../src/seed/seed';
import { DEMO_PASSWORD, DEMO_USERS } from '../../../src/users/demo-users';
import { openTestApi, type TestApi } from '../../support/api';
import { PRODUCTION_ENV } from '../../support/config';

const ADMIN = DEMO_USERS[0]!.email;
const FULL_WIDTH = [...DEMO_PASSWORD]
  .map((letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0))
  .join('');

describe('the demo password in production', () => {
  let api: TestApi;
  beforeAll(async () => void (api = await openTestApi({ env: PRODUCTION_ENV })));
  beforeEach(async () => {
    await api.clear();
    await seed(api.db.connection, 'development'); // a database that was seeded in development
  });
  afterAll(() => api.close());

  const login = (email: string, password: string) =>
    api.call('post', '/auth/login').send({ email, password });
  const withoutId = (text: string) => text.replace(/"requestId":"[^"]+"/, '');

  it.each([DEMO_PASSWORD, FULL_WIDTH])(
    'is answered like a wrong password, and logged: %s',
    async (password) => {
      const wrong = await login(ADMIN, 'something else').expect(401);
      const demo = await login(ADMIN, password).expect(401);
      const unknown = await login('nobody@example.com', password).expect(401);
      expect([withoutId(demo.text), withoutId(unknown.text)]).toEqual(Array(2).fill(withoutId(wrong.text)));
      const lines = api.logs.filter(({ msg }) => String(msg).includes('demo password'));
      expect(lines).toHaveLength(1); // of the demo user, not of an unknown address
      expect(lines[0]).toMatchObject({
        level: 'warn',
        msg: 'demo password rejected',
        remedy: expect.stringContaining('--disable-demo-users') as string,
      });
      expect(JSON.stringify(api.logs)).not.toContain(password);
    },
  );

  it('counts as a failed attempt like any wrong password', async () => {
    for (let attempt = 0; attempt < 10; attempt++) await login(ADMIN, DEMO_PASSWORD).expect(401);
    await login(ADMIN, DEMO_PASSWORD).expect(429);
  });

  it('ends a session that began elsewhere, at its next refresh', async () => {
    const development = await openTestApi({ db: api.db });
    const { body } = await development
      .call('post', '/auth/login')
      .send({ email: ADMIN, password: DEMO_PASSWORD })
      .expect(200);
    const { refreshToken } = (body as { data: { refreshToken: string } }).data;
    await api.call('post', '/auth/refresh').send({ refreshToken }).expect(401);
    await development.close();
  });

  it('cannot be chosen', async () => {
    const { body } = await api
      .call('post', '/auth/register')
      .send({ email: 'carol@example.com', password: DEMO_PASSWORD, name: 'Carol' })
      .expect(400);
    expect(body).toMatchObject({ errors: [{ path: 'password' }] });
  });
});

it('demo users sign in outside production', async () => {
  const api = await openTestApi();
  await seed(api.db.connection, 'development');
  await api.call('post', '/auth/login').send({ email: ADMIN, password: DEMO_PASSWORD }).expect(200);
  await api.close();
});
