import {
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import jwt, { type SignOptions } from 'jsonwebtoken';
import request from 'supertest';
import { createJwt } from '../../src/jwt/jwt';
import { openTestApi, type TestApi } from '../support/api';
import { JWT_SECRET as HEX_SECRET, testConfig } from '../support/config';
import { SESSION_ID, tokenFor } from '../support/tokens';

const USER = 'usr_01HZX000000000000000A11CE0';
/** The claims of an ADMIN that only we issue. */
const ADMIN = { role: 'ADMIN', ver: 0, sid: SESSION_ID, auth_time: 1 };

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
afterAll(() => api.close());

const JWT_SECRET = Buffer.from(HEX_SECRET, 'hex');

/** Signs with our secret; without arguments, a valid token. */
function forge(options: SignOptions = {}, claims: object = ADMIN, secret = JWT_SECRET): string {
  const { issuer, audience } = api.config.jwt;
  return jwt.sign(claims, createSecretKey(secret), {
    issuer,
    audience,
    subject: USER,
    expiresIn: 60,
    keyid: 'secret',
    ...options,
  });
}

const without = (name: keyof typeof ADMIN) => forge({}, { ...ADMIN, [name]: undefined });

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** All claims of a valid token, for tokens that are put together by hand. */
const claims = () => {
  const { issuer: iss, audience: aud } = api.config.jwt;
  return { ...ADMIN, sub: USER, iss, aud, exp: Math.floor(Date.now() / 1_000) + 60 };
};

function signedByHand(header: object, payload: object): string {
  const content = `${encode(header)}.${encode(payload)}`;
  return `${content}.${createHmac('sha256', JWT_SECRET).update(content).digest('base64url')}`;
}

const HEADER = { alg: 'HS256', typ: 'JWT', kid: 'secret' };
const unsigned = (alg: string) => `${encode({ ...HEADER, alg })}.${encode(claims())}.`;

const tampered = () => {
  const [header, , signature] = forge({}, { ...ADMIN, role: 'CUSTOMER' }).split('.');
  return `${header}.${encode(claims())}.${signature}`;
};

const HOSTILE_KIDS = [
  '../../../../dev/null',
  '/etc/passwd',
  "' OR '1'='1",
  "x' UNION SELECT 'secret'; --",
  'http://127.0.0.1/key.pem',
  '__proto__',
  'constructor',
  '$ne',
  'k'.repeat(5_000),
  '',
];

const NO_TOKENS: [string, () => string | undefined][] = [
  ['no header', () => undefined],
  ['Basic credentials', () => 'Basic YTpi'],
  ['an empty token', () => 'Bearer '],
];
const BAD_TOKENS: [string, () => string][] = [
  ['nonsense', () => 'nonsense'],
  ['two tokens', () => `${forge()} ${forge()}`],
  ['an expired token', () => forge({ expiresIn: -1 })],
  ['a token without exp', () => signedByHand(HEADER, { ...claims(), exp: undefined })],
  ['a token of another issuer', () => forge({ issuer: 'other' })],
  ['a token for another audience', () => forge({ audience: 'other' })],
  ['a token of another algorithm', () => forge({ algorithm: 'HS384' })],
  ['a token of another secret', () => forge({}, ADMIN, Buffer.alloc(48, 'x'))],
  ...['none', 'None', 'NONE', 'nOnE', ''].map((alg): [string, () => string] => [
    `an unsigned token (${alg})`,
    () => unsigned(alg),
  ]),
  ['a tampered token', tampered],
  ['a token that is not valid yet', () => forge({ notBefore: 30 })],
  ['a token without a kid', () => signedByHand({ alg: 'HS256', typ: 'JWT' }, claims())],
  ['a token without ver', () => without('ver')],
  ['a token with an invalid ver', () => forge({}, { ...ADMIN, ver: 'high' })],
  ['a token without sid', () => without('sid')],
  ['a token without auth_time', () => without('auth_time')],
  ['a token with an invalid sid', () => forge({}, { ...ADMIN, sid: 1 })],
  ...HOSTILE_KIDS.map((keyid): [string, () => string] => [
    `a token with the kid ${keyid.slice(0, 40)}`,
    () => forge({ keyid }),
  ]),
  ['a token with a critical extension', () => signedByHand({ ...HEADER, crit: ['x'] }, claims())],
  ['a token with an unknown role', () => forge({}, { ...ADMIN, role: 'ROOT' })],
  ['a token with the role PUBLIC', () => forge({}, { ...ADMIN, role: 'PUBLIC' })],
  ['a token without a role', () => without('role')],
  ['a token whose subject is not a user', () => forge({ subject: 'someone' })],
];
const UNAUTHENTICATED: typeof NO_TOKENS = [
  ...NO_TOKENS,
  ...BAD_TOKENS.map(([what, token]): [string, () => string] => [what, () => `Bearer ${token()}`]),
];

async function responseTo(authorization: string | undefined): Promise<{ text: string; challenge: string }> {
  const call = api.call('post', '/product-services').set('X-Request-Id', 'same').send({ sku: 1 });
  if (authorization !== undefined) call.set('Authorization', authorization);
  const { text, headers } = await call.expect(401);
  return { text, challenge: headers['www-authenticate']! };
}

it('accepts the token that the bad ones are made from', async () => {
  for (const token of [forge(), signedByHand(HEADER, claims())])
    await api.call('get', '/users', token).expect(200);
});

it.each(UNAUTHENTICATED)('returns the same 401, byte for byte, for %s', async (_what, authorization) => {
  const expected = await responseTo(undefined);
  const header = authorization();
  const { text, challenge } = await responseTo(header);
  expect(text).toBe(expected.text);
  const realm = 'Bearer realm="orders-management-system"';
  expect(expected.challenge).toBe(realm);
  expect(challenge).toBe(/^Bearer \S/.test(header ?? '') ? `${realm}, error="invalid_token"` : realm);
});

it.each(UNAUTHENTICATED)('serves a public route with %s', async (_what, authorization) => {
  const call = api.call('get', '/product-services');
  const header = authorization();
  if (header !== undefined) call.set('Authorization', header);
  await call.expect(200);
});

it('reads the token whatever the case of the scheme and the number of spaces', async () => {
  for (const scheme of ['bearer ', 'BEARER ', 'Bearer   '])
    await api.call('get', '/users').set('Authorization', `${scheme}${forge()}`).expect(200);
});

it('accepts a token that was issued', async () => {
  const user = {
    id: USER,
    role: 'ADMIN',
    tokenVersion: 0,
    sessionId: SESSION_ID,
    authenticatedAt: 1,
  } as const;
  const { accessToken, expiresIn } = api.jwt.issue(user);
  expect(expiresIn).toBe(api.config.jwt.accessTokenTtlSeconds);
  expect(jwt.decode(accessToken)).toMatchObject({
    sub: USER,
    role: 'ADMIN',
    ver: 0,
    sid: SESSION_ID,
    auth_time: 1,
    iss: 'orders-management-system',
    aud: 'orders-management-system',
  });
  await api.call('delete', '/product-services/ps_01HZX0000000000000TSHRTM00', accessToken).expect(404);
});

it('returns 403 for another role before it looks at the input', async () => {
  const { body } = await api
    .call('post', '/product-services', api.tokenOf('CUSTOMER'))
    .send({ sku: 1 })
    .expect(403);
  expect(body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('ADMIN') as string });
});

