import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pino from 'pino';
import {
  allOf,
  createClient,
  follow,
  ProblemError,
  type Client,
  type Session,
  type Tokens,
} from '../../clients/typescript/src';
import { startServer, type RunningServer } from '../../src/api-server';
import { seed } from '../../src/seed/seed';
import { DEMO_ADMIN, DEMO_CUSTOMER, DEMO_PASSWORD } from '../../src/users/demo-users';
import { PROJECT_ROOT } from '../../tools/project';
import { findChromium, openBrowser } from '../support/browser';
import { testConfig } from '../support/config';
import { HANG_MS } from '../support/eventually';
import { untilReady } from '../support/ready';
import { keepRelaying } from '../support/relay';
import { openShop, type Shop } from '../support/shop';
import { taskQueueEnv } from '../support/task-queues';

const CARD = 'pm_card_visa';
const ADDRESS = { name: 'Ada Lovelace', line1: 'Street 1', city: 'Berlin', country: 'DE' } as const;
const CLIENT = join(PROJECT_ROOT, 'clients', 'typescript');
const run = promisify(execFile);
const chromium = findChromium();
if (!chromium) {
  console.warn(
    'The client is not tested in a browser, because there is no Chromium on PATH. Install it, for example `apt install chromium`.',
  );
}

let page: { server: Server; url: string };
let shop: Shop;
let server: RunningServer;
let relay: ReturnType<typeof keepRelaying>;
let productServiceId: string;

beforeAll(async () => {
  page = await servePage();
  shop = await openShop({ own: true });
  const config = testConfig({
    PORT: '0',
    MONGODB_URI: shop.db.uri,
    CORS_ORIGINS: page.url,
    ...taskQueueEnv(shop.taskQueue),
    PLACE_ORDER_TIMEOUT_MS: String(HANG_MS),
    ORDER_COMMAND_TIMEOUT_MS: String(HANG_MS),
  });
  server = await startServer(config, pino({ level: 'silent' }));
  await shop.startWorker();
  relay = keepRelaying(shop.db.connection);
  await Promise.all([untilReady(server.url), relay.following, seed(shop.db.connection, 'test')]);
  productServiceId = (await shop.sell()).id;
});
afterAll(async () => {
  await relay?.stop();
  await server?.close();
  await shop?.close();
  page.server.closeAllConnections();
  page.server.close();
});

