import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createPaymentActivities } from '../../activities/payments.activities';
import {
  createOrderQueueActivities,
  createPaymentProvider,
  type Activities,
} from '../../src/worker/activities';
import { testWorkerConfig } from './config';
import type { TestDatabase } from './database';

export interface ActivityOptions {
  /** Whether the activities of orders have the secrets of the payment service; true by default. */
  hasSecrets?: boolean;
  /** More configuration of the worker. */
  env?: NodeJS.ProcessEnv;
}

/** Returns the activities of a worker, for calls without a workflow. */
export function activitiesOn(
  { connection }: TestDatabase,
  { hasSecrets = true, env = {} }: ActivityOptions = {},
): Activities {
  const config = testWorkerConfig(env);
  const provider = createPaymentProvider(config, connection)!;
  const activities = {
    ...createOrderQueueActivities(connection, config.payments.policy, hasSecrets ? provider : undefined),
    ...createPaymentActivities({ provider }),
  };
  const run =
    (activity: (...args: never[]) => Promise<unknown>) =>
    (...args: never[]) =>
      new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ...args);
  const entries = Object.entries(activities).map(([name, activity]) => [name, run(activity)]);
  return Object.fromEntries(entries) as Activities;
}
