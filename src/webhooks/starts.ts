import { ActivityExecutionAlreadyStartedError } from '@temporalio/client';
import type { TemporalClient } from '../temporal/client';
import { DELIVER_ACTIVITY, REPLAY_ACTIVITY, type ReplayRequest } from '../../workflows/contract';
import type { Delivery } from './deliveries.repository';

/** How long Temporal may take to note it, in milliseconds. */
const START_TIMEOUT_MS = 5_000;
/** A receiver has 15 s; the rest is for MongoDB. What a worker that is gone was about to send, another one sends after it. */
const ATTEMPT_TIMEOUT = '30s';
type Options = Parameters<TemporalClient['client']['activity']['start']>[1];

const RETRY = { initialInterval: '5s', maximumInterval: '60s' } as const;

export type DeliveryStarts = ReturnType<typeof createDeliveryStarts>;

/**
 * Creates what has Temporal deliver: by an activity without a workflow for each delivery, which it tries again when the
 * attempt before says. The endpoints take turns in what waits for a worker.
 */
export function createDeliveryStarts({ client }: Pick<TemporalClient, 'client'>, taskQueue: string) {
  /** Starts an activity, unless it runs; one that has ended is started only again. */
  async function start(
    activity: string,
    { isAgain, ...options }: Omit<Options, 'taskQueue' | 'retry'> & { isAgain: boolean },
  ): Promise<void> {
    const send = () =>
      client.activity.start(activity, {
        ...options,
        taskQueue,
        retry: RETRY,
        idReusePolicy: isAgain ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
        idConflictPolicy: 'USE_EXISTING',
      });
    await client.activity.withDeadline(Date.now() + START_TIMEOUT_MS, send).catch((error: unknown) => {
      if (!(error instanceof ActivityExecutionAlreadyStartedError)) throw error;
    });
  }

  return {
    /** Begins the round of a delivery. @param isAgain whether it is begun anew if its activity has ended */
    deliver: ({ id, endpointId, round, type }: Delivery, isAgain = false): Promise<void> =>
      start(DELIVER_ACTIVITY, {
        isAgain,
        id: `${taskQueue}-${id}-${round}`,
        args: [{ deliveryId: id, endpointId, round }],
        startToCloseTimeout: ATTEMPT_TIMEOUT,
        priority: { fairnessKey: endpointId },
        summary: `Deliver ${type} to ${endpointId}`,
      }),

    /** Begins to deliver the events of a period again, or continues if the activity was lost. */
    replay: (request: ReplayRequest): Promise<void> =>
      start(REPLAY_ACTIVITY, {
        isAgain: true,
        id: `${taskQueue}-${request.endpointId}-${request.round}`,
        args: [request],
        startToCloseTimeout: '12h',
        heartbeatTimeout: '30s',
        priority: { fairnessKey: request.endpointId },
        summary: `Deliver events to ${request.endpointId} again`,
      }),
  };
}
