import { createSecretKey } from 'node:crypto';
import jwt, { type SignOptions } from 'jsonwebtoken';
import { openTestApi, type TestApi } from '../support/api';

const USER = 'usr_01HZX000000000000000A11CE0';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
afterAll(() => api.close());

function forge(
  options: SignOptions = {},
  claims: object = { role: 'ADMIN' },
  secret = api.config.jwt.secret,
): string {
  const { issuer, audience } = api.config.jwt;
  return jwt.sign(claims, createSecretKey(secret, 'utf8'), {
    issuer,
    audience,
    subject: USER,
    expiresIn: 60,
    ...options,
  });
}

const withoutExpiry = () => {
  const { issuer, audience, secret } = api.config.jwt;
  return jwt.sign({ role: 'ADMIN' }, createSecretKey(secret, 'utf8'), { issuer, audience, subject: USER });
};

const unsigned = () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { issuer: iss, audience: aud } = api.config.jwt;
  const exp = Math.floor(Date.now() / 1000) + 60;
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ role: 'ADMIN', sub: USER, iss, aud, exp })}.`;
};

const NO_TOKENS: [string, () => string | undefined][] = [
  ['none', () => undefined],
  ['Basic', () => 'Basic YTpi'],
  ['an empty one', () => 'Bearer '],
];
const BAD_TOKENS: [string, () => string | undefined][] = [
  ['nonsense', () => 'Bearer nonsense'],
  ['two', () => `Bearer ${forge()} ${forge()}`],
  ['an expired one', () => `Bearer ${forge({ expiresIn: -1 })}`],
  ['one without expiry', () => `Bearer ${withoutExpiry()}`],
  ['one of another issuer', () => `Bearer ${forge({ issuer: 'other' })}`],
  ['one for another audience', () => `Bearer ${forge({ audience: 'other' })}`],
  ['one of another algorithm', () => `Bearer ${forge({ algorithm: 'HS384' })}`],
  ['one of another secret', () => `Bearer ${forge({}, { role: 'ADMIN' }, 'x'.repeat(48))}`],
  ['an unsigned one', () => `Bearer ${unsigned()}`],
  ['one with an unknown role', () => `Bearer ${forge({}, { role: 'ROOT' })}`],
  ['one with the role PUBLIC', () => `Bearer ${forge({}, { role: 'PUBLIC' })}`],
  ['one for no user', () => `Bearer ${forge({ subject: 'someone' })}`],
];

/** The different answers to a route that needs a token: bodies, and challenges. */
async function answersTo(tokens: typeof BAD_TOKENS): Promise<{ bodies: string[]; challenges: string[] }> {
  const bodies = new Set<string>();
  const challenges = new Set<string>();
  for (const [, authorization] of tokens) {
    const call = api.call('post', '/product-services').set('X-Request-Id', 'same').send({ sku: 1 });
    const header = authorization();
    if (header !== undefined) call.set('Authorization', header);
    const { text, headers } = await call.expect(401);
    bodies.add(text);
    challenges.add(headers['www-authenticate']!);
  }
  return { bodies: [...bodies], challenges: [...challenges] };
}

test('401 is the same, byte for byte, whatever is wrong with the token; the header tells whether there was one', async () => {
  const [without, withBad] = [await answersTo(NO_TOKENS), await answersTo(BAD_TOKENS)];
  expect(without.bodies).toHaveLength(1);
  expect(withBad.bodies).toEqual(without.bodies);
  const realm = 'Bearer realm="orders-management-system"';
  expect(without.challenges).toEqual([realm]);
  expect(withBad.challenges).toEqual([`${realm}, error="invalid_token"`]);
});

test.each([...NO_TOKENS, ...BAD_TOKENS])(
  'with %s a public route still works',
  async (_what, authorization) => {
    const call = api.call('get', '/product-services');
    const header = authorization();
    if (header !== undefined) call.set('Authorization', header);
    await call.expect(200);
  },
);

test('a token that was issued is good', async () => {
  const { accessToken, expiresIn } = api.jwt.issue({ id: USER, role: 'ADMIN' });
  expect(expiresIn).toBe(api.config.jwt.accessTokenTtlSeconds);
  expect(jwt.decode(accessToken)).toMatchObject({
    sub: USER,
    role: 'ADMIN',
    iss: 'orders-management-system',
  });
  await api.call('delete', '/product-services/ps_01HZX0000000000000TSHRTM00', accessToken).expect(404);
});

test('a signed-in user without the role is answered 403, before any look at the input', async () => {
  const { body } = await api
    .call('post', '/product-services', api.tokenOf('CUSTOMER'))
    .send({ sku: 1 })
    .expect(403);
  expect(body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('ADMIN') as string });
});
