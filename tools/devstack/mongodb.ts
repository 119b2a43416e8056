import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mongo } from 'mongoose';
import type { ManagedProcess } from './managed-process';
import { resetCommand, SetupError } from '../project';
import { lastLine } from '../run';
import { startServer, type ServerOptions } from './server-process';
import { HANG_MS, until } from './until';

export interface MongodbOptions extends ServerOptions {
  port: number;
  dbPath: string;
}

export interface MongodbServer {
  uri: string;
  process: ManagedProcess;
}

const HOST = '127.0.0.1';
export const REPLICA_SET = 'rs0';
export const DATABASE = 'orders';
const PROBE_MS = 2_000;
const NOT_YET_INITIALIZED = 94;
const EXIT_NEED_UPGRADE = /featureCompatibilityVersion|UPGRADE PROBLEM|unsupported WiredTiger file version/;

/** Starts mongod on loopback as a replica set of one, which transactions need, and waits for its primary. */
export async function startMongodb(options: MongodbOptions): Promise<MongodbServer> {
  const { port, dbPath, logFolder } = options;
  await mkdir(dbPath, { recursive: true });
  const command = { name: 'mongodb', args: mongodArgs({ port, dbPath }), explain };
  const process = await startServer(command, options, join(logFolder, 'mongodb.log'), (check) =>
    waitForPrimary(`${HOST}:${port}`, check),
  );
  return {
    uri: `mongodb://${HOST}:${port}/${DATABASE}?replicaSet=${REPLICA_SET}`,
    process,
  };
}

/** The flags of a mongod on loopback, as a node of a replica set. */
export function mongodArgs({
  port,
  dbPath,
  cacheGb = 1,
}: Pick<MongodbOptions, 'port' | 'dbPath'> & { cacheGb?: number }): string[] {
  return [
    '--replSet',
    REPLICA_SET,
    '--bind_ip',
    HOST,
    '--port',
    String(port),
    '--dbpath',
    dbPath,
    '--nounixsocket',
    '--wiredTigerCacheSizeGB',
    String(cacheGb),
    '--setParameter',
    'diagnosticDataCollectionEnabled=false',
    // A worker that is killed in a transaction leaves its locks behind, for 60 s by default; ours take at
    // most 3.5 s.
    '--setParameter',
    'transactionLifetimeLimitSeconds=5',
    // Otherwise its log repeats slow operations with the contents of documents.
    '--slowOpSampleRate',
    '0',
  ];
}

async function waitForPrimary(host: string, check: () => void): Promise<void> {
  await until(
    HANG_MS,
    async () => ((await isPrimary(host)) ? true : undefined),
    (error) =>
      new SetupError(`MongoDB has no primary on ${host} after ${HANG_MS / 60_000} min (${String(error)}).`),
    check,
  );
}

/** Uses a new client each time, because one that could not connect stays closed. */
async function isPrimary(host: string): Promise<boolean> {
  const client = new mongo.MongoClient(`mongodb://${host}/?directConnection=true`, {
    serverSelectionTimeoutMS: PROBE_MS,
  });
  try {
    return await advance(client.db('admin'), host);
  } finally {
    await client.close();
  }
}

/** Initiates the replica set, or moves it to a changed port. Returns whether it has a primary. */
async function advance(admin: mongo.Db, host: string): Promise<boolean> {
  const hello = await admin.command({ hello: 1 });
  if (hello.isWritablePrimary) return true;
  const config = await readConfig(admin);
  if (!config) {
    await admin.command({
      replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] },
    });
  } else if (config.members[0]?.host !== host) {
    const moved = {
      ...config,
      version: config.version + 1,
      members: [{ ...config.members[0], host }],
    };
    await admin.command({ replSetReconfig: moved, force: true });
  }
  return false;
}

interface ReplicaSetConfig {
  version: number;
  members: { host: string }[];
}

async function readConfig(admin: mongo.Db): Promise<ReplicaSetConfig | undefined> {
  try {
    return (await admin.command({ replSetGetConfig: 1 })).config as ReplicaSetConfig;
  } catch (error) {
    if (error instanceof mongo.MongoServerError && error.code === NOT_YET_INITIALIZED) return undefined;
    throw error;
  }
}

/** Returns the last error in mongod's JSON log, or what to do about data of another version. */
function explain(log: string): string {
  const errors = log.split('\n').filter((line) => /"s":"[EF]"/.test(line));
  const said = lastLine(errors.join('\n')) || lastLine(log);
  if (!EXIT_NEED_UPGRADE.test(log)) return messageIn(said);
  return `the data were written by another version of MongoDB. Use that version, or remove them with \`${resetCommand()}\`.`;
}

function messageIn(line: string): string {
  try {
    const { msg, attr } = JSON.parse(line) as {
      msg: string;
      attr?: { error?: unknown };
    };
    const error = attr?.error;
    return error ? `${msg}: ${typeof error === 'string' ? error : JSON.stringify(error)}` : msg;
  } catch {
    return line;
  }
}
