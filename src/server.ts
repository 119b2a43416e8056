/**
 * Runs the API until SIGTERM or SIGINT, then drains it. With WEB_CONCURRENCY above 1, this process only starts that many
 * API processes and supervises them.
 */
import { tracing } from './tracing-api'; // first: what is loaded after it is traced
import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { startServer } from './api-server';
import { isMessage, type SetLogLevel, type Stop } from './cluster/messages';
import { runPrimary } from './cluster/primary';
import type { Supervisor } from './cluster/supervisor';
import { runEntry, stopSignal } from './process/entry';
import { loadConfig } from './config';
import { createLevelSwitch, onLevelSignal } from './process/level-switch';
import { createProcessLogger } from './process/logger';
import { serveClusterMetrics } from './telemetry/cluster-metrics';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('api', env);
  const logger = createProcessLogger(config, 'api');
  const stop = Promise.race([stopSignal(), stopMessage()]);
  const { shutdownTimeoutMs } = config;
  const { webConcurrency: count } = config.http;
  const { metrics } = config.telemetry;
  if (cluster.isPrimary && count > 1) {
    const serveMetrics =
      metrics && ((supervisor: Supervisor) => serveClusterMetrics(metrics, { count, supervisor, logger }));
    return runPrimary({ count, shutdownTimeoutMs, stop, logger, serveMetrics });
  }
  switchLevel(logger);
  tracing.reportTo(logger);
  const server = await startServer(config, logger);
  logger.info({ signal: await stop }, 'draining');
  const deadline = Date.now() + shutdownTimeoutMs;
  await server.close();
  const isFlushed = await tracing.flush(deadline - Date.now());
  logger.info('API stopped');
  cluster.worker?.disconnect(); // the channel to the primary would keep this process alive
  if (!isFlushed) process.exit();
}

/** Changes the level of the log on a signal. In a cluster, the primary alone heeds it, and tells all processes the level. */
function switchLevel(logger: Logger): void {
  const { set, toggle } = createLevelSwitch(logger);
  onLevelSignal(cluster.isPrimary ? toggle : () => undefined);
  process.on('message', (message) => {
    if (isMessage<SetLogLevel>(message, 'log-level')) set(message.level);
  });
}

/** Resolves when the primary says so. It sends no signal, since a terminal may have sent one to this process already. */
function stopMessage(): Promise<string> {
  return new Promise((resolve) => {
    process.on('message', (message) => {
      if (isMessage<Stop>(message, 'stop')) resolve('stop');
    });
  });
}

runEntry(main);
