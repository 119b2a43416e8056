import { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { buildIdOf } from '../../src/versions/bundle';
import { createDeployment } from '../../src/versions/deployment';
import { runWorkers } from '../../src/worker/run';
import { orderWorkflowId } from '../../workflows/contract';
import { testWorkerConfig } from '../support/config';
import { runEntry } from '../support/entries';
import { eventually, HANG_MS } from '../support/eventually';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { taskQueueEnv } from '../support/task-queues';
import { installRuntime } from '../support/worker';

let api: OrderApi;
beforeAll(async () => {
  installRuntime();
  api = await openOrderApi({ own: true });
});
afterAll(() => api.close());

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

it('the first version gets orders at once, and another one when it is told to or takes over', async () => {
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

  // All workers of the first version are gone, and an order is open on it.
  await stopFirst();
  const before = await versionOf(waiting);
  const stopThird = await startVersion({ WORKER_BUILD_ID: 'third', WORKER_ROLLOUT: 'replace' });
  await whileTheyRun(
    eventually(async () => expect(await versionOf(waiting)).toMatchObject({ build: 'third' })),
  );
  expect((await versionOf(waiting)).runId).not.toBe(before.runId);
  await api.fulfill(waiting, [[product.id, 1]]).expect(201);
  expect(await versionOf(await place())).toMatchObject({ build: 'third' });
  await eventually(async () => expect(await deployment().countOpen(own)).toBe(0));
  await stopThird();
});
