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
import { JWT_SECRET, testConfig } from '../support/config';

const USER = 'usr_01HZX000000000000000A11CE0';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
afterAll(() => api.close());

function forge(options: SignOptions = {}, claims: object = { role: 'ADMIN' }, secret = JWT_SECRET): string {
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
  const { issuer, audience } = api.config.jwt;
  return jwt.sign({ role: 'ADMIN' }, createSecretKey(JWT_SECRET, 'utf8'), {
    issuer,
    audience,
    subject: USER,
  });
};

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a valid token says, for those that are put together by hand. */
const claims = () => {
  const { issuer: iss, audience: aud } = api.config.jwt;
  return { role: 'ADMIN', sub: USER, iss, aud, exp: Math.floor(Date.now() / 1_000) + 60 };
};

const unsigned = (alg: string) => `${encode({ alg, typ: 'JWT' })}.${encode(claims())}.`;

const tampered = () => {
  const [header, , signature] = forge({}, { role: 'CUSTOMER' }).split('.');
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
  ...['none', 'None', 'NONE', 'nOnE', ''].map((alg): [string, () => string] => [
    `an unsigned one (${alg})`,
    () => `Bearer ${unsigned(alg)}`,
  ]),
  ['a tampered one', () => `Bearer ${tampered()}`],
  ['one that is not valid yet', () => `Bearer ${forge({ notBefore: 30 })}`],
  ['one with a version that is none', () => `Bearer ${forge({}, { role: 'ADMIN', ver: 'high' })}`],
  ...HOSTILE_KIDS.map((keyid): [string, () => string] => [
    `one with the kid ${keyid.slice(0, 40)}`,
    () => `Bearer ${forge({ keyid })}`,
  ]),
  ['one with a critical extension', () => `Bearer ${forge({ header: { alg: 'HS256', crit: ['x'] } })}`],
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

it('401 is the same, byte for byte, whatever is wrong with the token; the header tells whether there was one', async () => {
  const [without, withBad] = [await answersTo(NO_TOKENS), await answersTo(BAD_TOKENS)];
  expect(without.bodies).toHaveLength(1);
  expect(withBad.bodies).toEqual(without.bodies);
  const realm = 'Bearer realm="orders-management-system"';
  expect(without.challenges).toEqual([realm]);
  expect(withBad.challenges).toEqual([`${realm}, error="invalid_token"`]);
});

it.each([...NO_TOKENS, ...BAD_TOKENS])('with %s a public route still works', async (_what, authorization) => {
  const call = api.call('get', '/product-services');
  const header = authorization();
  if (header !== undefined) call.set('Authorization', header);
  await call.expect(200);
});

it('a token that was issued is good', async () => {
  const { accessToken, expiresIn } = api.jwt.issue({ id: USER, role: 'ADMIN', tokenVersion: 0 });
  expect(expiresIn).toBe(api.config.jwt.accessTokenTtlSeconds);
  expect(jwt.decode(accessToken)).toMatchObject({
    sub: USER,
    role: 'ADMIN',
    iss: 'orders-management-system',
  });
  await api.call('delete', '/product-services/ps_01HZX0000000000000TSHRTM00', accessToken).expect(404);
});

it('a signed-in user without the role is answered 403, before any look at the input', async () => {
  const { body } = await api
    .call('post', '/product-services', api.tokenOf('CUSTOMER'))
    .send({ sku: 1 })
    .expect(403);
  expect(body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('ADMIN') as string });
});

describe('with several keys', () => {
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

  it('the first one signs, and all verify: a rotation ends no token', async () => {
    const before = createJwt(testConfig(set(RS256)).jwt);
    const { accessToken } = before.issue({ id: USER, role: 'ADMIN', tokenVersion: 0 });
    expect(await statusOf(accessToken)).toBe(200);
    const next = rotated.tokenOf('ADMIN');
    expect(jwt.decode(next, { complete: true })!.header).toMatchObject({ alg: 'ES256', kid: 'e1' });
    expect(await statusOf(next)).toBe(200);
    expect(await statusOf(api.tokenOf('ADMIN'))).toBe(200); // JWT_SECRET is there too, to verify
  });

  it('a key serves its own algorithm only', async () => {
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
    expect(await statusOf(signed(privateKey, { algorithm: 'RS256' }))).toBe(401);
    expect(await statusOf(signed(privateKey, { algorithm: 'RS256', keyid: 'r1' }))).toBe(200);
  });

  it.each(['/.well-known/jwks.json', '/orders-management-system/.well-known/jwks.json'])(
    'the public ones are at %s, and nothing private',
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

  it('a secret is not among them', async () => {
    const { body } = await request(api.app.callback()).get('/.well-known/jwks.json').expect(200);
    expect(body).toEqual({ keys: [] });
  });
});
