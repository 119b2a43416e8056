import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { createLevelSwitch, onLevelSignal } from '../process/level-switch';
import { createWindowCounter } from '../rate-limit/window-counter';
import { createSupervisor, type Supervisor } from './supervisor';

/** Added to the limit that the API processes set themselves. */
const STOP_MARGIN_MS = 5_000;

export interface PrimaryOptions {
  /** The number of API processes. */
  count: number;
  shutdownTimeoutMs: number;
  /** Resolves with the reason to stop. */
  stop: Promise<string>;
  logger: Logger;
  /** Serves the metrics of all processes; by default, nothing is measured. */
  serveMetrics?(supervisor: Supervisor): Promise<{ close(timeoutMs: number): Promise<void> }>;
}

/**
 * Runs the API processes, which share the port, until it is told to stop. The primary itself connects to
 * nothing, and it reads none of the secrets in the environment that it hands on.
 */
export async function runPrimary({
  count,
  shutdownTimeoutMs,
  stop,
  logger,
  serveMetrics,
}: PrimaryOptions): Promise<void> {
  // Each process accepts its own connections, which the system closes if the process is killed. If the
  // primary accepted them, those on their way to a killed process would stay open and without a response
  // forever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const supervisor = createSupervisor({
    count,
    fork: () => cluster.fork({ LOG_LEVEL: logger.level }), // which may have changed
    counter: createWindowCounter(),
    logger,
  });
  onLevelSignal(createLevelSwitch(logger, supervisor.setLogLevel).toggle);
  const metrics = await serveMetrics?.(supervisor);
  try {
    const signal = await Promise.race([supervisor.run(), stop]);
    logger.info({ signal }, 'draining');
  } finally {
    await supervisor.stop(shutdownTimeoutMs + STOP_MARGIN_MS);
    await metrics?.close(0);
  }
  logger.info('all API processes stopped');
}
