import { ApplicationFailure, cancellationSignal, heartbeat, log, activityInfo } from '@temporalio/activity';
import type { DeliverRequest, ReplayRequest } from '../workflows/contract';
import type { Attempt } from '../src/webhooks/attempt';
import type { Dispatch } from '../src/webhooks/dispatch';
import type { FairShare } from '../src/webhooks/fair-share';

/** After this, another worker may continue, so that none dispatches permanently. */
const TURN_MS = 3_600_000;

export interface WebhookActivityDeps {
  attempt: Attempt;
  share: FairShare;
  /** For replays, which last long, and must not take the places of what makes deliveries. */
  replays: FairShare;
  dispatch: Dispatch;
  /** Aborts when the worker stops, so that another one continues at once. */
  stopping: AbortSignal;
}

export type WebhookActivities = ReturnType<typeof createWebhookActivities>;

export function createWebhookActivities({
  attempt,
  share,
  replays,
  dispatch,
  stopping,
}: WebhookActivityDeps) {
  return {
    /** Makes deliveries of all events, until another worker is to continue. */
    async dispatchWebhooks(): Promise<number> {
      let dispatched = 0;
      const signal = AbortSignal.any([cancellationSignal(), stopping, AbortSignal.timeout(TURN_MS)]);
      await dispatch.follow({
        signal,
        onProgress(position) {
          if (dispatched === 0) log.info('dispatching webhooks', { position });
          dispatched = position;
          heartbeat(position);
        },
      });
      return dispatched;
    },

    /** Makes one attempt to deliver an event. It fails if another one has to follow, and says when. */
    async deliverWebhook({ endpointId, ...delivery }: DeliverRequest): Promise<void> {
      const done = await share.run(endpointId, () => attempt(delivery));
      if ('waitMs' in done) throw toRepeat('Others to the same endpoint are under way.', done.waitMs);
      if (done.result === null) return;
      log.info('webhook not delivered', { retryInMs: done.result });
      throw toRepeat('It was not delivered.', done.result);
    },

    /** Delivers the events of a period to an endpoint again. */
    async replayWebhooks({ from, to, ...request }: ReplayRequest): Promise<void> {
      const begunAt = activityInfo().heartbeatDetails as number | undefined;
      const signal = AbortSignal.any([cancellationSignal(), stopping]);
      const replay = { ...request, from: new Date(from), to: new Date(to) };
      const done = await replays.run('all', () =>
        dispatch.replay(replay, { signal, onProgress: heartbeat }, begunAt),
      );
      if ('waitMs' in done) throw toRepeat('Other replays are under way.', done.waitMs);
      signal.throwIfAborted(); // another worker continues
    },
  };
}

/** The failure that has Temporal try again after a time. */
function toRepeat(message: string, nextRetryDelay: number): ApplicationFailure {
  // Nothing is wrong here: the delivery has the reason.
  return ApplicationFailure.create({ type: 'NotDelivered', message, nextRetryDelay, category: 'BENIGN' });
}
