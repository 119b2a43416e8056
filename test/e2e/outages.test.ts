import { Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { openMongoDb, type MongoDb } from '../../src/mongodb/mongodb';
import {
  createProductServiceRepository,
  type ProductServiceRepository,
} from '../../src/product-service/product-service.repository';
import { startServer, type RunningServer } from '../../src/api-server';
import { createIndexes } from '../../src/setup/indexes';
import { JWT_SECRET, testConfig } from '../support/config';
import { spawnNode, type NodeProcess } from '../support/process';
import { entryOf } from '../support/shop';
import { startStoppableServers, type StoppableServers } from '../support/stoppable-servers';
import { tokenFor } from '../support/tokens';

const ENTRIES = join(__dirname, '..', '..', 'dist', 'src');
const logger = pino({ level: 'silent' });

let servers: StoppableServers;
let mongodb: MongoDb;
let products: ProductServiceRepository;
let api: RunningServer;
let worker: NodeProcess;
let env: NodeJS.ProcessEnv;
let token: string;

beforeAll(async () => {
  servers = await startStoppableServers();
  env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    PORT: '0',
    WEB_CONCURRENCY: '1',
    JWT_SECRET,
    PLACE_ORDER_TIMEOUT_MS: '2000',
    MONGODB_URI: servers.mongodb.address,
    TEMPORAL_ADDRESS: servers.temporal.address,
  };
  const config = testConfig(env);
  mongodb = openMongoDb(config.mongodb, logger);
  await mongodb.connected;
  await createIndexes(mongodb.connection);
  products = createProductServiceRepository(mongodb.connection);
  token = tokenFor(config, 'CUSTOMER');
  api = await startServer(config, logger);
});

afterAll(async () => {
  await stopWorker();
  await api.close();
  await mongodb.close();
  await servers.remove();
});

async function startWorker(): Promise<void> {
  worker = spawnNode([join(ENTRIES, 'worker.js')], env);
  await worker.line(/worker started/);
}

async function stopWorker(): Promise<void> {
  worker.kill('SIGTERM');
  expect(await worker.ended).toBeNull();
}

async function sell(): Promise<string> {
  return (await products.insert(entryOf(100)))!.id;
}

const headers = { 'Content-Type': 'application/json' };

function place(productServiceId: string, key: string, url = api.url): Promise<Response> {
  return fetch(`${url}/orders`, {
    method: 'POST',
    headers: { ...headers, Authorization: `Bearer ${token}`, 'Idempotency-Key': key },
    body: JSON.stringify({ items: [{ productServiceId, quantity: 2 }], paymentMethod: 'pm_card_visa' }),
  });
}

const read = (id: string) =>
  fetch(`${api.url}/orders/${id}`, { headers: { Authorization: `Bearer ${token}` } });
const orderOf = async (response: Response) =>
  ((await response.json()) as { data: { id: string; status: string; version: number } }).data;

async function confirmed(id: string): Promise<void> {
  for (;;) {
    const response = await read(id);
    if (response.ok && (await orderOf(response)).status === 'confirmed') return;
    await delay(200);
  }
}

const stockOf = async (id: string) => (await products.findActiveByIds([id]))[0]!.stock;

it('accepts orders while no worker runs, and places them once a worker starts', async () => {
  const [product, key] = [await sell(), randomUUID()];
  const first = await place(product, key);
  expect(first.status).toBe(202);
  const { id } = await orderOf(first);
  expect(await orderOf(await read(id))).toMatchObject({ status: 'pending', version: 0 });
  // The API tells a repeat from another body although no worker validates.
  const repeat = await place(product, key);
  expect([repeat.status, repeat.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  expect((await place(await sell(), key)).status).toBe(422);
  await startWorker();
  await confirmed(id);
  expect(await stockOf(product)).toEqual({ available: 98, reserved: 2 });
}, 60_000);

it('accepts orders while MongoDB is down, shows the failure in Temporal, and places them after the outage', async () => {
  const product = await sell();
  await servers.mongodb.kill();
  const accepted = await Promise.all([place(product, randomUUID()), place(product, randomUUID())]);
  expect(accepted.map(({ status }) => status)).toEqual([202, 202]);
  const ids = await Promise.all(accepted.map(async (response) => (await orderOf(response)).id));
  const unread = await read(ids[0]!);
  expect([unread.status, unread.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await pendingFailure(ids[0]!)).toMatch(/connect|server/i);
  await servers.mongodb.start();
  for (const id of ids) await confirmed(id);
  expect(await stockOf(product)).toEqual({ available: 96, reserved: 4 });
}, 120_000);

it.each(['killed', 'frozen'] as const)(
  'returns 503 in time while Temporal is %s, writes nothing, and places the order on a repeat',
  async (how) => {
    const [product, key] = [await sell(), randomUUID()];
    const count = () => mongodb.connection.collection('orders').countDocuments();
    const before = await count();
    if (how === 'killed') await servers.temporal.kill();
    else servers.temporal.freeze();

    const started = Date.now();
    const rejected = await place(product, key);
    expect(Date.now() - started).toBeLessThan(3_000); // the API promises this
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await read('ord_00000000000000000000000000000000')).status).toBe(503); // it may be an order in progress
    expect(await count()).toBe(before);
    expect(await stockOf(product)).toEqual({ available: 100, reserved: 0 });

    if (how === 'killed') await servers.temporal.start();
    else servers.temporal.thaw();
    let again = await place(product, key);
    while (again.status === 503) again = await place(product, key);
    await confirmed((await orderOf(again)).id);
    expect(await count()).toBe(before + 1);
    expect(await stockOf(product)).toEqual({ available: 98, reserved: 2 });
  },
  120_000,
);

it('a repeat places an order once after its API process was killed during the first request', async () => {
  const [product, key] = [await sell(), randomUUID()];
  const doomed = spawnNode([join(ENTRIES, 'server.js')], env);
  const [, url] = await doomed.line(/"url":"([^"]+)"/);
  const lost = place(product, key, url).catch(() => undefined);
  await delay(20);
  doomed.kill('SIGKILL');
  await lost;
  const { id } = await orderOf(await place(product, key));
  await confirmed(id);
  expect(await stockOf(product)).toEqual({ available: 98, reserved: 2 });
}, 60_000);

/** Returns the failure that the Temporal UI shows at the pending activity of an order. */
async function pendingFailure(orderId: string): Promise<string> {
  const connection = await Connection.connect({ address: servers.temporal.address });
  try {
    for (;;) {
      const { pendingActivities } = await connection.workflowService.describeWorkflowExecution({
        namespace: 'default',
        execution: { workflowId: `order-${orderId}` },
      });
      const message = pendingActivities[0]?.lastFailure?.message;
      if (message) return message;
      await delay(200);
    }
  } finally {
    await connection.close();
  }
}
