import { Client, Connection } from '@temporalio/client';
import { join } from 'node:path';
import { freePorts } from '../../tools/devstack/ports';
import { ORDER_WORKFLOW, orderWorkflowId } from '../../workflows/contract';
import { orderPolicy } from '../support/commands';
import { runEntry } from '../support/entries';
import { eventually } from '../support/eventually';
import { spawnNode, type NodeProcess } from '../support/process';
import { orderRequest } from '../support/shop';
import { startStoppableServers, type StoppableServers } from '../support/stoppable-servers';

const WORKER = join(__dirname, '..', '..', 'dist', 'src', 'worker.js');
const TASK_QUEUE = 'orders';

let servers: StoppableServers;
let worker: NodeProcess;
let port: number;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  servers = await startStoppableServers();
  [port] = (await freePorts(1)) as [number];
  env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'debug',
    MONGODB_URI: servers.mongodb.address,
    TEMPORAL_ADDRESS: servers.temporal.address,
    TEMPORAL_TASK_QUEUE: TASK_QUEUE,
    METRICS_PORT: String(port),
    SHUTDOWN_TIMEOUT_MS: '600000',
  };
});
afterAll(async () => {
  worker?.kill('SIGKILL');
  await servers.remove();
});

interface Answer {
  status: number;
  body: {
    code?: string;
    detail?: string;
    data?: { status: string; checks: Record<string, { status: string }> };
  };
}

async function get(path: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Waits until the worker lives and these of its checks fail. */
async function untilDown(...names: string[]): Promise<void> {
  await eventually(async () => {
    const { status, body } = await get('/health/ready');
    const { checks } = body.data!;
    expect(Object.keys(checks).filter((name) => checks[name]!.status === 'down')).toEqual(names);
    expect([status, body.data!.status]).toEqual(names.length > 0 ? [503, 'unavailable'] : [200, 'ready']);
    for (const name of names) expect(body.detail).toContain(name);
  });
  expect(await get('/health/live')).toMatchObject({ status: 200, body: { data: { status: 'live' } } });
}

const ready = () => untilDown();
const check = () => runEntry('healthcheck', env, { args: ['worker'] });

async function startOrder(): Promise<void> {
  const connection = await Connection.connect({ address: servers.temporal.address });
  const request = orderRequest({ items: [{ productServiceId: 'ps_unknown', quantity: 1 }] });
  await new Client({ connection }).workflow.start(ORDER_WORKFLOW, {
    workflowId: orderWorkflowId(request.orderId),
    taskQueue: TASK_QUEUE,
    args: [request, orderPolicy(TASK_QUEUE)],
  });
  await connection.close();
}

it('a worker is ready while it is connected, polls its queues and is not told to stop, and lives throughout', async () => {
  await Promise.all([servers.mongodb.kill(), servers.temporal.kill()]);
  worker = spawnNode([WORKER], env);
  await worker.line(/Temporal is not reachable/);
  await untilDown('mongodb', 'temporal', 'ordersQueue', 'paymentsQueue', 'eventsQueue');
  expect(await check()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('responds with 503') as string,
  });
  await servers.temporal.start();
  await untilDown('mongodb');
  await servers.mongodb.start();
  await ready();
  expect(await check()).toMatchObject({ code: 0, stderr: '' });
  await servers.temporal.kill();
  await untilDown('temporal');
  await servers.temporal.start();
  await ready();

  servers.mongodb.freeze();
  await untilDown('mongodb');
  const begun = worker.line(/"activity":"placeOrder".*Activity started/);
  await startOrder();
  await begun;
  worker.kill('SIGTERM');
  await eventually(async () =>
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      body: { code: 'service_unavailable', data: { status: 'draining' } },
    }),
  );
  expect(await get('/health/live')).toMatchObject({ status: 200 });
  servers.mongodb.thaw();
  await expect(worker.ended).resolves.toBeNull();
  for (const line of worker.lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

it('a worker whose namespace is missing waits for it, is not ready while it lacks search attributes, and says what to do', async () => {
  const namespace = 'late';
  Object.assign(env, { TEMPORAL_NAMESPACE: namespace });
  worker = spawnNode([WORKER], env);
  await worker.line(/no namespace late: correct TEMPORAL_NAMESPACE, or create it and run npm run setup/);
  await untilDown('temporal', 'ordersQueue', 'paymentsQueue', 'eventsQueue');
  const connection = await Connection.connect({ address: servers.temporal.address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await connection.close();
  await untilDown('temporal');
  await eventually(async () =>
    expect(worker.lines.join('')).toContain('lacks search attributes: run npm run setup'),
  );
  expect(await runEntry('setup', env)).toMatchObject({ code: 0 });
  await ready();
});
