import { NativeConnection, Worker } from '@temporalio/worker';
import pino from 'pino';
import { startTelemetryServer } from '../../src/telemetry/server';
import { createWorkerHealth } from '../../src/worker/health';
import { testWorkerConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { openShop, type Shop } from '../support/shop';
import { eventsTaskQueueOf } from '../support/task-queues';
import { installRuntime } from '../support/worker';

let shop: Shop;
beforeAll(async () => {
  installRuntime();
  shop = await openShop({ own: true });
});
afterAll(() => shop.close());

it('a worker is ready only while it polls, and dead only once it has failed', async () => {
  const { namespace, address } = testWorkerConfig().temporal;
  const lines: { check?: string; err?: { message: string } }[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as object) });
  const { mongodb } = shop.db;
  const health = createWorkerHealth({ queues: ['events'], namespace, mongodb, logger });
  const { endpoints } = health;
  const server = await startTelemetryServer({ host: '127.0.0.1', port: 0, logger, endpoints });
  const probe = async (path: 'live' | 'ready') => {
    const response = await fetch(`${server.url}/health/${path}`);
    return { status: response.status, body: (await response.json()) as object };
  };
  const reasons = () => lines.filter(({ check }) => check === 'eventsQueue').map(({ err }) => err?.message);
  const connection = await NativeConnection.connect({ address });
  health.connected(connection);
  const taskQueue = eventsTaskQueueOf(shop.taskQueue);
  const activities = { wait: () => Promise.resolve() };
  const worker = await Worker.create({ connection, namespace, taskQueue, activities });
  health.started(new Map([['events', worker]]));
  const unready = { status: 503, body: { data: { checks: { eventsQueue: { status: 'down' } } } } };
  expect(await probe('ready')).toMatchObject(unready);
  expect(reasons()).toEqual(['The worker is INITIALIZED, and its pollers are POLLING.']);
  expect(await probe('live')).toMatchObject({ status: 200 });

  const running = worker.run();
  await eventually(async () => expect(await probe('ready')).toMatchObject({ status: 200 }));
  worker.shutdown();
  await running;
  expect(await probe('ready')).toMatchObject(unready);
  expect(reasons().at(-1)).toBe('The worker is STOPPED, and its pollers are SHUTDOWN.');
  expect(await probe('live')).toMatchObject({ status: 200 });

  // One that really fails keeps the runtime of the SDK from ending.
  const failed = {
    options: worker.options,
    getStatus: () => ({ ...worker.getStatus(), runState: 'FAILED' as const }),
  };
  health.started(new Map([['events', failed]]));
  const detail = expect.stringContaining('The worker of a queue has failed: events.') as string;
  expect(await probe('live')).toMatchObject({ status: 503, body: { code: 'service_unavailable', detail } });
  expect(await probe('ready')).toMatchObject(unready);
  await server.close(0);
  await connection.close();
});
