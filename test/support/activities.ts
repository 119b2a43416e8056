import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createPaymentActivities } from '../../activities/payments.activities';
import {
  createOrderQueueActivities,
  createPaymentProvider,
  type Activities,
} from '../../src/worker/activities';
import type { PaymentDeclines } from '../../src/payments/declines/payment-declines';
import { testWorkerConfig } from './config';
import type { TestDatabase } from './database';
import { unlimitedDeclines } from './declines';

export interface ActivityOptions {
  /** Whether the activities of orders have the secrets of the payment service; true by default. */
  hasSecrets?: boolean;
  /** More configuration of the worker. */
  env?: NodeJS.ProcessEnv;
  /** Whether so many payments were declined that no other is tried. */
  isAtDeclineLimit?: PaymentDeclines['isAtLimit'];
}

/** Returns the activities of a worker, for calls without a workflow. */
export function activitiesOn(
  { connection }: TestDatabase,
  { hasSecrets = true, isAtDeclineLimit: isAtLimit = () => false, env = {} }: ActivityOptions = {},
): Activities {
  const config = testWorkerConfig(env);
  const provider = createPaymentProvider(config, connection)!;
  const activities = {
    ...createOrderQueueActivities(
      connection,
      { ...config.payments.policy, maxUnpaid: config.payments.maxUnpaid },
      hasSecrets ? provider : undefined,
      {
        ...unlimitedDeclines(connection),
        isAtLimit,
      },
    ),
    ...createPaymentActivities({ provider }),
  };
  const run =
    (activity: (...args: never[]) => Promise<unknown>) =>
    (...args: never[]) =>
      new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ...args);
  const entries = Object.entries(activities).map(([name, activity]) => [name, run(activity)]);
  return Object.fromEntries(entries) as Activities;
}
