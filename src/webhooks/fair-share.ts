/** How many requests to one endpoint a process makes at a time: a slow receiver must not take all places. */
const AT_A_TIME = 20;
/** The share of each new duration in the average. */
const WEIGHT = 0.2;
/** What is assumed of an endpoint that was not tried yet, in milliseconds. */
const FIRST_AVERAGE_MS = 200;

interface Load {
  running: number;
  averageMs: number;
  /** When the next one that has to wait may come, in milliseconds since the epoch. */
  nextAt: number;
}

export type FairShare = ReturnType<typeof createFairShare>;

/**
 * Creates what keeps an endpoint from having more than its share of the places. Who comes too many is told when to come
 * again, spread over the time that those before take, and holds no place meanwhile.
 */
export function createFairShare(atATime = AT_A_TIME) {
  const loads = new Map<string, Load>();
  return {
    /** Does it, and returns its result; or when to come again, in milliseconds from now. */
    async run<T>(key: string, work: () => Promise<T>): Promise<{ result: T } | { waitMs: number }> {
      const load = loads.get(key) ?? { running: 0, averageMs: FIRST_AVERAGE_MS, nextAt: 0 };
      loads.set(key, load);
      const begunAt = Date.now();
      if (load.running >= atATime) {
        load.nextAt = Math.max(begunAt, load.nextAt) + load.averageMs / atATime;
        return { waitMs: Math.ceil(load.nextAt - begunAt + load.averageMs) };
      }
      load.running++;
      try {
        return { result: await work() };
      } finally {
        load.running--;
        load.averageMs += WEIGHT * (Date.now() - begunAt - load.averageMs);
        if (load.running === 0 && load.nextAt < Date.now()) loads.delete(key);
      }
    },
  };
}
