import { cp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { mongo } from 'mongoose';
import { DATABASE, mongodArgs, REPLICA_SET } from '../../devstack/mongodb';
import { freePorts } from '../../devstack/ports';
import { HANG_MS, until } from '../../devstack/until';
import { SetupError } from '../../project';
import type { Network } from '../network';
import { createUnit, type OwnedUnit, type UnitOptions } from './unit';

const NODES = ['mongodb-1', 'mongodb-2', 'mongodb-3'] as const;
const HOST = '127.0.0.1';
const PROBE_MS = 2_000;
const ALREADY_INITIALIZED = 23;
/** Says which process has the files. */
const LOCK_FILE = 'mongod.lock';

export interface ReplicaSetOptions {
  executable: string;
  folder: string;
  logFolder: string;
  network: Network;
  onDeath: UnitOptions['onDeath'];
  register: (unit: OwnedUnit) => void;
  /** Is called with the empty folder of a server before it is started. */
  onFolder: (name: string, folder: string) => Promise<void>;
  /** How long the nodes do without a primary before they elect another one. */
  electionTimeoutMs: number;
  signal: AbortSignal;
}

export interface ReplicaSet {
  nodes: readonly OwnedUnit[];
  /** The URI for a process, whose connections the network then tells apart. */
  uriFor(process: string): string;
  /** The name of the node that is the primary, by what most of the nodes say and it says itself. */
  primary(): Promise<string | undefined>;
  /** Asks a node to step down, and not to be elected again for some seconds. */
  stepDown(node: string, seconds: number): Promise<void>;
  /** Waits until there is a primary, and the others follow it. @throws {SetupError} that has taken too long */
  inSync(limitMs?: number): Promise<void>;
  /** Copies the files of a secondary, which takes no writes meanwhile, while the others do. */
  backUp(to: string): Promise<void>;
  /** Has all nodes start with the files of a copy, whatever they have. */
  putBack(from: string): Promise<void>;
}

/**
 * Starts three nodes that know each other, and that drivers know, by the addresses of their proxies alone: so all that is
 * said between them passes the network.
 */
export async function startReplicaSet(options: ReplicaSetOptions): Promise<ReplicaSet> {
  const { network, electionTimeoutMs } = options;
  const ports = await freePorts(NODES.length);
  const nodes = await Promise.all(NODES.map((name, index) => startNode(name, ports[index]!, options)));
  const proxies = await Promise.all(
    NODES.map((to, index) => network.open({ to, port: ports[index]!, wire: 'mongodb' })),
  );
  const members = proxies.map((port, _id) => ({ _id, host: `${HOST}:${port}` }));
  const settings = { electionTimeoutMillis: electionTimeoutMs };
  await whenUp(ports[0]!, options.signal, (admin) => initiate(admin, { members, settings }));
  const set: ReplicaSet = {
    nodes,
    uriFor: (process) =>
      `mongodb://${members.map(({ host }) => host).join()}/${DATABASE}?replicaSet=${REPLICA_SET}&appName=${process}`,
    async primary() {
      const host = primaryOf(await Promise.all(ports.map(helloOf)));
      return NODES[members.findIndex((member) => member.host === host)];
    },
    async stepDown(node, seconds) {
      const port = ports[NODES.indexOf(node as (typeof NODES)[number])]!;
      await direct(port, (admin) => admin.command({ replSetStepDown: seconds, force: true }));
    },
    async backUp(to) {
      const primary = await set.primary();
      const index = NODES.findIndex((name) => name !== primary);
      const ask = (command: object) => direct(ports[index]!, (admin) => admin.command(command), HANG_MS);
      await ask({ fsync: 1, lock: true });
      try {
        const filter = (file: string): boolean => basename(file) !== LOCK_FILE;
        await cp(join(options.folder, NODES[index]!), to, { recursive: true, filter });
      } finally {
        await ask({ fsyncUnlock: 1 });
      }
    },
    async putBack(from) {
      await Promise.all(nodes.map((node) => node.end('SIGKILL'))); // what they have is lost anyway
      for (const name of NODES) {
        await rm(join(options.folder, name), { recursive: true });
        await cp(from, join(options.folder, name), { recursive: true });
      }
      for (const node of nodes) await node.start();
      for (const port of ports) await whenUp(port, options.signal, (admin) => admin.command({ ping: 1 }));
      await set.inSync();
    },
    async inSync(limitMs = HANG_MS) {
      const primary = await until(
        limitMs,
        async () => (isWhole(await Promise.all(ports.map(helloOf))) ? set.primary() : undefined),
        (error) => new SetupError(`The replica set has no primary that all nodes follow: ${String(error)}`),
        () => options.signal.throwIfAborted(),
      );
      const port = ports[NODES.findIndex((name) => name === primary)] ?? ports[0]!;
      await until(
        limitMs,
        () => direct(port, allInSync),
        (error) => new SetupError(`The replica set does not get in sync: ${String(error)}`),
        () => options.signal.throwIfAborted(),
      );
    },
  };
  await set.inSync();
  return set;
}

const [IS_PRIMARY, IS_SECONDARY] = [1, 2];

/** Writes wait for most nodes, which while they copy all that there is makes them slow. */
async function allInSync(admin: mongo.Db): Promise<true | undefined> {
  const { members } = (await admin.command({ replSetGetStatus: 1 })) as unknown as {
    members: { state: number }[];
  };
  const states = members.map(({ state }) => state);
  const isSound = states.every((state) => state === IS_PRIMARY || state === IS_SECONDARY);
  return (isSound && states.includes(IS_PRIMARY)) || undefined;
}

async function startNode(
  name: string,
  port: number,
  { executable, folder, logFolder, network, onDeath, register, onFolder, signal }: ReplicaSetOptions,
): Promise<OwnedUnit> {
  const dbPath = join(folder, name);
  await mkdir(dbPath, { recursive: true });
  await onFolder(name, dbPath);
  network.name(port, name);
  const unit = createUnit({
    name,
    command: executable,
    // With test commands enabled, a node says which one it is when it connects to another.
    args: [...mongodArgs({ port, dbPath, cacheGb: 0.25 }), '--setParameter', 'enableTestCommands=1'],
    logFile: join(logFolder, `${name}.log`),
    onDeath,
  });
  register(unit);
  await unit.start();
  await whenUp(port, signal, (admin) => admin.command({ ping: 1 }));
  return unit;
}

async function initiate(
  admin: mongo.Db,
  { members, settings }: { members: object[]; settings: object },
): Promise<void> {
  try {
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members, settings } });
  } catch (error) {
    // On a busy machine the first attempt takes longer than it is waited for, and is done all the same.
    if (!(error instanceof mongo.MongoServerError && error.code === ALREADY_INITIALIZED)) throw error;
  }
}

