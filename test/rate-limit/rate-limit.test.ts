import request from 'supertest';
import Koa from 'koa';
import { newId } from '../../src/common/ids';
import { rateLimit } from '../../src/rate-limit/rate-limit';
import type { State } from '../../src/http/context';
import { countIn, type Store } from '../../src/rate-limit/store';
import { createWindowCounter } from '../../src/rate-limit/window-counter';
import { openTestApi, type TestApi } from '../support/api';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

const DAY_MS = 24 * 60 * 60 * 1_000;

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

/** Opens an API that has counted no request yet, and whose windows do not end during a test. */
const openLimited = (env: NodeJS.ProcessEnv = {}) =>
  openTestApi({ db, env: { RATE_LIMIT_MAX: '3', RATE_LIMIT_WINDOW_MS: String(DAY_MS), ...env } });

describe('the rate limit', () => {
  let api: TestApi;
  beforeEach(async () => void (api = await openLimited({ CORS_ORIGINS: 'https://shop.example' })));
  afterEach(() => api.close());

  it('counts down in the headers, then returns 429 with Retry-After and all other headers', async () => {
    const remaining = [];
    for (let call = 0; call < 3; call++) {
      const { headers } = await api.call('get', '/product-services').expect(200);
      expect(headers).toMatchObject({
        'x-ratelimit-limit': '3',
        'x-ratelimit-reset': expect.stringMatching(/^\d+$/) as string,
      });
      remaining.push(headers['x-ratelimit-remaining']);
    }
    expect(remaining).toEqual(['2', '1', '0']);
    const { headers, body } = await api
      .call('get', '/product-services')
      .set('Origin', 'https://shop.example')
      .expect(429);
    expect(body).toMatchObject({ code: 'rate_limited' });
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(headers).toMatchObject({
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': expect.stringMatching(/^\d+$/) as string,
      'access-control-allow-origin': 'https://shop.example',
      'x-request-id': expect.any(String) as string,
      'x-content-type-options': 'nosniff',
    });
  });

  it('counts each user at all addresses, and a forged token for the address alone', async () => {
    const proxied = await openLimited({ TRUSTED_PROXIES: '1' });
    const read = (token: string, address: string) =>
      proxied.call('get', '/product-services', token).set('X-Forwarded-For', address);
    const [alice, bob] = [proxied.tokenOf('CUSTOMER'), proxied.tokenOf('CUSTOMER')];
    for (let call = 0; call < 3; call++) await read(alice, `192.0.2.${call}`).expect(200);
    await read(alice, '192.0.2.9').expect(429);
    await read(bob, '192.0.2.9').expect(200);
    for (let call = 0; call < 3; call++) await read(`${bob}x`, '192.0.2.10').expect(200);
    await read(bob, '192.0.2.11').expect(200);
    await proxied.close();
  });

  it('does not count more for an address with many accounts', async () => {
    for (let call = 0; call < 3; call++)
      await api.call('get', '/product-services', api.tokenOf('CUSTOMER')).expect(200);
    await api.call('get', '/product-services', api.tokenOf('CUSTOMER')).expect(429);
    await api.call('get', '/product-services').expect(429);
  });

  it('counts the routes of signing in apart from all others', async () => {
    const own = await openLimited({ SIGN_IN_RATE_LIMIT_MAX: '2' });
    const signIn = () => own.call('post', '/auth/login').send({});
    for (let call = 0; call < 4; call++) await own.call('get', '/product-services');
    expect((await signIn().expect(400)).headers['x-ratelimit-remaining']).toBe('1');
    await signIn().expect(400);
    await signIn().expect(429);
    await own.call('post', '/auth/refresh').send({}).expect(429);
    await own.close();
  });

  it('counts 404 and 401 and has its headers on them', async () => {
    expect((await api.call('get', '/nothing').expect(404)).headers['x-ratelimit-remaining']).toBe('2');
    expect((await api.call('post', '/product-services').expect(401)).headers['x-ratelimit-remaining']).toBe(
      '1',
    );
  });

  it('counts the health routes apart from all others, and only those', async () => {
    for (let call = 0; call < 5; call++) {
      const { headers } = await api.call('get', '/health/live').expect(200);
      expect(headers).not.toHaveProperty('x-ratelimit-limit');
    }
    for (let call = 0; call < 3; call++) await api.call('get', '/health/nothing').expect(404);
    await api.call('get', '/health/nothing').expect(429);
    await api.call('get', '/health/').expect(429);
    await api.call('get', '/health').expect(200);
    await api.call('get', '/health/ready').expect(200);
  });
});

