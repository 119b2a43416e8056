import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { eventually } from '../support/eventually';
import { openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import { spawnNode } from '../support/process';

const SHIFTED = join(__dirname, '..', 'support', 'shifted-clock.cjs');
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
