import { ConnectionStates, Error as MongooseErrors, MongooseError, mongo, type Connection } from 'mongoose';

/** Driver errors that mean that no server is available, not that the operation is wrong. */
const UNAVAILABLE = [
  mongo.MongoServerSelectionError,
  mongo.MongoNetworkError,
  mongo.MongoNotConnectedError,
  mongo.MongoTopologyClosedError,
  mongo.MongoClientClosedError,
  mongo.MongoOperationTimeoutError,
  MongooseErrors.MongooseServerSelectionError,
];
/** The names of further such errors, which the driver does not export. */
const UNAVAILABLE_NAMES = new Set(['MongoPoolClosedError', 'MongoWaitQueueTimeoutError']);
/** The labels of errors of servers that step down, shut down or start, and of lasting conflicts. */
const TRANSIENT_LABELS = [
  mongo.MongoErrorLabel.RetryableWriteError,
  mongo.MongoErrorLabel.TransientTransactionError,
  mongo.MongoErrorLabel.UnknownTransactionCommitResult,
];

/**
 * The codes with which a server answers that has no primary, is about to stop, or cannot answer in time. Reads have
 * them without a label.
 */
const UNAVAILABLE_CODES: ReadonlySet<unknown> = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  50, // MaxTimeMSExpired
  89, // NetworkTimeout
  91, // ShutdownInProgress
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  246, // SnapshotUnavailable
  262, // ExceededTimeLimit
  9_001, // SocketException
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
]);

/** The codes of socket errors, some of which the driver passes on unchanged. */
const SOCKET_CODES = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH']);

export function isUnavailableError(error: unknown): boolean {
  // The driver wraps what ended a bulk write in an error of another type, and so also what ended an insertion of several.
  if (error instanceof mongo.MongoBulkWriteError && isUnavailableError(error.errorResponse)) return true;
  if (SOCKET_CODES.has(String((error as NodeJS.ErrnoException | null)?.code))) return true;
  if (UNAVAILABLE.some((type) => error instanceof type)) return true;
  if (!(error instanceof mongo.MongoError)) return false;
  if (UNAVAILABLE_NAMES.has(error.name) || UNAVAILABLE_CODES.has(error.code)) return true;
  return TRANSIENT_LABELS.some((label) => error.hasErrorLabel(label));
}

/** Tells whether mongoose threw its base error because there is no connection yet. */
export function isWithoutConnection(error: unknown, connection: Connection): boolean {
  return error instanceof MongooseError && connection.readyState !== ConnectionStates.connected;
}

/** Tells whether a write violated a unique index. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === 11_000;
}

/** Returns the fields of the unique index that a write violated; undefined for any other error. */
export function duplicateKey(error: unknown): string[] | undefined {
  if (!isDuplicateKey(error)) return undefined;
  return Object.keys((error as { keyPattern?: object }).keyPattern ?? {});
}

/** Returns the result of a write, or undefined if the write violated a unique index. */
export async function unlessTaken<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error)) return undefined;
    throw error;
  }
}
