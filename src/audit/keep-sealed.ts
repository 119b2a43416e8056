import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AuditRepository } from './audit.repository';

export interface KeepSealedOptions {
  audit: Pick<AuditRepository, 'seal' | 'removeBefore'>;
  /** How long entries are kept, in milliseconds. */
  retentionMs: number;
  logger: Logger;
  /** How long new entries wait for their places at most, in milliseconds. */
  everyMs?: number;
}

const SEAL_EVERY_MS = 5_000;
const REMOVE_EVERY_MS = 3_600_000;

/**
 * Gives new entries their places in the chain, and removes those that are too old, until it is closed. Every worker does it:
 * one is enough, and more do no harm. Each new end of the chain is logged, so that what leaves the machine with the log tells
 * whether the chain is still the one that it was.
 */
export function keepSealed({ audit, retentionMs, logger, everyMs = SEAL_EVERY_MS }: KeepSealedOptions) {
  const closing = new AbortController();
  let removedAt = 0;
  let isFailing = false;

  async function work(): Promise<void> {
    for (let seal = await audit.seal(); seal; seal = await audit.seal())
      logger.info(seal, 'audit log sealed');
    if (Date.now() - removedAt < REMOVE_EVERY_MS) return;
    removedAt = Date.now();
    const removed = await audit.removeBefore(new Date(Date.now() - retentionMs));
    if (removed > 0) logger.info({ removed }, 'old entries of the audit log removed');
  }

  async function workUntilClosed(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await work();
        isFailing = false;
      } catch (err) {
        if (!isFailing) logger.warn({ err }, 'the audit log cannot be sealed; retrying');
        isFailing = true;
      }
      await delay(everyMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const ended = workUntilClosed();
  return {
    async close(): Promise<void> {
      closing.abort();
      await ended;
    },
  };
}