it('ends a flood of health probes from one address, and neither those of others nor other requests', async () => {
  const api = await openLimited({ RATE_LIMIT_WINDOW_MS: '60000', TRUSTED_PROXIES: '1' });
  const probe = (address: string) => api.call('get', '/health/live').set('X-Forwarded-For', address);
  for (let call = 0; call < 600; call++) await probe('192.0.2.1').expect(200);
  const { headers } = await probe('192.0.2.1').expect(429);
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  await probe('192.0.2.2').expect(200);
  await api.call('get', '/product-services').set('X-Forwarded-For', '192.0.2.1').expect(200);
  await api.close();
});

describe('forged headers', () => {
  it('make no new client of another address in the same IPv6 network', async () => {
    const api = await openLimited({ TRUSTED_PROXIES: '1' });
    const from = async (address: string) =>
      (await api.call('get', '/nothing').set('X-Forwarded-For', address)).status;
    for (let n = 0; n < 3; n++) expect(await from(`2001:db8::${n}`)).toBe(404);
    expect(await from('2001:db8::ffff')).toBe(429);
    expect(await from('2001:db8:0:1::1')).toBe(404);
    await api.close();
  });

  const forged = (n: number) => `10.${n >> 8}.${n & 255}.1`;

  it('make no new client by 1,000 values of X-Forwarded-For if no proxy is trusted', async () => {
    const api = await openLimited();
    const statuses = new Map<number, number>();
    for (let n = 0; n < 1_000; n++) {
      const { status } = await api.call('get', '/nothing').set('X-Forwarded-For', forged(n));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [404, 3],
      [429, 997],
    ]);
    for (const header of ['X-Real-IP', 'X-Client-IP', 'Forwarded', 'CF-Connecting-IP', 'True-Client-IP'])
      await api.call('get', '/nothing').set(header, 'for=10.9.9.9').expect(429);
    await api.close();
  });

  it('make no new client by what precedes the entry of one trusted proxy', async () => {
    const api = await openLimited({ TRUSTED_PROXIES: '1' });
    const from = (n: number, client: string) =>
      api.call('get', '/nothing').set('X-Forwarded-For', `${forged(n)}, ${client}`);
    for (let n = 0; n < 3; n++) await from(n, '192.0.2.1').expect(404);
    for (let n = 3; n < 50; n++) await from(n, '192.0.2.1').expect(429);
    await from(0, '192.0.2.2').expect(404);
    await api.close();
  });

  it('count for the address, not for the user whom a forged token names', async () => {
    const api = await openLimited();
    const id = newId('usr');
    const valid = api.tokenOf('CUSTOMER', id);
    const [head, claims] = valid.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const forgeries = [`${head}.${claims}.AAAA`, `${none}.${claims}.`, `${head}.${claims}`, 'Bearer', id];
    const statuses = [];
    for (const token of forgeries) statuses.push((await api.call('get', '/nothing', token)).status);
    expect(statuses).toEqual([404, 404, 404, 429, 429]);
    await api.close();
    const proxied = await openLimited({ TRUSTED_PROXIES: '1' });
    for (const [n, token] of forgeries.slice(0, 3).entries())
      await proxied.call('get', '/nothing', token).set('X-Forwarded-For', `192.0.2.${n}`).expect(404);
    const { headers } = await proxied
      .call('get', '/nothing', valid)
      .set('X-Forwarded-For', '192.0.2.9')
      .expect(404);
    expect(headers['x-ratelimit-remaining']).toBe('2');
    await proxied.close();
  });
});

it('allows requests again when the window has ended', async () => {
  const app = limited({ max: 1, windowMs: 50 });
  await request(app.callback()).get('/').expect(200);
  await eventually(() => request(app.callback()).get('/').expect(200));
});

it('counts in a store that several processes share', async () => {
  const counter = createWindowCounter();
  const apps = [1, 2].map(() => limited({ max: 1, windowMs: DAY_MS }, countIn(counter)));
  await request(apps[0]!.callback()).get('/').expect(200);
  await request(apps[1]!.callback()).get('/').expect(429);
});

function limited(config: { max: number; windowMs: number }, store?: Store): Koa<State> {
  const app = new Koa<State>();
  app.silent = true;
  app.on('error', () => undefined);
  app.use(rateLimit({ config: { prefix: '', rateLimit: config }, signIn: { rateLimitMax: 1 }, store }));
  app.use((ctx) => void (ctx.body = 'ok'));
  return app;
}
