import { Redis } from 'ioredis';
import type { Logger } from 'pino';

const TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1000;
const MAX_RECONNECT_DELAY_MS = 2000;

/** One counter per client and window: two commands in one step, so that a counter never stays without an expiry. */
const COUNT_REQUEST = `
  local used = redis.call('INCR', KEYS[1])
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    left = tonumber(ARGV[1])
  end
  return { used, left }`;

type Counter = {
  countRequest(key: string, windowMs: number): Promise<[used: number, msLeft: number]>;
};

/** What the Redis driver of koa-ratelimit calls: remaining requests with this one, end of window in seconds, limit. */
export interface Windows {
  ratelimiter(key: string, now: number, windowMs: number, max: number): Promise<[number, number, number]>;
}

export interface RedisWindows extends Windows {
  close(): void;
}

/** The windows of all API processes in Redis; the driver's own script would keep an entry per request. */
export function createRedisWindows(url: string, logger: Logger): RedisWindows {
  const redis = new Redis(url, {
    commandTimeout: TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 200, MAX_RECONNECT_DELAY_MS),
  });
  redis.on('error', () => undefined); // failing commands tell, below; without a listener it would be printed
  redis.defineCommand('countRequest', { numberOfKeys: 1, lua: COUNT_REQUEST });
  return {
    ...countIn(redis as unknown as Counter, logger),
    close: () => redis.disconnect(),
  };
}

/** Lets requests through when the counter fails: a limit that cannot be kept must not take the API down. */
export function countIn(counter: Counter, logger: Logger): Windows {
  let failing = false;
  return {
    async ratelimiter(key, _now, windowMs, max) {
      try {
        const [used, msLeft] = await counter.countRequest(key, windowMs);
        failing = false;
        return [Math.max(0, max - used + 1), endsAt(msLeft), max];
      } catch (err) {
        if (!failing) logger.warn({ err }, 'Redis does not answer: requests are not limited until it does');
        failing = true;
        return [max, endsAt(windowMs), max];
      }
    },
  };
}

function endsAt(msLeft: number): number {
  return Math.ceil((Date.now() + msLeft) / 1000);
}