describe('several keys', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const RS256 = { kid: 'r1', ...privateKey.export({ format: 'jwk' }) };
  const ES256 = { kid: 'e1', ...ec.privateKey.export({ format: 'jwk' }) };
  const set = (...keys: object[]) => ({ JWT_KEYS: JSON.stringify({ keys }) });

  let rotated: TestApi;
  beforeAll(async () => void (rotated = await openTestApi({ env: set(ES256, RS256) })));
  afterAll(() => rotated.close());

  const statusOf = async (token: string) => (await rotated.call('get', '/users', token)).status;
  const signed = (key: KeyObject, options: SignOptions) => jwt.sign(claims(), key, { ...options });

  it('all verify and the first one signs, so that a rotation revokes no token', async () => {
    expect(await statusOf(tokenFor(testConfig(set(RS256)), 'ADMIN'))).toBe(200);
    const next = rotated.tokenOf('ADMIN');
    expect(jwt.decode(next, { complete: true })!.header).toMatchObject({ alg: 'ES256', kid: 'e1' });
    expect(await statusOf(next)).toBe(200);
    expect(await statusOf(api.tokenOf('ADMIN'))).toBe(200); // JWT_SECRET still verifies
  });

  it('verify only with their own algorithm', async () => {
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const [header, payload] = [encode({ alg: 'HS256', typ: 'JWT', kid: 'r1' }), encode(claims())];
    const hmac = (key: string | Buffer) =>
      createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url');
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const jwk = JSON.stringify(publicKey.export({ format: 'jwk' }));
    for (const key of [pem, String(pem).trim(), der, jwk])
      expect(await statusOf(`${header}.${payload}.${hmac(key)}`)).toBe(401);
    expect(await statusOf(signed(privateKey, { algorithm: 'RS512', keyid: 'r1' }))).toBe(401);
    expect(await statusOf(signed(privateKey, { algorithm: 'PS256', keyid: 'r1' }))).toBe(401);
    expect(await statusOf(signed(privateKey, { algorithm: 'RS256', keyid: 'e1' }))).toBe(401);
    expect(await statusOf(signed(privateKey, { algorithm: 'RS256', keyid: 'secret' }))).toBe(401);
    expect(await statusOf(signed(privateKey, { algorithm: 'RS256' }))).toBe(401);
    expect(await statusOf(forge({ keyid: 'r1' }))).toBe(401);
    expect(await statusOf(signed(privateKey, { algorithm: 'RS256', keyid: 'r1' }))).toBe(200);
  });

  it.each(['/.well-known/jwks.json', '/orders-management-system/.well-known/jwks.json'])(
    'publish at %s their public parts and nothing private',
    async (path) => {
      const { body, headers } = await request(rotated.app.callback()).get(path).expect(200);
      const { keys } = body as { keys: Record<string, string>[] };
      expect(keys.map(({ kid, kty, alg, use }) => [kid, kty, alg, use])).toEqual([
        ['e1', 'EC', 'ES256', 'sig'],
        ['r1', 'RSA', 'RS256', 'sig'],
      ]);
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
        expect(keys.filter((key) => name in key)).toEqual([]);
      expect(headers['cache-control']).toContain('max-age');
      const verified = jwt.verify(
        rotated.tokenOf('ADMIN', USER),
        createPublicKey({ key: keys[0]!, format: 'jwk' }),
      );
      expect(verified).toMatchObject({ sub: USER });
    },
  );

  it('publish no secret', async () => {
    const { body } = await request(api.app.callback()).get('/.well-known/jwks.json').expect(200);
    expect(body).toEqual({ keys: [] });
  });
});

