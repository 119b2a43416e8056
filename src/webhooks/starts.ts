import { ActivityExecutionAlreadyStartedError } from '@temporalio/client';
import type { TemporalClient } from '../temporal/client';
import { DELIVER_ACTIVITY, REPLAY_ACTIVITY, type ReplayRequest } from '../../workflows/contract';
import type { Delivery } from './deliveries.repository';

/** How long Temporal may take to note it, in milliseconds. */
const START_TIMEOUT_MS = 5_000;
/** A receiver has 15 s; the rest is for MongoDB. */
const ATTEMPT_TIMEOUT = '60s';
const RETRY = { initialInterval: '5s', maximumInterval: '60s' } as const;

export type DeliveryStarts = ReturnType<typeof createDeliveryStarts>;

/**
 * Creates what has Temporal deliver: by an activity without a workflow for each delivery, which it tries again when the
 * attempt before says. The endpoints take turns in what waits for a worker.
 */
export function createDeliveryStarts({ client }: Pick<TemporalClient, 'client'>, taskQueue: string) {
  /** Starts an activity, unless it was started before. */
  async function start(
    activity: string,
    options: Omit<Parameters<typeof client.activity.start>[1], 'taskQueue' | 'retry'>,
  ): Promise<void> {
    const send = () =>
      client.activity.start(activity, {
        ...options,
        taskQueue,
        retry: RETRY,
        idReusePolicy: 'REJECT_DUPLICATE',
        idConflictPolicy: 'USE_EXISTING',
      });
    await client.activity.withDeadline(Date.now() + START_TIMEOUT_MS, send).catch((error: unknown) => {
      if (!(error instanceof ActivityExecutionAlreadyStartedError)) throw error;
    });
  }

  return {
    /** Begins the round of a delivery. */
    deliver: ({ id, endpointId, round, type }: Delivery): Promise<void> =>
      start(DELIVER_ACTIVITY, {
        id: `${taskQueue}-${id}-${round}`,
        args: [{ deliveryId: id, endpointId, round }],
        startToCloseTimeout: ATTEMPT_TIMEOUT,
        priority: { fairnessKey: endpointId },
        summary: `Deliver ${type} to ${endpointId}`,
      }),

    /** Begins to deliver the events of a period again. */
    replay: (request: ReplayRequest): Promise<void> =>
      start(REPLAY_ACTIVITY, {
        id: `${taskQueue}-${request.endpointId}-${request.round}`,
        args: [request],
        startToCloseTimeout: '12h',
        heartbeatTimeout: '30s',
        priority: { fairnessKey: request.endpointId },
        summary: `Deliver events to ${request.endpointId} again`,
      }),
  };
}
