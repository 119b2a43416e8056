import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable } from '../../tools/devstack/binaries/find';
import type { ManagedProcess } from '../../tools/devstack/managed-process';
import { startMongodb } from '../../tools/devstack/mongodb';
import { createOutput } from '../../tools/output';
import { freePorts } from '../../tools/devstack/ports';
import { startTemporal } from '../../tools/devstack/temporal';
import { MONGODB, TEMPORAL } from '../../tools/devstack/binaries/tools';

/** A real server that a test can kill and start again with its data. */
export interface StoppableServer {
  /** MongoDB's URI or Temporal's address. */
  readonly address: string;
  start(): Promise<void>;
  /** Sends SIGKILL. */
  kill(): Promise<void>;
  /** Suspends the server until `thaw`: it keeps its connections but does not respond. */
  freeze(): void;
  thaw(): void;
}

export interface StoppableServers {
  mongodb: StoppableServer;
  temporal: StoppableServer;
  remove(): Promise<void>;
}

/** Starts separate servers: those of the test run are shared with other test files. */
export async function startStoppableServers(): Promise<StoppableServers> {
  const folder = await mkdtemp(join(tmpdir(), 'orders-stoppable-'));
  const [mongodbPort, temporalPort] = (await freePorts(2)) as [number, number];
  const output = createOutput();
  const find = { env: process.env, output };
  const mongod = { executable: await findExecutable(MONGODB, find), logFolder: folder, port: mongodbPort };
  const temporal = {
    executable: await findExecutable(TEMPORAL, find),
    logFolder: folder,
    port: temporalPort,
  };
  const dbPath = join(folder, 'mongodb');
  const dbFilename = join(folder, 'temporal.db');
  const servers = await Promise.all([
    stoppable(async () => {
      const { uri, process: server } = await startMongodb({ ...mongod, dbPath });
      return { address: uri, server };
    }),
    stoppable(async () => {
      const { address, process: server } = await startTemporal({ ...temporal, dbFilename });
      return { address, server };
    }),
  ]);
  return {
    mongodb: servers[0],
    temporal: servers[1],
    async remove() {
      await Promise.all(servers.map((server) => server.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function stoppable(
  launch: () => Promise<{ address: string; server: ManagedProcess }>,
): Promise<StoppableServer> {
  let { address, server } = await launch();
  const signal = (name: NodeJS.Signals) => server.pid && process.kill(server.pid, name);
  return {
    address,
    start: async () => void ({ address, server } = await launch()),
    async kill() {
      signal('SIGKILL');
      await server.stop(5_000);
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  };
}