it('an earlier valid token of the request leaves nothing behind', async () => {
  const authenticate = createJwt(api.config.jwt).authenticate({
    getToken: (ctx) => ctx.get('Authorization'),
    isRevoked: () => false,
  });
  const ctx = { state: {}, header: {}, cookies: {}, get: () => forge() };
  const next = async () => undefined;
  await authenticate(ctx as never, next);
  expect(ctx.state).toMatchObject({ principal: { id: USER, role: 'ADMIN' } });
  ctx.get = tampered;
  await authenticate(ctx as never, next);
  expect(ctx.state).toMatchObject({ principal: undefined });
});

describe('the middleware of access tokens', () => {
  const authenticate = (getToken: () => string | undefined) =>
    createJwt(api.config.jwt).authenticate({ getToken, isRevoked: () => false });
  const contextOf = (state: object, authorization = '') =>
    ({ state, header: { authorization }, request: {}, req: {}, cookies: {} }) as never;

  it('reads the header by our grammar alone, where koa-jwt would take another token', async () => {
    const state = {};
    const next = jest.fn();
    await authenticate(() => undefined)(contextOf(state, `Bearer ${forge()}`), next);
    expect(next).toHaveBeenCalledTimes(1);
    expect(state).toMatchObject({ principal: undefined, accessToken: undefined });
  });

  it('ignores a secret in the state of the request', async () => {
    const attacker = 'x'.repeat(48);
    const state = { secret: attacker };
    await authenticate(() => forge({}, ADMIN, Buffer.from(attacker)))(contextOf(state), jest.fn());
    expect(state).toMatchObject({ principal: undefined });
    await authenticate(() => forge())(contextOf(state), jest.fn());
    expect(state).toMatchObject({ principal: { id: USER } });
  });
});
