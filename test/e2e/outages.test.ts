import { Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pino from 'pino';
import { newId } from '../../src/common/ids';
import { openMongoDb, type MongoDb } from '../../src/mongodb/mongodb';
import {
  createProductServiceRepository,
  type ProductServiceRepository,
} from '../../src/product-service/product-service.repository';
import { startServer, type RunningServer } from '../../src/api-server';
import { orderIdOf } from '../../src/orders/order-request';
import { createIndexes } from '../../src/setup/indexes';
import { JWT_SECRET, testConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { spawnNode, type NodeProcess } from '../support/process';
import { TEST_ORIGIN } from '../support/origin';
import { entryOf } from '../support/shop';
import { startStoppableServers, type StoppableServers } from '../support/stoppable-servers';
import { tokenFor } from '../support/tokens';

const ENTRIES = join(__dirname, '..', '..', 'dist', 'src');
const logger = pino({ level: 'silent' });
const UNLIMITED = String(24 * 60 * 60 * 1_000);
const CUSTOMER = newId('usr');

let servers: StoppableServers;
let mongodb: MongoDb;
let products: ProductServiceRepository;
/** Waits only briefly for a worker or a database that is away. */
let api: RunningServer;
/** Would wait for Temporal for longer than a test may take, and responds only because it notices the outage. */
let patientApi: RunningServer;
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
    PLACE_ORDER_TIMEOUT_MS: '1000',
    MONGODB_URI: servers.mongodb.address,
    TEMPORAL_ADDRESS: servers.temporal.address,
  };
  const config = testConfig(env);
  mongodb = openMongoDb(config.mongodb, logger);
  await mongodb.connected;
  await createIndexes(mongodb.connection);
  products = createProductServiceRepository(mongodb.connection);
  token = tokenFor(config, 'CUSTOMER', CUSTOMER);
  api = await startServer(config, logger);
  patientApi = await startServer(testConfig({ ...env, PLACE_ORDER_TIMEOUT_MS: UNLIMITED }), logger);
});

