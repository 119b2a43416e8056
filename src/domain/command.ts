import { BusinessError } from './errors';
import { IdempotencyKeyReused } from './order';

/** What every command on an order says about itself. */
export interface Command {
  /** The user who asks for it, or `system`. */
  by: string;
  /** The X-Request-Id of the HTTP request. */
  requestId: string;
  /** The version of the order that the caller had read: a workflow that does not know it yet reloads the order first. */
  seenVersion: number;
}

/** What happens once for each Idempotency-Key. */
export interface KeyedCommand extends Command {
  /** Made from the order's id and the key: the same key always names the same thing. */
  id: string;
  /** Hash of what is asked for. */
  fingerprint: string;
  /** Names the one POST that did it. */
  attemptId: string;
}

/** What the command was about is not part of this order. */
export class NotFound extends BusinessError {
  override name = 'NotFound';
}

/**
 * What an earlier run of the command made.
 * @throws {IdempotencyKeyReused} the earlier one asked for something else
 */
export function madeBefore<T extends { id: string; fingerprint: string }>(
  made: readonly T[],
  { id, fingerprint }: KeyedCommand,
): T | undefined {
  const found = made.find((one) => one.id === id);
  if (found && found.fingerprint !== fingerprint) {
    throw new IdempotencyKeyReused('This Idempotency-Key was used for something else on this order.');
  }
  return found;
}
