import { NativeConnection } from '@temporalio/worker';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { buildIdOf } from '../../src/versions/bundle';
import { createDeployment } from '../../src/versions/deployment';
import { restartOrder } from '../../src/versions/restart';
import { runWorkers } from '../../src/worker/run';
import { orderWorkflowId } from '../../workflows/contract';
import { testWorkerConfig } from '../support/config';
import { runEntry } from '../support/entries';
import { eventually, HANG_MS } from '../support/eventually';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { spawnNode, type NodeProcess } from '../support/process';
import { taskQueueEnv } from '../support/task-queues';
import { installRuntime } from '../support/worker';

const DIST = join(__dirname, '..', '..', 'dist');
const WORKER = join(DIST, 'src', 'worker.js');
const BUILT = join(DIST, 'workflow-bundle.js');

let api: OrderApi;
const processes: NodeProcess[] = [];
beforeEach(async () => {
  installRuntime();
  api = await openOrderApi({ own: true });
});
afterEach(async () => {
  for (const { kill } of processes.splice(0)) kill('SIGKILL');
  await api.close();
});

const bundle = process.env.TEST_WORKFLOW_BUNDLE!;
const configOf = (env: NodeJS.ProcessEnv = {}) =>
  testWorkerConfig({ ...taskQueueEnv(api.shop.taskQueue), SHUTDOWN_TIMEOUT_MS: String(HANG_MS), ...env });
const deployment = () => createDeployment(api.shop.temporal.client, configOf());

/** Rejects when workers end that were not told to. */
const ended: Promise<never>[] = [];
const whileTheyRun = <T>(work: Promise<T>): Promise<T> => Promise.race([work, ...ended]);

/** Runs the workers of a version as the worker process does. Returns how to stop them. */
async function startVersion(env: NodeJS.ProcessEnv = {}): Promise<() => Promise<void>> {
  const config = configOf(env);
  const temporal = await NativeConnection.connect({ address: config.temporal.address });
  const stopping = new AbortController();
  const { signal } = stopping;
  const logger = pino({ level: 'silent' });
  const done = runWorkers(config, { temporal, mongodb: api.shop.db.mongodb, bundle, logger, signal });
  const end = done.then(() => {
    if (!signal.aborted) throw new Error('The workers have ended.');
    return new Promise<never>(() => undefined);
  });
  end.catch(() => undefined); // for those who wait meanwhile
  ended.push(end);
  return async () => {
    stopping.abort();
    await done;
    await temporal.close();
  };
}

async function versionOf(id: string): Promise<{ runId: string; build?: string | null }> {
  const handle = api.shop.temporal.client.workflow.getHandle(orderWorkflowId(id));
  const { raw, runId } = await handle.describe();
  return { runId, build: raw.workflowExecutionInfo!.versioningInfo?.deploymentVersion?.buildId };
}

/** Returns how many runs there are of the workflow of an order. */
async function runsOf(id: string): Promise<number> {
  const { workflow } = api.shop.temporal.client;
  return (await workflow.count(`WorkflowId = "${orderWorkflowId(id)}"`)).count;
}

function deployVersions(...args: string[]) {
  const env = {
    NODE_ENV: 'test',
    MONGODB_URI: api.shop.db.uri,
    TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS,
    WORKER_BUILD_ID: 'second',
    ...taskQueueEnv(api.shop.taskQueue),
  };
  return runEntry('deploy-versions', env, { args });
}

/** Gives work the path of a bundle with this text. */
async function withBundle(text: string, work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'oms-bundle-'));
  const path = join(folder, 'workflow-bundle.js');
  await writeFile(path, text);
  await work(path);
  await rm(folder, { recursive: true });
}

/** Runs workers of a version that takes over, but does not come to that. */
async function failingVersion(build: string, codePath: string): Promise<void> {
  const config = configOf({
    WORKER_BUILD_ID: build,
    WORKER_ROLLOUT: 'replace',
    WORKER_QUEUES: 'orders',
  });
  const temporal = await NativeConnection.connect({ address: config.temporal.address });
  const { mongodb } = api.shop.db;
  const logger = pino({ level: 'silent' });
  const { signal } = new AbortController();
  await runWorkers(config, { temporal, mongodb, bundle: codePath, logger, signal }).finally(() =>
    temporal.close(),
  );
}

/** Starts a worker process of a version that takes over. */
function spawnVersion(build: string): NodeProcess {
  const worker = spawnNode([WORKER], {
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    MONGODB_URI: api.shop.db.uri,
    TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS,
    WORKER_BUILD_ID: build,
    WORKER_ROLLOUT: 'replace',
    ...taskQueueEnv(api.shop.taskQueue),
  });
  processes.push(worker);
  return worker;
}

