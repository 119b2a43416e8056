import type { TemporalClient } from './client';

/** The types of tasks by their numbers in Temporal's API. */
const TASK_TYPES = { workflow: 1, activity: 2 } as const;
export type TaskType = keyof typeof TASK_TYPES;

/** How long Temporal may take to describe a queue, in milliseconds. */
const DESCRIBE_MS = 2_000;

export interface TaskQueueState {
  /** Tasks that wait for a worker, about. */
  tasks: number;
  /** How long the first of them has waited. */
  ageMs: number;
  /** Polls that have asked for such tasks within the last minutes. */
  pollers: number;
  /** When the newest of them has, by the clock of Temporal, in milliseconds; 0 without any. */
  polledAt: number;
}

/** Asks Temporal what waits in a task queue, which it also knows if there are no workers. */
export async function describeTaskQueue(
  temporal: Pick<TemporalClient, 'ask'>,
  { namespace, queue, type }: { namespace: string; queue: string; type: TaskType },
): Promise<TaskQueueState> {
  const { pollers, stats } = await temporal.ask(DESCRIBE_MS, (service) =>
    service.describeTaskQueue({
      namespace,
      taskQueue: { name: queue },
      taskQueueType: TASK_TYPES[type],
      reportStats: true,
    }),
  );
  return {
    tasks: Number(stats?.approximateBacklogCount ?? 0),
    ageMs: millisecondsOf(stats?.approximateBacklogAge),
    pollers: pollers?.length ?? 0,
    polledAt: Math.max(0, ...(pollers ?? []).map(({ lastAccessTime }) => millisecondsOf(lastAccessTime))),
  };
}

/** @param span of time, or since 1970 */
function millisecondsOf(span: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(span?.seconds ?? 0) * 1_000 + (span?.nanos ?? 0) / 1e6;
}
