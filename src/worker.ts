import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Connection } from 'mongoose';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { businessAnswers } from '../activities/business-answers';
import { logFields } from '../activities/log-fields';
import { createOrderActivities } from '../activities/orders.activities';
import { createPaymentActivities } from '../activities/payments.activities';
import { createPricingActivities } from '../activities/pricing.activities';
import { runEntry } from './common/entry';
import { loadConfig, type WorkerConfig } from './config';
import { createLogger } from './logger/logger';
import { openMongoDb, type MongoDb } from './mongodb/mongodb';
import { createTransact } from './mongodb/transaction';
import { createOrderRepository } from './orders/orders.repository';
import type { PaymentProvider } from './payments/payment-provider';
import { createSandboxProvider } from './payments/sandbox/provider';
import { createSandboxRepository } from './payments/sandbox/repository';
import { createStripeClient, createStripeProvider } from './payments/stripe/provider';
import { createStripePaymentRepository } from './payments/stripe/repository';
import { createProductServiceRepository } from './product-service/product-service.repository';
import { createStockQueue } from './product-service/stock-queue';
import { createStockRepository } from './product-service/stock.repository';
import { createDataConverter } from './temporal/data-converter';

const RETRY_MS = 1_000;
const DEPLOYMENT = 'orders';
const BUILD_ID_CHARACTERS = 12;

/** Built ahead of time by `npm run build`: how failures are told is part of a bundle. */
function bundleFor({ payloadKeys }: WorkerConfig): string {
  const name = payloadKeys.length > 0 ? 'workflow-bundle.encoded.js' : 'workflow-bundle.js';
  return join(__dirname, '..', name);
}

/** What runs: it is in every task of a history, and in the Temporal UI. The SDK's own name for it is 92 characters long. */
export async function buildIdOf(bundle: string): Promise<string> {
  const hash = createHash('sha256').update(await readFile(bundle));
  return hash.digest('hex').slice(0, BUILD_ID_CHARACTERS);
}

/** The activities of the orders queue: all on our own database. */
export function createOrderQueueActivities(connection: Connection) {
  const products = createProductServiceRepository(connection);
  return {
    ...createPricingActivities({ products }),
    ...createOrderActivities({
      orders: createOrderRepository(connection),
      stock: createStockRepository(connection),
      stockQueue: createStockQueue(),
      transact: createTransact(connection),
    }),
  };
}

export function createPaymentProvider({ payments }: WorkerConfig, connection: Connection): PaymentProvider {
  if (payments.provider === 'sandbox') {
    return createSandboxProvider({ repository: createSandboxRepository(connection) });
  }
  return createStripeProvider({
    stripe: createStripeClient(payments.stripe!.secretKey!),
    payments: createStripePaymentRepository(connection),
  });
}

/** What the worker of a queue runs; only one of the payments queue needs the secrets of the payment service. */
const ACTIVITIES = {
  orders: (_config: WorkerConfig, connection: Connection) => createOrderQueueActivities(connection),
  payments: (config: WorkerConfig, connection: Connection) =>
    createPaymentActivities({ provider: createPaymentProvider(config, connection) }),
};

export type Queue = keyof typeof ACTIVITIES;
export type Activities = ReturnType<typeof ACTIVITIES.orders> & ReturnType<typeof ACTIVITIES.payments>;

/** The activities of all queues. */
export function createActivities(config: WorkerConfig, connection: Connection): Activities {
  return { ...ACTIVITIES.orders(config, connection), ...ACTIVITIES.payments(config, connection) };
}

/** What the worker of a queue is made of, but for its connection and, on the orders queue, the workflows. */
export function workerOptions(
  queue: Queue,
  config: WorkerConfig,
  { activities, buildId }: { activities: Partial<Activities>; buildId: string },
): Omit<WorkerOptions, 'connection'> {
  const { temporal, worker, payments, payloadKeys, shutdownTimeoutMs } = config;
  const common = {
    namespace: temporal.namespace,
    activities,
    workerDeploymentOptions: {
      version: { deploymentName: DEPLOYMENT, buildId },
      useWorkerVersioning: false as const, // `patched` and recorded histories keep old runs going
    },
    dataConverter: createDataConverter(payloadKeys),
    interceptors: { activity: [logFields, () => ({ inbound: businessAnswers })] },
    shutdownGraceTime: shutdownTimeoutMs, // 0 by default: activities would be cancelled at once
    shutdownForceTime: shutdownTimeoutMs + 5_000,
  };
  if (queue === 'payments') {
    return {
      ...common,
      taskQueue: temporal.paymentsTaskQueue,
      maxConcurrentActivityTaskExecutions: worker.maxConcurrentPayments,
      activityTaskPollerBehavior: pollers(worker.activityTaskPollers, worker.maxConcurrentPayments),
      maxTaskQueueActivitiesPerSecond: payments.maxPerSecond,
    };
  }
  return {
    ...common,
    taskQueue: temporal.taskQueue,
    maxConcurrentWorkflowTaskExecutions: worker.maxConcurrentWorkflowTasks,
    maxConcurrentLocalActivityExecutions: worker.maxConcurrentLocalActivities,
    maxConcurrentActivityTaskExecutions: worker.maxConcurrentActivities,
    workflowTaskPollerBehavior: pollers(worker.workflowTaskPollers, worker.maxConcurrentWorkflowTasks),
    activityTaskPollerBehavior: pollers(worker.activityTaskPollers, worker.maxConcurrentActivities),
    maxCachedWorkflows: worker.maxCachedWorkflows,
  };
}

