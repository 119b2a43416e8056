import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { status } from '@grpc/grpc-js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManagedProcess } from '../devstack/managed-process';
import { startServer } from '../devstack/server-process';
import { until } from '../devstack/until';
import { goProgram, type GoProgram } from '../go';
import type { Output } from '../output';
import { SetupError } from '../project';
import { lastLine, run } from '../run';
import { POSTGRESQL_USER, startPostgresql, type PostgresqlServer } from './postgresql';
import { configuration, DATABASES, findPorts, SQL_PLUGIN } from './configuration';

/** The version of the development server, so that the two can be compared. */
const MODULE = { module: 'go.temporal.io/server', version: 'v1.32.0', buildMs: 3_600_000 };
const SERVER: GoProgram = { ...MODULE, name: 'temporal-server', folder: 'cmd/server' };
const SQL_TOOL: GoProgram = { ...MODULE, name: 'temporal-sql-tool', folder: 'cmd/tools/sql' };

const HOST = '127.0.0.1';
const NAMESPACE = 'default';
const RETENTION = '1 day';
const SCHEMA_MS = 120_000;
const READY_MS = 120_000;
const PROBE_MS = 5_000;
const STOP_MS = 20_000;

export interface TemporalOnPostgresql {
  address: string;
  /** Temporal and PostgreSQL. */
  processes: ManagedProcess[];
  stop(): Promise<void>;
}

export interface TemporalServerOptions {
  /** Folder of the configuration and the logs. */
  folder: string;
  env: NodeJS.ProcessEnv;
  output: Output;
}

/**
 * Starts Temporal's server, all services in one process, on a new PostgreSQL database, with an empty namespace.
 * @throws {SetupError} where Go, the Go module proxy or PostgreSQL is missing
 */
export async function startTemporalOnPostgresql(
  options: TemporalServerOptions,
): Promise<TemporalOnPostgresql> {
  const { folder, env, output } = options;
  const database = await startPostgresql(folder, env);
  try {
    const server = await goProgram(SERVER, env, output);
    await createSchemas(await goProgram(SQL_TOOL, env, output), database, env);
    const ports = await findPorts();
    const address = `${HOST}:${ports[0]}`;
    const file = join(folder, 'temporal-server.yaml');
    await writeFile(file, JSON.stringify(configuration(database.port, ports)));
    const temporal = await startServer(
      { name: 'temporal', args: ['--config-file', file, '--allow-no-auth', 'start'], env, explain },
      { executable: server, logFolder: folder },
      join(folder, 'temporal-server.log'),
      (check) => registerNamespace(address, check),
    );
    const stop = async () => {
      await temporal.stop(STOP_MS);
      await database.stop();
    };
    return { address, processes: [temporal, database.process], stop };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

/** Creates both databases with the schema that is embedded in the tool. */
async function createSchemas(
  tool: string,
  { port }: PostgresqlServer,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const server = [
    '--plugin',
    SQL_PLUGIN,
    '--endpoint',
    HOST,
    '--port',
    String(port),
    '--user',
    POSTGRESQL_USER,
  ];
  for (const { name, schema } of Object.values(DATABASES)) {
    const steps = [
      ['create-database'],
      ['setup-schema', '--version', '0.0'],
      ['update-schema', '--schema-name', schema],
    ];
    for (const step of steps) {
      const args = [...server, '--database', name, ...step];
      const { code, stdout, stderr } = await run(tool, args, { env, timeoutMs: SCHEMA_MS });
      if (code !== 0)
        throw new SetupError(`${SQL_TOOL.name} ${step[0]} failed: ${lastLine(stdout + stderr)}`);
    }
  }
}

/** Returns the message of the last line of the server's log, which is JSON unless it ends in a panic. */
function explain(log: string): string {
  const line = lastLine(log);
  try {
    const { msg, error } = JSON.parse(line) as { msg: string; error?: string };
    return error === undefined ? msg : `${msg} (${error})`;
  } catch {
    return line;
  }
}

/** Registers the namespace as soon as the server is ready for it. */
async function registerNamespace(address: string, check: () => void): Promise<void> {
  const connection = Connection.lazy({ address });
  const request = { namespace: NAMESPACE, workflowExecutionRetentionPeriod: msToTs(RETENTION) };
  const register = () => connection.workflowService.registerNamespace(request);
  const isThere = (error: unknown) => (error as { code?: number }).code === status.ALREADY_EXISTS;
  try {
    await until(
      READY_MS,
      async () => {
        await connection.withDeadline(Date.now() + PROBE_MS, register).catch((error: unknown) => {
          if (!isThere(error)) throw error; // it was registered by an attempt whose response came too late
        });
        return true;
      },
      (error) =>
        new SetupError(
          `Temporal does not respond on ${address} after ${READY_MS / 1_000} s (${String(error)}).`,
        ),
      check,
    );
  } finally {
    await connection.close();
  }
}
