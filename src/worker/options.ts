import type { WorkerOptions } from '@temporalio/worker';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logFields } from '../../activities/log-fields';
import type { WorkerConfig } from '../config';
import type { Queue } from '../config/worker';
import { createDataConverter } from '../temporal/data-converter';
import type { CustomerKeys } from '../temporal/payload-codec';
import { MAX_DELIVERIES_AT_A_TIME } from '../webhooks/fair-share';
import { isTracing } from '../tracing/spans';
import type { QueueActivities } from './activities';
import { activitySpans } from './activity-spans';

const DEPLOYMENT = 'orders';
const BUILD_ID_CHARACTERS = 12;
/** How long a worker that was told to stop may exceed its own limit before the SDK ends it. */
const FORCED_SHUTDOWN_MARGIN_MS = 5_000;

/** Deliveries wait for receivers, and cost little meanwhile; the rest is for the relay, and for those that have to wait. */
const MAX_CONCURRENT_EVENT_ACTIVITIES = MAX_DELIVERIES_AT_A_TIME + 50;

/** The path of the bundle that `npm run build` made; with payload keys, failures are converted by another one. */
export function bundleFor({ payloadKeys }: WorkerConfig): string {
  const name = payloadKeys.length > 0 ? 'workflow-bundle.encoded.js' : 'workflow-bundle.js';
  return join(__dirname, '..', '..', name);
}

/** Identifies the code in every task of a history and in the Temporal UI. The SDK's own id has 92 characters. */
export async function buildIdOf(bundle: string): Promise<string> {
  const hash = createHash('sha256').update(await readFile(bundle));
  return hash.digest('hex').slice(0, BUILD_ID_CHARACTERS);
}

export interface WorkerParts {
  activities: QueueActivities;
  buildId: string;
  /** Without them, PAYLOAD_KEYS encrypt everything. */
  dataKeys?: CustomerKeys;
}

/** The options of the worker of one queue, without its connection and its workflows. */
export function workerOptions(
  queue: Queue,
  config: WorkerConfig,
  { activities, buildId, dataKeys }: WorkerParts,
): Omit<WorkerOptions, 'connection'> {
  const { temporal, worker, payments, payloadKeys, shutdownTimeoutMs } = config;
  const common = {
    namespace: temporal.namespace,
    activities,
    workerDeploymentOptions: {
      version: { deploymentName: DEPLOYMENT, buildId },
      useWorkerVersioning: false as const, // open orders move on to new code, which recorded histories prove compatible
    },
    dataConverter: createDataConverter(payloadKeys, dataKeys),
    interceptors: { activity: isTracing() ? [activitySpans, logFields] : [logFields] },
    shutdownGraceTime: shutdownTimeoutMs, // with the default of 0, activities would be cancelled at once
    shutdownForceTime: shutdownTimeoutMs + FORCED_SHUTDOWN_MARGIN_MS,
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
  if (queue === 'events') {
    return {
      ...common,
      taskQueue: temporal.eventsTaskQueue,
      maxConcurrentActivityTaskExecutions: MAX_CONCURRENT_EVENT_ACTIVITIES,
      activityTaskPollerBehavior: pollers(worker.activityTaskPollers, MAX_CONCURRENT_EVENT_ACTIVITIES),
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

/** Limits the pollers to the slots for the tasks that they fetch. */
function pollers(wanted: number, slots: number): WorkerOptions['activityTaskPollerBehavior'] {
  return { type: 'simple-maximum', maximum: Math.min(wanted, slots) };
}
