import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { connect, type Mongoose } from 'mongoose';
import { newId } from '../../src/common/ids';
import { createProductServiceRepository } from '../../src/product-service/product-service.repository';
import { freePorts } from '../../tools/devstack/ports';
import { JWT_SECRET, testConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { parseExposition, type Exposition } from '../support/exposition';
import { TEST_ORIGIN } from '../support/origin';
import { spawnNode, type NodeProcess } from '../support/process';
import { entryOf } from '../support/shop';
import { tokenFor } from '../support/tokens';
import { startWholeSystem, type WholeSystem } from '../support/whole-system';

const DOCS = join(__dirname, '..', '..', 'docs', 'observability.md');
const ENTRIES = join(__dirname, '..', '..', 'dist', 'src');
const DOWN = { MONGODB_URI: 'mongodb://127.0.0.1:1/?directConnection=true', TEMPORAL_ADDRESS: '127.0.0.1:1' };
const PREFIX = '/orders-management-system';

let system: WholeSystem;
let db: Mongoose;
let apiMetrics: string;
let workerMetrics: string;
/** What a test has started beside the system. */
const started: NodeProcess[] = [];

beforeAll(async () => {
  const [api, worker] = (await freePorts(2)) as [number, number];
  [apiMetrics, workerMetrics] = [urlOf(api), urlOf(worker)];
  system = await startWholeSystem(
    { PAYMENT_RETRY_WINDOW: '0' },
    { api: { METRICS_PORT: String(api) }, worker: { METRICS_PORT: String(worker) } },
  );
  db = await connect(system.mongodbUri);
});
afterEach(async () => {
  for (const one of started) one.kill('SIGKILL');
  await Promise.all(started.splice(0).map(({ ended }) => ended));
});
afterAll(async () => {
  await db?.disconnect();
  await system?.stop();
  await system?.remove();
});

const urlOf = (port: number) => `http://127.0.0.1:${port}/metrics`;

async function scrape(url: string): Promise<Exposition> {
  const response = await fetch(url);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return parseExposition(await response.text());
}

/** Starts a process on the system, and returns where its metrics are. */
async function start(entry: 'server' | 'worker', env: NodeJS.ProcessEnv): Promise<string> {
  const [port, metricsPort] = (await freePorts(2)) as [number, number];
  const child = spawnNode([join(ENTRIES, `${entry}.js`)], {
    NODE_ENV: 'test',
    MONGODB_URI: system.mongodbUri,
    TEMPORAL_ADDRESS: system.temporalAddress,
    WEB_CONCURRENCY: '1',
    ...(entry === 'server' && { JWT_SECRET, PORT: String(port) }),
    METRICS_PORT: String(metricsPort),
    ...env,
  });
  started.push(child);
  await child.line(/metrics served/);
  return urlOf(metricsPort);
}

const admin = tokenFor(testConfig(), 'ADMIN');
const customer = tokenFor(testConfig(), 'CUSTOMER', newId('usr'));

async function call(method: string, path: string, token: string, body?: object) {
  const response = await fetch(`${system.baseUrl}${path}`, {
    method,
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${token}`,
      'Idempotency-Key': randomUUID(),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- this test does not check the shape of bodies
  return { status: response.status, data: ((await response.json()) as any).data };
}

async function sell(available: number, price: { currency: string; unitPrice: number }): Promise<string> {
  const products = createProductServiceRepository(db.connection);
  const entry = { ...entryOf(available), ...price, taxRateBps: 0 };
  return (await products.insert(entry, TEST_ORIGIN))!.id;
}

function place(productServiceId: string, quantity: number, paymentMethod = 'pm_card_visa') {
  return call('POST', '/orders', customer, { items: [{ productServiceId, quantity }], paymentMethod });
}

/** Returns by how much a counter has grown. */
const growth =
  (before: Exposition, after: Exposition) =>
  (name: string, labels: Record<string, string> = {}): number =>
    after.sum(name, labels) - before.sum(name, labels);

it('counts what becomes of orders, by reason and to the minor unit of each currency', async () => {
  const euro = await sell(100, { currency: 'EUR', unitPrice: 1_999 });
  const yen = await sell(100, { currency: 'JPY', unitPrice: 700 });
  const [before, apiBefore] = await Promise.all([scrape(workerMetrics), scrape(apiMetrics)]);

  const completed = (await place(euro, 3)).data;
  const cancelled = (await place(yen, 2)).data;
  expect((await place(euro, 101)).status).toBe(409);
  expect((await place(euro, 1, 'pm_card_chargeDeclined')).status).toBe(402);
  const items = [{ productServiceId: euro, quantity: 3 }];
  const shipped = await call('POST', `/orders/${completed.id}/fulfillments`, admin, { items });
  const [{ id }] = shipped.data.fulfillments;
  expect((await call('POST', `/orders/${completed.id}/fulfillments/${id}/deliver`, admin)).status).toBe(200);
  const refund = { amount: 1_234, reason: 'goodwill' };
  expect((await call('POST', `/orders/${completed.id}/refunds`, admin, refund)).status).toBe(201);
  expect(
    (await call('POST', `/orders/${cancelled.id}/cancel`, customer, { reason: 'changed_mind' })).status,
  ).toBe(200);

  await eventually(async () => {
    const grown = growth(before, await scrape(workerMetrics));
    const amount = (currency: string, kind: string) => grown('orders_amount_minor_total', { currency, kind });
    expect({
      placed: grown('orders_placed_total'),
      confirmed: grown('orders_confirmed_total'),
      outOfStock: grown('orders_rejected_total', { reason: 'out_of_stock' }),
      declined: grown('orders_rejected_total', { reason: 'payment_declined' }),
      rejected: grown('orders_rejected_total'),
      cancelled: grown('orders_cancelled_total'),
      completed: grown('orders_completed_total'),
      refunded: grown('orders_refunded_total'),
      captured: [amount('EUR', 'captured'), amount('JPY', 'captured')],
      money: [amount('EUR', 'placed'), amount('JPY', 'placed'), amount('EUR', 'refunded')],
      placing: grown('orders_placing_duration_seconds_count'),
      settling: grown('orders_settling_duration_seconds_count'),
      authorized: grown('payment_calls_total', { operation: 'authorize', outcome: 'ok' }),
      turnedDown: grown('payment_calls_total', { operation: 'authorize', outcome: 'declined' }),
    }).toEqual({
      placed: 3, // the one whose payment was declined had its stock reserved before
      confirmed: 2,
      outOfStock: 1,
      declined: 1,
      rejected: 2,
      cancelled: 1,
      completed: 1,
      refunded: 1,
      captured: [5_997, 0],
      money: [5_997 + 1_999, 1_400, 1_234],
      placing: 2,
      settling: 4,
      authorized: 2,
      turnedDown: 1,
    });
  });
  const api = growth(apiBefore, await scrape(apiMetrics));
  const route = { http_request_method: 'POST', http_route: `${PREFIX}/orders` };
  const answered = (status: string) =>
    api('http_server_request_duration_seconds_count', { ...route, http_response_status_code: status });
  expect([answered('201'), answered('402'), answered('409')]).toEqual([2, 1, 1]);
  expect(api('orders_accepted_total')).toBe(2);
});

it('tells the state of the system, and what the SDK measures of itself', async () => {
  await eventually(async () => {
    const worker = await scrape(workerMetrics);
    for (const name of [
      'orders_overdue',
      'order_compensations_pending',
      'order_compensation_oldest_age_seconds',
      'webhook_deliveries_pending',
      'webhook_endpoint_oldest_failing_seconds',
      'audit_unsealed_entries',
      'audit_unsealed_oldest_age_seconds',
      'mongodb_filesystem_used_ratio',
      'events_lag_seconds',
    ])
      expect([name, worker.value(name)]).toEqual([name, expect.any(Number)]);
    expect(worker.value('orders_open', { status: 'confirmed' })).toBeGreaterThanOrEqual(0);
    expect(worker.value('mongodb_filesystem_used_ratio')).toBeLessThan(1);
    expect(worker.value('mongodb_up')).toBe(1);
    expect(worker.sum('mongodb_pool_connections')).toBeGreaterThan(0);
    expect(worker.types.get('temporal_workflow_task_schedule_to_start_latency')).toBe('histogram');
    for (const name of ['temporal_worker_task_slots_available', 'temporal_num_pollers'])
      expect(worker.sum(name, { task_queue: 'orders' })).toBeGreaterThan(0);
  });
  await eventually(async () => {
    const api = await scrape(apiMetrics);
    for (const labels of [
      { task_queue: 'orders', task_type: 'workflow' },
      { task_queue: 'orders', task_type: 'activity' },
      { task_queue: 'payments', task_type: 'activity' },
      { task_queue: 'events', task_type: 'activity' },
    ]) {
      expect(api.value('temporal_task_queue_pollers', labels)).toBeGreaterThan(0);
      expect(api.value('temporal_task_queue_backlog', labels)).toEqual(expect.any(Number));
      expect(api.value('temporal_task_queue_backlog_age_seconds', labels)).toEqual(expect.any(Number));
    }
    expect(api.value('temporal_up')).toBe(1);
  });
});

it('tells just what docs/observability.md lists, with those labels', async () => {
  const rows = [...readFileSync(DOCS, 'utf8').matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) *\|/gm)];
  const documented = new Map(
    rows.map(([, name, type, labels]) => [
      name!,
      { type, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label) },
    ]),
  );
  expect((await place(await sell(1, { currency: 'EUR', unitPrice: 100 }), 1)).status).toBe(201);
  await eventually(async () => {
    const [api, worker] = await Promise.all([scrape(apiMetrics), scrape(workerMetrics)]);
    const measuredBySdk = (name: string) => name.startsWith('temporal_') && !api.types.has(name);
    const types = new Map([...api.types, ...worker.types].filter(([name]) => !measuredBySdk(name)));
    for (const [name, type] of types) expect([name, documented.get(name)?.type]).toEqual([name, type]);
    // Only a cluster has the first, and nothing was delivered here.
    expect([...documented.keys()].filter((name) => !types.has(name))).toEqual([
      'api_process_up',
      'webhook_first_attempt_delay_seconds',
    ]);
    for (const { name, labels } of [...api.samples, ...worker.samples]) {
      const known = documented.get(name.replace(/_(bucket|sum|count)$/, ''))?.labels;
      if (known)
        expect([name, ...known]).toEqual(
          expect.arrayContaining(Object.keys(labels).filter((label) => label !== 'le')),
        );
    }
  });
});

it('has labels from small sets only, whatever clients send', async () => {
  const { hostname, port } = new URL(system.baseUrl);
  const send = (method: string, path: string) =>
    new Promise<void>((resolve) => {
      const sent = request({
        hostname,
        port,
        method,
        path,
        headers: { Authorization: `Bearer ${customer}` },
      });
      sent.once('response', (response) => response.resume().once('end', resolve));
      sent.once('error', () => resolve());
      sent.end();
    });
  const methods = ['GET', 'POST', 'PROPFIND', 'M-SEARCH', 'PURGE', 'LOCK'];
  for (let n = 0; n < 200; n++) {
    const random = `${randomUUID()}/${randomInt(1e9)}`;
    const paths = [
      `/${random}`,
      `${PREFIX}/orders/ord_${random}`,
      `${PREFIX}/orders/${randomUUID()}`,
      `${PREFIX}//${random}`,
    ];
    await send(methods[n % methods.length]!, paths[n % paths.length]!);
  }
  const { samples } = await scrape(apiMetrics);
  const valuesOf = (label: string) => new Set(samples.flatMap(({ labels }) => labels[label] ?? []));
  expect(
    [...valuesOf('http_request_method')].every((method) => ['GET', 'POST', '_OTHER'].includes(method)),
  ).toBe(true);
  for (const route of valuesOf('http_route'))
    expect(route).toMatch(/^\/orders-management-system(\/:?[a-z-]+)*$/i);
  expect(samples.map(({ labels }) => JSON.stringify(labels)).join()).not.toMatch(/[0-9a-f]{8}-|ord_/);
});

