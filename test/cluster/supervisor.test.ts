import cluster from 'node:cluster';
import { join } from 'node:path';
import pino from 'pino';
import { freePorts } from '../../tools/devstack/ports';
import { createSupervisor, type Supervisor } from '../../src/cluster/supervisor';
import { createWindowCounter } from '../../src/rate-limit/window-counter';
import { HANG_MS, repeat } from '../support/eventually';

const PROGRAM = join(__dirname, '..', 'support', 'fake-api-process.mjs');

interface LogLine {
  msg: string;
  apiPid?: number;
  how?: string;
  restartInMs?: number;
}

let port: number;
let log: LogLine[];
let supervisor: Supervisor;

beforeAll(() => {
  cluster.schedulingPolicy = cluster.SCHED_NONE; // as the primary does
  cluster.setupPrimary({ exec: PROGRAM, args: [], execArgv: [] });
});
beforeEach(async () => {
  [port] = (await freePorts(1)) as [number];
  log = [];
});
afterEach(() => supervisor.stop(0));

function superviseTwo(mode = 'good', steadyAfterMs?: number): Promise<void> {
  const logger = pino(
    { base: null },
    { write: (line: string) => void log.push(JSON.parse(line) as LogLine) },
  );
  supervisor = createSupervisor({
    count: 2,
    fork: () => cluster.fork({ MODE: mode, PORT: String(port) }),
    counter: createWindowCounter(),
    logger,
    steadyAfterMs,
  });
  return supervisor.run();
}

const ask = async (path = '/') => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

/** Returns the ids of the processes that respond, once that many do. */
async function responding(count: number, isNew: (pid: number) => boolean = () => true): Promise<Set<number>> {
  const pids = new Set<number>();
  const attempt = async () => {
    // Sends many at once, so that no process takes all. Some fail while no process listens or one is killed.
    const responses = await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
    for (const response of responses) {
      const pid = response.status === 'fulfilled' ? Number(response.value) : undefined;
      if (pid !== undefined && isNew(pid)) pids.add(pid);
    }
    return pids.size < count ? undefined : pids;
  };
  return repeat(attempt, () => `Only ${pids.size} of ${count} processes respond.`);
}

it('starts the given number of processes on one port, and counts for all of them', async () => {
  const run = superviseTwo();
  expect([...(await responding(2))].sort()).toEqual(log.map(({ apiPid }) => apiPid).sort());
  const counts: string[] = [];
  for (let call = 0; call < 6; call++) counts.push(await ask('/count'));
  expect(counts).toEqual(['1', '2', '3', '4', '5', '6']);
  await supervisor.stop(HANG_MS);
  await run;
  await expect(ask()).rejects.toThrow('fetch failed');
});

it('tries again if a process cannot be started, and can be stopped then', async () => {
  const { settings } = cluster;
  let forks = 0;
  supervisor = createSupervisor({
    count: 1,
    fork() {
      cluster.setupPrimary({ ...settings, cwd: forks++ === 0 ? '/nowhere' : process.cwd() });
      return cluster.fork({ MODE: 'good', PORT: String(port) });
    },
    counter: createWindowCounter(),
    logger: pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line) as LogLine) }),
  });
  const run = supervisor.run();
  await responding(1);
  expect(log[0]).toMatchObject({ how: 'not started: ENOENT' });
  await supervisor.stop(HANG_MS);
  await run;
});

it('replaces a process that is killed, while the other one continues', async () => {
  const run = superviseTwo('good', 0);
  const [victim, survivor] = await responding(2);
  process.kill(victim!, 'SIGKILL');
  expect(await responding(2, (pid) => pid !== victim)).toContain(survivor);
  expect(log).toContainEqual(
    expect.objectContaining({ apiPid: victim, how: 'killed by SIGKILL', restartInMs: 100 }),
  );
  await supervisor.stop(HANG_MS);
  await run;
});

it('pauses longer and longer between failed starts, then gives up', async () => {
  await expect(superviseTwo('broken')).rejects.toThrow(
    /5 times in a row, the last time with exit code 3: .*log/,
  );
  const pauses = log.flatMap(({ restartInMs }) => restartInMs ?? []);
  expect([...new Set(pauses)]).toEqual([100, 200, 400, 800]);
});

it('kills processes that do not stop within the limit', async () => {
  const run = superviseTwo('deaf');
  const pids = await responding(2);
  await supervisor.stop(100);
  await run;
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
