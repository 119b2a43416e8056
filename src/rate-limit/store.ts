import type { Logger } from 'pino';

/** The requests of a client in its current window. */
export interface Count {
  /** The number of requests, including this one. */
  used: number;
  /** How much longer the window lasts, in milliseconds. */
  msLeft: number;
}

/** Counts one more request of a client, in windows that last `windowMs`. */
export interface Counter {
  count(key: string, windowMs: number): Count | Promise<Count>;
}

/**
 * The one command that koa-ratelimit sends to Redis; it returns requests left, end of window in seconds,
 * limit.
 */
export interface Store {
  ratelimiter(key: string, now: number, windowMs: number, max: number): Promise<[number, number, number]>;
}

/** Stands between the names of several clients that one request counts for. */
export const AND = ' ';

/** Makes a store for koa-ratelimit of any counter. Of several clients, the one with the least left decides. */
export function countIn(counter: Counter): Store {
  return {
    async ratelimiter(key, _now, windowMs, max) {
      const counts = await Promise.all(key.split(AND).map(async (client) => counter.count(client, windowMs)));
      const { used, msLeft } = counts.reduce((most, one) => (one.used > most.used ? one : most));
      const end = Math.ceil((Date.now() + msLeft) / 1_000);
      return [Math.max(0, max - used + 1), end, max]; // koa-ratelimit takes this request off what is left
    },
  };
}

/** Lets requests pass while the counter fails: a limit that cannot be kept must not take the API down. */
export function failOpen(counter: Counter, logger: Logger, name: string): Counter {
  let isFailing = false;
  return {
    async count(key, windowMs) {
      try {
        const counted = await counter.count(key, windowMs);
        isFailing = false;
        return counted;
      } catch (err) {
        if (!isFailing)
          logger.warn(
            { err, counter: name },
            'requests are not limited, since their counter does not respond',
          );
        isFailing = true;
        return { used: 1, msLeft: windowMs };
      }
    },
  };
}
