import pLimit from 'p-limit';
import type { ReplayRequest } from '../../workflows/contract';
import { isTypeNamed } from '../domain/events';
import type { BriefEvent, EventRepository } from '../events/events.repository';
import { CHANGES_MAX_AWAIT_MS } from '../mongodb/follow-changes';
import type { Delivery, DeliveryRepository } from './deliveries.repository';
import { FIRST_ROUND, newDelivery } from './delivery';
import type { Endpoint, EndpointRepository } from './endpoints.repository';
import type { DeliveryStarts } from './starts';
import type { ReplayDocument } from './webhooks.model';

/** How many events become deliveries together: few, so that a worker that does not live long gets somewhere. */
const BATCH = 20;
/** How many deliveries are begun at a time. */
const STARTS_AT_A_TIME = 10;
/** How often what was lost is looked for, in milliseconds. */
const SWEEP_EVERY_MS = 60_000;
/** How long an attempt may be overdue, in milliseconds: most of these wait for others to the same endpoint. */
const OVERDUE_MS = 10 * 60_000;

export interface DispatchDeps {
  feed: Pick<EventRepository, 'brief' | 'watch' | 'positionBefore'>;
  endpoints: Pick<EndpointRepository, 'enabled' | 'find' | 'completeReplay'>;
  deliveries: Pick<
    DeliveryRepository,
    'insert' | 'begin' | 'dispatched' | 'saveDispatched' | 'overdue' | 'postpone'
  >;
  starts: DeliveryStarts;
}

export interface DispatchRun {
  /** Aborts when another process is to continue. */
  signal: AbortSignal;
  /** Called with the position, at least every few seconds. */
  onProgress(position: number): void;
}

/** What of the events is to be delivered to one endpoint once more. */
export interface Replay {
  endpointId: string;
  round: string;
  from: Date;
  /** Up to when, without that time. */
  to: Date;
}

export type Dispatch = ReturnType<typeof createDispatch>;

/**
 * Creates what makes deliveries of events. It may stop anywhere, and two processes may do the same at once: a delivery is
 * there once for an event and an endpoint, and so is each round of it.
 */
export function createDispatch({ feed, endpoints, deliveries, starts }: DispatchDeps) {
  /**
   * Starts deliveries. Returns those that could not be started, among others that could: they are to be tried again.
   * @param onTry called with each of them: there may be thousands
   * @throws the error if Temporal does not answer any more
   */
  async function startAll(
    begun: readonly Delivery[],
    onTry: () => void,
    isAgain = false,
  ): Promise<Delivery[]> {
    const limit = pLimit(STARTS_AT_A_TIME);
    const failed: Delivery[] = [];
    let failuresInARow = 0;
    const tries = begun.map((delivery) =>
      limit(async () => {
        try {
          await starts.deliver(delivery, isAgain);
          failuresInARow = 0;
        } catch (error) {
          if (++failuresInARow >= STARTS_AT_A_TIME) throw error;
          failed.push(delivery);
        }
        onTry();
      }),
    );
    await Promise.all(tries).finally(() => limit.clearQueue()); // after an error, all of them are begun anew
    return failed;
  }

  /** Adds the deliveries of events, and returns them. */
  async function deliveriesOf(events: readonly BriefEvent[]): Promise<Delivery[]> {
    const receivers = await endpoints.enabled();
    const fresh = events.flatMap((event) =>
      receivers
        .filter(({ after, types }) => event.position > after && isWanted(event, types))
        .map(({ id }) => newDelivery(id, event, FIRST_ROUND)),
    );
    await deliveries.insert(fresh);
    return fresh;
  }

  /**
   * Creates what starts again what Temporal has lost, or never got, or what was terminated there: what still runs stays as it
   * is. Each call looks for some of it, if it is time to.
   */
  function createSweep(): (onTry: () => void) => Promise<void> {
    let dueAt = 0;
    return async (onTry) => {
      if (Date.now() < dueAt) return;
      const before = new Date(Date.now() - OVERDUE_MS);
      const overdue = await deliveries.overdue(before, BATCH);
      const failed = new Set(await startAll(overdue, onTry, true));
      await deliveries.postpone(
        overdue.filter((delivery) => !failed.has(delivery)),
        before,
      );
      if (failed.size > 0 || overdue.length === BATCH) return;
      for (const { id, replay } of await endpoints.enabled())
        if (replay?.completedAt === null) await starts.replay(replayRequest(id, replay));
      dueAt = Date.now() + SWEEP_EVERY_MS;
    };
  }

  return {
    /** Makes deliveries of all events, as they come, until the signal aborts. */
    async follow({ signal, onProgress }: DispatchRun): Promise<void> {
      const stream = feed.watch(CHANGES_MAX_AWAIT_MS);
      try {
        // What comes before the stream is there is read below, since it is asked for the first time before that.
        await stream.tryNext();
        let position = await deliveries.dispatched();
        const sweep = createSweep();
        const onTry = () => onProgress(position);
        // If this process ends before they are started, the sweep finds them.
        let unstarted: Delivery[] = [];
        while (!signal.aborted) {
          const events = await feed.brief(position, BATCH);
          if (events.length === 0) await hasMore(stream, position);
          unstarted = await startAll([...unstarted, ...(await deliveriesOf(events))], onTry);
          if (events.length > 0) {
            position = events.at(-1)!.position;
            await deliveries.saveDispatched(position);
          }
          onProgress(position);
          await sweep(onTry);
        }
      } finally {
        await stream.close();
      }
    },

    /**
     * Delivers the events of a period again, also those that have arrived: with the same ids.
     * @param begunAt the position after which it continues
     */
    async replay(
      { endpointId, round, from, to }: Replay,
      { signal, onProgress }: DispatchRun,
      begunAt?: number,
    ): Promise<void> {
      let position = begunAt ?? (await feed.positionBefore(from));
      while (!signal.aborted) {
        const endpoint = await endpoints.find(endpointId);
        const events = await feed.brief(position, BATCH);
        const due = events.filter(({ recordedAt }) => recordedAt < to);
        if (endpoint?.replay?.round !== round) return;
        if (!isEnabled(endpoint) || due.length === 0) {
          await endpoints.completeReplay(endpointId, round);
          return;
        }
        const again = due
          .filter((event) => isWanted(event, endpoint.types))
          .map((event) => newDelivery(endpointId, event, round));
        await deliveries.begin(again);
        await startAll(again, () => onProgress(position)); // what could not be started, the sweep starts
        position = due.at(-1)!.position;
        onProgress(position);
      }
    },
  };
}

function isEnabled({ disabledReason }: Endpoint): boolean {
  return disabledReason === null;
}

/** Returns what Temporal is told of a replay. */
export function replayRequest(endpointId: string, { round, from, to }: ReplayDocument): ReplayRequest {
  return { endpointId, round, from: from.toISOString(), to: to.toISOString() };
}

function isWanted({ types }: BriefEvent, names: readonly string[]): boolean {
  return types.some((type) => isTypeNamed(type, names));
}

/** Waits a moment for an event after the position; the stream also tells of those that were read already. */
async function hasMore(stream: ReturnType<EventRepository['watch']>, position: number): Promise<void> {
  for (;;) {
    const change = await stream.tryNext();
    if (!change || ('fullDocument' in change && (change.fullDocument?.position ?? Infinity) > position))
      return;
  }
}
