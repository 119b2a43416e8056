import type { Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { WindowCounter } from '../rate-limit/window-counter';
import { isMessage, type CountRequests, type SetLogLevel, type Stop } from './messages';

const BACKOFF_MS = { first: 100, most: 10_000 };
/** After serving requests for this long, an exit no longer counts as a failed start. */
const STEADY_AFTER_MS = 5_000;
/** How many failed starts of one process in a row end the supervisor. */
const MAX_FAILED_STARTS = 5;

export interface SupervisorOptions {
  /** The number of API processes. */
  count: number;
  fork(): Worker;
  counter: WindowCounter;
  logger: Logger;
  steadyAfterMs?: number;
}

export interface Supervisor {
  /** Keeps all processes running until `stop`. Rejects if one keeps failing right after its start. */
  run(): Promise<void>;
  /** Has the processes that run log from this level on. */
  setLogLevel(level: string): void;
  /** Lets all processes finish, and kills those that have not exited within the limit. */
  stop(limitMs: number): Promise<void>;
  /** Returns the processes that run, by their numbers from 1 on; one that replaces another one has its number. */
  processes(): ReadonlyMap<number, Worker>;
}

/** Starts the API processes, replaces those that die, and counts the requests of all of them. */
export function createSupervisor({
  count,
  fork,
  counter,
  logger,
  steadyAfterMs = STEADY_AFTER_MS,
}: SupervisorOptions): Supervisor {
  const living = new Map<Worker, Promise<unknown>>();
  const numbered = new Map<number, Worker>();
  const stopping = new AbortController();

  /** Runs one process at a time, and starts the next when it has exited. */
  async function keepOne(number: number): Promise<void> {
    for (let failedStarts = 0; !stopping.signal.aborted;) {
      const { pid, how, steadyMs } = await runOne(number);
      if (stopping.signal.aborted) return;
      failedStarts = steadyMs < steadyAfterMs ? failedStarts + 1 : 0;
      if (failedStarts === MAX_FAILED_STARTS) throw new Error(giveUp(how));
      const restartInMs = Math.min(BACKOFF_MS.first * 2 ** Math.max(0, failedStarts - 1), BACKOFF_MS.most);
      logger.warn({ apiPid: pid, how, restartInMs }, 'API process exited, starting another one');
      await delay(restartInMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  async function runOne(number: number) {
    const worker = fork();
    const { pid } = worker.process;
    let listensSince = Infinity;
    worker.on('error', () => undefined); // exitOf handles it
    worker.once('listening', () => (listensSince = Date.now()));
    worker.on('message', (message) => {
      if (!isMessage<CountRequests>(message, 'count')) return;
      worker.send(
        {
          type: 'counted',
          id: message.id,
          counts: message.requests.map(({ key, windowMs }) => counter.count(key, windowMs)),
        },
        ignore,
      );
    });
    const exit = exitOf(worker);
    living.set(worker, exit);
    numbered.set(number, worker);
    if (pid !== undefined) logger.info({ apiPid: pid }, 'API process started');
    const how = await exit;
    living.delete(worker);
    numbered.delete(number);
    return { pid, how, steadyMs: Math.max(0, Date.now() - listensSince) };
  }

  function tell(message: SetLogLevel | Stop): void {
    for (const worker of living.keys()) worker.send(message, ignore);
  }

  return {
    processes: () => numbered,
    run: async () => void (await Promise.all(Array.from({ length: count }, (_, n) => keepOne(n + 1)))),
    setLogLevel: (level) => tell({ type: 'log-level', level }),
    async stop(limitMs) {
      stopping.abort();
      const workers = [...living.keys()];
      tell({ type: 'stop' });
      const kill = setTimeout(() => workers.forEach((worker) => worker.process.kill('SIGKILL')), limitMs);
      await Promise.all(living.values());
      clearTimeout(kill);
    },
  };
}

/** Avoids `once` of node:events, which rejects when sending to a dying process fails. */
function exitOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) =>
      resolve(signal ? `killed by ${signal}` : `exit code ${code}`),
    );
    // A process that could not be started has no `exit` event. Sending to a dying one causes an error as
    // well.
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (worker.process.pid === undefined) resolve(`not started: ${error.code}`);
    });
  });
}

const ignore = (): void => undefined;

function giveUp(how: string): string {
  return (
    `An API process failed right after its start ${MAX_FAILED_STARTS} times in a row, the last time with ${how}: ` +
    'correct what the log above names, then start again.'
  );
}
