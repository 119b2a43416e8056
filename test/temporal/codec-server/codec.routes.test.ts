import { defaultPayloadConverter } from '@temporalio/common';
import { randomBytes } from 'node:crypto';
import { codecRoutes } from '../../../src/temporal/codec-server/codec.routes';
import { createCodecSessions } from '../../../src/temporal/codec-server/session';
import { newId } from '../../../src/common/ids';
import { parsePayloadKeys } from '../../../src/config/payload-keys';
import { createPayloadCodec } from '../../../src/temporal/payload-codec';
import { openTestApi, type TestApi } from '../../support/api';
import { PRODUCTION_ENV } from '../../support/config';
import { SESSION_ID } from '../../support/tokens';

const newKey = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [`old:${newKey()}`, `new:${newKey()}`];
const UI = 'http://localhost:8233';
const CANARY = 'a canary in a note';

let api: TestApi;
let admin: string;
let adminId: string;
beforeAll(async () => {
  api = await openTestApi({
    routes: (config, revokedTokens, report) => codecRoutes(config, revokedTokens, report),
    env: { PAYLOAD_KEYS: `${NEW},${OLD}` },
  });
  adminId = newId('usr');
  admin = api.tokenOf('ADMIN', adminId);
});
afterAll(() => api.close());

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const PLAIN = { metadata: { encoding: base64('json/plain') }, data: base64(JSON.stringify(CANARY)) };

async function encrypted(keys = OLD) {
  const payload = defaultPayloadConverter.toPayload(CANARY);
  const [encoded] = await createPayloadCodec(parsePayloadKeys(keys)).encode([payload]);
  const metadata = Object.entries(encoded!.metadata!).map(([name, bytes]) => [name, base64(bytes)]);
  return { metadata: Object.fromEntries(metadata) as Record<string, string>, data: base64(encoded!.data!) };
}

const send = (operation: string, payloads: unknown[], token?: string) =>
  api.call('post', `/codec/${operation}`, token).send({ payloads });

async function sessionOf(token = admin): Promise<string> {
  const { headers } = await api.call('post', '/codec/session', token).expect(204);
  return headers['set-cookie']![0]!;
}

const valueOf = (cookie: string) => cookie.split(';')[0]!;

describe('decode and encode', () => {
  it('return the payloads to an ADMIN as JSON of Temporal, without our envelope', async () => {
    const { body, headers } = await send('decode', [await encrypted(), PLAIN], admin).expect(200);
    expect(body).toEqual({ payloads: [PLAIN, PLAIN] });
    expect(headers['cache-control']).toBe('no-store');
    const encoded = await send('encode', body.payloads as unknown[], admin).expect(200);
    expect(JSON.stringify(encoded.body)).not.toContain(PLAIN.data);
    expect(encoded.body.payloads[0].metadata).toEqual({
      encoding: base64('binary/encrypted'),
      'encryption-key-id': base64('new'),
    });
    expect((await send('decode', encoded.body.payloads, admin)).body).toEqual({ payloads: [PLAIN, PLAIN] });
  });

  it('accept the URL-safe alphabet of base64, payloads without data, and no payloads', async () => {
    const { metadata, data } = await encrypted();
    const urlSafe = data.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const { body } = await send('decode', [{ metadata, data: urlSafe }, {}], admin).expect(200);
    expect(body).toEqual({ payloads: [PLAIN, { metadata: {}, data: '' }] });
    expect((await send('decode', [], admin).expect(200)).body).toEqual({ payloads: [] });
  });

  it('log the user and the number of payloads, and nothing of their content', async () => {
    await api.clear();
    await send('decode', [await encrypted(), await encrypted()], admin).expect(200);
    expect(api.logs).toContainEqual(
      expect.objectContaining({
        securityEvent: 'codec_used',
        userId: adminId,
        operation: 'decode',
        payloads: 2,
      }),
    );
    expect(JSON.stringify(api.logs)).not.toMatch(new RegExp(`canary|${PLAIN.data}`));
  });

  it('ignore the query parameters that the Temporal UI adds', async () => {
    const url = '/codec/decode?preserveStorageRefs=true&whatever=comes[$next]';
    const { body } = await api
      .call('post', url, admin)
      .send({ payloads: [PLAIN] })
      .expect(200);
    expect(body).toEqual({ payloads: [PLAIN] });
  });

  it.each(['decode', 'encode', 'session'])('%s is for ADMINs only', async (operation) => {
    await send(operation, []).expect(401);
    await send(operation, [], api.tokenOf('CUSTOMER')).expect(403);
  });

  it.each([
    ['no payloads', {}],
    ['an unknown field', { payloads: [{ text: 'x' }] }],
    ['data that is not base64', { payloads: [{ data: '?' }] }],
    ['metadata that is not base64', { payloads: [{ metadata: { encoding: 'ä' } }] }],
  ])('reject %s', async (_what, body) => {
    await api.call('post', '/codec/decode', admin).send(body).expect(400);
  });

  it('name the missing key, and reject payloads that were tampered with', async () => {
    const foreign = await send('decode', [await encrypted(`third:${newKey()}`)], admin).expect(400);
    expect(foreign.body.detail).toMatch(/key "third", which this process does not have.*PAYLOAD_KEYS/);
    const { metadata, data } = await encrypted();
    const tampered = await send('decode', [{ metadata, data: data.slice(0, -8) }], admin).expect(400);
    expect(tampered.body.detail).toMatch(/cannot be decrypted/);
  });

  it('accept as much as Temporal does at a time, and no more', async () => {
    const half = base64(Buffer.alloc(1_000_000));
    const { body } = await send('encode', [{ data: half }, { data: half }], admin).expect(200);
    expect((await send('decode', body.payloads, admin).expect(200)).body.payloads[1].data).toBe(half);
    await send('encode', Array(5).fill({ data: half }), admin).expect(413);
  });
});