it('serves all API processes of a cluster at one port, each with its own values, also after one was killed', async () => {
  const url = await start('server', { WEB_CONCURRENCY: '2' });
  const up = async () => {
    const metrics = await scrape(url);
    const pids = metrics.all('process_start_time_seconds').map(({ labels }) => labels.process);
    return {
      up: metrics.all('api_process_up').map(({ labels, value }) => [labels.process, value]),
      pids: pids.sort(),
    };
  };
  const all = {
    up: [
      ['1', 1],
      ['2', 1],
    ],
    pids: ['1', '2', 'primary'],
  };
  await eventually(async () => expect(await up()).toEqual(all));
  const [cluster] = started;
  const [victim] = cluster!.lines.flatMap((line) =>
    /API process started/.test(line) ? [JSON.parse(line).apiPid as number] : [],
  );
  process.kill(victim!, 'SIGSTOP'); // it hangs, and the others are told all the same
  const hanging = await up();
  expect(hanging.up.map(([, value]) => value).sort()).toEqual([0, 1]);
  process.kill(victim!, 'SIGKILL');
  await eventually(async () => expect(await up()).toEqual(all));
});

it.each(['orders', 'payments', 'events'])(
  'serves the metrics of a worker of the queue %s alone',
  async (queue) => {
    const url = await start('worker', { WORKER_QUEUES: queue });
    await eventually(async () => {
      const metrics = await scrape(url);
      const polled = metrics.all('temporal_num_pollers').map(({ labels }) => labels.task_queue);
      expect([...new Set(polled)]).toEqual([queue]);
      expect(metrics.all('orders_open').length > 0).toBe(queue === 'events');
      expect(metrics.all('build_info')[0]!.labels).toEqual({
        version: expect.any(String),
        build_id: expect.any(String),
      });
    });
  },
);