it('the first version gets orders at once, and another one when it is told to', async () => {
  const own = await buildIdOf(bundle);
  const token = api.tokenOf('CUSTOMER');
  const product = await api.shop.sell();
  const place = async () => (await whileTheyRun(api.placed(token, [product.id, 1]))).id as string;

  expect(await deployVersions()).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('No version is current, so new orders wait: run set-current.') as string,
  });
  const stopFirst = await startVersion();
  const waiting = await place();
  expect(await versionOf(waiting)).toMatchObject({ build: own });
  expect(await deployment().routing()).toMatchObject({ current: own });

  // Temporal lists pollers by the name of their process, which later versions share here.
  await eventually(async () =>
    expect(await deployVersions('abandon', own)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`Workers of version ${own} ask for work`) as string,
    }),
  );

  // Whether workers are there does not depend on the clock of who asks.
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
  expect(await deployment().versions()).toMatchObject([{ buildId: own, pollers: 1 }]);
  clock.mockRestore();

  const stopSecond = await startVersion({ WORKER_BUILD_ID: 'second' });
  expect(await versionOf(await place())).toMatchObject({ build: own });
  const status = await deployVersions('status', '--json');
  expect([status.code, JSON.parse(status.stdout)]).toMatchObject([
    0,
    {
      own: 'second',
      versions: expect.arrayContaining([
        expect.objectContaining({ buildId: own, status: 'current' }),
      ]) as object,
    },
  ]);
  await stopSecond();

  expect(await deployVersions('set-current', 'third', '--timeout', '1')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('No worker of version third asks for work after 1 s') as string,
  });
  expect(await deployVersions('ramp', '101')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Usage: npm run deploy:versions') as string,
  });

  await stopFirst();

  // Two look at the same list of what was left, and a third one later.
  await deployment().setCurrent('second', true);
  const { client } = api.shop.temporal;
  const { runId } = await versionOf(waiting);
  const restart = () => restartOrder(client, { workflowId: orderWorkflowId(waiting), runId }, own);
  const stopAgain = await startVersion({ WORKER_BUILD_ID: 'second' });
  expect(await Promise.all([restart(), restart()])).toEqual([true, true]);
  await whileTheyRun(
    eventually(async () => expect(await versionOf(waiting)).toMatchObject({ build: 'second' })),
  );
  const resumed = await versionOf(waiting);
  expect(await restart()).toBe(false);
  expect(await versionOf(waiting)).toEqual(resumed);

  await eventually(async () => expect(await deployVersions('abandon', own)).toMatchObject({ code: 0 }));
  expect(await deployment().countOpen(own)).toBe(0);
  expect(await versionOf(waiting)).toEqual(resumed);
  await eventually(async () => expect(await runsOf(waiting)).toBe(2));
  await whileTheyRun(Promise.resolve(api.fulfill(waiting, [[product.id, 1]]).expect(201)));
  await stopAgain();
});

it('with WORKER_ROLLOUT=replace, a version takes over once its workers work, and takes orders from no worker that does', async () => {
  const token = api.tokenOf('CUSTOMER');
  const product = await api.shop.sell();
  const place = async () => (await api.placed(token, [product.id, 1])).id as string;
  const isCurrent = /version of the worker is current/;

  const old = spawnVersion('old');
  await old.line(isCurrent);
  const onOld = await place();
  const before = await versionOf(onOld);
  expect(before).toMatchObject({ build: 'old' });

  await withBundle('This is no bundle.', (broken) =>
    expect(failingVersion('broken', broken)).rejects.toThrow('Workflow Bundle'),
  );

  const replicas = [spawnVersion('new'), spawnVersion('new')];
  const { input } = await Promise.race(replicas.map((replica) => replica.line(isCurrent)));
  expect(JSON.parse(input)).toMatchObject({ buildId: 'new', before: 'old' });
  await eventually(async () => expect(await versionOf(await place())).toMatchObject({ build: 'new' }));
  expect(await versionOf(onOld)).toEqual(before);

  // The tag of its image is pushed again, with other code.
  const { codeOf } = deployment();
  await eventually(async () => expect(await codeOf('new')).toBe(await buildIdOf(BUILT)));
  await withBundle(`${await readFile(BUILT, 'utf8')}\n// changed`, (changed) =>
    expect(failingVersion('new', changed)).rejects.toThrow(
      'The version new of the workers has had other workflow code',
    ),
  );

  // One of the old ones is started again, as after a crash.
  const late = spawnVersion('old');
  await late.line(/version of the worker waits for the current one to stop/);
  expect(await deployment().routing()).toMatchObject({ current: 'new' });

  for (const worker of [old, late]) worker.kill('SIGTERM');
  await Promise.all([old.ended, late.ended]);
  await eventually(async () => expect(await versionOf(onOld)).toMatchObject({ build: 'new' }));
  await eventually(async () => expect(await deployment().countOpen('old')).toBe(0));
  const onNew = await place();

  // The old one is wanted again.
  const again = spawnVersion('old');
  await again.line(/version of the worker waits/);
  const back = again.line(isCurrent);
  for (const worker of replicas) worker.kill('SIGTERM');
  await back;
  for (const id of [onOld, onNew])
    await eventually(async () => expect(await versionOf(id)).toMatchObject({ build: 'old' }));
  await api.fulfill(onNew, [[product.id, 1]]).expect(201);
  await eventually(async () => expect([await runsOf(onOld), await runsOf(onNew)]).toEqual([3, 2]));
});
