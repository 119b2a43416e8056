import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createOrderQueueActivities,
  createPaymentQueueActivities,
  type Activities,
} from '../../src/worker/activities';
import { testWorkerConfig } from './config';
import type { TestDatabase } from './database';

/** Returns the activities of a worker, for calls without a workflow. */
export function activitiesOn({ connection }: TestDatabase): Activities {
  const activities = {
    ...createOrderQueueActivities(connection),
    ...createPaymentQueueActivities(testWorkerConfig(), connection),
  };
  const run =
    (activity: (...args: never[]) => Promise<unknown>) =>
    (...args: never[]) =>
      new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ...args);
  const entries = Object.entries(activities).map(([name, activity]) => [name, run(activity)]);
  return Object.fromEntries(entries) as Activities;
}
