import request from 'supertest';
import Koa from 'koa';
import { rateLimit } from '../../src/common/rate-limit';
import type { State } from '../../src/common/context';
import { countIn } from '../../src/common/windows';
import pino from 'pino';
import { openTestApi, type TestApi } from '../support/api';

describe('the rate limit', () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await openTestApi({ env: { RATE_LIMIT_MAX: '3', CORS_ORIGINS: 'https://shop.example' } });
  });
  afterEach(() => api.close());

  test('counts down in the headers, then answers 429 with Retry-After and all other headers', async () => {
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

  test('counts each user apart, and a forged token by its address', async () => {
    const [alice, bob] = [api.tokenOf('CUSTOMER'), api.tokenOf('CUSTOMER')];
    for (let call = 0; call < 3; call++) await api.call('get', '/product-services', alice).expect(200);
    await api.call('get', '/product-services', alice).expect(429);
    await api.call('get', '/product-services', bob).expect(200);
    for (let call = 0; call < 3; call++) await api.call('get', '/product-services', `${alice}x`).expect(200);
    await api.call('get', '/product-services', `${bob}y`).expect(429);
  });

  test('is on errors, too: 404 and 401 count and tell', async () => {
    expect((await api.call('get', '/nothing').expect(404)).headers['x-ratelimit-remaining']).toBe('2');
    expect((await api.call('post', '/product-services').expect(401)).headers['x-ratelimit-remaining']).toBe(
      '1',
    );
  });

  test('leaves the health routes alone', async () => {
    for (let call = 0; call < 5; call++) {
      const { headers } = await api.call('get', '/health/live').expect(200);
      expect(headers).not.toHaveProperty('x-ratelimit-limit');
    }
    await api.call('get', '/health').expect(200);
  });
});

test('a window ends and begins anew', async () => {
  const app = limited({ max: 1, windowMs: 50 });
  await request(app.callback()).get('/').expect(200);
  let status;
  do status = (await request(app.callback()).get('/')).status;
  while (status === 429);
  expect(status).toBe(200);
});

test('the windows of Redis serve as well', async () => {
  let used = 0;
  const windows = countIn(
    { countRequest: () => Promise.resolve([++used, 5000]) },
    pino({ level: 'silent' }),
    'It',
  );
  const app = limited({ max: 1, windowMs: 5000 }, windows);
  await request(app.callback()).get('/').expect(200);
  await request(app.callback()).get('/').expect(429);
});

function limited(
  config: { max: number; windowMs: number },
  windows?: ReturnType<typeof countIn>,
): Koa<State> {
  const app = new Koa<State>();
  app.silent = true;
  app.on('error', () => undefined);
  app.use(rateLimit({ config: { prefix: '', rateLimit: config }, windows }));
  app.use((ctx) => void (ctx.body = 'ok'));
  return app;
}
