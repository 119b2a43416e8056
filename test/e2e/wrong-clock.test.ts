import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { freePorts } from '../../tools/devstack/ports';
import { JWT_SECRET, testConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import { spawnNode } from '../support/process';
import { taskQueueEnv } from '../support/task-queues';
import { tokenFor } from '../support/tokens';

const SHIFTED = join(__dirname, '..', 'support', 'shifted-clock.cjs');
const SERVER = join(__dirname, '..', '..', 'dist', 'src', 'server.js');
const WORKER = join(__dirname, '..', 'support', 'shared-worker.ts');
const HOUR_MS = 3_600_000;

let api: OrderApi;
beforeEach(async () => {
  api = await openOrderApi({ own: true });
});
afterEach(() => api.close());

/** Starts a worker on a host whose clock is wrong. */
function startWorker(shiftMs: number) {
  return spawnNode(['--require', SHIFTED, '--import', 'tsx', WORKER], {
    ...process.env,
    MONGODB_URI: api.shop.db.uri,
    TASK_QUEUE: api.shop.taskQueue,
    CLOCK_SHIFT_MS: String(shiftMs),
  });
}

/** Starts an API on a host whose clock is wrong, and returns its address. */
async function startApi(shiftMs: number) {
  const [port] = (await freePorts(1)) as [number];
  const started = spawnNode(['--require', SHIFTED, SERVER], {
    NODE_ENV: 'test',
    WEB_CONCURRENCY: '1',
    JWT_SECRET,
    PORT: String(port),
    MONGODB_URI: api.shop.db.uri,
    TEMPORAL_ADDRESS: testConfig().temporal.address,
    CLOCK_SHIFT_MS: String(shiftMs),
    ...taskQueueEnv(api.shop.taskQueue),
  });
  await started.line(/API listening/);
  return { ...started, url: `http://127.0.0.1:${port}${testConfig().http.prefix}` };
}

const versionsOf = ({ version, status, paymentStatus, fulfillmentStatus }: OrderBody) => ({
  version,
  status,
  paymentStatus,
  fulfillmentStatus,
});

it.each([
  ['an hour ahead', HOUR_MS],
  ['an hour behind', -HOUR_MS],
])('places, fulfils, refunds and cancels orders with a worker whose clock is %s', async (_name, shiftMs) => {
  const worker = startWorker(shiftMs);
  const customer = api.tokenOf('CUSTOMER');
  const product = await api.shop.sell({ available: 10 });
  const order = await api.placed(customer, [product.id, 2]);
  expect(versionsOf(order)).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
  const fulfilled = (await api.fulfill(order.id, [[product.id, 2]]).expect(201)).body.data;
  const refunded = (await api.refund(order.id, { amount: 100, reason: 'late' }).expect(201)).body.data;
  expect(refunded).toMatchObject({ paymentStatus: 'partially_refunded' });
  expect(refunded.version).toBeGreaterThan(fulfilled.version);

  const other = await api.placed(customer, [product.id, 3]);
  const key = { 'Idempotency-Key': randomUUID() };
  const cancel = () => api.call('post', `/orders/${other.id}/cancel`, customer).set(key).send({});
  const { body } = await cancel().expect(200);
  expect(body.data).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
  expect((await cancel().expect(200)).body.data).toEqual(body.data);

  expect(await api.shop.stockOf(product.id)).toMatchObject({ available: 8, reserved: 0 });
  const ledger = createSandboxRepository(api.shop.db.connection);
  await eventually(async () => {
    expect(await ledger.ofOrder(order.id)).toMatchObject([{ status: 'captured', refunded: 100 }]);
    expect(await ledger.ofOrder(other.id)).toMatchObject([{ status: 'voided' }]);
  });
  worker.kill('SIGKILL');
  await worker.ended;
});

it.each([
  ['an hour ahead', HOUR_MS],
  ['an hour behind', -HOUR_MS],
])('an API whose clock is %s places, repeats and cancels orders as others do', async (_name, shiftMs) => {
  await api.shop.startWorker();
  const shifted = await startApi(shiftMs);
  const customer = tokenFor(testConfig({ ACCESS_TOKEN_TTL_SECONDS: '7200' }), 'CUSTOMER');
  const send = async (path: string, key: string, body: object) => {
    const headers = {
      Authorization: `Bearer ${customer}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
    };
    const response = await fetch(shifted.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, order: ((await response.json()) as { data: OrderBody }).data };
  };
  const product = await api.shop.sell({ available: 10 });
  const content = lines([product.id, 2]);
  const placed = await send('/orders', 'k', content);
  expect(placed).toMatchObject({ status: 201, order: { status: 'confirmed', paymentStatus: 'authorized' } });
  // The same key at another API, whose clock is right.
  const repeated = await api.place(customer, content, { 'Idempotency-Key': 'k' }).expect(201);
  expect(repeated.body.data).toEqual(placed.order);
  const { id } = placed.order;
  expect(await send(`/orders/${id}/cancel`, 'c', {})).toMatchObject({
    status: 200,
    order: { status: 'cancelled', paymentStatus: 'voided' },
  });
  expect(await api.shop.stockOf(product.id)).toMatchObject({ available: 10, reserved: 0 });
  shifted.kill('SIGKILL');
  await shifted.ended;
});
