import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { createActivities } from '../src/worker/activities';
import { runWorkers } from '../src/worker/run';
import { testWorkerConfig } from './support/config';
import { entryArgs, runEntry } from './support/entries';
import { spawnNode } from './support/process';
import { openShop, orderRequest, type Shop } from './support/shop';
import { taskQueueEnv } from './support/task-queues';
import { installRuntime } from './support/worker';

const bundle = process.env.TEST_WORKFLOW_BUNDLE!;

it('works on both queues until it is told to stop', async () => {
  installRuntime();
  const shop = await openShop({ own: true });
  const config = testWorkerConfig(taskQueueEnv(shop.taskQueue));
  const temporal = await NativeConnection.connect({ address: config.temporal.address });
  const stopping = new AbortController();
  try {
    const { signal } = stopping;
    const done = runWorkers(config, {
      temporal,
      mongodb: shop.db.mongodb,
      bundle,
      logger: pino({ level: 'silent' }),
      signal,
    });
    const { id } = await shop.sell();
    const placed = await shop.place(orderRequest({ items: [{ productServiceId: id, quantity: 1 }] }));
    expect(placed).toMatchObject({ status: 'confirmed' });
    stopping.abort();
    await done;
  } finally {
    await temporal.close();
    await shop.close();
  }
});

describe('the workers of orders', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  afterAll(() => shop.close());

  it.each([
    ['call the payment service themselves by default', {}, 'confirmed'],
    ['leave it to the payments queue with PAYMENTS_INLINE=false', { PAYMENTS_INLINE: 'false' }, 'pending'],
    ['leave it to the payments queue with a limit per second', { PAYMENTS_MAX_PER_SECOND: '50' }, 'pending'],
  ])('%s, for an order whose policy lets them call it', async (_, env, status) => {
    const { placeOrder } = createActivities('orders', testWorkerConfig(env), shop.db);
    const { id } = await shop.sell();
    const request = orderRequest({ items: [{ productServiceId: id, quantity: 1 }] });
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    expect(await environment.run(placeOrder!, request, { inline: true })).toMatchObject({ status });
  });
});

describe('the command', () => {
  const env = { NODE_ENV: 'test' };

  it('waits for servers that are not there yet, and stops on SIGTERM meanwhile', async () => {
    const down = { MONGODB_URI: 'mongodb://127.0.0.1:1/?replicaSet=rs0', TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const worker = spawnNode(entryArgs('worker'), { ...env, ...down });
    await worker.line(/Temporal is not reachable; trying again/);
    const raised = worker.line(/"to":"debug".*log level changed/);
    worker.kill('SIGUSR2');
    await raised;
    worker.kill('SIGTERM');
    await expect(worker.ended).resolves.toBeNull();
    expect(worker.lines.join()).toContain('worker stopped');
  });

  it('does not start with an invalid configuration', async () => {
    const { code, stderr } = await runEntry('worker', env);
    expect([code, stderr]).toEqual([1, expect.stringContaining('MONGODB_URI')]);
  });
});