afterAll(async () => {
  await stopWorker();
  await Promise.all([api.close(), patientApi.close()]);
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
  return (await products.insert(entryOf(100), TEST_ORIGIN))!.id;
}

const headers = { 'Content-Type': 'application/json' };

function place(productServiceId: string, key: string, url = api.url): Promise<Response> {
  return fetch(`${url}/orders`, {
    method: 'POST',
    headers: { ...headers, Authorization: `Bearer ${token}`, 'Idempotency-Key': key },
    body: JSON.stringify({ items: [{ productServiceId, quantity: 2 }], paymentMethod: 'pm_card_visa' }),
  });
}

/** Places an order, and repeats a request that gets 503: Temporal may be slow to respond. */
async function submitted(productServiceId: string, key: string, url?: string): Promise<Response> {
  let response: Response;
  await eventually(async () => {
    response = await place(productServiceId, key, url);
    expect(response.status).not.toBe(503);
  });
  return response!;
}

const read = (id: string, url = api.url) =>
  fetch(`${url}/orders/${id}`, { headers: { Authorization: `Bearer ${token}` } });
const orderOf = async (response: Response) =>
  ((await response.json()) as { data: { id: string; status: string; version: number } }).data;

async function confirmed(id: string): Promise<void> {
  await eventually(async () => {
    const response = await read(id);
    expect(response.status).toBe(200);
    expect(await orderOf(response)).toMatchObject({ status: 'confirmed' });
  });
}

const stockOf = async (id: string) => (await products.findActiveByIds([id]))[0]!.stock;

it('accepts orders while no worker runs, and places them once a worker starts', async () => {
  const [product, key] = [await sell(), randomUUID()];
  const first = await submitted(product, key);
  expect(first.status).toBe(202);
  const { id } = await orderOf(first);
  await eventually(async () =>
    expect(await orderOf(await read(id))).toMatchObject({ status: 'pending', version: 0 }),
  );
  // The API tells a repeat from another body although no worker validates.
  const [repeat, other] = await Promise.all([submitted(product, key), submitted(await sell(), key)]);
  expect([repeat.status, repeat.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  expect(other.status).toBe(422);
  await startWorker();
  await confirmed(id);
  expect(await stockOf(product)).toEqual({ available: 98, reserved: 2 });
});

it('accepts orders while MongoDB is down, shows the failure in Temporal, and places them after the outage', async () => {
  const product = await sell();
  await servers.mongodb.kill();
  const accepted = await Promise.all([submitted(product, randomUUID()), submitted(product, randomUUID())]);
  expect(accepted.map(({ status }) => status)).toEqual([202, 202]);
  const ids = await Promise.all(accepted.map(async (response) => (await orderOf(response)).id));
  const unread = await read(ids[0]!);
  expect([unread.status, unread.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await pendingFailure(ids[0]!)).toMatch(/connect|server/i);
  await servers.mongodb.start();
  await Promise.all(ids.map(confirmed));
  expect(await stockOf(product)).toEqual({ available: 96, reserved: 4 });
});

it.each(['killed', 'frozen'] as const)(
  'returns 503 while Temporal is %s, without waiting for it, writes nothing, and places the order on a repeat',
  async (how) => {
    const [product, key] = [await sell(), randomUUID()];
    const count = () => mongodb.connection.collection('orders').countDocuments();
    const before = await count();
    if (how === 'killed') await servers.temporal.kill();
    else servers.temporal.freeze();

    const responses = await Promise.all([
      place(product, key, patientApi.url),
      read(orderIdOf(CUSTOMER, randomUUID()), patientApi.url), // it may be an order in progress
    ]);
    for (const { status, headers } of responses)
      expect([status, headers.get('retry-after')]).toEqual([503, '5']);
    // Whose it is needs no server, so an order of another customer is told from none by neither answer nor time.
    const foreign = orderIdOf('usr_01HZX0000000000000000B0B00', randomUUID());
    expect((await read(foreign, patientApi.url)).status).toBe(404);
    expect(await count()).toBe(before);
    expect(await stockOf(product)).toEqual({ available: 100, reserved: 0 });

    if (how === 'killed') await servers.temporal.start();
    else servers.temporal.thaw();
    await confirmed((await orderOf(await submitted(product, key))).id);
    expect(await count()).toBe(before + 1);
    expect(await stockOf(product)).toEqual({ available: 98, reserved: 2 });
  },
);

it('a repeat places an order once after its API process was killed during the first request', async () => {
  const [product, key] = [await sell(), randomUUID()];
  const doomed = spawnNode([join(ENTRIES, 'server.js')], env);
  const [, url] = await doomed.line(/"url":"([^"]+)"/);
  worker.kill('SIGSTOP'); // the first request waits for it
  const lost = place(product, key, url).catch(() => undefined);
  const id = orderIdOf(CUSTOMER, key);
  try {
    await eventually(() => describeWorkflow(id));
    doomed.kill('SIGKILL');
    await lost;
  } finally {
    worker.kill('SIGCONT');
  }
  expect(await orderOf(await submitted(product, key))).toMatchObject({ id });
  await confirmed(id);
  expect(await stockOf(product)).toEqual({ available: 98, reserved: 2 });
});

/** Returns the failure that the Temporal UI shows at the pending activity of an order. */
async function pendingFailure(orderId: string): Promise<string> {
  let message: string | null | undefined;
  await eventually(async () => {
    const { pendingActivities } = await describeWorkflow(orderId);
    message = pendingActivities[0]?.lastFailure?.message;
    expect(message).toBeTruthy();
  });
  return message!;
}

async function describeWorkflow(orderId: string) {
  const connection = await Connection.connect({ address: servers.temporal.address });
  try {
    return await connection.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: { workflowId: `order-${orderId}` },
    });
  } finally {
    await connection.close();
  }
}
