import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

const RETRY_MS = 5_000;

/** Does something until it succeeds, or the signal aborts. @param failure what the log says each time that it fails */
export async function untilDone(
  work: () => Promise<void>,
  { failure, logger, signal }: { failure: string; logger: Pick<Logger, 'warn'>; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
      return;
    } catch (err) {
      logger.warn({ err }, failure);
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
