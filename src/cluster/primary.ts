import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { createSupervisor } from './supervisor';
import { createWindowCounter } from '../rate-limit/window-counter';

/** Above the limit that the API processes set themselves. */
const STOP_MARGIN_MS = 5_000;

export interface PrimaryOptions {
  /** How many API processes there are to be. */
  count: number;
  shutdownTimeoutMs: number;
  /** Resolves with the reason when all is to end. */
  stop: Promise<string>;
  logger: Logger;
}

/**
 * Runs as many API processes as told, which share the port, until it is told to stop. It has no connection to anything
 * itself, and knows no secret but those in the environment, which it hands on.
 */
export async function runPrimary({ count, shutdownTimeoutMs, stop, logger }: PrimaryOptions): Promise<void> {
  // Each process takes its connections from the port itself. If this one handed them out, those that a process had not
  // yet taken over when it was killed would stay open, and unanswered, for ever; so the system closes them.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const supervisor = createSupervisor({
    count,
    fork: () => cluster.fork(),
    counter: createWindowCounter(),
    logger,
  });
  try {
    const signal = await Promise.race([supervisor.run(), stop]);
    logger.info({ signal }, 'draining');
  } finally {
    await supervisor.stop(shutdownTimeoutMs + STOP_MARGIN_MS);
  }
  logger.info('all API processes stopped');
}
