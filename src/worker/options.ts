import type { WorkerOptions } from '@temporalio/worker';
import { logFields } from '../../activities/log-fields';
import type { WorkerConfig } from '../config';
import type { Queue } from '../config/worker';
import { deploymentName } from '../versions/deployment';
import { createDataConverter } from '../temporal/data-converter';
import type { CustomerKeys } from '../temporal/payload-codec';
import { MAX_DELIVERIES_AT_A_TIME } from '../webhooks/fair-share';
import { isTracing } from '../tracing/spans';
import type { QueueActivities } from './activities';
import { activitySpans } from './activity-spans';

/** How long a worker that was told to stop may exceed its own limit before the SDK ends it. */
const FORCED_SHUTDOWN_MARGIN_MS = 5_000;

/** Deliveries wait for receivers, and cost little meanwhile; the rest is for the relay, and for those that have to wait. */
const MAX_CONCURRENT_EVENT_ACTIVITIES = MAX_DELIVERIES_AT_A_TIME + 50;

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
    dataConverter: createDataConverter(payloadKeys, dataKeys),
    interceptors: { activity: isTracing() ? [activitySpans, logFields] : [logFields] },
    shutdownGraceTime: shutdownTimeoutMs, // with the default of 0, activities would be cancelled at once
    shutdownForceTime: shutdownTimeoutMs + FORCED_SHUTDOWN_MARGIN_MS,
  };
  const version = { deploymentName: deploymentName(config), buildId };
  /** Activities alone have no version: those of all orders, old and new, are done by the newest code. */
  const unversioned = { workerDeploymentOptions: { version, useWorkerVersioning: false as const } };
  if (queue === 'payments') {
    return {
      ...common,
      ...unversioned,
      taskQueue: temporal.paymentsTaskQueue,
      maxConcurrentActivityTaskExecutions: worker.maxConcurrentPayments,
      activityTaskPollerBehavior: pollers(worker.activityTaskPollers, worker.maxConcurrentPayments),
      maxTaskQueueActivitiesPerSecond: payments.maxPerSecond,
    };
  }
  if (queue === 'events') {
    return {
      ...common,
      ...unversioned,
      taskQueue: temporal.eventsTaskQueue,
      maxConcurrentActivityTaskExecutions: MAX_CONCURRENT_EVENT_ACTIVITIES,
      activityTaskPollerBehavior: pollers(worker.activityTaskPollers, MAX_CONCURRENT_EVENT_ACTIVITIES),
    };
  }
  return {
    ...common,
    workerDeploymentOptions: {
      version,
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED', // each workflow says what it is
    },
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
