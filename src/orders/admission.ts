import { createAdaptiveLimit, monotonic } from '../common/adaptive-limit';
import { AppError } from '../errors/app-error';
import type { TaskQueueState } from '../temporal/task-queue';

/** So many orders at once are welcome in quiet times, on one machine; what they may be under load is learnt. */
const INITIAL = 15;
/** How often Temporal is asked for the age of the queue at most, in milliseconds. */
const ASK_EVERY_MS = 1_000;
/** What has waited for a worker for less has not waited for one to be free, in milliseconds. */
const YOUNG_MS = 500;
/** Timers may be early by so much. */
const TIMER_MS = 100;
/** When a client that was refused is to come back, in seconds: not all of them at once. */
const RETRY_SECONDS = { least: 1, most: 5 };

/** Why an order is refused: too many are being placed, or wait for a worker. */
export type Refusal = 'in_flight' | 'queue';
export const REFUSALS: readonly Refusal[] = ['in_flight', 'queue'];

export interface AdmissionOptions {
  /** How many orders may be placed at once at most; 0 for any number, and then the queue does not matter either. */
  max: number;
  /** How long a client waits for an order to be placed, in milliseconds. */
  patienceMs: number;
  /** How many processes of the API share the machine. */
  processes?: number;
  /** Each asks what waits for workers that place orders, or for those that take the payments. */
  describeQueues: readonly (() => Promise<TaskQueueState>)[];
  onRefused?(reason: Refusal): void;
  now?(): number;
}

/** What came of an order: it was placed, or was not, or the client waited in vain. */
export type Outcome = 'placed' | 'rejected' | 'unknown';

/** An order that was let in. */
export interface Admitted {
  /** Tells what came of it, and how long that took, in milliseconds. */
  settled(ms: number, outcome: Outcome): void;
  /** Makes room for another one. */
  leave(): void;
}

export type Admission = ReturnType<typeof createAdmission>;

/**
 * Refuses new orders that could not be placed in time, before anything is begun for them: what is beyond that would only make
 * all others wait. So under overload as many orders are placed as at any time, and nearly as fast. Commands on orders are not
 * refused: they are fewer, and often what ends the load.
 *
 * - As many are let in at once as can be placed without one having to wait long for another (`createAdaptiveLimit`). What it takes
 *   to place an order is learnt from those that are placed: others are rejected in less time.
 * - None are while the first one in a queue of workers has waited for longer than any client does, as CoDel judges queues by how
 *   long one waits in them, not by their length. Clients that do not wait (`Prefer: respond-async`) would fill them without end.
 *
 * An outage is no overload: orders are accepted as ever then, up to the most at once, and are placed when it is over. It is one if
 * no worker polls a queue, or if none of many orders is placed although none waits for a worker.
 */
export function createAdmission({
  max,
  patienceMs,
  processes = 1,
  describeQueues,
  onRefused = () => undefined,
  now = monotonic,
}: AdmissionOptions) {
  const most = max || Infinity;
  const limit = createAdaptiveLimit({ initial: Math.ceil(INITIAL / processes), max: most, now });
  const queues = describeQueues.map((describe) => watchQueue(describe, patienceMs, now));
  let settledAt = now();
  let unsettledAt = -Infinity;

  function isOutage(): boolean {
    const isNothingSettled = unsettledAt > settledAt && now() - settledAt > patienceMs;
    return (
      queues.some((queue) => queue.isAbandoned()) ||
      (isNothingSettled && queues.every((queue) => queue.isYoung()))
    );
  }

  function refuse(reason: Refusal): AppError {
    onRefused(reason);
    const { least, most } = RETRY_SECONDS;
    const seconds = least + Math.floor(Math.random() * (most - least + 1));
    return new AppError(
      'service_unavailable',
      'More orders are arriving than can be placed in time, and nothing was begun for this one: repeat the request, with the ' +
        `same Idempotency-Key if it had one, in ${seconds} s.`,
      { headers: { 'Retry-After': String(seconds) } },
    );
  }

  return {
    /** Lets an order in. @throws {AppError} service_unavailable */
    admit(): Admitted {
      if (max > 0) {
        for (const queue of queues) queue.look();
        if (queues.some((queue) => queue.isBehind())) throw refuse('queue');
      }
      const place = max === 0 || isOutage() ? limit.enterUpTo(most) : limit.enter();
      if (!place) throw refuse('in_flight');
      return {
        settled(ms, outcome) {
          // A client that waits for less than others do gives up while nothing is wrong.
          const isKnown = outcome !== 'unknown' || ms >= patienceMs - TIMER_MS;
          if (outcome !== 'unknown') settledAt = now();
          else if (isKnown) unsettledAt = now();
          place.leave(isKnown && !isOutage() ? ms : undefined, outcome === 'placed');
        },
        leave: () => place.leave(),
      };
    },

    /** How many orders are being placed. */
    active: limit.active,
    /** How many may be. */
    limit: () => (max === 0 || isOutage() ? most : limit.limit()),
  };
}

/** Follows a queue while orders arrive, without letting any of them wait for that. */
function watchQueue(describe: () => Promise<TaskQueueState>, mostMs: number, now: () => number) {
  let askedAt = -Infinity;
  let isAsking = false;
  /** Undefined while it is unknown, which is no reason to refuse an order. */
  let ageMs: number | undefined;
  let oldSince = -Infinity;
  let newestPoll: number | undefined;
  let polledAt = -Infinity;

  async function ask(): Promise<void> {
    [isAsking, askedAt] = [true, now()];
    const state = await describe().catch(() => undefined);
    const wasOld = isOld();
    ageMs = state?.ageMs;
    if (isOld() && !wasOld) oldSince = now();
    // That there was a poll since the last time is seen by a change: the clocks may differ.
    if (state && newestPoll !== undefined && state.polledAt > newestPoll) polledAt = now();
    newestPoll = state?.polledAt ?? newestPoll;
    isAsking = false;
  }

  const isOld = () => ageMs !== undefined && ageMs > mostMs;
  const isPolled = () => now() - polledAt <= mostMs;
  return {
    /** Asks how it is, unless that is known. */
    look(): void {
      if (!isAsking && now() - askedAt >= ASK_EVERY_MS) void ask();
    },
    /** Whether workers are working on what clients no longer wait for. */
    isBehind: () => isOld() && isPolled(),
    /** Whether nobody takes what clients no longer wait for. */
    isAbandoned: () => isOld() && !isPolled() && now() - oldSince > mostMs,
    /** Whether nothing in it waits for workers that are busy. */
    isYoung: () => ageMs !== undefined && ageMs <= YOUNG_MS,
  };
}
