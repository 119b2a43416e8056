import { IdempotencyKeyReused } from './errors';

/** The part that every command on an order has. */
export interface Command {
  /** The id of the user who gives it, or `system`. */
  by: string;
  /** The X-Request-Id of the HTTP request. */
  requestId: string;
  /**
   * The version of the order that the caller had read. A workflow that has not seen it reloads the order
   * first.
   */
  seenVersion: number;
}

/** A command that is carried out once for each Idempotency-Key. */
export interface KeyedCommand extends Command {
  /** Derived from the order's id and the key, so that the same key always names the same thing. */
  id: string;
  /** A hash of the content. */
  fingerprint: string;
  /** Names the one POST that carried it out; any other POST with the same key is a replay. */
  attemptId: string;
}

/**
 * Returns what an earlier run of the command has added.
 * @throws {IdempotencyKeyReused} the earlier run had another content
 */
export function madeBefore<T extends { id: string; fingerprint: string }>(
  made: readonly T[],
  { id, fingerprint }: KeyedCommand,
): T | undefined {
  const found = made.find((one) => one.id === id);
  if (found && found.fingerprint !== fingerprint) {
    throw new IdempotencyKeyReused('This Idempotency-Key was used for another request on this order.');
  }
  return found;
}
