import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { freePorts } from '../../tools/devstack/ports';
import { until } from '../../tools/devstack/until';
import { JWT_SECRET, testConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually, HANG_MS } from '../support/eventually';
import { spawnNode, type NodeProcess } from '../support/process';
import { tokenFor } from '../support/tokens';

const SERVER = join(__dirname, '..', '..', 'dist', 'src', 'server.js');
const LIMIT = 40;
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
  const late = () => new Error(`Not within ${HANG_MS / 1_000} s: ${String(condition)}`);
  await until(HANG_MS, async () => condition() || undefined, late);
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

  async statusOf(path: string, headers: Record<string, string>): Promise<number> {
    const request = get(base + path, { agent: this.agent, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    return response.statusCode!;
  }

  /** Returns the id of the process behind the connection. The rate limit does not count health routes. */
  async pid(): Promise<number> {
    const id = randomUUID();
    await this.statusOf('/health/live', { 'X-Request-Id': id });
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
  while (byPid.size < 2) {
    const some = Array.from({ length: 10 }, () => new Connection());
    const pids = await Promise.all(some.map((connection) => connection.pid()));
    some.forEach((connection, n) => byPid.set(pids[n]!, connection));
    rest.push(...some);
  }
  const chosen = [...byPid.values()];
  for (const connection of rest) if (!chosen.includes(connection)) connection.agent.destroy();
  return chosen;
}

it('the processes of a machine share one rate limit', async () => {
  await startCluster();
  const connections = await connectToBoth();
  // A request passes uncounted if the supervisor is slow to count it: then another user calls.
  await eventually(async () => {
    const headers = { Authorization: `Bearer ${tokenFor(testConfig(), 'CUSTOMER')}` };
    const statuses = [];
    for (let call = 0; call < LIMIT + 10; call++)
      statuses.push(await connections[call % 2]!.statusOf('/product-services', headers));
    expect(statuses).toEqual([...Array<number>(LIMIT).fill(200), ...Array<number>(10).fill(429)]);
  });
  for (const { agent } of connections) agent.destroy();
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

it.each(['SIGTERM', 'SIGINT'] as const)('%s drains all processes, and then all exit', async (signal) => {
  await startCluster();
  api.kill(signal);
  expect(await api.ended).toBeNull();
  expect(logged('API stopped')).toHaveLength(2);
  expect(startedPids().some(isAlive)).toBe(false);
});

it('no process outlives its supervisor', async () => {
  await startCluster();
  api.kill('SIGKILL');
  await api.ended;
  await waitUntil(() => !startedPids().some(isAlive));
});
