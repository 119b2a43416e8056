import type { Meter } from '@opentelemetry/api';
import type { Config } from '../config';
import type { TemporalClient } from '../temporal/client';
import { countWithoutWorkers, describeTaskQueue, type TaskType } from '../temporal/task-queue';
import { sampled } from './sampled';

/** Workflows are counted more seldom, since that reads the index of all that are open. */
const COUNT_EVERY_MS = 60_000;

/**
 * Measures what waits for workers on our task queues. Temporal is asked, so it is known even if there are no workers.
 * @param goneMs after how long without a poll a worker is gone, while others poll
 */
export function measureBacklog(
  meter: Meter,
  { taskQueue, paymentsTaskQueue, eventsTaskQueue, namespace }: Config['temporal'],
  temporal: Pick<TemporalClient, 'ask'>,
  goneMs?: number,
): void {
  const queues: [queue: string, type: TaskType][] = [
    [taskQueue, 'workflow'],
    [taskQueue, 'activity'],
    [paymentsTaskQueue, 'activity'],
    [eventsTaskQueue, 'activity'],
  ];

  const sample = sampled(() =>
    Promise.all(
      queues.map(async ([queue, type]) => {
        const state = await describeTaskQueue(temporal, { namespace, queue, type });
        return { ...state, labels: { task_queue: queue, task_type: type } };
      }),
    ),
  );
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description });
  const backlog = gauge(
    'temporal_task_queue_backlog',
    'Tasks that wait for a worker, about, as Temporal says',
  );
  const age = gauge('temporal_task_queue_backlog_age_seconds', 'How long the first of them has waited');
  const pollers = gauge(
    'temporal_task_queue_pollers',
    'Polls that have asked Temporal for new tasks within the last minutes; 0 if no worker does',
  );
  const up = gauge('temporal_up', 'Whether Temporal has answered the process when it asked last: 1 or 0');
  meter.addBatchObservableCallback(
    async (result) => {
      const found = await sample();
      result.observe(up, Number(found !== undefined));
      for (const queue of found ?? []) {
        result.observe(backlog, queue.tasks, queue.labels);
        result.observe(age, queue.ageMs / 1_000, queue.labels);
        result.observe(pollers, queue.pollers, queue.labels);
      }
    },
    [up, backlog, age, pollers],
  );
  const counted = sampled(() => countWithoutWorkers(temporal, { namespace, queue: taskQueue }, goneMs), {
    everyMs: COUNT_EVERY_MS,
  });
  gauge(
    'temporal_workflows_without_workers',
    'Open workflows that wait for workers of their version, of which none polls',
  ).addCallback(async (result) => {
    const count = await counted();
    if (count !== undefined) result.observe(count);
  });
}
