import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { freePorts } from '../../tools/devstack/ports';
import { JWT_SECRET, testConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { repeat } from '../support/eventually';
import { spawnNode, type NodeProcess } from '../support/process';
import { sample } from '../support/sample';
import { tokenFor } from '../support/tokens';

const SERVER = join(__dirname, '..', '..', 'dist', 'src', 'server.js');
const LIMIT = 40;
/** Ends a test in which no request is ever rejected. */
const MAX_CALLS = 1_000;
const CLIENTS = 8;

let db: TestDatabase;
let base: string;
let api: NodeProcess;
let port: number;

beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());
beforeEach(async () => {
  [port] = (await freePorts(1)) as [number];
  base = `http://127.0.0.1:${port}/orders-management-system`;
});
afterEach(async () => {
  api.kill('SIGKILL');
  await api.ended;
});

/** Starts the real API with two processes, supervised by `api`. */
async function startCluster(env: NodeJS.ProcessEnv = {}): Promise<void> {
  api = spawnNode([SERVER], {
    NODE_ENV: 'test',
    JWT_SECRET,
    MONGODB_URI: db.uri,
    TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS,
    PORT: String(port),
    WEB_CONCURRENCY: '2',
    RATE_LIMIT_MAX: String(LIMIT),
    RATE_LIMIT_WINDOW_MS: String(24 * 60 * 60 * 1_000), // no window ends during a test
    ...env,
  });
  await waitUntil(() => logged('API listening').length === 2);
}

interface LogLine {
  msg: string;
  pid: number;
  /** The process that the line is about. */
  apiPid: number;
  requestId?: string;
}

function logged(message: string): LogLine[] {
  const lines = api.lines.map((line) => JSON.parse(line) as LogLine);
  return lines.filter(({ msg }) => msg === message);
}

const startedPids = () => logged('API process started').map(({ apiPid }) => apiPid);

/** Waits until the condition holds. */
async function waitUntil(condition: () => boolean): Promise<void> {
  await repeat(
    async () => condition() || undefined,
    () => `Not so: ${String(condition)}`,
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Sends a request on its own connection. */
async function statusOf(path: string): Promise<number> {
  const response = await fetch(base + path, { headers: { Connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}

/** A kept-alive connection, whose requests all go to one process. */
class Connection {
  readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  async get(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const request = get(base + path, { agent: this.agent, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    return response;
  }

  /** Returns the id of the process behind the connection. The rate limit does not count health routes. */
  async pid(): Promise<number> {
    const id = randomUUID();
    await this.get('/health/live', { 'X-Request-Id': id });
    const own = () => logged('request').find(({ requestId }) => requestId === id);
    await waitUntil(() => own() !== undefined);
    return own()!.pid;
  }
}

/**
 * Returns a connection to each process. Many are opened concurrently, so that one process does not get them
 * all.
 */
async function connectToBoth(): Promise<Connection[]> {
  const byPid = new Map<number, Connection>();
  const rest: Connection[] = [];
  const attempt = async () => {
    const some = Array.from({ length: 10 }, () => new Connection());
    const pids = await Promise.all(some.map((connection) => connection.pid()));
    some.forEach((connection, n) => byPid.set(pids[n]!, connection));
    rest.push(...some);
    return byPid.size < 2 ? undefined : [...byPid.values()];
  };
  const chosen = await repeat(attempt, () => 'One of the two processes gets no connection.');
  for (const connection of rest) if (!chosen.includes(connection)) connection.agent.destroy();
  return chosen;
}

it('the processes of a machine share one rate limit', async () => {
  await startCluster();
  const connections = await connectToBoth();
  const headers = { Authorization: `Bearer ${tokenFor(testConfig(), 'CUSTOMER')}` };
  const remaining: number[] = [];
  const isRejected = [false, false];
  for (let call = 0; call < MAX_CALLS && isRejected.includes(false); call++) {
    const { statusCode, headers: limits } = await connections[call % 2]!.get('/product-services', headers);
    expect([200, 429]).toContain(statusCode);
    if (statusCode === 429) isRejected[call % 2] = true;
    else remaining.push(Number(limits['x-ratelimit-remaining']));
  }
  for (const { agent } of connections) agent.destroy();
  expect(isRejected).toEqual([true, true]);
  expect(remaining.length).toBeGreaterThanOrEqual(LIMIT);
  // A request that the supervisor is slow to count passes with the headers of a first one, and may be counted later. All
  // others count down together: two processes that count alone would have each number twice.
  const counted = remaining.filter((left) => left < LIMIT - 1);
  expect(counted).toEqual([...new Set(counted)].sort((a, b) => b - a));
});

it('a process that is killed under load is replaced, and only its current requests fail', async () => {
  await startCluster({ RATE_LIMIT_MAX: '1000000' });
  const [victim] = startedPids();
  const failed: unknown[] = [];
  let succeeded = 0;
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) {
      const status = await statusOf('/product-services').catch((error: unknown) => void failed.push(error));
      if (status === undefined) continue;
      expect(status).toBe(200);
      succeeded++;
    }
  });
  await waitUntil(() => succeeded > 50);
  process.kill(victim!, 'SIGKILL');
  await waitUntil(() => logged('API listening').length === 3);
  const before = succeeded;
  await waitUntil(() => succeeded > before + 50);
  isOver = true;
  await Promise.all(clients);
  expect(failed.length).toBeLessThanOrEqual(CLIENTS);
  expect(startedPids()).toHaveLength(3);
});

it.each(sample('e2e/cluster: signals that drain', ['SIGTERM', 'SIGINT'] as const))(
  '%s drains all processes, and then all exit',
  async (signal) => {
    await startCluster();
    api.kill(signal);
    expect(await api.ended).toBeNull();
    expect(logged('API stopped')).toHaveLength(2);
    expect(startedPids().some(isAlive)).toBe(false);
  },
);

it('no process outlives its supervisor', async () => {
  await startCluster();
  api.kill('SIGKILL');
  await api.ended;
  await waitUntil(() => !startedPids().some(isAlive));
});

it('a signal to the primary changes the level of the log of all processes, those that start later too', async () => {
  await startCluster();
  const levels = () => {
    const lines = logged('log level changed') as (LogLine & { to: string })[];
    return Object.fromEntries(lines.map(({ pid, to }) => [pid, to]));
  };
  const [first, second] = startedPids() as [number, number];
  api.kill('SIGUSR2');
  process.kill(first, 'SIGUSR2'); // which the primary alone heeds
  await waitUntil(() => Object.keys(levels()).length === 3);
  expect(Object.values(levels())).toEqual(['debug', 'debug', 'debug']);
  process.kill(second, 'SIGKILL');
  await waitUntil(() => logged('API listening').length === 3);
  api.kill('SIGUSR2');
  await waitUntil(() => Object.values(levels()).filter((level) => level === 'info').length === 3);
  const third = startedPids().at(-1)!;
  expect(levels()).toMatchObject({ [second]: 'debug', [first]: 'info', [third]: 'info' });
});