async function whenUp(
  port: number,
  signal: AbortSignal,
  use: (admin: mongo.Db) => Promise<unknown>,
): Promise<void> {
  await until(
    HANG_MS,
    async () => (await direct(port, use)) ?? true,
    (error) => new SetupError(`MongoDB does not respond on port ${port}: ${String(error)}`),
    () => signal.throwIfAborted(),
  );
}

/** What a node says of itself and the others. */
export interface Hello {
  /** Its own address. */
  me: string;
  /** The address of the node that it takes for the primary. */
  primary?: string;
  isWritablePrimary: boolean;
  secondary: boolean;
  /** Of a primary alone: the later its election, the greater. */
  electionId?: { toString(): string };
}

/**
 * Returns the address of the primary by what the nodes say; undefined stands for a node that does not respond. One that has
 * lost the others still takes itself for the primary for a while, and others that have not heard of an election do so, too.
 */
export function primaryOf(answers: readonly (Hello | undefined)[]): string | undefined {
  const latest = answers
    .filter((hello) => hello?.isWritablePrimary === true)
    .sort((a, b) => String(a!.electionId).localeCompare(String(b!.electionId)))
    .at(-1);
  const votes = answers.filter((hello) => hello?.primary !== undefined && hello.primary === latest?.me);
  return votes.length > answers.length / 2 ? latest!.me : undefined;
}

/** Whether all nodes respond, and follow one primary. */
export function isWhole(answers: readonly (Hello | undefined)[]): boolean {
  const primary = primaryOf(answers);
  return (
    primary !== undefined &&
    answers.every((hello) => hello?.primary === primary && (hello.secondary || hello.me === primary))
  );
}

async function helloOf(port: number): Promise<Hello | undefined> {
  try {
    return (await direct(port, (admin) => admin.command({ hello: 1 }))) as unknown as Hello;
  } catch {
    return undefined; // it is down, or frozen
  }
}

/** Uses a connection of its own that passes no proxy, so that no fault keeps the rig from its work. */
async function direct<T>(
  port: number,
  use: (admin: mongo.Db) => Promise<T>,
  socketTimeoutMS = PROBE_MS,
): Promise<T> {
  const client = new mongo.MongoClient(`mongodb://${HOST}:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: PROBE_MS,
    socketTimeoutMS,
  });
  try {
    return await use(client.db('admin'));
  } finally {
    await client.close();
  }
}