/** Serves an empty page, and the modules of the built client to it. */
async function servePage(): Promise<typeof page> {
  const listening = createServer((req, res) => {
    const [, module] = /^\/client\/([\w.-]+\.js)$/.exec(req.url!) ?? [];
    if (module === undefined) return void res.setHeader('Content-Type', 'text/html').end('<!doctype html>');
    res.setHeader('Content-Type', 'text/javascript');
    void readFile(join(CLIENT, 'dist', 'esm', module)).then((code) => res.end(code));
  });
  await new Promise<void>((resolve) => void listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  return { server: listening, url: `http://127.0.0.1:${port}` };
}

async function sessionOf(email: string): Promise<Session> {
  const { data } = await createClient({ baseUrl: server.url }).login({
    body: { email, password: DEMO_PASSWORD },
  });
  return data as Session;
}

async function signedIn(email: string, send?: typeof fetch): Promise<Client> {
  return createClient({ baseUrl: server.url, tokens: await sessionOf(email), fetch: send });
}

/** Sends requests, but loses the first response to those that match. */
function losing(path: RegExp): typeof fetch {
  let isLost = false;
  return async (...sent) => {
    const { method, url } = new Request(...sent);
    const response = await fetch(...sent);
    if (isLost || !path.test(`${method} ${url}`)) return response;
    isLost = true;
    throw new TypeError('fetch failed');
  };
}

const order = () => ({ items: [{ productServiceId, quantity: 1 }], paymentMethod: CARD });
const problemOf = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

it('places one order although its response is lost, and lists it', async () => {
  const alice = await signedIn(DEMO_CUSTOMER, losing(/^POST .*\/orders$/));
  const first = await alice.placeOrder({ body: order() });
  expect(first).toMatchObject({ status: 201, isReplayed: true, data: { status: 'confirmed' } });
  const second = await alice.placeOrder({ body: order() });
  expect(second).toMatchObject({ status: 201, isReplayed: false });
  const ids: string[] = [];
  const query = { status: ['confirmed' as const], limit: 1 };
  for await (const { id } of allOf((cursor) => alice.listOrders({ query: { ...query, cursor } })))
    ids.push(id);
  expect(ids).toEqual([second.data.id, first.data.id]);
});

it('reads what is new, changes what is current, and fails with what the API says', async () => {
  const alice = await signedIn(DEMO_CUSTOMER);
  const { data, etag } = await alice.placeOrder({ body: order() });
  const path = { id: data.id };
  expect(await problemOf(alice.getOrder({ path, headers: { 'If-None-Match': etag } }))).toMatchObject({
    code: 'not_modified',
  });
  const amend = (version: string) =>
    alice.amendOrder({ path, headers: { 'If-Match': version }, body: { note: 'Ring twice.' } });
  const problem = (await problemOf(amend('"0"'))) as ProblemError;
  expect(problem).toBeInstanceOf(ProblemError);
  expect(problem).toMatchObject({ status: 412, code: 'precondition_failed', etag });
  expect(await amend(problem.etag!)).toMatchObject({ data: { note: 'Ring twice.' } });
  const invalid = await problemOf(alice.placeOrder({ body: { ...order(), items: [] } }));
  expect(invalid).toMatchObject({ code: 'validation_failed', errors: [{ path: 'items' }] });
});

it('renews its tokens once for many calls, and tells when the session has ended', async () => {
  const { refreshToken } = await sessionOf(DEMO_CUSTOMER);
  const kept: Required<Tokens>[] = [];
  const client = createClient({
    baseUrl: server.url,
    tokens: { accessToken: 'worn.out.token', refreshToken },
    onTokens: (tokens) => kept.push(tokens),
  });
  const calls = Array.from({ length: 8 }, () => client.getProfile());
  for (const { data } of await Promise.all(calls)) expect(data.email).toBe(DEMO_CUSTOMER);
  expect(kept).toHaveLength(1);
  await client.logout({ body: { refreshToken: kept[0]!.refreshToken } });
  const ended = createClient({ baseUrl: server.url, tokens: { ...kept[0]!, accessToken: 'worn.out.token' } });
  expect(await problemOf(ended.getProfile())).toMatchObject({ status: 401, code: 'unauthorized' });
});

it('orders the cart of a guest once although the response is lost, and opens the order', async () => {
  const guest = createClient({ baseUrl: server.url, fetch: losing(/\/checkout$/) });
  const { data: cart } = await guest.createCart();
  const path = { id: cart.id };
  const headers = { 'Cart-Token': cart.token };
  await guest.putCartItem({ path: { ...path, productServiceId }, headers, body: { quantity: 2 } });
  await guest.changeCart({ path, headers, body: { shippingAddress: ADDRESS } });
  const ordered = await guest.checkOut({
    path,
    headers,
    body: { email: 'ada@example.com', paymentMethod: CARD },
  });
  expect(ordered).toMatchObject({ status: 201, isReplayed: true, data: { status: 'confirmed' } });
  const opening = { 'Order-Token': ordered.headers.get('Order-Token')! };
  const { data: read } = await guest.getOrder({ path: { id: ordered.data.id }, headers: opening });
  expect(read.id).toBe(ordered.data.id);
  expect(await problemOf(guest.getOrder({ path: { id: ordered.data.id } }))).toMatchObject({ status: 401 });
});

it('follows the feed of events from where it was', async () => {
  const [admin, alice] = await Promise.all([signedIn(DEMO_ADMIN), signedIn(DEMO_CUSTOMER)]);
  const { meta } = await admin.listEvents({ query: { limit: 1 } });
  const placed = alice.placeOrder({ body: order() });
  const read = (after?: number) =>
    admin.listEvents({ query: { after, types: ['order.confirmed'] }, headers: { Prefer: 'wait=20' } });
  let told: unknown;
  for await (const { events } of follow(read, { after: meta.feed.latest })) {
    [told] = events;
    if (told) break;
  }
  const { data } = await placed;
  expect(told).toMatchObject({ type: 'order.confirmed', data: { id: data.id, status: 'confirmed' } });
});

describe('the built package', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'client-package-'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: CLIENT });
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    expect(new Set(files.map(({ path }) => path.replace(/[\w.-]+\.(d\.ts|js)$/, '*.$1')))).toEqual(
      new Set(
        ['cjs', 'esm']
          .flatMap((format) => ['*.js', '*.d.ts', 'package.json'].map((file) => `dist/${format}/${file}`))
          .concat('README.md', 'package.json'),
      ),
    );
    await writeFile(join(folder, 'package.json'), '{}');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], { cwd: folder });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['required', 'user.cjs', "const { createClient } = require('orders-management-client');"],
    ['imported', 'user.mjs', "import { createClient } from 'orders-management-client';"],
  ])('works when it is %s', async (_, file, first) => {
    const source = `${first}
const path = { id: ${JSON.stringify(productServiceId)} };
createClient({ baseUrl: ${JSON.stringify(server.url)} }).getProductService({ path }).then(({ data }) => console.log(data.id));`;
    await writeFile(join(folder, file), source);
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    expect(stdout).toBe(`${productServiceId}\n`);
  });

  it('has types that tell what a call takes and returns', async () => {
    const source = `import { createClient, isProblem, type Order } from 'orders-management-client';
export async function total(id: string): Promise<number | null> {
  const client = createClient({ baseUrl: 'https://shop.example', apiKey: 'oms_x' });
  try {
    const { data, etag } = await client.getOrder({ path: { id } });
    const order: Order = data;
    if (etag) await client.cancelOrder({ path: { id }, body: { reason: 'No longer wanted' } });
    // @ts-expect-error -- there is no such field
    void order.price;
    // @ts-expect-error -- it has to say which
    void client.getOrder();
    return order.total;
  } catch (error) {
    // @ts-expect-error -- there is no such code
    if (isProblem(error, 'no_such_code')) return 0;
    if (isProblem(error, 'not_found')) return null;
    throw error;
  }
}
`;
    await Promise.all(['mts', 'cts'].map((type) => writeFile(join(folder, `user.${type}`), source)));
    const readme = await readFile(join(CLIENT, 'README.md'), 'utf8');
    const examples = Array.from(readme.matchAll(/```ts\n(.*?)```/gs), ([, example]) => example);
    await writeFile(join(folder, 'readme.mts'), examples.join(''));
    const options = ['--noEmit', '--strict', '--module', 'node16', '--lib', 'es2022,dom'];
    const tsc = require.resolve('typescript/bin/tsc');
    const compiled = run(process.execPath, [tsc, ...options, 'user.mts', 'user.cts', 'readme.mts'], {
      cwd: folder,
    });
    const said = await compiled.then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    );
    expect(said).toBe('');
  });

  (chromium ? it : it.skip)('works in the page of a shop', async () => {
    const browser = await openBrowser(chromium!, new URL(page.url));
    try {
      await browser.page.goto(page.url);
      const { accessToken, refreshToken } = await sessionOf(DEMO_CUSTOMER);
      const options = { baseUrl: server.url, tokens: { accessToken: 'worn.out.token', refreshToken } };
      const seen: unknown = await browser.page.evaluate(`(async () => {
        const { createClient, isProblem } = await import('/client/index.js');
        const client = createClient(${JSON.stringify(options)});
        const { data, etag, isReplayed } = await client.placeOrder({ body: ${JSON.stringify(order())} });
        const error = await client.getOrder({ path: { id: 'ord_0' } }).catch((error) => error);
        return { status: data.status, hasEtag: etag !== undefined, isReplayed, isMissing: isProblem(error, 'not_found') };
      })()`);
      expect(accessToken).not.toBe('worn.out.token');
      expect(seen).toEqual({ status: 'confirmed', hasEtag: true, isReplayed: false, isMissing: true });
    } finally {
      await browser.close();
    }
  });
});
