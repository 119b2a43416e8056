import type { Logger } from 'pino';

/** What the Redis driver of koa-ratelimit calls: remaining requests with this one, end of window in seconds, limit. */
export interface Windows {
  ratelimiter(key: string, now: number, windowMs: number, max: number): Promise<[number, number, number]>;
}

/** Counts requests somewhere outside of this process; it may fail. */
export interface Counter {
  countRequest(key: string, windowMs: number): Promise<[used: number, msLeft: number]>;
}

/** Lets requests through when the counter fails: a limit that cannot be kept must not take the API down. */
export function countIn(counter: Counter, logger: Logger, counterName: string): Windows {
  let failing = false;
  return {
    async ratelimiter(key, _now, windowMs, max) {
      try {
        const [used, msLeft] = await counter.countRequest(key, windowMs);
        failing = false;
        return [Math.max(0, max - used + 1), endsAt(msLeft), max];
      } catch (err) {
        if (!failing)
          logger.warn({ err }, `${counterName} does not answer: requests are not limited until it does`);
        failing = true;
        return [max, endsAt(windowMs), max];
      }
    },
  };
}

function endsAt(msLeft: number): number {
  return Math.ceil((Date.now() + msLeft) / 1_000);
}
