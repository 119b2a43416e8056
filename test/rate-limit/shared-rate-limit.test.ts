import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import pino from 'pino';
import { freePorts } from '../../tools/devstack/ports';
import { newId } from '../../src/common/ids';
import { startServer, type RunningServer } from '../../src/api-server';
import { testConfig } from '../support/config';
import { eventually, HANG_MS } from '../support/eventually';
import { tokenFor } from '../support/tokens';

const MAX = 5;
/** No window ends during a test. */
const UNENDING = { RATE_LIMIT_WINDOW_MS: String(24 * 60 * 60 * 1_000) };
const executable = findRedis();
if (!executable) {
  console.warn(
    'The shared rate limit is not tested, because redis-server is not on PATH: install it (Debian: redis-server).',
  );
}

(executable ? describe : describe.skip)('the rate limit that API processes share through Redis', () => {
  let port: number;
  let redis: ChildProcess;
  let servers: RunningServer[];
  let tokenOf: (id: string) => string;

  beforeAll(async () => {
    [port] = (await freePorts(1)) as [number];
    redis = startRedis(port);
    const env = {
      PORT: '0',
      REDIS_URL: `redis://127.0.0.1:${port}`,
      RATE_LIMIT_MAX: String(MAX),
      TRUSTED_PROXIES: '1', // each user has an address of their own
      ...UNENDING,
    };
    const config = testConfig(env);
    tokenOf = (id) => tokenFor(config, 'CUSTOMER', id);
    const logger = pino({ level: 'silent' });
    const start = () => startServer(config, logger, { countTimeoutMs: HANG_MS }); // no request passes uncounted
    servers = [await start(), await start()];
    await counting();
  });
  afterAll(async () => {
    await Promise.all((servers ?? []).map((server) => server.close()));
    await kill(redis);
  });

  const addresses = new Map<string, number>();
  function newAddress(user: string): number {
    addresses.set(user, addresses.size);
    return addresses.get(user)!;
  }

  /** Returns what remains of the limit after a request; undefined if the request was rejected. */
  async function callOf(user: string, server: RunningServer): Promise<number | undefined> {
    const address = `2001:db8:0:${(addresses.get(user) ?? newAddress(user)).toString(16)}::1`;
    const headers = { Authorization: `Bearer ${tokenOf(user)}`, 'X-Forwarded-For': address };
    const response = await fetch(`${server.url}/nothing`, { headers });
    expect([404, 429]).toContain(response.status);
    return response.status === 429 ? undefined : Number(response.headers.get('X-RateLimit-Remaining'));
  }

  async function calls(user: string, count: number): Promise<(number | undefined)[]> {
    const left = [];
    for (let call = 0; call < count; call++) left.push(await callOf(user, servers[call % 2]!));
    return left;
  }

  /** Waits until both servers are connected; before that, they let every request pass uncounted. */
  async function counting(): Promise<void> {
    for (const server of servers) {
      const user = newId('usr');
      await eventually(async () => expect(await callOf(user, server)).not.toBe(MAX - 1));
    }
  }

  it('counts each user once for all processes', async () => {
    expect(await calls(newId('usr'), MAX + 2)).toEqual([4, 3, 2, 1, 0, undefined, undefined]);
    expect(await calls(newId('usr'), 1)).toEqual([MAX - 1]);
  });

  it('lets requests pass while Redis is down, and limits them again when it is back', async () => {
    const user = newId('usr');
    await kill(redis);
    expect(await calls(user, MAX + 2)).not.toContain(undefined);
    redis = startRedis(port);
    await counting();
    expect(await calls(newId('usr'), MAX + 1)).toEqual([4, 3, 2, 1, 0, undefined]);
  });
});

/** Listens on loopback only and writes nothing to disk. */
function startRedis(port: number): ChildProcess {
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
  return spawn(executable!, args, { stdio: 'ignore' });
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (!child?.kill('SIGKILL')) return;
  await once(child, 'exit');
}

function findRedis(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, 'redis-server')).find(existsSync);
}
