import type { ActivityOptions } from '@temporalio/workflow';

/**
 * How an activity is run that never ends but for handing over: by one worker at a time, and by another one soon after that is
 * gone. Both such activities are on the task queue of deliveries, and come before these.
 */
export function byOneWorker(taskQueue: string): ActivityOptions {
  return {
    taskQueue,
    startToCloseTimeout: '2h', // a turn is shorter
    heartbeatTimeout: '10s', // a worker that is gone is noticed, and another one continues
    retry: { initialInterval: '500ms', maximumInterval: '5s' },
    priority: { priorityKey: 1 }, // before deliveries
  };
}