it.each(['server', 'worker'] as const)(
  'answers while MongoDB and Temporal are away, without what they would tell: %s',
  async (entry) => {
    const metrics = await scrape(await start(entry, DOWN));
    expect(metrics.value('mongodb_up')).toBe(0);
    if (entry === 'server') expect(metrics.value('temporal_up')).toBe(0);
    for (const name of [
      'orders_open',
      'events_lag_seconds',
      'mongodb_filesystem_used_ratio',
      'temporal_task_queue_backlog',
    ])
      expect([name, metrics.all(name)]).toEqual([name, []]);
  },
);

it('measures nothing, and loads nothing for it, without METRICS_PORT', async () => {
  const program = `
    process.env.METRICS_HOST = '127.0.0.1';
    require(${JSON.stringify(join(ENTRIES, 'server.js'))});
    setInterval(() => {
      const loaded = Object.keys(require.cache).filter((path) => /sdk-metrics|exporter-prometheus/.test(path));
      console.log('loaded ' + loaded.length);
    }, 200);`;
  const child = spawnNode(['--eval', program], {
    ...DOWN,
    NODE_ENV: 'test',
    WEB_CONCURRENCY: '1',
    PORT: '0',
    JWT_SECRET,
  });
  started.push(child);
  await child.line(/API listening/);
  expect((await child.line(/loaded (\d+)/))[1]).toBe('0');
});
