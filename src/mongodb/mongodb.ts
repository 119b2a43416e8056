import { setTimeout as delay } from 'node:timers/promises';
import { Mongoose, type ConnectOptions } from 'mongoose';
import type { Logger } from 'pino';
import { isUnavailableError, isWithoutConnection } from './errors';

const DEFAULT_DATABASE = 'orders';
const RETRY_MS = 1_000;

const OPTIONS: ConnectOptions = {
  serverSelectionTimeoutMS: 3_000,
  connectTimeoutMS: 3_000,
  // What is decided on or shown was acknowledged by a majority, so no failover takes it back. Commands and their options
  // inherit this; a transaction has its own.
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority' },
  // The set-up builds the indexes once, instead of every process when it starts.
  autoIndex: false,
  autoCreate: false,
};

export interface MongoDbOptions {
  uri: string;
  /** How long to wait for a response of the server, in milliseconds; the driver then retries once. */
  responseTimeoutMs?: number;
}

export type MongoDb = ReturnType<typeof openMongoDb>;

/**
 * Opens a connection in the background and retries until it succeeds, so that a process can start while
 * MongoDB is down. Until then, and in every outage, operations fail at once or when the server selection
 * times out; none hangs.
 */
export function openMongoDb({ uri, responseTimeoutMs = 5_000 }: MongoDbOptions, logger: Logger) {
  const mongoose = new Mongoose({
    strictQuery: 'throw',
    sanitizeFilter: true,
    bufferCommands: false,
  });
  const connection = mongoose.createConnection();
  const closing = new AbortController();
  let failure: Error | null = null;
  connection.on(
    'disconnected',
    () => closing.signal.aborted || logger.warn({ err: failure }, 'MongoDB is unreachable'),
  );
  connection.on('reconnected', () => logger.info('MongoDB is reachable again'));
  const options = {
    ...OPTIONS,
    ...databaseOf(uri),
    socketTimeoutMS: responseTimeoutMs,
    waitQueueTimeoutMS: responseTimeoutMs,
  };
  async function open(): Promise<void> {
    await connection.openUri(uri, options);
    // Mongoose says that it is disconnected, but not why: the driver has told that just before, to it as well.
    connection.getClient().prependListener('serverDescriptionChanged', ({ newDescription: { error } }) => {
      failure = error ?? failure;
    });
  }
  const connected = connectWithRetries(open, logger, closing.signal);
  return {
    connection,
    /** Resolves with the first connection, for those that can do nothing without it, such as the set-up. */
    connected,

    /** @throws if the server does not respond */
    async ping(): Promise<void> {
      if (!connection.db) throw new Error('MongoDB is not connected yet.');
      await connection.db.command({ ping: 1 });
    },

    /** Tells whether an error means that MongoDB is unavailable, in general or for that operation. */
    isUnavailable(error: unknown): boolean {
      return isUnavailableError(error) || isWithoutConnection(error, connection);
    },

    async close(): Promise<void> {
      closing.abort();
      await connected;
      await connection.close();
    },
  };
}

async function connectWithRetries(
  open: () => Promise<unknown>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await open();
      return;
    } catch (err) {
      logger.warn({ err }, 'MongoDB is unreachable; retrying');
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Returns the default database if the URI names none: the driver would use "test". */
function databaseOf(uri: string): ConnectOptions {
  const named = /^mongodb(\+srv)?:\/\/[^/]+\/[^?]+/.test(uri);
  return named ? {} : { dbName: DEFAULT_DATABASE };
}
