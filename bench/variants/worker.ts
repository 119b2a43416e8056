import { bundleWorkflowCode, NativeConnection, Runtime, Worker, DefaultLogger } from '@temporalio/worker';
import { once } from 'node:events';
import { join } from 'node:path';
import pino from 'pino';
import { PROJECT_ROOT } from '../../tools/project';
import { workflowBundleOptions } from '../../scripts/workflow-bundle-options';
import { loadConfig } from '../../src/config';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createTemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { createDeployment } from '../../src/versions/deployment';
import { createActivities } from '../../src/worker/activities';
import { workerOptions } from '../../src/worker/options';
import { createUsualActivities } from './activities';
import { BENCH_PAYMENTS_TASK_QUEUE, BENCH_TASK_QUEUE } from './contract';

/** A worker of the workflows that ours is compared with, with the same rules, writes, options and servers. */
async function main(): Promise<void> {
  const config = loadConfig('worker', {
    ...process.env,
    TEMPORAL_TASK_QUEUE: BENCH_TASK_QUEUE,
    TEMPORAL_PAYMENTS_TASK_QUEUE: BENCH_PAYMENTS_TASK_QUEUE,
  });
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const workflowBundle = await bundleWorkflowCode({
    ...workflowBundleOptions(join(PROJECT_ROOT, 'workflows'), 'ts', join(__dirname, 'workflows.ts')),
    logger: new DefaultLogger('ERROR'),
  });
  const mongodb = openMongoDb(config.mongodb, pino({ level: 'warn' }));
  await mongodb.connected;
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const payments = createActivities('payments', config, mongodb);
  const buildId = 'bench';
  const client = createTemporalClient(config.temporal, createDataConverter([]));
  await createDeployment(client.client, config).setCurrent(buildId, true);
  await client.close();
  const workers = await Promise.all([
    Worker.create({
      ...workerOptions('orders', config, { activities: {}, buildId }),
      activities: createUsualActivities(mongodb.connection),
      connection,
      workflowBundle,
    }),
    Worker.create({ ...workerOptions('payments', config, { activities: payments, buildId }), connection }),
  ]);
  const stopped = once(process, 'SIGTERM').then(() => undefined);
  console.log('worker started');
  await Promise.all(workers.map((worker) => worker.runUntil(stopped)));
  await connection.close();
  await mongodb.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
