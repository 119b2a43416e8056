import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { History } from '@temporalio/common/lib/proto-utils';
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { run } from '../../src/deploy-versions/commands';
import { parseOptions } from '../../src/deploy-versions/options';
import type { Migration } from '../../src/migrations/migrations';
import { migrate } from '../../src/migrations/run';
import { createDataConverter } from '../../src/temporal/data-converter';
import { createDeployment, type Deployment } from '../../src/versions/deployment';
import type { Activities } from '../../src/worker/activities';
import { orderWorkflowId } from '../../workflows/contract';
import type { TestApi } from '../support/api';
import { testWorkerConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { lines, openApiOf, openOrderApi, PATIENT, type OrderApi } from '../support/order-api';
import { taskQueueEnv } from '../support/task-queues';
import { startTestWorker, type TestWorker } from '../support/worker';
import { changedBundleForTests } from '../support/workflow-bundle';

const [OLD, NEW] = ['release-1', 'release-2'] as const;

/** What documents of the next release have. */
const NEXT = { schemaVersion: 2, channel: { name: 'shop', terms: [{ id: 'T1' }] } };
const TO_NEXT: Migration = {
  collection: 'orders',
  to: NEXT.schemaVersion,
  summary: 'An order says where it was placed.',
  pipeline: [{ $set: { channel: NEXT.channel } }],
};

/** An API of the next release tells workflows more than this one does. */
const tellsMore = (args: unknown[]) =>
  args.map((arg) => (typeof arg === 'object' && arg !== null ? { ...arg, channel: NEXT.channel } : arg));
const NEXT_API: WorkflowClientInterceptor = {
  startWithDetails: ({ options, ...input }, next) =>
    next({ ...input, options: { ...options, args: tellsMore(options.args) } }),
  startUpdate: ({ args, ...input }, next) => next({ ...input, args: tellsMore(args) }),
  startUpdateWithStart: ({ updateArgs, workflowStartOptions: start, ...input }, next) =>
    next({
      ...input,
      updateArgs: tellsMore(updateArgs),
      workflowStartOptions: { ...start, args: tellsMore(start.args) },
    }),
};

let api: OrderApi;
/** That of the next release, on the same database and workers. */
let nextApi: TestApi;
let deployment: Deployment;
let changed: string;
const workers = new Map<string, TestWorker>();
beforeAll(async () => {
  changed = await changedBundleForTests();
  api = await openOrderApi({ own: true });
  const { temporal, taskQueue } = api.shop;
  deployment = createDeployment(temporal.client, testWorkerConfig(taskQueueEnv(taskQueue)));
  const { connection, options } = temporal.client;
  const client = new Client({
    connection,
    namespace: options.namespace,
    dataConverter: createDataConverter([]),
    interceptors: { workflow: [NEXT_API] },
  });
  const nextShop = { ...api.shop, temporal: { ...temporal, client } };
  nextApi = (await openApiOf(nextShop, PATIENT)).api;
  await startWorker(OLD, true);
});
afterAll(async () => {
  for (const worker of workers.values()) await worker.stop();
  await nextApi.close();
  await api.close();
  await rm(dirname(changed), { recursive: true });
});

async function startWorker(build: string, isCurrent = false): Promise<void> {
  const { taskQueue, db } = api.shop;
  const bundle = build === NEW ? changed : process.env.TEST_WORKFLOW_BUNDLE!;
  const env = { WORKER_BUILD_ID: build };
  const payloads = { keys: '', bundle };
  const sabotage = build === NEW ? { activities: ofNextRelease } : undefined;
  const { connection } = db;
  const worker = await startTestWorker({ taskQueue, connection, payloads, env, isCurrent, sabotage });
  workers.set(build, worker);
}

const orders = () => api.shop.db.connection.collection<{ _id: string }>('orders');

/** Activities of the next release save orders as it does. */
function ofNextRelease(activities: Activities): Activities {
  return {
    ...activities,
    async placeOrder(request, inline) {
      const answer = await activities.placeOrder(request, inline);
      await orders().updateOne({ _id: request.orderId }, { $set: NEXT });
      return answer;
    },
  };
}

async function stopWorker(build: string): Promise<void> {
  await workers.get(build)!.stop();
  workers.delete(build);
}

/** Runs `npm run deploy:versions` with these arguments. Returns its exit code, and what it prints. */
async function deployVersions(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const { client } = api.shop.temporal;
  const code = await run(parseOptions(args), {
    client,
    deployment,
    own: NEW,
    signal: new AbortController().signal,
    print: (line) => void lines.push(line),
    progress: () => undefined,
  });
  return { code, lines };
}

const handleOf = (id: string, runId?: string) =>
  api.shop.temporal.client.workflow.getHandle(orderWorkflowId(id), runId);

/** Returns the version on which the newest run of an order is. */
async function buildOf(id: string): Promise<string> {
  const { raw } = await handleOf(id).describe();
  return raw.workflowExecutionInfo!.versioningInfo!.deploymentVersion!.buildId!;
}

/** Returns the histories of all runs of an order, the newest first. */
async function historiesOf(id: string): Promise<History[]> {
  const histories: History[] = [];
  let runId: string | undefined;
  do {
    const history: History = await handleOf(id, runId).fetchHistory();
    histories.push(history);
    runId = history.events![0]!.workflowExecutionStartedEventAttributes!.continuedExecutionRunId || undefined;
  } while (runId);
  return histories;
}

/** Records the run of the order on the old version, once the order has moved. */
async function recordMoved(name: string, id: string): Promise<void> {
  await eventually(async () => expect(await buildOf(id)).toBe(NEW));
  const [{ events }] = (await historiesOf(id)) as [History];
  const { continuedExecutionRunId } = events![0]!.workflowExecutionStartedEventAttributes!;
  await recordHistory(name, handleOf(id, continuedExecutionRunId!));
}

/**
 * Customers who order, and staff who fulfill or cancel half of that, until they are stopped. They come to an API of either
 * release in turn, and look at the order through the other one.
 */
function traffic(products: readonly string[]) {
  const placed: string[] = [];
  const statuses: number[] = [];
  let isOver = false;
  const admin = api.tokenOf('ADMIN');
  const customer = api.tokenOf('CUSTOMER');
  const note = ({ status }: { status: number }) => void statuses.push(status);
  async function one(productId: string): Promise<void> {
    for (let [via, other] = [api as TestApi, nextApi]; !isOver; [via, other] = [other, via]) {
      const post = (path: string, token: string, sent: object) =>
        via.call('post', path, token).set('Idempotency-Key', randomUUID()).send(sent);
      const answer = await post('/orders', customer, lines([productId, 1]));
      note(answer);
      if (answer.status !== 201) continue;
      const { id } = (answer.body as { data: { id: string } }).data;
      const n = placed.push(id);
      note(await other.call('get', `/orders/${id}`, customer));
      if (n % 4 === 0)
        note(await post(`/orders/${id}/fulfillments`, admin, { items: lines([productId, 1]).items }));
      if (n % 4 === 1) note(await post(`/orders/${id}/cancel`, admin, { reason: 'changed' }));
      note(await other.call('get', '/orders?limit=5', customer));
    }
  }
  const running = Promise.all(products.map(one));
  return {
    placed,
    statuses,
    /** Waits until so many more orders are placed, and returns them. */
    async next(count: number): Promise<string[]> {
      const from = placed.length;
      await eventually(async () => expect(placed.length).toBeGreaterThanOrEqual(from + count));
      return placed.slice(from);
    },
    async stop(): Promise<void> {
      isOver = true;
      await running;
    },
  };
}

/** Waits until new orders are on a version: Temporal tells its queues one after the other, and some were begun before. */
async function settlesOn(build: string, customers: ReturnType<typeof traffic>): Promise<void> {
  await eventually(async () => {
    for (const id of await customers.next(6)) expect(await buildOf(id)).toBe(build);
  });
}

it('a release changes workflows, API and documents under load, and is taken back, without an error', async () => {
  const products = await Promise.all([1, 2, 3].map(() => api.shop.sell({ available: 10_000 })));
  const product = products[0]!.id;
  const token = api.tokenOf('CUSTOMER');
  const waiting: string[] = [];
  for (let n = 0; n < 6; n++) waiting.push((await api.placed(token, [product, 1])).id);
  const [byCommand, afterwards, later] = waiting as [string, string, string];
  const customers = traffic(products.map(({ id }) => id));
  await customers.next(3);

  // The changed workflow does not suit what earlier orders have done.
  const codePath = changed;
  const [history] = await historiesOf(byCommand);
  await expect(Worker.runReplayHistory({ workflowBundle: { codePath } }, history)).rejects.toThrow(
    /Nondeterminism/,
  );
  expect(await readFile(changed, 'utf8')).not.toBe(await readFile(process.env.TEST_WORKFLOW_BUNDLE!, 'utf8'));

  await startWorker(NEW);
  for (const id of await customers.next(3)) expect(await buildOf(id)).toBe(OLD);

  for (const command of ['drain', 'abandon'])
    await expect(deployVersions(command, 'release-3')).rejects.toThrow('There is no version release-3');
  expect(await deployVersions('ramp', '50', NEW, '--timeout', '1800')).toMatchObject({ code: 0 });
  const seen = new Set<string>();
  await eventually(async () => {
    for (const id of await customers.next(2)) seen.add(await buildOf(id));
    expect([...seen].sort()).toEqual([OLD, NEW]);
  });

  expect(await deployVersions('set-current', '--timeout', '1800')).toEqual({
    code: 0,
    lines: [`New orders go to ${NEW}.`],
  });
  await settlesOn(NEW, customers);
  expect(await buildOf(byCommand)).toBe(OLD);
  await api.fulfill(byCommand, [[product, 1]]).expect(201);
  await recordMoved('moved-by-a-command', byCommand);
  expect(await buildOf(afterwards)).toBe(OLD);

  await eventually(async () => expect(await deployVersions('move')).toMatchObject({ code: 0 }));
  expect(await deployVersions('drain', OLD, '--timeout', '1800')).toMatchObject({ code: 0 });
  await stopWorker(OLD);
  await recordMoved('moved-by-a-signal', afterwards);
  for (const id of waiting.slice(1)) expect(await buildOf(id)).toBe(NEW);
  await api.fulfill(afterwards, [[product, 1]]).expect(201);
  await customers.next(3);

  // The documents follow, and the release is taken back all the same.
  const { connection } = api.shop.db;
  const { signal } = new AbortController();
  expect(await migrate(connection, TO_NEXT, { signal, perSecond: 1e9 })).toBeGreaterThan(0);
  const migrated = await orders().distinct('_id', { schemaVersion: NEXT.schemaVersion });
  expect(migrated.length).toBeGreaterThan(waiting.length);

  await startWorker(OLD);
  expect(await deployVersions('set-current', OLD, '--timeout', '1800')).toMatchObject({ code: 0 });
  await settlesOn(OLD, customers);
  await eventually(async () => expect(await deployVersions('move')).toMatchObject({ code: 0 }));
  expect(await buildOf(later)).toBe(OLD);
  await stopWorker(NEW);
  await api.fulfill(later, [[product, 1]]).expect(201);
  await customers.next(3);
  await customers.stop();

  const { schemaVersion: _, ...kept } = NEXT;
  expect(await orders().countDocuments({ _id: { $in: migrated }, ...kept })).toBe(migrated.length);
  // What this release has written since has to be migrated again.
  expect(await orders().findOne({ _id: later })).toMatchObject({ schemaVersion: 1 });
  expect(await migrate(connection, TO_NEXT, { signal, perSecond: 1e9 })).toBeGreaterThan(0);
  expect(await orders().countDocuments({ schemaVersion: { $ne: NEXT.schemaVersion } })).toBe(0);
  expect(customers.statuses.filter((status) => status >= 300)).toEqual([]);
  for (const id of [...waiting, ...customers.placed]) {
    const failed = (await historiesOf(id)).flatMap(({ events }) =>
      events!.filter(({ workflowTaskFailedEventAttributes: failure }) => failure),
    );
    expect({ id, failed }).toEqual({ id, failed: [] });
  }
});
