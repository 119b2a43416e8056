import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import pino from 'pino';
import { createWorkerHealth } from '../../src/worker/health';
import { runWorkers } from '../../src/worker/run';
import { startWorkerTelemetry } from '../../src/worker/telemetry';
import { startTelemetryServer } from '../../src/telemetry/server';
import { testWorkerConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { parseExposition } from '../support/exposition';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { eventsTaskQueueOf, taskQueueEnv } from '../support/task-queues';

const bundle = process.env.TEST_WORKFLOW_BUNDLE!;

let shop: Shop;
beforeEach(async () => void (shop = await openShop({ own: true })));
afterEach(() => shop.close());

function recorder() {
  const lines: { url?: string; check?: string; err?: { message: string } }[] = [];
  return {
    lines,
    logger: pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as object) }),
  };
}

const configOf = (env: NodeJS.ProcessEnv) =>
  testWorkerConfig({ ...taskQueueEnv(shop.taskQueue), SHUTDOWN_TIMEOUT_MS: '600000', ...env });

async function scrape(url: string) {
  const response = await fetch(url);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return parseExposition(await response.text());
}

/** Returns the status, and which checks fail. */
async function probe(base: string, path: 'live' | 'ready') {
  const response = await fetch(`${base}/health/${path}`);
  const body = (await response.json()) as {
    code?: string;
    detail?: string;
    data?: { status: string; checks?: Record<string, { status: string }> };
  };
  const { checks = {} } = body.data ?? {};
  const down = Object.keys(checks).filter((name) => checks[name]!.status === 'down');
  return { status: response.status, is: body.data?.status, down, headers: response.headers, body };
}

it('serves the metrics and the health of a worker, from its start to its end', async () => {
  const config = configOf({ METRICS_PORT: '0', WORKER_QUEUES: 'orders,events' });
  const { lines, logger } = recorder();
  const { mongodb } = shop.db;
  const { namespace, address } = config.temporal;
  const health = createWorkerHealth({ queues: config.worker.queues, namespace, mongodb, logger });
  const { endpoints } = health;
  const telemetry = (await startWorkerTelemetry(config, { bundle, logger, endpoints }))!;
  const { url } = lines[0] as { url: string };
  const base = url.replace('/metrics', '');
  const ready = () => probe(base, 'ready');
  const live = async () => {
    const { status, is } = await probe(base, 'live');
    expect([status, is]).toEqual([200, 'live']);
  };

  const early = await ready();
  expect(early).toMatchObject({
    status: 503,
    is: 'unavailable',
    down: ['temporal', 'ordersQueue', 'eventsQueue'],
    body: {
      code: 'service_unavailable',
      detail: expect.stringMatching(/temporal, ordersQueue, eventsQueue/),
    },
  });
  expect(early.headers.get('retry-after')).toBe('5');
  expect(early.headers.get('content-type')).toContain('application/problem+json');
  await live();
  const atFirst = await scrape(url);
  expect(Object.keys(atFirst.all('build_info')[0]!.labels)).toEqual(['version', 'build_id']);
  expect(atFirst.value('orders_confirmed_total')).toBe(0);
  expect([...atFirst.types.keys()].filter((name) => /^(temporal|mongodb|orders_open)/.test(name))).toEqual(
    [],
  );

  // Something else has taken the port of the SDK, and fails.
  const { bindAddress } = (telemetry.runtime as { prometheus: { bindAddress: string } }).prometheus;
  const [host, port] = bindAddress.split(':') as [string, string];
  const other = await startTelemetryServer({ host, port: Number(port), logger, endpoints: {} });
  await scrape(url);
  await other.close(0);

  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} }, metrics: telemetry.runtime },
    shutdownSignals: [],
  });
  telemetry.measure(mongodb);
  const temporal = await NativeConnection.connect({ address });
  health.connected(temporal);
  await eventually(async () => expect((await ready()).down).toEqual(['ordersQueue', 'eventsQueue']));
  const stopping = new AbortController();
  const { signal } = stopping;
  const { metrics } = telemetry;
  const done = runWorkers(config, { temporal, mongodb, bundle, logger, signal, health, metrics });
  await eventually(async () => expect(await ready()).toMatchObject({ status: 200, is: 'ready', down: [] }));
  await live();
  const { id } = await shop.sell();
  const request = orderRequest({ items: [{ productServiceId: id, quantity: 1 }] });
  expect(await shop.place(request)).toMatchObject({ status: 'confirmed' });
  await eventually(async () => {
    const { value, all, types } = await scrape(url);
    expect(value('payment_calls_total', { operation: 'authorize', outcome: 'ok' })).toBe(1);
    expect(value('orders_open', { status: 'confirmed' })).toBe(1);
    expect(value('mongodb_up')).toBe(1);
    expect(types.get('temporal_workflow_task_execution_latency')).toBe('histogram');
    const polled = new Set(all('temporal_num_pollers').map(({ labels }) => labels.task_queue));
    expect(polled).toEqual(new Set([shop.taskQueue, eventsTaskQueueOf(shop.taskQueue)]));
  });

  health.drain();
  expect(await ready()).toMatchObject({
    status: 503,
    is: 'draining',
    body: { detail: expect.stringContaining('takes no more') },
  });
  await live();
  stopping.abort();
  await done;
  await temporal.close();
  await telemetry.close();
  await expect(fetch(url)).rejects.toThrow();
});

it('tells nothing of the whole system in a worker of payments alone', async () => {
  const { lines, logger } = recorder();
  const config = configOf({ METRICS_PORT: '0', WORKER_QUEUES: 'payments' });
  const telemetry = (await startWorkerTelemetry(config, { bundle, logger, endpoints: {} }))!;
  telemetry.measure(shop.db.mongodb);
  const { value, all } = await scrape(lines[0]!.url!);
  expect([value('mongodb_up'), all('orders_open'), all('audit_unsealed_entries')]).toEqual([1, [], []]);
  await telemetry.close();
});

it('measures nothing without METRICS_PORT', async () => {
  const { lines, logger } = recorder();
  expect(await startWorkerTelemetry(configOf({}), { bundle, logger, endpoints: {} })).toBeUndefined();
  expect(lines).toEqual([]);
});
