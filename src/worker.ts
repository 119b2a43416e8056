import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import type { Connection } from 'mongoose';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { businessAnswers } from '../activities/business-answers';
import { logFields } from '../activities/log-fields';
import { createOrderActivities } from '../activities/orders.activities';
import { createPricingActivities } from '../activities/pricing.activities';
import { runEntry } from './common/entry';
import { loadWorkerConfig } from './config/config';
import type { WorkerConfig } from './config/config';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import type { MongoDb } from './mongodb/mongodb';
import { createTransact } from './mongodb/transaction';
import { createOrderRepository } from './orders/orders.repository';
import { createProductServiceRepository } from './product-service/product-service.repository';
import { createStockQueue } from './product-service/stock-queue';
import { createStockRepository } from './product-service/stock.repository';

const RETRY_MS = 1_000;
/** Built ahead of time by `npm run build`. */
const BUNDLE = join(__dirname, '..', 'workflow-bundle.js');

export function createActivities(connection: Connection) {
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

export type Activities = ReturnType<typeof createActivities>;

/** What a worker of this configuration is made of, but for its connection. */
export function workerOptions(
  config: WorkerConfig,
  activities: Activities,
): Omit<WorkerOptions, 'connection'> {
  const {
    maxConcurrentWorkflowTasks,
    maxConcurrentLocalActivities,
    maxConcurrentActivities,
    maxCachedWorkflows,
  } = config.worker;
  return {
    namespace: config.temporal.namespace,
    taskQueue: config.temporal.taskQueue,
    activities,
    interceptors: { activity: [logFields, () => ({ inbound: businessAnswers })] },
    maxConcurrentWorkflowTaskExecutions: maxConcurrentWorkflowTasks,
    maxConcurrentLocalActivityExecutions: maxConcurrentLocalActivities,
    maxConcurrentActivityTaskExecutions: maxConcurrentActivities,
    maxCachedWorkflows,
    shutdownGraceTime: config.shutdownTimeoutMs, // 0 by default: activities would be cancelled at once
    shutdownForceTime: config.shutdownTimeoutMs + 5_000,
  };
}

/** Runs until SIGTERM or SIGINT, then takes no more work and finishes what it has. */
export async function main(env: NodeJS.ProcessEnv, bundle = BUNDLE): Promise<void> {
  const config = loadWorkerConfig(env);
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
    const connection = await connectToTemporal(config.temporal.address, logger, stopping.signal);
    if (connection) await work(config, { connection, mongodb, bundle, logger, stopped });
    logger.info('worker stopped');
  } finally {
    await mongodb.close();
  }
}

/** A worker that starts before Temporal waits for it; nothing when it is stopped meanwhile. */
async function connectToTemporal(
  address: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | undefined> {
  while (!signal.aborted) {
    try {
      return await NativeConnection.connect({ address });
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
  try {
    const options = workerOptions(config, createActivities(mongodb.connection));
    const worker = await Worker.create({ ...options, connection, workflowBundle: { codePath: bundle } });
    logger.info({ taskQueue: options.taskQueue }, 'worker started');
    await worker.runUntil(stopped);
  } finally {
    await connection.close();
  }
}

/** Sends the log lines of the SDK, of workflows and of activities the way of all others. */
function temporalLogger(logger: Logger): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) =>
    logger[PINO_LEVELS[level]]({ ...meta }, message),
  );
}

const PINO_LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

runEntry(require.main === module, main);
