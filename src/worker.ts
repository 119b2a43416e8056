/** Runs workers on the queues of WORKER_QUEUES until SIGTERM or SIGINT, then finishes the work in progress. */
import { tracing } from './tracing-worker'; // first: what is loaded after it is traced
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { runEntry, stopSignal } from './process/entry';
import { loadConfig } from './config';
import { createLevelSwitch, onLevelSignal } from './process/level-switch';
import { createProcessLogger } from './process/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createTemporalLogger } from './worker/logger';
import { buildIdOf, bundleFor } from './worker/options';
import { connectToTemporal, runWorkers } from './worker/run';
import { startWorkerTelemetry } from './worker/telemetry';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('worker', env);
  const logger = createProcessLogger(config, 'worker');
  onLevelSignal(createLevelSwitch(logger).toggle);
  const bundle = bundleFor(config);
  const telemetry = await startWorkerTelemetry(config, { buildId: await buildIdOf(bundle), logger });
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
    stopping.abort();
  });
  tracing.reportTo(logger);

  const mongodb = openMongoDb(config.mongodb, logger);
  telemetry?.measure(mongodb);
  const temporal = await connectToTemporal(config.temporal, logger, signal);
  try {
    if (temporal) {
      const { metrics } = telemetry ?? {};
      await runWorkers(config, { temporal, mongodb, bundle, logger, signal, metrics });
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