describe('without keys', () => {
  let unencrypted: TestApi;
  beforeAll(
    async () =>
      void (unencrypted = await openTestApi({
        routes: (config, revokedTokens, report) => codecRoutes(config, revokedTokens, report),
        db: api.db,
      })),
  );
  afterAll(() => unencrypted.close());

  it.each(['decode', 'encode', 'session'])('%s returns 404 and names PAYLOAD_KEYS', async (operation) => {
    const body = operation === 'session' ? {} : { payloads: [] };
    const call = unencrypted.call('post', `/codec/${operation}`, admin).send(body);
    const response = await call.expect(404);
    expect(response.body.detail).toContain('PAYLOAD_KEYS');
  });
});

describe('the cookie', () => {
  const session = (seconds = 60) => ({
    id: adminId,
    tokenVersion: 0,
    sessionId: SESSION_ID,
    expiresAt: Math.floor(Date.now() / 1_000) + seconds,
  });
  const decode = async (cookie: string, origin: string | undefined) => {
    const call = send('decode', [await encrypted()]).set('Cookie', valueOf(cookie));
    return origin === undefined ? call : call.set('Origin', origin);
  };

  it('is sent to the codec routes only, not from other sites, and is unreadable for scripts', async () => {
    expect((await sessionOf()).split('; ').slice(1).sort()).toEqual([
      'HttpOnly',
      expect.stringMatching(/^Max-Age=[1-9]\d{0,2}$/),
      'Path=/orders-management-system/codec',
      'SameSite=Strict',
    ]);
  });

  it('does not allow encrypting', async () => {
    const call = send('encode', [PLAIN]).set('Cookie', valueOf(await sessionOf()));
    await call.set('Origin', UI).expect(401);
  });

  it('decrypts payloads for a page of the Temporal UI, and the log names the user', async () => {
    await api.clear();
    const { status, body } = await decode(await sessionOf(), UI);
    expect([status, body]).toEqual([200, { payloads: [PLAIN] }]);
    expect(api.logs).toContainEqual(
      expect.objectContaining({ securityEvent: 'codec_used', userId: adminId }),
    );
  });

  it.each([
    undefined,
    'null',
    'http://localhost:8234',
    'https://localhost:8233',
    'http://localhost',
    'http://localhost:8233.evil.example',
    'http://127.0.0.1:8233',
  ])('is rejected from the origin %s', async (origin) => {
    const { status, headers } = await decode(await sessionOf(), origin);
    expect([status, headers['access-control-allow-origin']]).toEqual([401, undefined]);
  });

  it('is rejected if it is forged, signed with another key, or expired', async () => {
    const parts = valueOf(await sessionOf())
      .split('=')[1]!
      .split('.');
    const [userId, version, sessionId, expiresAt, signature] = parts;
    const foreign = createCodecSessions(parsePayloadKeys(`new:${newKey()}`)).mint(session());
    const own = createCodecSessions(parsePayloadKeys(NEW));
    for (const value of [
      `${newId('usr')}.${version}.${sessionId}.${expiresAt}.${signature}`,
      `${userId}.${Number(version) + 1}.${sessionId}.${expiresAt}.${signature}`,
      `${userId}.${version}.${sessionId}0.${expiresAt}.${signature}`,
      `${userId}.${version}.${sessionId}.${Number(expiresAt) + 1}.${signature}`,
      `${userId}.${version}.${sessionId}.${expiresAt}.${'A'.repeat(43)}`,
      `${userId}.${version}.${sessionId}.${expiresAt}.`,
      foreign,
      own.mint(session(-1)),
      own.mint({ ...session(), id: 'admin' }),
      admin,
      '',
    ]) {
      expect([value, (await decode(`oms_codec=${value}`, UI)).status]).toEqual([value, 401]);
    }
    expect((await decode(`oms_codec=${own.mint(session())}`, UI)).status).toBe(200);
  });

  it('outlives neither the access token that opened it nor the rotation of its key', async () => {
    const last = createCodecSessions(parsePayloadKeys(OLD)).mint(session());
    expect((await decode(`oms_codec=${last}`, UI)).status).toBe(200); // while the old key is there

    const now = Date.now();
    const later = jest.spyOn(Date, 'now').mockReturnValue(now + 600_000); // the token has 300 s left
    const cookie = await sessionOf();
    later.mockRestore();
    expect(Number(/Max-Age=(\d+)/.exec(cookie)![1])).toBeLessThanOrEqual(300);
  });

  it('is rejected as an access token, for another cookie, and on other routes', async () => {
    const cookie = valueOf(await sessionOf());
    await api.call('post', '/codec/session').set({ Cookie: cookie, Origin: UI }).expect(401);
    const token = cookie.split('=')[1]!;
    await send('decode', [], token).expect(401);
    const write = api.call('post', '/product-services').set({ Cookie: cookie, Origin: UI });
    await write.send({}).expect(401);
  });

  it('is Secure in production, and says so in its name', async () => {
    const production = await openTestApi({
      routes: (config, revokedTokens, report) => codecRoutes(config, revokedTokens, report),
      db: api.db,
      env: { ...PRODUCTION_ENV, PAYLOAD_KEYS: NEW, LOG_LEVEL: 'info' },
    });
    const { headers } = await production.call('post', '/codec/session', admin).expect(204);
    const cookie = headers['set-cookie']![0]!;
    expect(cookie).toMatch(/^__Secure-oms_codec=.*; Secure$/);
    const decodeWith = (name: string) =>
      production
        .call('post', '/codec/decode')
        .set({ Cookie: valueOf(cookie).replace(/^[^=]+/, name), Origin: UI })
        .send({ payloads: [PLAIN] });
    await decodeWith('__Secure-oms_codec').expect(200);
    await decodeWith('oms_codec').expect(401);
    await production.close();
  });
});

