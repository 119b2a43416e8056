import { openTestApi, type TestApi } from '../support/api';

const SHOP = 'https://shop.example';
const OPERATOR = 'https://ops.example:8443';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi({ env: { CORS_ORIGINS: `${SHOP},${OPERATOR}` } })));
afterAll(() => api.close());

const corsHeadersOf = (headers: Record<string, string>) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));
const preflight = (origin: string) =>
  api.call('options', '/product-services').set({
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type',
  });

describe('a whitelisted origin', () => {
  it.each([SHOP, OPERATOR])(
    '%s may read responses and gets a preflight that browsers cache',
    async (origin) => {
      const { headers } = await api.call('get', '/product-services').set('Origin', origin).expect(200);
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': expect.stringMatching(/ETag.*Order-Token/) as string,
      });
      const response = await preflight(origin).expect(204);
      expect(response.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-max-age': '600',
        'access-control-allow-methods': expect.stringContaining('DELETE') as string,
        'access-control-allow-headers': expect.stringMatching(/Cart-Token.*If-Match.*Order-Token/) as string,
        vary: expect.stringContaining('Origin') as string,
      });
      expect(response.headers).not.toHaveProperty('access-control-allow-credentials');
    },
  );
});

describe('any other origin', () => {
  it.each([
    'null',
    'https://shop.example.evil.com',
    'https://shop.examples',
    'https://evilshop.example',
    'https://evil.shop.example',
    'https://shop.example:444',
    'https://shop.example:443',
    'http://shop.example',
    'https://shop.example.',
    'https://shop.example/',
    'https://SHOP.example',
    'https://shop.example@evil.com',
    'https://shop.example, https://evil.com',
    'https://ops.example',
    '*',
    '',
  ])('%s gets no CORS header, neither on responses nor on preflights', async (origin) => {
    for (const response of [
      await api.call('get', '/product-services').set('Origin', origin).expect(200),
      await api.call('get', '/nothing').set('Origin', origin).expect(404),
      await preflight(origin),
    ]) {
      expect(corsHeadersOf(response.headers)).toEqual([]);
      expect(response.headers.vary).toContain('Origin');
    }
  });

  it('including none gets a response that varies by origin', async () => {
    const { headers } = await api.call('get', '/product-services').expect(200);
    expect(corsHeadersOf(headers)).toEqual([]);
    expect(headers.vary).toContain('Origin');
  });
});

it('sets the security headers of Helmet, with a policy that the Swagger page needs', async () => {
  const { headers } = await api.call('get', '/api').expect(200);
  expect(headers).toMatchObject({
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringMatching(/^max-age=\d{8}; includeSubDomains$/) as string,
    'x-content-type-options': 'nosniff',
    'x-dns-prefetch-control': 'off',
    'x-download-options': 'noopen',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    'x-xss-protection': '0',
  });
  expect(headers).not.toHaveProperty('x-powered-by');
  const policy = Object.fromEntries(
    headers['content-security-policy']!.split(';').map((directive) => {
      const [name, ...sources] = directive.split(' ');
      return [name, sources.join(' ')];
    }),
  );
  expect(policy).toEqual({
    'default-src': "'self'",
    'base-uri': "'none'",
    'font-src': "'self'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
    'img-src': "'self' data:",
    'object-src': "'none'",
    'script-src': "'self'",
    'script-src-attr': "'none'",
    'style-src': "'self' 'unsafe-inline'",
  });
});
