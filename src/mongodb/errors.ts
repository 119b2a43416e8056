import { ConnectionStates, Error as MongooseErrors, MongooseError, mongo, type Connection } from 'mongoose';

/** Driver errors that say "no server at the moment", not "wrong operation". */
const UNAVAILABLE = [
  mongo.MongoServerSelectionError,
  mongo.MongoNetworkError,
  mongo.MongoNotConnectedError,
  mongo.MongoTopologyClosedError,
  mongo.MongoClientClosedError,
  mongo.MongoOperationTimeoutError,
  MongooseErrors.MongooseServerSelectionError,
];
/** Of the same kind, but not exported by the driver. */
const UNAVAILABLE_NAMES = new Set(['MongoPoolClosedError', 'MongoWaitQueueTimeoutError']);
/** A server that steps down, shuts down or starts up, and conflicts that outlast the retries. */
const TRANSIENT_LABELS = [
  mongo.MongoErrorLabel.RetryableWriteError,
  mongo.MongoErrorLabel.TransientTransactionError,
  mongo.MongoErrorLabel.UnknownTransactionCommitResult,
];

/** The driver passes on some errors of its sockets as Node made them. */
const SOCKET_CODES = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH']);

export function isUnavailableError(error: unknown): boolean {
  if (SOCKET_CODES.has(String((error as NodeJS.ErrnoException | null)?.code))) return true;
  if (UNAVAILABLE.some((type) => error instanceof type)) return true;
  if (!(error instanceof mongo.MongoError)) return false;
  return UNAVAILABLE_NAMES.has(error.name) || TRANSIENT_LABELS.some((label) => error.hasErrorLabel(label));
}

/** Before the first connection mongoose itself refuses operations, with its plain base error. */
export function isWithoutConnection(error: unknown, connection: Connection): boolean {
  return error instanceof MongooseError && connection.readyState !== ConnectionStates.connected;
}

/** Whether a write failed because a unique index has the value already. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === 11_000;
}

/** Returns what was written, or undefined where a unique index has the value already. */
export async function unlessTaken<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error)) return undefined;
    throw error;
  }
}
