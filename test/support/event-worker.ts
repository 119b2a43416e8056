import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../src/worker/activities';
import { workerOptions } from '../../src/worker/options';
import { buildIdOf } from '../../src/versions/bundle';
import { testWorkerConfig } from './config';
import type { Shop } from './shop';
import { taskQueueEnv } from './task-queues';

/** Starts a worker of the queue for events alone, as src/worker/run.ts does. */
export async function startEventWorker(
  shop: Pick<Shop, 'temporal' | 'taskQueue'> & { db: Pick<Shop['db'], 'connection'> },
  env: NodeJS.ProcessEnv = {},
) {
  const config = testWorkerConfig({
    ...taskQueueEnv(shop.taskQueue),
    SHUTDOWN_TIMEOUT_MS: '600000',
    ...env,
  });
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const stopping = new AbortController();
  const { db, temporal } = shop;
  const deps = { connection: db.connection, temporal, stopping: stopping.signal };
  const activities = createActivities('events', config, deps);
  const buildId = await buildIdOf(process.env.TEST_WORKFLOW_BUNDLE!);
  const worker = await Worker.create({
    ...workerOptions('events', config, { activities, buildId }),
    connection,
  });
  const running = worker.run();
  return {
    /** Ends it as SIGTERM does. */
    async stop() {
      stopping.abort();
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}
