import Joi, { type CustomHelpers } from 'joi';
import { count, entriesOf } from './rules';
import { section } from './section';

const QUEUES = ['orders', 'payments', 'events'] as const;
export type Queue = (typeof QUEUES)[number];

const variables = {
  WORKER_QUEUES: Joi.string<Queue[]>()
    .custom(readQueues)
    .default([...QUEUES])
    .description(
      'Task queues that a worker process serves: `orders`, `payments`, `events`, or several of them',
    )
    .messages({
      'queues.invalid': `{#label} must name each queue once, comma-separated: ${QUEUES.join(',')}, or some of them`,
    }),
  WORKER_MAX_CONCURRENT_WORKFLOW_TASKS: count(40)
    .min(2)
    .description('Workflow tasks that a worker process runs at a time, at least 2'),
  WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES: count(100).description(
    'Local activities that a worker process runs at a time',
  ),
  WORKER_MAX_CONCURRENT_ACTIVITIES: count(100).description(
    'Activities of the queue `orders` that a worker process runs at a time',
  ),
  WORKER_MAX_CONCURRENT_PAYMENTS: count(20).description(
    'Calls to the payment service that a worker process makes at a time',
  ),
  WORKER_MAX_CACHED_WORKFLOWS: count(1_000)
    .min(0)
    .description('Open workflows that a worker process keeps in memory'),
  WORKER_WORKFLOW_TASK_POLLERS: count(10)
    .min(2)
    .description('Polls of a worker process that wait for a workflow task, at least 2'),
  WORKER_ACTIVITY_TASK_POLLERS: count(10).description(
    'Polls of a worker process that wait for an activity, on each of its queues',
  ),
};

export const worker = section({
  title: 'Worker',
  readBy: ['worker'],
  variables,
  config: (env) => ({
    queues: env.WORKER_QUEUES,
    maxConcurrentWorkflowTasks: env.WORKER_MAX_CONCURRENT_WORKFLOW_TASKS,
    maxConcurrentLocalActivities: env.WORKER_MAX_CONCURRENT_LOCAL_ACTIVITIES,
    maxConcurrentActivities: env.WORKER_MAX_CONCURRENT_ACTIVITIES,
    maxConcurrentPayments: env.WORKER_MAX_CONCURRENT_PAYMENTS,
    maxCachedWorkflows: env.WORKER_MAX_CACHED_WORKFLOWS,
    workflowTaskPollers: env.WORKER_WORKFLOW_TASK_POLLERS,
    activityTaskPollers: env.WORKER_ACTIVITY_TASK_POLLERS,
  }),
});

function readQueues(value: string, helpers: CustomHelpers) {
  const names = entriesOf(value);
  const isValid = names.every((name) => QUEUES.some((queue) => queue === name));
  return isValid && new Set(names).size === names.length ? names : helpers.error('queues.invalid');
}
