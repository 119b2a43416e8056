import { temporal as proto } from '@temporalio/proto';
import type { TemporalClient } from './client';

type Poller = proto.api.taskqueue.v1.IPollerInfo;
type Routing = proto.api.taskqueue.v1.ITaskQueueVersioningInfo;
type DeploymentVersion = proto.api.deployment.v1.IWorkerDeploymentVersion;
type Stats = proto.api.taskqueue.v1.ITaskQueueStats;

/** The types of tasks by their numbers in Temporal's API. */
const TASK_TYPES = { workflow: 1, activity: 2 } as const;
export type TaskType = keyof typeof TASK_TYPES;

const VERSIONED = proto.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;

/** How long Temporal may take to describe a queue, in milliseconds. */
const DESCRIBE_MS = 2_000;

/**
 * A poll takes a minute, after which a worker polls again, and Temporal lists it for five: a worker that has not polled for so
 * long when another one has is gone, in milliseconds.
 */
const POLLER_GONE_MS = 90_000;

export interface TaskQueueState {
  /** Tasks that wait for a worker, about: of the versions to which new ones go, if the workers of the queue have versions. */
  tasks: number;
  /** How long the first of them has waited. */
  ageMs: number;
  /** Polls that have asked for new tasks within the last minutes, so not those of versions to which nothing new goes. */
  pollers: number;
  /** When the newest of them has, by the clock of Temporal, in milliseconds; 0 without any. */
  polledAt: number;
}

interface Queue {
  namespace: string;
  queue: string;
}

/** Asks Temporal what waits in a task queue, which it also knows if there are no workers. */
export async function describeTaskQueue(
  temporal: Pick<TemporalClient, 'ask'>,
  { type, ...queue }: Queue & { type: TaskType },
): Promise<TaskQueueState> {
  const { pollers, stats, versioningInfo } = await describe(temporal, queue, type);
  const takers = pollers.filter((poller) => takesNewTasks(poller, versioningInfo));
  const { currentDeploymentVersion, rampingDeploymentVersion } = versioningInfo ?? {};
  const versions = [currentDeploymentVersion, rampingDeploymentVersion].flatMap((one) => one ?? []);
  // Temporal answers fewer questions about versions than about queues: 50 a second, from everyone.
  const waiting =
    isBacklog(stats) && versions.length > 0
      ? await Promise.all(versions.map((version) => describeVersion(temporal, queue, type, version)))
      : [stats];
  return {
    tasks: waiting.reduce((sum, one) => sum + Number(one?.approximateBacklogCount ?? 0), 0),
    ageMs: Math.max(...waiting.map((one) => millisecondsOf(one?.approximateBacklogAge))),
    pollers: takers.length,
    polledAt: newestOf(takers),
  };
}

/**
 * Counts the workflows of a queue that wait for workers of their version, of which none polls, whatever other versions do: those
 * that are pinned to it, and all that go to the current version if it is that one, or if there is none.
 */
export async function countWithoutWorkers(
  temporal: Pick<TemporalClient, 'ask'>,
  { namespace, queue }: Queue,
  goneMs = POLLER_GONE_MS,
): Promise<number> {
  const { pollers, versioningInfo } = await describe(temporal, { namespace, queue }, 'workflow');
  const polled = new Set(
    polling(pollers, goneMs)
      .filter(isVersioned)
      .map(({ deploymentOptions }) => nameOf(deploymentOptions)),
  );
  const isElsewhere =
    polled.size > 0
      ? `TemporalWorkerDeploymentVersion NOT IN (${[...polled].map((name) => JSON.stringify(name)).join(', ')})`
      : 'TemporalWorkerDeploymentVersion IS NOT NULL';
  const waiting = [`(TemporalWorkflowVersioningBehavior = "Pinned" AND ${isElsewhere})`];
  if (!polled.has(nameOf(versioningInfo?.currentDeploymentVersion)))
    waiting.push(
      'TemporalWorkflowVersioningBehavior = "AutoUpgrade"',
      'TemporalWorkflowVersioningBehavior IS NULL',
    );
  const query = `TaskQueue = ${JSON.stringify(queue)} AND ExecutionStatus = "Running" AND (${waiting.join(' OR ')})`;
  const { count } = await temporal.ask(DESCRIBE_MS, (service) =>
    service.countWorkflowExecutions({ namespace, query }),
  );
  return Number(count);
}

/** Returns the pollers that are not gone, by the clock of Temporal alone. */
export function polling(pollers: readonly Poller[], goneMs = POLLER_GONE_MS): Poller[] {
  const newest = newestOf(pollers);
  return pollers.filter((poller) => polledAt(poller) > newest - goneMs);
}

function describe(temporal: Pick<TemporalClient, 'ask'>, { namespace, queue }: Queue, type: TaskType) {
  return temporal.ask(DESCRIBE_MS, (service) =>
    service.describeTaskQueue({
      namespace,
      taskQueue: { name: queue },
      taskQueueType: TASK_TYPES[type],
      reportStats: true,
    }),
  );
}

/**
 * Returns what of a queue waits for a version. What is told of the queue is of all its versions together, so it tells nothing of
 * those that work once there are tasks of one whose workers are gone.
 */
async function describeVersion(
  temporal: Pick<TemporalClient, 'ask'>,
  { namespace, queue }: Queue,
  type: TaskType,
  deploymentVersion: DeploymentVersion,
): Promise<Stats | null | undefined> {
  const { versionTaskQueues } = await temporal.ask(DESCRIBE_MS, (service) =>
    service.describeWorkerDeploymentVersion({ namespace, deploymentVersion, reportTaskQueueStats: true }),
  );
  return versionTaskQueues.find((one) => one.name === queue && Number(one.type) === TASK_TYPES[type])?.stats;
}

function isBacklog(stats: Stats | null | undefined): boolean {
  return Number(stats?.approximateBacklogCount ?? 0) > 0 || millisecondsOf(stats?.approximateBacklogAge) > 0;
}

function takesNewTasks(poller: Poller, routing: Routing | null | undefined): boolean {
  const { currentDeploymentVersion: current, rampingDeploymentVersion: ramping } = routing ?? {};
  if (!isVersioned(poller)) return !current;
  const name = nameOf(poller.deploymentOptions);
  return name === nameOf(current) || name === nameOf(ramping);
}

function isVersioned({ deploymentOptions }: Poller): boolean {
  return deploymentOptions?.workerVersioningMode === VERSIONED;
}

/** Returns the name of a version as lists know it. */
function nameOf(version: DeploymentVersion | null | undefined): string | undefined {
  return version ? `${version.deploymentName}:${version.buildId}` : undefined;
}

function newestOf(pollers: readonly Poller[]): number {
  return Math.max(0, ...pollers.map(polledAt));
}

function polledAt({ lastAccessTime }: Poller): number {
  return millisecondsOf(lastAccessTime);
}

/** @param span of time, or since 1970 */
function millisecondsOf(span: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(span?.seconds ?? 0) * 1_000 + (span?.nanos ?? 0) / 1e6;
}
