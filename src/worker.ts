/** Runs workers on the queues of WORKER_QUEUES until SIGTERM or SIGINT, then finishes the work in progress. */
import { tracing } from './tracing-worker'; // first: what is loaded after it is traced
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { runEntry, stopSignal } from './process/entry';
import { loadConfig } from './config';
import { createLevelSwitch, onLevelSignal } from './process/level-switch';
import { createProcessLogger } from './process/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createTemporalLogger } from './worker/logger';
import { createWorkerHealth } from './worker/health';
import { bundleFor } from './versions/bundle';
import { connectToTemporal, runWorkers, untilNamespace } from './worker/run';
import { startWorkerTelemetry } from './worker/telemetry';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('worker', env);
  const logger = createProcessLogger(config, 'worker');
  onLevelSignal(createLevelSwitch(logger).toggle);
  const bundle = bundleFor(config);
  const mongodb = openMongoDb(config.mongodb, logger);
  const { namespace } = config.temporal;
  const health = createWorkerHealth({ queues: config.worker.queues, namespace, mongodb, logger });
  const { endpoints } = health;
  const telemetry = await startWorkerTelemetry(config, { bundle, logger, endpoints });
  Runtime.install({
    logger: createTemporalLogger(logger),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN' }), forward: {} },
      ...(telemetry && { metrics: telemetry.runtime }),
    },
    shutdownSignals: [],
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  let stoppedAt = Date.now();
  void stopSignal().then(() => {
    stoppedAt = Date.now();
    health.drain();
    stopping.abort();
  });
  tracing.reportTo(logger);

  telemetry?.measure(mongodb);
  const temporal = await connectToTemporal(config.temporal, logger, signal);
  try {
    if (temporal) {
      health.connected(temporal);
      const { metrics } = telemetry ?? {};
      if (await untilNamespace(temporal, namespace, logger, signal))
        await runWorkers(config, { temporal, mongodb, bundle, logger, signal, health, metrics });
    }
    logger.info('worker stopped');
  } finally {
    await temporal?.close();
    await mongodb.close();
    await telemetry?.close();
  }
  if (!(await tracing.flush(stoppedAt + config.shutdownTimeoutMs - Date.now()))) process.exit();
}

runEntry(main);
