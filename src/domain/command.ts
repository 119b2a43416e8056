import { IdempotencyKeyReused, OutdatedCommand, StaleVersion } from './errors';
import type { AnsweredCommand, ErrorRecord, Order } from './order';

/** The part that every command on an order has. */
export interface Command {
  /** Names the command: the same in every attempt to send it, and derived from the Idempotency-Key if there is one. */
  id: string;
  /** The id of the user who gives it, or `system`. */
  by: string;
  /** The X-Request-Id of the HTTP request. */
  requestId: string;
  /** The client's network address, if the audit log is to have the command. */
  address?: string;
  /** The revision of the order that the caller had read. */
  seenRevision: number;
  /** The versions one of which the order must have; null or absent for any version. */
  ifMatch?: number[] | null;
  /** A hash of the content, if the id is derived from an Idempotency-Key. */
  fingerprint?: string;
  /** Names the one request that sent it, if the id is derived from an Idempotency-Key: any other is a repeat. */
  attemptId?: string;
}

/** A command that is carried out once for each Idempotency-Key. */
export type KeyedCommand = Command & Required<Pick<Command, 'fingerprint' | 'attemptId'>>;

/** What tells a command from others, and a repeat of it from another content under the same key. */
export type CommandName = Pick<AnsweredCommand, 'id' | 'fingerprint' | 'attemptId'>;

type Named = Pick<CommandName, 'id'> & Partial<CommandName>;

export function nameOf({ id, fingerprint, attemptId }: Named): CommandName {
  return { id, fingerprint: fingerprint ?? null, attemptId: attemptId ?? null };
}

/** How many answers an order has with it: earlier ones are kept beside it. */
const WITH_IT = 50;

/** The failures after which nothing was changed, and which say nothing of what a repeat with the same key will get. */
const PASSING: ReadonlySet<string> = new Set(['Interrupted', 'PaymentUnanswered', 'PaymentUnsettled']);

/**
 * Returns the answer that the command got before, from whomever it came. A repeat of one that was interrupted has none,
 * so that it is carried out.
 * @throws {IdempotencyKeyReused} the earlier command had another content; it may not be answered yet
 */
export function answerTo({ commands, intention }: Order, command: Command): AnsweredCommand | undefined {
  if (intention?.command.id === command.id) requireSameContent(intention.command, command);
  const answer = commands.find(({ id }) => id === command.id);
  if (!answer) return undefined;
  requireSameContent(answer, command);
  const isPassing = answer.error !== null && PASSING.has(answer.error.type);
  return isPassing && isRepeat(answer, command) ? undefined : answer;
}

/** Returns whether the command comes from another request than the earlier one. */
export function isRepeat(earlier: { attemptId: string | null }, { attemptId }: Command): boolean {
  return earlier.attemptId !== (attemptId ?? null);
}

/** Returns whether the order has a version that the command names. */
export function matches({ version }: Pick<Order, 'version'>, { ifMatch }: Pick<Command, 'ifMatch'>): boolean {
  return !ifMatch || ifMatch.includes(version);
}

/** @throws {StaleVersion} the order does not have a version that the command names */
export function requireMatch(order: Pick<Order, 'version'>, command: Pick<Command, 'ifMatch'>): void {
  if (!matches(order, command)) throw new StaleVersion(order.version);
}

/**
 * Returns what an earlier run of the command has added.
 * @throws {IdempotencyKeyReused} the earlier run had another content
 */
export function madeBefore<T extends { id: string; fingerprint: string }>(
  made: readonly T[],
  command: Command,
): T | undefined {
  const found = made.find((one) => one.id === command.id);
  if (found) requireSameContent(found, command);
  return found;
}

function requireSameContent(known: { fingerprint: string | null }, command: Command): void {
  if (known.fingerprint === (command.fingerprint ?? null)) return;
  throw new IdempotencyKeyReused('This Idempotency-Key was used for another request on this order.');
}

/**
 * Rejects a command that was sent before the order was resumed, and not answered. A reset of the workflow sends such
 * commands again, and nobody waits for them any more.
 * @throws {OutdatedCommand}
 */
export function requireNotOutdated(
  { resumedRevision }: Pick<Order, 'resumedRevision'>,
  { seenRevision }: Pick<Command, 'seenRevision'>,
): void {
  if (seenRevision >= resumedRevision) return;
  throw new OutdatedCommand(
    'This request came too late to be judged, and may have been carried out before: read the order, then repeat the ' +
      'request if it is still needed.',
  );
}

/** Returns the order that remembers how it answered the command. @param error null if it was carried out */
export function withAnswer(order: Order, command: Named, error: ErrorRecord | null, at: string): Order {
  const { version, revision } = order;
  // The write that stores the answer raises the revision.
  const answer = { ...nameOf(command), at, version, revision: revision + 1, error };
  const { commands } = withoutAnswer(order, command.id);
  return { ...order, commands: [...commands, answer].slice(-WITH_IT) };
}

/** Returns the answers for which the next version of the order has no room. */
export function displacedAnswers(order: Order, { commands }: Order): AnsweredCommand[] {
  if (commands.length < WITH_IT) return [];
  const kept = new Set(commands.map(({ id }) => id));
  return order.commands.filter(({ id }) => !kept.has(id));
}

/** Returns whether the answer to the command may be kept beside the order. An intention is newer than any answer to it. */
export function isPerhapsDisplaced({ commands, intention }: Order, { id }: Pick<Command, 'id'>): boolean {
  // The command that is being carried out once more has made room for its next answer.
  const answers = commands.length + (intention ? 1 : 0);
  return answers >= WITH_IT && intention?.command.id !== id && !commands.some((answer) => answer.id === id);
}

/** Returns the order with an answer that was kept beside it. */
export function withDisplaced(order: Order, answer: AnsweredCommand | null): Order {
  return answer ? { ...order, commands: [answer, ...order.commands] } : order;
}

/** Returns the order that has to answer the command once more. */
export function withoutAnswer(order: Order, commandId: string): Order {
  return { ...order, commands: order.commands.filter(({ id }) => id !== commandId) };
}
