import cluster from 'node:cluster';
import { join } from 'node:path';
import pino from 'pino';
import { freePorts } from '../../tools/devstack/ports';
import { createSupervisor, type Supervisor } from '../../src/cluster/supervisor';
import { createWindowCounter } from '../../src/rate-limit/window-counter';

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

/** The process ids of those that answer, when that many do. */
async function answering(count: number, isNew: (pid: number) => boolean = () => true): Promise<Set<number>> {
  const pids = new Set<number>();
  while (pids.size < count) {
    // Many at once, so that none takes them all. None may listen yet, and one that is killed answers nothing.
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
    for (const answer of answers) {
      const pid = answer.status === 'fulfilled' ? Number(answer.value) : undefined;
      if (pid !== undefined && isNew(pid)) pids.add(pid);
    }
  }
  return pids;
}

it('starts as many as told, on one port, and counts for all of them', async () => {
  const run = superviseTwo();
  expect([...(await answering(2))].sort()).toEqual(log.map(({ apiPid }) => apiPid).sort());
  const counts: string[] = [];
  for (let call = 0; call < 6; call++) counts.push(await ask('/count'));
  expect(counts).toEqual(['1', '2', '3', '4', '5', '6']);
  await supervisor.stop(60_000);
  await run;
  await expect(ask()).rejects.toThrow('fetch failed');
});

it('tries again when a process cannot be started at all, and can be stopped then', async () => {
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
  await answering(1);
  expect(log[0]).toMatchObject({ how: 'not started: ENOENT' });
  await supervisor.stop(60_000);
  await run;
});

it('replaces one that is killed, while the other one goes on', async () => {
  const run = superviseTwo('good', 0);
  const [victim, survivor] = await answering(2);
  process.kill(victim!, 'SIGKILL');
  expect(await answering(2, (pid) => pid !== victim)).toContain(survivor);
  expect(log).toContainEqual(
    expect.objectContaining({ apiPid: victim, how: 'ended by SIGKILL', restartInMs: 100 }),
  );
  await supervisor.stop(60_000);
  await run;
});

it('gives up on those that end right after their start again and again, later and later', async () => {
  await expect(superviseTwo('broken')).rejects.toThrow(
    /5 times in a row, the last time with exit code 3: .*log/,
  );
  const pauses = log.flatMap(({ restartInMs }) => restartInMs ?? []);
  expect([...new Set(pauses)]).toEqual([100, 200, 400, 800]);
});

it('kills those that do not stop within the limit', async () => {
  const run = superviseTwo('deaf');
  const pids = await answering(2);
  await supervisor.stop(100);
  await run;
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
