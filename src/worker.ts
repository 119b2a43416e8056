/** Runs workers on the queues of WORKER_QUEUES until SIGTERM or SIGINT, then finishes the work in progress. */
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { runEntry, stopSignal } from './common/entry';
import { loadConfig } from './config';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createTemporalLogger } from './worker/logger';
import { bundleFor } from './worker/options';
import { connectToTemporal, runWorkers } from './worker/run';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('worker', env);
  const logger = createLogger(config).child({ process: 'worker' });
  Runtime.install({
    logger: createTemporalLogger(logger),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN' }), forward: {} } },
    shutdownSignals: [],
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  void stopSignal().then(() => stopping.abort());

  const mongodb = openMongoDb(config.mongodb, logger);
  const temporal = await connectToTemporal(config.temporal, logger, signal);
  try {
    if (temporal) {
      await runWorkers(config, { temporal, mongodb, bundle: bundleFor(config), logger, signal });
    }
    logger.info('worker stopped');
  } finally {
    await temporal?.close();
    await mongodb.close();
  }
}

runEntry(main);
