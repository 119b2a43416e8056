import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { ulid } from 'ulid';
import type { Queue } from '../config/worker';
import { problemOf, PROBLEM_TYPE } from '../errors/problems';
import { createHealth, type Check, type Readiness } from '../health/health';
import type { MongoDb } from '../mongodb/mongodb';
import type { Answer, Endpoint } from '../telemetry/server';
import { createNamespaceCheck } from '../temporal/set-up';

/** How long Temporal may take to answer a check, in milliseconds. */
const TIMEOUT_MS = 1_500;
const RETRY_AFTER_SECONDS = '5';

export interface WorkerHealthDeps {
  queues: readonly Queue[];
  namespace: string;
  mongodb: Pick<MongoDb, 'ping'>;
  logger: Logger;
}

type WatchedWorker = Pick<Worker, 'getStatus' | 'options'>;

export interface WorkerHealth {
  /** What the monitoring asks. */
  endpoints: Readonly<Record<string, Endpoint>>;
  /** Checks Temporal by the connection that the workers use. */
  connected(temporal: NativeConnection): void;
  started(workers: ReadonlyMap<Queue, WatchedWorker>): void;
  /** Reports this process as not ready from now on. */
  drain(): void;
}

/**
 * Creates what tells whether a worker process lives, and whether it takes tasks: it is connected and polls each queue. An
 * outage of a server makes it unready, and never dead, since a restart would not end it.
 */
export function createWorkerHealth({ queues, namespace, mongodb, logger }: WorkerHealthDeps): WorkerHealth {
  let temporal: NativeConnection | undefined;
  let workers: ReadonlyMap<Queue, WatchedWorker> = new Map();
  const checkNamespace = createNamespaceCheck(namespace);

  async function checkTemporal(): Promise<void> {
    if (!temporal) throw new Error('Temporal is not connected yet.');
    const { workflowService } = temporal;
    await temporal.withDeadline(Date.now() + TIMEOUT_MS, () => checkNamespace(workflowService));
  }

  const polls =
    (queue: Queue): Check =>
    async () => {
      const worker = workers.get(queue);
      if (!worker) throw new Error('The worker has not started yet.');
      requirePolling(worker);
    };

  const health = createHealth(
    {
      mongodb: () => mongodb.ping(),
      temporal: checkTemporal,
      ...Object.fromEntries(queues.map((queue) => [`${queue}Queue`, polls(queue)])),
    },
    logger,
  );

  function live(): Answer {
    const failed = [...workers].filter(([, worker]) => worker.getStatus().runState === 'FAILED');
    if (failed.length === 0) return answer({ status: 'live' });
    const names = failed.map(([queue]) => queue).join(', ');
    return unavailable(`The worker of a queue has failed: ${names}. The log of this process says why.`);
  }

  async function ready(): Promise<Answer> {
    const readiness = await health.readiness();
    return readiness.status === 'ready' ? answer(readiness) : unavailable(explain(readiness), readiness);
  }

  return {
    endpoints: { '/health/live': live, '/health/ready': ready },
    connected: (connection) => void (temporal = connection),
    started: (running) => void (workers = running),
    drain: health.drain,
  };
}

/** @throws {Error} unless the worker asks Temporal for the tasks that it is for */
function requirePolling(worker: WatchedWorker): void {
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  const polls = [activityPollerState, ...(worker.options.workflowBundle ? [workflowPollerState] : [])];
  if (runState === 'RUNNING' && polls.every((state) => state === 'POLLING')) return;
  throw new Error(`The worker is ${runState}, and its pollers are ${polls.join(' and ')}.`);
}

function explain({ status, checks }: Readiness): string {
  if (status === 'draining') return 'This worker is shutting down: it finishes its tasks and takes no more.';
  const down = Object.keys(checks).filter((name) => checks[name]!.status === 'down');
  return `Not ready: ${down.join(', ')}. The log of this worker says why.`;
}

function answer(data: object): Answer {
  const body = JSON.stringify({ data, meta: { requestId: ulid() } });
  return { status: 200, contentType: 'application/json; charset=utf-8', body };
}

function unavailable(detail: string, data?: object): Answer {
  const problem = problemOf('service_unavailable', detail, ulid());
  return {
    status: problem.status,
    contentType: PROBLEM_TYPE,
    headers: { 'Retry-After': RETRY_AFTER_SECONDS },
    body: JSON.stringify({ ...problem, data }),
  };
}
