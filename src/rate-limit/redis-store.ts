import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { countIn, type Counter, type Windows } from './store';

const TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 2_000;

/** One counter per client and window: two commands in one step, so that a counter never stays without an expiry. */
const COUNT_REQUEST = `
  local used = redis.call('INCR', KEYS[1])
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    left = tonumber(ARGV[1])
  end
  return { used, left }`;

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
    ...countIn(redis as unknown as Counter, logger, 'Redis'),
    close: () => redis.disconnect(),
  };
}
