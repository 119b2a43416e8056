import type { Meter } from '@opentelemetry/api';
import type { Config } from '../config';
import type { TemporalClient } from '../temporal/client';
import { sampled } from './sampled';

/** The types of tasks by their numbers in Temporal's API. */
const TASK_TYPES = { workflow: 1, activity: 2 } as const;
type TaskType = keyof typeof TASK_TYPES;

/** How long Temporal may take to describe a queue, in milliseconds. */
const DESCRIBE_MS = 2_000;

/**
 * Measures what waits for workers on our task queues. Temporal is asked, so it is known even if there are no workers.
 */
export function measureBacklog(
  meter: Meter,
  { taskQueue, paymentsTaskQueue, eventsTaskQueue, namespace }: Config['temporal'],
  temporal: Pick<TemporalClient, 'ask'>,
): void {
  const queues: [queue: string, type: TaskType][] = [
    [taskQueue, 'workflow'],
    [taskQueue, 'activity'],
    [paymentsTaskQueue, 'activity'],
    [eventsTaskQueue, 'activity'],
  ];

  async function describe(queue: string, type: TaskType) {
    const { pollers, stats } = await temporal.ask(DESCRIBE_MS, (service) =>
      service.describeTaskQueue({
        namespace,
        taskQueue: { name: queue },
        taskQueueType: TASK_TYPES[type],
        reportStats: true,
      }),
    );
    const { approximateBacklogCount, approximateBacklogAge } = stats!;
    const { seconds, nanos } = approximateBacklogAge!;
    return {
      labels: { task_queue: queue, task_type: type },
      tasks: Number(approximateBacklogCount),
      ageSeconds: Number(seconds) + nanos! / 1e9,
      pollers: pollers.length,
    };
  }

  const sample = sampled(() => Promise.all(queues.map(([queue, type]) => describe(queue, type))));
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description });
  const backlog = gauge(
    'temporal_task_queue_backlog',
    'Tasks that wait for a worker, about, as Temporal says',
  );
  const age = gauge('temporal_task_queue_backlog_age_seconds', 'How long the first of them has waited');
  const pollers = gauge(
    'temporal_task_queue_pollers',
    'Polls that have asked Temporal for such tasks within the last minutes; 0 if no worker does',
  );
  const up = gauge('temporal_up', 'Whether Temporal has answered the process when it asked last: 1 or 0');
  meter.addBatchObservableCallback(
    async (result) => {
      const found = await sample();
      result.observe(up, Number(found !== undefined));
      for (const queue of found ?? []) {
        result.observe(backlog, queue.tasks, queue.labels);
        result.observe(age, queue.ageSeconds, queue.labels);
        result.observe(pollers, queue.pollers, queue.labels);
      }
    },
    [up, backlog, age, pollers],
  );
}
