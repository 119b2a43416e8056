import { DefaultLogger, NativeConnection, Runtime, Worker, type Logger } from '@temporalio/worker';
import type { Connection } from 'mongoose';
import { createPaymentActivities } from '../../activities/payments.activities';
import type { WorkerConfig } from '../../src/config';
import { unlimitedDeclines } from './declines';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { isForbidden } from '../../src/temporal/errors';
import { createDeployment } from '../../src/versions/deployment';
import {
  createCartSweep,
  createJanitor,
  createOrderQueueActivities,
  createOrdersAudit,
  createPaymentProvider,
  createReconciliation,
  createUpkeep,
  type Activities,
} from '../../src/worker/activities';
import { workerOptions } from '../../src/worker/options';
import { buildIdOf } from '../../src/versions/bundle';
import { testWorkerConfig } from './config';
import { patientDataKeys } from './data-keys';
import { HANG_MS } from './eventually';
import { taskQueueEnv } from './task-queues';
import { createWorkflowCoverage } from './workflow-coverage';

export interface TestWorker {
  stop(): Promise<void>;
}

/** Makes steps fail, stall or crash: each function replaces the real implementation. */
export interface Sabotage {
  activities?(activities: Activities): Activities;
  provider?(provider: PaymentProvider): PaymentProvider;
}

/** The keys of a worker's payloads, and the workflow bundle for encrypted payloads. */
export interface WorkerPayloads {
  keys: string;
  bundle: string;
}

export interface TestWorkerOptions {
  taskQueue: string;
  connection: Connection;
  sabotage?: Sabotage;
  /** Defaults to unencrypted payloads. */
  payloads?: WorkerPayloads;
  /** More configuration. */
  env?: NodeJS.ProcessEnv;
  /** Whether new orders go to its version; true by default. */
  isCurrent?: boolean;
}

/** Starts real workers of both queues in this process, on the task queues of the test. */
export async function startTestWorker(options: TestWorkerOptions): Promise<TestWorker> {
  const { taskQueue, connection: database, sabotage = {}, payloads, env, isCurrent = true } = options;
  installRuntime();
  const config = testWorkerConfig({
    ...taskQueueEnv(taskQueue),
    WORKER_MAX_CONCURRENT_PAYMENTS: '100', // tests make dozens of them stall concurrently
    SHUTDOWN_TIMEOUT_MS: '1000',
    PAYLOAD_KEYS: payloads?.keys,
    ...env,
  });
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const plain = process.env.TEST_WORKFLOW_BUNDLE!;
  const bundle = payloads?.bundle ?? plain;
  // Workers with and without payload keys are of one version, as in production.
  const buildId = config.versions.buildId ?? (await buildIdOf(plain));
  const coverage = createWorkflowCoverage();
  // When its time is up, the SDK ends a worker that still polls, and fails with "Worker still in use".
  const common = { connection, shutdownForceTime: HANG_MS };
  const dataKeys = patientDataKeys(database, config.payloadKeys);
  const client = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys, dataKeys));
  const activities = activitiesOf(config, database, client, sabotage);
  if (isCurrent) await makeCurrent(client, config, buildId);
  const orders = await Worker.create({
    ...workerOptions('orders', config, { activities: activities.orders, buildId, dataKeys }),
    ...common,
    workflowBundle: { codePath: bundle },
    sinks: coverage.sinks,
  });
  const payments = await Worker.create({
    ...workerOptions('payments', config, { activities: activities.payments, buildId, dataKeys }),
    ...common,
  });
  const running = Promise.all([orders.run(), payments.run()]);
  return {
    async stop() {
      orders.shutdown();
      payments.shutdown();
      await running;
      await client.close();
      await connection.close();
      coverage.collect();
    },
  };
}

async function makeCurrent({ client }: TemporalClient, config: WorkerConfig, buildId: string): Promise<void> {
  await createDeployment(client, config)
    .setCurrent(buildId, true)
    .catch((error: unknown) => {
      if (!isForbidden(error)) throw error; // the time-skipping server knows no versions, and no worker is left out
    });
}

/** Returns the activities of each queue, as src/worker/activities.ts creates them, with the replaced steps. */
function activitiesOf(
  config: WorkerConfig,
  database: Connection,
  temporal: TemporalClient,
  { activities: replaceActivities = same, provider: replaceProvider = same }: Sabotage,
): { orders: Partial<Activities>; payments: Partial<Activities> } {
  const provider = replaceProvider(createPaymentProvider(config, database)!);
  const { policy, maxUnpaid } = config.payments;
  const limited = { ...policy, maxUnpaid };
  const orders = {
    ...createOrderQueueActivities(database, limited, provider, unlimitedDeclines(database)),
    ...createCartSweep(config, database),
    ...createJanitor(config, database, temporal),
    ...createUpkeep(config, database, temporal),
    // What tests have just changed is looked at.
    ...createOrdersAudit(config, {
      connection: database,
      temporal,
      settlingMs: 0,
      storedWithinMs: 0,
      partMs: 0,
    }),
  };
  const payments = {
    ...createPaymentActivities({ provider }),
    // What tests have just changed is compared.
    ...createReconciliation(config, { connection: database, temporal, provider, settlingMs: 0 }),
  };
  const replaced = replaceActivities({ ...orders, ...payments });
  return { orders: pick(replaced, orders), payments: pick(replaced, payments) };
}

function same<T>(value: T): T {
  return value;
}

function pick(activities: Activities, names: object): Partial<Activities> {
  return Object.fromEntries(Object.entries(activities).filter(([name]) => name in names));
}

let installed = false;

/** @param logger gets what the workers of this test process log; by default, nobody does */
export function installRuntime(
  logger: Logger = new DefaultLogger('ERROR', () => undefined), // tests make dozens of steps fail
): void {
  if (installed) return;
  Runtime.install({
    logger,
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    shutdownSignals: [],
  });
  installed = true;
}
