import { IdempotencyKeyReused, OutdatedCommand } from './errors';
import type { AnsweredCommand, ErrorRecord, Order } from './order';

/** The part that every command on an order has. */
export interface Command {
  /** Names the command: the same in every attempt to send it, and derived from the Idempotency-Key if there is one. */
  id: string;
  /** The id of the user who gives it, or `system`. */
  by: string;
  /** The X-Request-Id of the HTTP request. */
  requestId: string;
  /** The revision of the order that the caller had read. */
  seenRevision: number;
}

/** A command that is carried out once for each Idempotency-Key. */
export interface KeyedCommand extends Command {
  /** A hash of the content. */
  fingerprint: string;
  /** Names the one POST that carried it out; any other POST with the same key is a replay. */
  attemptId: string;
}

/** How many answers an order remembers, beside what commands have added to it. */
const REMEMBERED = 50;

/**
 * Returns the answer that the command got before, from whomever it came.
 * @throws {IdempotencyKeyReused} the earlier command had another content; it may not be answered yet
 */
export function answerTo({ commands, intention }: Order, command: Command): AnsweredCommand | undefined {
  if (intention?.command.id === command.id) requireSameContent(intention.command, command);
  const answer = commands.find(({ id }) => id === command.id);
  if (answer) requireSameContent(answer, command);
  return answer;
}

/**
 * Returns what an earlier run of the command has added.
 * @throws {IdempotencyKeyReused} the earlier run had another content
 */
export function madeBefore<T extends { id: string; fingerprint: string }>(
  made: readonly T[],
  command: KeyedCommand,
): T | undefined {
  const found = made.find((one) => one.id === command.id);
  if (found) requireSameContent(found, command);
  return found;
}

function requireSameContent(known: { fingerprint: string | null }, command: Partial<KeyedCommand>): void {
  if (known.fingerprint === (command.fingerprint ?? null)) return;
  throw new IdempotencyKeyReused('This Idempotency-Key was used for another request on this order.');
}

/**
 * Rejects a command that may have been answered in a past that the order does not remember. A reset of the
 * workflow sends such commands again, and nobody waits for them any more.
 * @throws {OutdatedCommand}
 */
export function requireNotOutdated(
  { commands, resumedRevision }: Order,
  { seenRevision }: Pick<Command, 'seenRevision'>,
): void {
  const forgotten = commands.length < REMEMBERED ? 0 : commands[0]!.revision;
  if (seenRevision >= Math.max(resumedRevision, forgotten)) return;
  throw new OutdatedCommand(
    'This request came too late to be judged, and may have been carried out before: read the order, then repeat the ' +
      'request if it is still needed.',
  );
}

/** Returns the order that remembers how it answered the command. @param error null if it was carried out */
export function withAnswer(
  order: Order,
  { id, fingerprint = null }: Pick<Command, 'id'> & { fingerprint?: string | null },
  error: ErrorRecord | null,
  at: string,
): Order {
  const { version, revision } = order;
  // The write that stores the answer raises the revision.
  const answer: AnsweredCommand = { id, fingerprint, at, version, revision: revision + 1, error };
  const others = order.commands.filter((one) => one.id !== id);
  return { ...order, commands: [...others, answer].slice(-REMEMBERED) };
}
