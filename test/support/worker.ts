import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Connection } from 'mongoose';
import { createActivities, workerOptions } from '../../src/worker';
import type { Activities } from '../../src/worker';
import { testConfig } from './config';

export interface TestWorker {
  stop(): Promise<void>;
}

export interface TestWorkerOptions {
  taskQueue: string;
  connection: Connection;
  /** Makes steps fail, stall or die: takes the real activities and returns what the worker runs. */
  sabotage?: (activities: Activities) => Activities;
}

/** A real worker in this process, on a task queue of the test's own. */
export async function startTestWorker(options: TestWorkerOptions): Promise<TestWorker> {
  const { taskQueue, connection: database, sabotage = (activities) => activities } = options;
  installRuntime();
  const config = testConfig({ TEMPORAL_TASK_QUEUE: taskQueue, SHUTDOWN_TIMEOUT_MS: '1000' });
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const coverage = new WorkflowCoverage();
  const worker = await Worker.create(
    coverage.augmentWorkerOptionsWithBundle({
      ...workerOptions(config, sabotage(createActivities(database))),
      connection,
      workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
    }),
  );
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
      await connection.close();
      collect(coverage);
    },
  };
}

let installed = false;

export function installRuntime(): void {
  if (installed) return;
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined), // tests make steps fail by the dozen
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    shutdownSignals: [],
  });
  installed = true;
}

function collect(coverage: WorkflowCoverage): void {
  const holder = globalThis as { __coverage__?: object };
  if (!holder.__coverage__) return;
  coverage.mergeIntoGlobalCoverage();
  holder.__coverage__ = JSON.parse(JSON.stringify(holder.__coverage__)) as object; // Jest cannot send class instances
}
