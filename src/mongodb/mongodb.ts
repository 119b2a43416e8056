import { setTimeout as delay } from 'node:timers/promises';
import { Mongoose, type Connection, type ConnectOptions } from 'mongoose';
import type { Logger } from 'pino';
import { isUnavailableError, isWithoutConnection } from './errors';

const DEFAULT_DATABASE = 'orders';
const RETRY_MS = 1_000;

const OPTIONS: ConnectOptions = {
  serverSelectionTimeoutMS: 3_000,
  connectTimeoutMS: 3_000,
  writeConcern: { w: 'majority' },
  // Indexes are built once, by the set-up, and not by every process that starts.
  autoIndex: false,
  autoCreate: false,
};

export interface MongoDbOptions {
  uri: string;
  /** How long to wait for a server that took the connection but does not answer; the driver then tries once more. */
  answerTimeoutMs?: number;
}

export interface MongoDb {
  connection: Connection;
  /** Settles with the first connection; for those that cannot do anything before, such as the set-up. */
  connected: Promise<void>;
  /** @throws when the server does not answer */
  ping(): Promise<void>;
  /** Whether the error means that MongoDB cannot be reached, now or for that operation. */
  isUnavailable(error: unknown): boolean;
  close(): Promise<void>;
}

/**
 * Opens a connection in the background and keeps trying until it is there, so that a process starts while MongoDB is
 * down. Until then, and in every outage, operations fail at once or after the server selection, never hang.
 */
export function openMongoDb({ uri, answerTimeoutMs = 5_000 }: MongoDbOptions, logger: Logger): MongoDb {
  const mongoose = new Mongoose({
    strictQuery: 'throw',
    sanitizeFilter: true,
    bufferCommands: false,
  });
  const connection = mongoose.createConnection();
  const closing = new AbortController();
  connection.on('disconnected', () => closing.signal.aborted || logger.warn('MongoDB is not reachable'));
  connection.on('reconnected', () => logger.info('MongoDB is reachable again'));
  const options = {
    ...OPTIONS,
    ...databaseOf(uri),
    socketTimeoutMS: answerTimeoutMs,
    waitQueueTimeoutMS: answerTimeoutMs,
  };
  const connected = connectUntilDone(() => connection.openUri(uri, options), logger, closing.signal);
  return {
    connection,
    connected,
    async ping() {
      if (!connection.db) throw new Error('There is no connection to MongoDB yet.');
      await connection.db.command({ ping: 1 });
    },
    isUnavailable: (error) => isUnavailableError(error) || isWithoutConnection(error, connection),
    async close() {
      closing.abort();
      await connected;
      await connection.close();
    },
  };
}

async function connectUntilDone(
  open: () => Promise<unknown>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await open();
      return;
    } catch (err) {
      logger.warn({ err }, 'MongoDB is not reachable; trying again');
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The database that the URI names, or ours: the driver would fall back to "test". */
function databaseOf(uri: string): ConnectOptions {
  const named = /^mongodb(\+srv)?:\/\/[^/]+\/[^?]+/.test(uri);
  return named ? {} : { dbName: DEFAULT_DATABASE };
}
