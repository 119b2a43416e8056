import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { countIn, failOpen, type Store } from './store';

const TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 2_000;

/** Counts and sets the expiry in one step, so that a counter never stays without an expiry. */
const COUNT_REQUEST = `
  local used = redis.call('INCR', KEYS[1])
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    left = tonumber(ARGV[1])
  end
  return { used, left }`;

interface CountingRedis extends Redis {
  countRequest(key: string, windowMs: number): Promise<[used: number, msLeft: number]>;
}

export interface RedisStore extends Store {
  close(): void;
}

/**
 * Counts the requests of all API processes in Redis, with one number per client. The script of koa-ratelimit
 * would keep an entry per request.
 */
export function createRedisStore(url: string, logger: Logger, timeoutMs = TIMEOUT_MS): RedisStore {
  const redis = new Redis(url, {
    commandTimeout: timeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 200, MAX_RECONNECT_DELAY_MS),
  }) as CountingRedis;
  redis.on('error', () => undefined); // without a listener ioredis prints it; failing commands are logged below
  redis.defineCommand('countRequest', { numberOfKeys: 1, lua: COUNT_REQUEST });
  const counter = {
    async count(key: string, windowMs: number) {
      const [used, msLeft] = await redis.countRequest(key, windowMs);
      return { used, msLeft };
    },
  };
  return {
    ...countIn(failOpen(counter, logger, 'Redis')),
    close: () => redis.disconnect(),
  };
}