/** As many as told, but not more than there are slots for what they bring. */
function pollers(wanted: number, slots: number): WorkerOptions['activityTaskPollerBehavior'] {
  return { type: 'simple-maximum', maximum: Math.min(wanted, slots) };
}

/** Runs until SIGTERM or SIGINT, then takes no more work and finishes what it has. */
export async function main(env: NodeJS.ProcessEnv, bundle?: string): Promise<void> {
  const config = loadConfig('worker', env);
  const logger = createLogger(config).child({ process: 'worker' });
  Runtime.install({
    logger: temporalLogger(logger),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN' }), forward: {} } },
    shutdownSignals: [],
  });
  const stopping = new AbortController();
  const stopped = once(stopping.signal, 'abort').then(() => undefined);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

  const mongodb = openMongoDb(config.mongodb, logger);
  try {
    const connection = await connectToTemporal(config.temporal, logger, stopping.signal);
    if (connection)
      await work(config, { connection, mongodb, logger, stopped, bundle: bundle ?? bundleFor(config) });
    logger.info('worker stopped');
  } finally {
    await mongodb.close();
  }
}

/** A worker that starts before Temporal waits for it; nothing when it is stopped meanwhile. */
async function connectToTemporal(
  { address, security }: WorkerConfig['temporal'],
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | undefined> {
  while (!signal.aborted) {
    try {
      return await NativeConnection.connect({ address, ...security });
    } catch (err) {
      logger.warn({ err, address }, 'Temporal is not reachable; trying again');
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

interface WorkDeps {
  connection: NativeConnection;
  mongodb: MongoDb;
  /** Path of the workflow bundle. */
  bundle: string;
  logger: Logger;
  /** Settles when the worker is to stop. */
  stopped: Promise<void>;
}

async function work(
  config: WorkerConfig,
  { connection, mongodb, bundle, logger, stopped }: WorkDeps,
): Promise<void> {
  const workflows = { workflowBundle: { codePath: bundle } };
  try {
    const buildId = await buildIdOf(bundle);
    const workers = await Promise.all(
      config.worker.queues.map((queue) =>
        Worker.create({
          ...workerOptions(queue, config, {
            activities: ACTIVITIES[queue](config, mongodb.connection),
            buildId,
          }),
          ...(queue === 'orders' && workflows),
          connection,
        }),
      ),
    );
    logger.info({ taskQueues: workers.map(({ options }) => options.taskQueue) }, 'worker started');
    await runAll(workers, stopped);
  } finally {
    await connection.close();
  }
}

/** Runs them until told to stop, or until one fails, which stops the others too. */
async function runAll(workers: Worker[], stopped: Promise<void>): Promise<void> {
  const failure = new AbortController();
  const failed = once(failure.signal, 'abort').then(() => undefined);
  const runs = workers.map(async (worker) => {
    try {
      await worker.runUntil(Promise.race([stopped, failed]));
    } catch (error) {
      failure.abort();
      throw error;
    }
  });
  for (const run of await Promise.allSettled(runs)) {
    if (run.status === 'rejected') throw run.reason;
  }
}

/** Sends the log lines of the SDK, of workflows and of activities the way of all others. */
function temporalLogger(logger: Logger): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => {
    // What an activity got is in Temporal, encrypted or not, and not for the log.
    const { task: _task, taskEncoded: _taskEncoded, ...fields } = meta ?? {};
    if (message !== NO_WORKFLOWS) logger[PINO_LEVELS[level]](fields, message);
  });
}

/** A warning of the SDK that is no news of the payments queue. */
const NO_WORKFLOWS = 'No workflows registered, not polling for workflow tasks';

const PINO_LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

runEntry(require.main === module, main);
