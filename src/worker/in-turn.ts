import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';

/** How many calls are made at a time. */
const AT_A_TIME = 4;
/** The part of the calls per second that is made in addition to those of orders. */
const SHARE = 0.1;

/**
 * Makes calls to the payment service that nobody waits for, a few at a time. If the calls are limited, they are a small part
 * of what is allowed, apart from each other by the same time.
 */
export function createInTurn(maxPerSecond?: number) {
  const apartMs = maxPerSecond === undefined ? 0 : 1_000 / (maxPerSecond * SHARE);
  const limit = pLimit(AT_A_TIME);
  let next = 0;
  return <T>(call: () => Promise<T>): Promise<T> =>
    limit(async () => {
      const now = Date.now();
      const wait = Math.max(0, next - now);
      next = now + wait + apartMs;
      if (wait > 0) await delay(wait);
      return call();
    });
}
