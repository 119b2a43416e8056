import { Connection } from '@temporalio/client';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTE_FLAGS } from '../../src/temporal/search-attributes';
import type { ManagedProcess } from './managed-process';
import { SetupError } from '../project';
import { lastLine } from '../run';
import { startServer, type ServerOptions } from './server-process';
import { HANG_MS, until } from './until';

export interface TemporalOptions extends ServerOptions {
  port: number;
  /** Undefined for no Web UI. */
  uiPort?: number;
  /** Undefined to keep the data in memory. */
  dbFilename?: string;
  namespace?: string;
  /** Of what the server says of itself to Prometheus; any free one by default. */
  metricsPort?: number;
}

export interface TemporalServer {
  address: string;
  uiUrl?: string;
  process: ManagedProcess;
}

const HOST = '127.0.0.1';
const PROBE_MS = 2_000;

/** Starts Temporal's development server on loopback and waits until its namespace responds. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const { port, uiPort, namespace = 'default', logFolder } = options;
  const address = `${HOST}:${port}`;
  const command = {
    name: 'temporal',
    args: temporalArgs(options, namespace),
    explain: lastLine,
  };
  const process = await startServer(command, options, join(logFolder, 'temporal.log'), (check) =>
    waitForNamespace(address, namespace, check),
  );
  return {
    address,
    uiUrl: uiPort === undefined ? undefined : `http://localhost:${uiPort}`,
    process,
  };
}

/**
 * By default a shard loads its queue of tasks at most 20 times a second, and this server has a single shard:
 * each step of a workflow would wait for 30 ms.
 */
const QUEUE_LOADS = 'history.transferProcessorMaxPollRPS=100';
/** By default only the fifth failure in a row of a workflow task is seen in lists, which takes two minutes. */
const TASK_PROBLEMS = 'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2';

/**
 * By default a worker that is told to stop breaks its connections. What the server has just sent through them is lost: the
 * activity is done again when its attempt has timed out. With this, the server ends them, and sends nothing more.
 */
const STOPPING_WORKERS = 'frontend.enableCancelWorkerPollsOnShutdown=true';

/** By default a namespace has at most 100 Worker Deployments, and tests have one for each of their task queues. */
const DEPLOYMENTS = 'matching.maxDeployments=100000';

/**
 * The server writes each step of a workflow in a transaction of its own. With a write-ahead log that is not
 * forced to disk at each commit they cost less: a killed server loses nothing, a power cut may lose the last
 * transactions.
 */
const SQLITE_PRAGMAS = ['journal_mode=wal', 'synchronous=normal'];

/** The flags of Temporal's development server on loopback. */
export function temporalArgs(
  options: Pick<TemporalOptions, 'port' | 'uiPort' | 'dbFilename' | 'metricsPort'>,
  namespace: string,
): string[] {
  const { port, uiPort, dbFilename, metricsPort } = options;
  return [
    'server',
    'start-dev',
    '--ip',
    HOST,
    '--port',
    String(port),
    '--namespace',
    namespace,
    ...(uiPort === undefined ? ['--headless'] : ['--ui-ip', HOST, '--ui-port', String(uiPort)]),
    ...(dbFilename === undefined ? [] : databaseArgs(dbFilename)),
    ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
    ...SEARCH_ATTRIBUTE_FLAGS,
    '--dynamic-config-value',
    QUEUE_LOADS,
    '--dynamic-config-value',
    TASK_PROBLEMS,
    '--dynamic-config-value',
    STOPPING_WORKERS,
    '--dynamic-config-value',
    DEPLOYMENTS,
    '--log-level',
    'warn',
    '--log-format',
    'json',
  ];
}

function databaseArgs(dbFilename: string): string[] {
  return ['--db-filename', dbFilename, ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma])];
}

export async function waitForNamespace(address: string, namespace: string, check: () => void): Promise<void> {
  const connection = Connection.lazy({ address });
  try {
    await until(
      HANG_MS,
      () =>
        connection.withDeadline(Date.now() + PROBE_MS, () =>
          connection.workflowService.describeNamespace({ namespace }),
        ),
      (error) =>
        new SetupError(
          `Temporal does not respond on ${address} after ${HANG_MS / 60_000} min (${String(error)}).`,
        ),
      check,
    );
  } finally {
    await connection.close();
  }
}
