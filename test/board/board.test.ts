import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openTestApi, type TestApi } from '../support/api';

const PAGE = join(__dirname, '..', '..', 'src', 'board', 'page');
/** What the first visit may cost, compressed. */
const MAX_BYTES = 100_000;

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
afterAll(() => api.close());

/** The paths of everything that the page loads. */
async function loaded(): Promise<string[]> {
  const { text } = await api.call('get', '/board').expect(200);
  return [...text.matchAll(/(?:href|src)="\/orders-management-system(\/board\/[^"]+)"/g)].map(
    ([, path]) => path!,
  );
}

it('loads every file of the page, and nothing of other hosts', async () => {
  const { text } = await api
    .call('get', '/board')
    .expect(200)
    .expect('Content-Type', 'text/html; charset=utf-8');
  expect(text).not.toMatch(/https?:\/\/|<script(?! type="module" src=)|style=|\son\w+=/);
  const names = new Set((await loaded()).map((path) => path.replace('/board/assets/', '')));
  expect([...names].sort()).toEqual(
    readdirSync(PAGE)
      .filter((name) => !['index.html', 'tsconfig.json'].includes(name))
      .sort(),
  );
});

it('takes less than 100 kB for the first visit, and next to nothing for the next one', async () => {
  let first = 0;
  for (const path of new Set(['/board', ...(await loaded())])) {
    const { headers } = await api.call('get', path).set('Accept-Encoding', 'gzip').expect(200);
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', 'cache-control': 'no-cache' });
    first += Number(headers['content-length']) + JSON.stringify(headers).length;
    const again = await api
      .call('get', path)
      .set('Accept-Encoding', 'gzip')
      .set('If-None-Match', headers.etag!);
    expect(again.status).toBe(304);
    expect(again.headers.etag).toBe(headers.etag);
    const plain = await api.call('get', path).set('Accept-Encoding', 'identity').expect(200);
    expect(plain.headers.etag).not.toBe(headers.etag); // other bytes
    expect(plain.headers.vary).toContain('Accept-Encoding');
    const head = await api.call('head', path).set('Accept-Encoding', 'gzip').expect(200);
    expect(head.headers['content-length']).toBe(headers['content-length']);
  }
  expect(first).toBeLessThan(MAX_BYTES);
});

it('allows the page what it needs, and nothing else', async () => {
  for (const path of ['/board', '/board/assets/app.js']) {
    const { headers } = await api.call('get', path).expect(200);
    const policy = headers['content-security-policy']!;
    expect(policy).not.toMatch(/unsafe|data:|\*|https?:/);
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
      expect(policy.split(';')).toContain(rule);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  }
});

it.each([
  '/Board',
  '/board/assets',
  '/board/assets/',
  '/board/assets/index.html',
  '/board/assets/tsconfig.json',
  '/board/assets/..%2Fboard.js',
])('has nothing at %s', async (path) => void (await api.call('get', path).expect(404)));

it('is read only', async () =>
  void (await api.call('post', '/board').expect(405).expect('Allow', 'GET, HEAD, OPTIONS')));

it('is not there if it is switched off', async () => {
  const closed = await openTestApi({ db: api.db, env: { BOARD: 'false' } });
  for (const path of ['/board', '/board/assets/app.js']) await closed.call('get', path).expect(404);
  await closed.close();
});

it('works below another prefix', async () => {
  const other = await openTestApi({ db: api.db, env: { API_PREFIX: '/shop/api.v1' } });
  const { text } = await other.call('get', '/board').expect(200);
  expect(text).toContain('src="/shop/api.v1/board/assets/app.js"');
  expect(text).not.toContain('{base}');
  await other.call('get', '/board/assets/app.js').expect(200);
  await other.close();
});
