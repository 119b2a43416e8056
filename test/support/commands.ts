import { ulid } from 'ulid';
import type { OrderPolicy } from '../../workflows/contract';
import { paymentsTaskQueueOf } from './task-queues';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Returns the policy of an API whose workers serve that queue. */
export function orderPolicy(taskQueue: string, fields: Partial<OrderPolicy> = {}): OrderPolicy {
  return {
    fulfillmentDeadlineMs: 6 * DAY_MS,
    paymentDeadlineMs: DAY_MS,
    paymentsTaskQueue: paymentsTaskQueueOf(taskQueue),
    inlinePayments: true,
    ...fields,
  };
}

/** Returns the fields that all commands have, of a caller who has read the latest revision. */
export function newCommand() {
  return { id: `cmd_${ulid()}`, by: 'usr_1', requestId: 'test', seenRevision: Number.MAX_SAFE_INTEGER };
}