describe('CORS', () => {
  let open: TestApi;
  beforeAll(async () => {
    const env = { PAYLOAD_KEYS: NEW, CORS_ORIGINS: 'https://shop.example', TEMPORAL_UI_URL: `${UI}/ui` };
    open = await openTestApi({
      routes: (config, revokedTokens, report) => codecRoutes(config, revokedTokens, report),
      db: api.db,
      env,
    });
  });
  afterAll(() => open.close());

  const preflight = (path: string, origin: string) =>
    open.call('options', path).set({
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type,x-namespace',
    });

  it('lets pages of the Temporal UI send the cookie and read errors', async () => {
    const { headers } = await preflight('/codec/decode', UI).expect(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': UI,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-max-age': '600',
      vary: expect.stringContaining('Origin') as string,
    });
    expect(headers['access-control-allow-headers']!.toLowerCase()).toMatch(/content-type,x-namespace/);
    const rejected = await open.call('post', '/codec/decode').set('Origin', UI).send({}).expect(401);
    expect(rejected.headers).toMatchObject({
      'access-control-allow-origin': UI,
      'access-control-allow-credentials': 'true',
      vary: expect.stringContaining('Origin') as string,
    });
  });

  it('allows no other page, not even those that may call the rest of the API', async () => {
    for (const origin of ['https://shop.example', `${UI}.evil.example`, 'null']) {
      const { headers } = await preflight('/codec/decode', origin);
      expect([origin, headers['access-control-allow-origin']]).toEqual([origin, undefined]);
      expect(headers.vary).toContain('Origin');
    }
  });

  it('does not let the Temporal UI call other routes', async () => {
    expect((await preflight('/product-services', UI)).headers['access-control-allow-origin']).toBeUndefined();
    const shop = await preflight('/product-services', 'https://shop.example');
    expect(shop.headers).toMatchObject({ 'access-control-allow-origin': 'https://shop.example' });
    expect(shop.headers['access-control-allow-credentials']).toBeUndefined();
  });
});
