import { randomUUID } from 'node:crypto';
import { describeTaskQueue } from '../../../src/temporal/task-queue';
import { moveSignal, orderWorkflowId } from '../../../workflows/contract';
import { openCart } from '../../support/carts';
import { eventually } from '../../support/eventually';
import { lines, openOrderApi, type OrderApi } from '../../support/order-api';

const MOST = 2;

let api: OrderApi;
let alice: string;
beforeAll(async () => {
  api = await openOrderApi({ own: true, env: { MAX_ORDERS_IN_FLIGHT: String(MOST) } });
  alice = api.tokenOf('CUSTOMER');
});
afterAll(() => api.close());

const countOrders = () => api.shop.db.connection.collection('orders').countDocuments();
const queueOf = ({ shop }: OrderApi = api) =>
  describeTaskQueue(shop.temporal, { namespace: 'default', queue: shop.taskQueue, type: 'workflow' });

it('refuses what cannot be placed before anything is begun, and places the repeat', async () => {
  const { id } = await api.shop.sell({ available: 10 });
  const cart = await openCart(api, alice);
  await cart.put(id, 1).expect(200);
  // No worker runs yet, so these stay in flight.
  const waiting = Array.from({ length: MOST }, () =>
    Promise.resolve(api.place(alice, lines([id, 1])).expect(201)),
  );
  await eventually(async () => expect((await queueOf()).tasks).toBe(MOST));
  const refused = { 'Idempotency-Key': randomUUID() };
  const refusal = await api.place(alice, lines([id, 1]), refused).expect(503);
  expect(refusal.body).toMatchObject({
    code: 'service_unavailable',
    detail: expect.stringContaining('nothing was begun') as string,
  });
  expect(refusal.headers['retry-after']).toMatch(/^[1-5]$/);
  await cart.checkOut().expect(503);
  expect((await queueOf()).tasks).toBe(MOST);
  // What it takes to end the load is let in.
  await api.call('get', '/orders', alice).expect(200);

  expect(await queueOf()).toMatchObject({ pollers: 0, polledAt: 0 });
  await api.shop.startWorker();
  await Promise.all(waiting);
  expect(await countOrders()).toBe(MOST);
  await api.place(alice, lines([id, 1]), refused).expect(201);
  await cart.checkOut().expect(201);
  expect(await countOrders()).toBe(MOST + 2);
  // Temporal counts what waits about, and a moment later.
  await eventually(async () => expect(await queueOf()).toMatchObject({ tasks: 0, ageMs: 0 }));
  const { pollers, polledAt } = await queueOf();
  expect(pollers).toBeGreaterThan(0);
  expect(polledAt).toBeGreaterThan(0);
});

it('lets orders in while others wait for a version whose workers are gone, and tells what waits for the current one', async () => {
  const patienceMs = 2_000;
  const env = { PLACE_ORDER_TIMEOUT_MS: String(patienceMs), MAX_ORDERS_IN_FLIGHT: String(MOST) };
  const versions = await openOrderApi({ own: true, env });
  const { shop } = versions;
  const token = versions.tokenOf('CUSTOMER');
  const { id } = await shop.sell({ available: 10_000 });
  const place = () => versions.place(token, lines([id, 1]));
  const startVersion = (name: string) => shop.startWorker(undefined, undefined, { WORKER_BUILD_ID: name });

  const old = await startVersion('old');
  const { body } = (await place()) as { body: { data: { id: string } } };
  const { workflow, workflowService } = shop.temporal.client;
  const stranded = workflow.getHandle(orderWorkflowId(body.data.id));
  await eventually(async () =>
    expect((await stranded.describe()).raw.workflowExecutionInfo).toMatchObject({
      versioningInfo: { deploymentVersion: { buildId: 'old' } },
    }),
  );
  await old.stop();
  const next = await startVersion('next');
  await stranded.signal(moveSignal);
  await eventually(async () => {
    const taskQueue = { name: shop.taskQueue };
    const { stats } = await workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue,
      taskQueueType: 1,
      reportStats: true,
    });
    expect(Number(stats?.approximateBacklogAge?.seconds) * 1_000).toBeGreaterThan(patienceMs);
  });

  // Two queues, and the version, are looked at once a second, and a change is seen by the second time.
  const asking = jest.spyOn(shop.temporal, 'ask');
  while (asking.mock.calls.length < 12) expect((await place()).status).toBeLessThan(300);
  expect(await queueOf(versions)).toMatchObject({ tasks: 0, ageMs: 0 });

  await next.stop();
  await place().expect(202);
  await eventually(async () => expect((await queueOf(versions)).tasks).toBe(1));
  expect((await queueOf(versions)).ageMs).toBeGreaterThan(0);
  await versions.close();
});
