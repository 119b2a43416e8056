import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ManagedProcess } from '../devstack/managed-process';
import { freePorts } from '../devstack/ports';
import { startServer } from '../devstack/server-process';
import { until } from '../devstack/until';
import { removeFolder } from '../owned-folder';
import { messageOf, SetupError } from '../project';
import { lastLine, run } from '../run';

export interface PostgresqlServer {
  port: number;
  process: ManagedProcess;
  stop(): Promise<void>;
}

/** The only user of the database, without a password: it listens on loopback, for as long as a benchmark runs. */
export const POSTGRESQL_USER = 'temporal';

const HOST = '127.0.0.1';
/** Debian installs each version here, not on PATH. */
const DEBIAN = '/usr/lib/postgresql';
const INIT_MS = 120_000;
const READY_MS = 60_000;
const STOP_MS = 20_000;

/**
 * Starts PostgreSQL on loopback with a new data folder, which `stop` removes.
 * @throws {SetupError} if it is not installed or does not start
 */
export async function startPostgresql(logFolder: string, env: NodeJS.ProcessEnv): Promise<PostgresqlServer> {
  const programs = programsFolder(env);
  const port = (await freePorts(1))[0]!;
  // If this process is killed, the next run recognizes the folder by the process id (`createOwnedFolder`).
  const data = join(tmpdir(), `orders-management-system-${process.pid}-${randomBytes(4).toString('hex')}`);
  const init = asItsUser(join(programs, 'initdb'), initArgs(data));
  const { command: executable, args } = asItsUser(join(programs, 'postgres'), serverArgs(data, port));
  try {
    const { code, stderr } = await run(init.command, init.args, { env, timeoutMs: INIT_MS }).catch(
      (error: unknown) => ({ code: 1, stderr: messageOf(error) }),
    );
    if (code !== 0) throw new SetupError(`PostgreSQL makes no database in ${data}: ${lastLine(stderr)}`);
    const server = await startServer(
      { name: 'postgresql', args, env, explain: lastLine },
      { executable, logFolder },
      join(logFolder, 'postgresql.log'),
      (check) => waitUntilReady(programs, port, check),
    );
    return { port, process: server, stop: () => server.stop(STOP_MS).then(() => removeFolder(data)) };
  } catch (error) {
    await removeFolder(data);
    throw error;
  }
}

const initArgs = (data: string): string[] => [
  `--pgdata=${data}`,
  `--username=${POSTGRESQL_USER}`,
  '--auth=trust',
  '--encoding=UTF8',
  '--no-locale',
];

/** All else is PostgreSQL's default; what is committed is on disk. */
const serverArgs = (data: string, port: number): string[] => [
  '-D',
  data,
  `--listen_addresses=${HOST}`,
  `--port=${port}`,
  '--unix_socket_directories=',
  '--max_connections=200', // each of Temporal's services has its own
];

/** @throws {SetupError} without PostgreSQL */
function programsFolder(env: NodeJS.ProcessEnv): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
  const found = folders.find((folder) =>
    ['initdb', 'postgres', 'pg_isready'].every((name) => existsSync(join(folder, name))),
  );
  if (found !== undefined) return found;
  throw new SetupError('PostgreSQL is missing: install it (on Debian the package postgresql).');
}

/** PostgreSQL does not run as root. Its package has a user for it, who may not be allowed into this folder. */
function asItsUser(command: string, args: string[]): { command: string; args: string[] } {
  if (process.getuid?.() !== 0) return { command, args };
  const user = ['--reuid=postgres', '--regid=postgres', '--clear-groups', 'env', '--chdir=/'];
  return { command: 'setpriv', args: [...user, command, ...args] };
}

async function waitUntilReady(programs: string, port: number, check: () => void): Promise<void> {
  await until(
    READY_MS,
    async () => {
      const { code } = await run(join(programs, 'pg_isready'), ['--host', HOST, '--port', String(port)]);
      return code === 0 || undefined;
    },
    () => new SetupError(`PostgreSQL does not respond on ${HOST}:${port} after ${READY_MS / 1_000} s.`),
    check,
  );
}
