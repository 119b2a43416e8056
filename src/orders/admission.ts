import { createAdaptiveLimit } from '../common/adaptive-limit';
import { AppError } from '../errors/app-error';
import type { TaskQueueState } from '../temporal/task-queue';

/** So many orders at once are welcome in quiet times; what they may be under load is learnt. */
const INITIAL = 20;
/** How often Temporal is asked for the age of the queue at most, in milliseconds. */
const ASK_EVERY_MS = 1_000;
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
  /** Asks what waits for the workers that place orders. */
  describeQueue(): Promise<TaskQueueState>;
  onRefused?(reason: Refusal): void;
  now?(): number;
}

/** An order that was let in. */
export interface Admitted {
  /**
   * Tells how long it took to place it, in milliseconds.
   * @param isSettled whether it is known what came of it, or the client waited in vain
   */
  placed(ms: number, isSettled: boolean): void;
  /** Makes room for another one. */
  leave(): void;
}

export type Admission = ReturnType<typeof createAdmission>;

/**
 * Refuses new orders that could not be placed in time, before anything is begun for them: what is beyond that would only make
 * all others wait. So under overload as many orders are placed as at any time, and nearly as fast. Commands on orders are not
 * refused: they are fewer, and often what ends the load.
 *
 * - As many are let in at once as can be placed without one having to wait long for another (`createAdaptiveLimit`).
 * - None are while the first one in the queue of the workers has waited for longer than any client does. Clients that do not wait
 *   (`Prefer: respond-async`) would fill it without end.
 *
 * An outage is no overload. While no worker polls, or none of many orders is placed because of something else, orders are accepted
 * as ever, up to the most at once, and are placed when it is over.
 */
export function createAdmission({
  max,
  patienceMs,
  describeQueue,
  onRefused = () => undefined,
  now = () => performance.now(),
}: AdmissionOptions) {
  const most = max || Infinity;
  const limit = createAdaptiveLimit({ initial: INITIAL, max: most, now });
  const queue = watchQueue(describeQueue, patienceMs, now);
  let settledAt = now();
  let unsettledAt = -Infinity;

  /** Whether nothing comes of any order, though some have been tried. */
  function isOutage(): boolean {
    return unsettledAt > settledAt && now() - settledAt > patienceMs;
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
      if (max > 0 && queue.isBehind()) throw refuse('queue');
      const place = max === 0 || isOutage() ? limit.enterUpTo(most) : limit.enter();
      if (!place) throw refuse('in_flight');
      return {
        placed(ms, isSettled) {
          if (isSettled) settledAt = now();
          else unsettledAt = now();
          place.leave(isOutage() ? undefined : ms);
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

/** Follows the queue while orders arrive, without letting any of them wait for that. */
function watchQueue(describe: () => Promise<TaskQueueState>, mostMs: number, now: () => number) {
  let askedAt = -Infinity;
  let isAsking = false;
  let isOld = false;
  let newestPoll: number | undefined;
  let polledAt = -Infinity;

  async function ask(): Promise<void> {
    [isAsking, askedAt] = [true, now()];
    // Without an answer it is unknown, which is no reason to refuse an order.
    const state = await describe().catch(() => undefined);
    isOld = state !== undefined && state.ageMs > mostMs;
    // That there was a poll since the last time is seen by a change: the clocks may differ.
    if (state && newestPoll !== undefined && state.polledAt > newestPoll) polledAt = now();
    newestPoll = state?.polledAt ?? newestPoll;
    isAsking = false;
  }

  return {
    /** Whether workers are working on what clients no longer wait for. */
    isBehind(): boolean {
      if (!isAsking && now() - askedAt >= ASK_EVERY_MS) void ask();
      return isOld && now() - polledAt <= mostMs;
    },
  };
}
