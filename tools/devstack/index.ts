import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable } from './binaries/find';
import type { ManagedProcess } from './managed-process';
import { startMongodb, type MongodbServer } from './mongodb';
import { secondsSince, silentOutput, type Output } from '../output';
import { createOwnedFolder, removeFolder } from '../owned-folder';
import { freePorts } from './ports';
import type { ServerOptions } from './server-process';
import { startTemporal, type TemporalServer } from './temporal';
import { MONGODB, TEMPORAL, type Tool } from './binaries/tools';

export interface ServersOptions extends Pick<
  ServerOptions,
  'restart' | 'onSpawn' | 'onRestart' | 'onDeath' | 'register'
> {
  env?: NodeJS.ProcessEnv;
  output?: Output;
  /** Defaults to a temporary folder, which `stop` removes. */
  dataFolder?: string;
  /** Defaults to free ports and no Web UI. */
  ports?: { temporal: number; temporalUi?: number; temporalMetrics?: number; mongodb: number };
  signal?: AbortSignal;
}

export interface Servers {
  mongodbUri: string;
  temporalAddress: string;
  /** Undefined if Temporal was not started here. */
  temporalUiUrl?: string;
  /** The `temporal` that runs it, which is also its command line. */
  temporalExecutable?: string;
  /** Those started here, in the order in which to stop them. */
  processes: ManagedProcess[];
  stop(): Promise<void>;
}

const STOP_MS = 15_000;
const TEMPORARY_PREFIX = 'orders-management-system-';

/** Starts real servers side by side, except those that the environment names. */
export async function startServers(options: ServersOptions = {}): Promise<Servers> {
  const { env = process.env, output = silentOutput, dataFolder } = options;
  const folder = dataFolder ?? (await createOwnedFolder(tmpdir(), TEMPORARY_PREFIX));
  const started: ManagedProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const name of ['temporal', 'mongodb']) {
      await started.find((one) => one.name === name)?.stop(STOP_MS);
    }
    if (dataFolder === undefined) await removeFolder(folder);
  };
  const register = (one: ManagedProcess): void => {
    started.push(one);
    options.register?.(one);
  };
  const setup = {
    ...options,
    env,
    output,
    register,
    folder,
    logFolder: join(folder, 'logs'),
  };
  await mkdir(setup.logFolder, { recursive: true });

  const [mongodb, temporal] = await Promise.allSettled([provideMongodb(setup), provideTemporal(setup)]);
  if (mongodb.status === 'rejected' || temporal.status === 'rejected') {
    await stop();
    throw mongodb.status === 'rejected' ? mongodb.reason : (temporal as PromiseRejectedResult).reason;
  }
  return {
    mongodbUri: mongodb.value.uri,
    temporalAddress: temporal.value.address,
    temporalUiUrl: temporal.value.uiUrl,
    temporalExecutable: temporal.value.executable,
    processes: [temporal.value.process, mongodb.value.process].filter((one) => one !== undefined),
    stop,
  };
}

type Setup = ServersOptions & ServerFolders & Required<Pick<ServersOptions, 'env' | 'output'>>;
interface ServerFolders {
  folder: string;
  logFolder: string;
}

async function provideMongodb(
  setup: Setup,
): Promise<Omit<MongodbServer, 'process'> & Partial<MongodbServer>> {
  const uri = setup.env[MONGODB.addressVariable];
  if (uri) return asGiven(MONGODB, setup, { uri });
  const executable = await findExecutable(MONGODB, setup);
  const port = setup.ports?.mongodb ?? (await freePorts(1))[0]!;
  const start = Date.now();
  const server = await startMongodb({
    ...setup,
    executable,
    port,
    dbPath: join(setup.folder, 'mongodb'),
  });
  setup.output.line(`mongodb: up on 127.0.0.1:${port}, ${secondsSince(start)}`);
  return server;
}

async function provideTemporal(
  setup: Setup,
): Promise<Omit<TemporalServer, 'process'> & Partial<TemporalServer> & { executable?: string }> {
  const address = setup.env[TEMPORAL.addressVariable];
  if (address) return asGiven(TEMPORAL, setup, { address });
  const executable = await findExecutable(TEMPORAL, setup);
  const port = setup.ports?.temporal ?? (await freePorts(1))[0]!;
  const start = Date.now();
  const server = await startTemporal({
    ...setup,
    executable,
    port,
    uiPort: setup.ports?.temporalUi,
    metricsPort: setup.ports?.temporalMetrics,
    dbFilename: setup.dataFolder === undefined ? undefined : join(setup.folder, 'temporal.db'),
    namespace: setup.env.TEMPORAL_NAMESPACE,
  });
  setup.output.line(`temporal: up on ${server.address}, ${secondsSince(start)}`);
  return { ...server, executable };
}

function asGiven<T>(tool: Tool, setup: Setup, server: T): T {
  setup.output.line(`${tool.name}: ${tool.addressVariable} is set, nothing is started`);
  return server;
}
