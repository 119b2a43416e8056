/** Returns the task queue for payments that belongs to a task queue for orders. */
export function paymentsTaskQueueOf(taskQueue: string): string {
  return `${taskQueue}-payments`;
}

/** Returns the task queue for events that belongs to a task queue for orders. */
export function eventsTaskQueueOf(taskQueue: string): string {
  return `${taskQueue}-events`;
}

/** Returns the environment variables of a process that works on the queues of a test. */
export function taskQueueEnv(taskQueue: string): NodeJS.ProcessEnv {
  return {
    TEMPORAL_TASK_QUEUE: taskQueue,
    TEMPORAL_PAYMENTS_TASK_QUEUE: paymentsTaskQueueOf(taskQueue),
    TEMPORAL_EVENTS_TASK_QUEUE: eventsTaskQueueOf(taskQueue),
  };
}
