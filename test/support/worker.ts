import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Connection } from 'mongoose';
import { createPaymentActivities } from '../../activities/payments.activities';
import type { WorkerConfig } from '../../src/config';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import {
  buildIdOf,
  createOrderQueueActivities,
  createPaymentProvider,
  workerOptions,
  type Activities,
} from '../../src/worker';
import { testWorkerConfig } from './config';

export interface TestWorker {
  stop(): Promise<void>;
}

/** Makes steps fail, stall or die: takes the real ones and returns what the worker runs. */
export interface Sabotage {
  activities?(activities: Activities): Activities;
  provider?(provider: PaymentProvider): PaymentProvider;
}

/** What a worker is to have of the keys of payloads, and the bundle that goes with it. */
export interface WorkerPayloads {
  keys: string;
  bundle: string;
}

export interface TestWorkerOptions {
  taskQueue: string;
  connection: Connection;
  sabotage?: Sabotage;
  /** In clear unless told. */
  payloads?: WorkerPayloads;
}

/** Each test has its own, like its task queue for orders. */
export function paymentsTaskQueueOf(taskQueue: string): string {
  return `${taskQueue}-payments`;
}

/** The configuration of a process that is to work on the queues of a test. */
export function taskQueueEnv(taskQueue: string): NodeJS.ProcessEnv {
  return {
    TEMPORAL_TASK_QUEUE: taskQueue,
    TEMPORAL_PAYMENTS_TASK_QUEUE: paymentsTaskQueueOf(taskQueue),
  };
}

/** A real worker of both queues in this process, on a task queue of the test's own. */
export async function startTestWorker(options: TestWorkerOptions): Promise<TestWorker> {
  const { taskQueue, connection: database, sabotage = {}, payloads } = options;
  installRuntime();
  const config = testWorkerConfig({
    ...taskQueueEnv(taskQueue),
    WORKER_MAX_CONCURRENT_PAYMENTS: '100', // tests make dozens of them stall at once
    SHUTDOWN_TIMEOUT_MS: '1000',
    PAYLOAD_KEYS: payloads?.keys,
  });
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const bundle = payloads?.bundle ?? process.env.TEST_WORKFLOW_BUNDLE!;
  const buildId = await buildIdOf(bundle);
  const coverage = new WorkflowCoverage();
  const activities = sabotagedActivities(config, database, sabotage);
  const orders = await Worker.create(
    coverage.augmentWorkerOptionsWithBundle({
      ...workerOptions('orders', config, { activities: activities.orders, buildId }),
      connection,
      workflowBundle: { codePath: bundle },
    }),
  );
  const payments = await Worker.create({
    ...workerOptions('payments', config, { activities: activities.payments, buildId }),
    connection,
  });
  const running = Promise.all([orders.run(), payments.run()]);
  return {
    async stop() {
      orders.shutdown();
      payments.shutdown();
      await running;
      await connection.close();
      collect(coverage);
    },
  };
}

/** What each queue runs, as in `createActivities` of src/worker.ts. */
function sabotagedActivities(
  config: WorkerConfig,
  database: Connection,
  { activities: spoil = same, provider: spoilProvider = same }: Sabotage,
): { orders: Partial<Activities>; payments: Partial<Activities> } {
  const provider = spoilProvider(createPaymentProvider(config, database));
  const orders = createOrderQueueActivities(database);
  const payments = createPaymentActivities({ provider });
  const spoiled = spoil({ ...orders, ...payments });
  return { orders: pick(spoiled, orders), payments: pick(spoiled, payments) };
}

function same<T>(value: T): T {
  return value;
}

function pick(activities: Activities, names: object): Partial<Activities> {
  return Object.fromEntries(Object.entries(activities).filter(([name]) => name in names));
}

let installed = false;

export function installRuntime(): void {
  if (installed) return;
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined), // tests make steps fail by the dozen
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    shutdownSignals: [],
  });
  installed = true;
}

function collect(coverage: WorkflowCoverage): void {
  const holder = globalThis as { __coverage__?: object };
  if (!holder.__coverage__) return;
  coverage.mergeIntoGlobalCoverage();
  holder.__coverage__ = JSON.parse(JSON.stringify(holder.__coverage__)) as object; // Jest cannot send class instances
}
