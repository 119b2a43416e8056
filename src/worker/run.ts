import { NativeConnection, Worker } from '@temporalio/worker';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createSecretBox } from '../common/secret-box';
import type { WorkerConfig } from '../config';
import type { MongoDb } from '../mongodb/mongodb';
import { createDeclineRepository } from '../payments/declines/declines.repository';
import { followDeclines } from '../payments/declines/follow-declines';
import type { WorkerMetrics } from '../telemetry/worker-metrics';
import { createTemporalClient } from '../temporal/client';
import { createDataConverter } from '../temporal/data-converter';
import { lacksNamespace } from '../temporal/errors';
import { explained } from '../temporal/set-up';
import { followDataKeys, rewrapDataKeys } from '../temporal/data-keys/data-keys';
import { createDataKeyRepository } from '../temporal/data-keys/repository';
import { createEndpointRepository } from '../webhooks/endpoints.repository';
import { resealSecrets } from '../webhooks/reseal';
import { SECRETS_PURPOSE } from '../webhooks/signing';
import { buildIdOf } from '../versions/bundle';
import { createActivities } from './activities';
import type { WorkerHealth } from './health';
import { workerOptions } from './options';
import { introduceVersion, noteCode, requireSameCode } from './version';

const RETRY_MS = 1_000;
const NAMESPACE_RETRY_MS = 5_000;

/** Connects to Temporal, waiting for it if it is not there yet; undefined if the signal aborts first. */
export async function connectToTemporal(
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

/** Waits for a namespace that is not there yet, since no worker can start without it; false if the signal aborts first. */
export async function untilNamespace(
  temporal: NativeConnection,
  namespace: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      const call = () => temporal.workflowService.describeNamespace({ namespace });
      await temporal.withDeadline(Date.now() + NAMESPACE_RETRY_MS, call);
      return true;
    } catch (error) {
      if (!lacksNamespace(error)) return true; // the workers tell what else there is
      logger.warn({ err: explained(error, namespace), namespace }, 'the namespace is missing; trying again');
      await delay(NAMESPACE_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

export interface WorkersDeps {
  temporal: NativeConnection;
  mongodb: Pick<MongoDb, 'connection' | 'connected'>;
  /** The path of the workflow bundle. */
  bundle: string;
  logger: Logger;
  /** Aborts when the workers have to stop. */
  signal: AbortSignal;
  /** Is told which workers run. */
  health?: Pick<WorkerHealth, 'started'>;
  /** Without them, nothing is measured. */
  metrics?: WorkerMetrics;
}

/** Runs a worker on each configured queue until the signal aborts, then finishes the work in progress. */
export async function runWorkers(config: WorkerConfig, deps: WorkersDeps): Promise<void> {
  const { temporal, mongodb, bundle, logger, signal, health, metrics } = deps;
  const code = await buildIdOf(bundle);
  const { buildId = code } = config.versions;
  const { connection } = mongodb;
  // Workers of payments alone decide on no order.
  const declines = config.worker.queues.includes('orders')
    ? followDeclines({ repository: createDeclineRepository(connection), mongodb, logger })
    : undefined;
  const { payloadKeys } = config;
  const repository = createDataKeyRepository(connection);
  const dataKeys = followDataKeys({ repository, payloadKeys }, mongodb, logger);
  const rewrapping = rewrapDataKeys(repository, payloadKeys, logger, signal);
  const resealing = resealSecrets({
    endpoints: createEndpointRepository(connection),
    secrets: createSecretBox(payloadKeys, SECRETS_PURPOSE),
    logger,
    signal,
  });
  const client = createTemporalClient(config.temporal, createDataConverter(payloadKeys, dataKeys));
  const isVersioned = config.worker.queues.includes('orders');
  const version = { client: client.client, buildId, code, logger };
  if (isVersioned && buildId !== code) await requireSameCode(config, version);
  const workers = await Promise.all(
    config.worker.queues.map((queue) => {
      const activities = createActivities(queue, config, {
        connection,
        temporal: client,
        logger,
        declines,
        stopping: signal,
        metrics,
      });
      return Worker.create({
        ...workerOptions(queue, config, { activities, buildId, dataKeys }),
        ...(queue === 'orders' && { workflowBundle: { codePath: bundle } }),
        connection: temporal,
      });
    }),
  );
  health?.started(new Map(config.worker.queues.map((queue, n) => [queue, workers[n]!])));
  logger.info({ taskQueues: workers.map(({ options }) => options.taskQueue) }, 'worker started');
  const running = runAll(workers, signal);
  const ended = new AbortController();
  // Only by now: a version whose workers cannot start must not get any work.
  const own = { ...version, signal: AbortSignal.any([signal, ended.signal]) };
  const introducing =
    isVersioned && Promise.all([introduceVersion(config, own), buildId !== code && noteCode(config, own)]);
  await running.finally(async () => {
    ended.abort();
    await introducing;
    await Promise.all([declines?.close(), dataKeys.close(), client.close(), rewrapping, resealing]);
  });
}

/** Runs the workers until the signal aborts, or until one of them fails, which stops the others as well. */
async function runAll(workers: Worker[], signal: AbortSignal): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const stopped = stop.aborted ? Promise.resolve() : once(stop, 'abort').then(() => undefined);
  const runs = workers.map(async (worker) => {
    try {
      await worker.runUntil(stopped);
    } catch (error) {
      failure.abort();
      throw error;
    }
  });
  for (const run of await Promise.allSettled(runs)) {
    if (run.status === 'rejected') throw run.reason;
  }
}
