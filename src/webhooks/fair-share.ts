import { MAX_ENDPOINTS } from '../domain/webhook';

/** How many requests to one endpoint a process makes at a time. */
const AT_A_TIME = 20;
/** How many of them no other endpoint can take, however many are slow at once. */
const OWN = 2;
/** How many all endpoints share beyond their own. */
const SHARED = 100;
/** How many requests a process makes at a time at most. */
export const MAX_DELIVERIES_AT_A_TIME = SHARED + OWN * MAX_ENDPOINTS;
/** The share of each new duration in the average. */
const WEIGHT = 0.2;
/** What is assumed of an endpoint that was not tried yet, in milliseconds. */
const FIRST_AVERAGE_MS = 200;
/** The longest wait in milliseconds: a receiver that is well again gets what has waited soon. */
const MAX_WAIT_MS = 30 * 60_000;

interface Load {
  running: number;
  averageMs: number;
  /** When the next one that has to wait may come, in milliseconds since the epoch. */
  nextAt: number;
}

export interface Places {
  /** How many there are for each key. */
  atATime: number;
  /** How many of these nobody else can take. */
  own: number;
  /** How many all keys share beyond their own. */
  shared: number;
}

export type FairShare = ReturnType<typeof createFairShare>;

/**
 * Creates what keeps endpoints from having more than their share of the places: each has some of its own, and takes more while
 * not too many are taken. Those that come too many are told when to come again, spread over the time that those before them
 * take, and hold no place meanwhile.
 */
export function createFairShare(
  { atATime, own, shared }: Places = { atATime: AT_A_TIME, own: OWN, shared: SHARED },
) {
  const loads = new Map<string, Load>();
  let sharedInUse = 0;

  function hasPlace({ running }: Load): boolean {
    return running < own || (running < atATime && sharedInUse < shared);
  }

  /** Returns when one that found no place is to come again, in milliseconds from now. */
  function waitMs(load: Load, now: number): number {
    load.nextAt = Math.max(now, load.nextAt) + load.averageMs / load.running;
    const wait = Math.ceil(load.nextAt - now + load.averageMs);
    if (wait <= MAX_WAIT_MS) return wait;
    load.nextAt = now + MAX_WAIT_MS;
    return Math.ceil((MAX_WAIT_MS * (1 + Math.random())) / 2);
  }

  return {
    /** Does it, and returns its result; or when to come again, in milliseconds from now. */
    async run<T>(key: string, work: () => Promise<T>): Promise<{ result: T } | { waitMs: number }> {
      const load = loads.get(key) ?? { running: 0, averageMs: FIRST_AVERAGE_MS, nextAt: 0 };
      loads.set(key, load);
      const begunAt = Date.now();
      if (!hasPlace(load)) return { waitMs: waitMs(load, begunAt) };
      if (load.running >= own) sharedInUse++;
      load.running++;
      try {
        return { result: await work() };
      } finally {
        if (load.running > own) sharedInUse--;
        load.running--;
        load.averageMs += WEIGHT * (Date.now() - begunAt - load.averageMs);
        if (load.running === 0 && load.nextAt < Date.now()) loads.delete(key);
      }
    },
  };
}
