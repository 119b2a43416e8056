import {
  answerTo,
  isPerhapsDisplaced,
  isRepeat,
  madeBefore,
  requireMatch,
  withDisplaced,
  type Command,
} from '../../domain/command';
import { unsettled } from '../../domain/compensation';
import { BusinessError } from '../../domain/errors';
import type { AnsweredCommand, Order } from '../../domain/order';
import { isClosed } from '../../domain/order-transitions';
import { requestOf } from '../../domain/placing';
import { AppError } from '../../errors/app-error';
import type { ErrorCode } from '../../errors/problems';
import type { Principal } from '../../role/principal';
import type { CommandDone, CommandType } from '../../../workflows/contract';
import { commandBy, type Caller, type Content } from '../order-request';
import type { OrderRepository } from '../orders.repository';
import { businessProblem, orderingUnavailable, recordedProblem } from '../temporal/failures';
import type { OrderWorkflows } from '../temporal/order-workflows';

export interface CommandRunnerDeps {
  workflows: OrderWorkflows;
  /** @throws {AppError} not_found, also when it is another user's order */
  get(id: string, principal: Principal): Promise<Order>;
  find(id: string): Promise<Order | null>;
  findAnswer: OrderRepository['findAnswer'];
}

/** How often a command is sent to an order that is resumed meanwhile. */
const ATTEMPTS = 3;

export type CommandRunner = ReturnType<typeof createCommandRunner>;

/** Has the workflow of an order carry out commands, and reads the order that results. */
export function createCommandRunner({ workflows, get, find, findAnswer }: CommandRunnerDeps) {
  /**
   * Carries out what the caller asks for, once for each Idempotency-Key.
   * @param kind the beginning of the id of the command
   */
  async function run<C extends Command>(
    id: string,
    caller: Caller,
    { type, kind }: { type: CommandType<C>; kind: string },
    content: NoInfer<Content<C>>,
  ): Promise<Order> {
    const order = await get(id, caller.principal);
    return perform(order, type, commandBy(caller, order, kind, content) as Command as C, caller);
  }

  /**
   * Carries out a command and returns the order that results. A repeat gets the outcome of the first request, even a
   * rejection, and the order as it is now.
   * @throws {AppError} why it is not carried out; service_unavailable if it is late
   */
  async function perform<C extends Command>(
    order: Order,
    type: CommandType<C>,
    command: NoInfer<C>,
    { idempotencyKey, onRepeat }: Pick<Caller, 'idempotencyKey' | 'onRepeat'> = {},
  ): Promise<Order> {
    const known = await outcomeOf(order, type, command);
    const answer = known ? order : await send(order, type, command);
    // A late command may have been carried out: the order remembers its answer.
    const now = answer === 'late' ? ((await find(order.id)) ?? order) : answer;
    const outcome = known ?? (await outcomeOf(now, type, command));
    if (!outcome && answer === 'late') throw late(order.id, idempotencyKey);
    if (outcome && isRepeat(outcome, command)) onRepeat?.();
    if (outcome?.error) throw recordedProblem(outcome.error, now.version, order.id);
    return now;
  }

  /** Returns `late` if the command may still be carried out. @throws {AppError} why it is not */
  async function send<C extends Command>(
    order: Order,
    type: CommandType<C>,
    command: NoInfer<C>,
    attempts = ATTEMPTS,
  ): Promise<Order | 'late'> {
    if (needsNoWorkflow(order, command)) requirePossible(order, type, command);
    const answer = type.outlives
      ? await workflows.executeAlways(order, type, command)
      : await workflows.execute(requestOf(order), type, command, order);
    if (answer === 'late') return answer;
    if (typeof answer === 'object') return readDone(order.id, answer);
    const now = (await find(order.id)) ?? order;
    if (answer === 'outdated') {
      if (attempts === 1) throw outdated(order.id);
      return send(now, type, { ...command, seenRevision: now.revision }, attempts - 1);
    }
    // The same command, sent twice at once, may have been carried out, and ended the workflow by that.
    if (await outcomeOf(now, type, command)) return now;
    requirePossible(now, type, command);
    throw orderingUnavailable(undefined, order.id);
  }

  /** Returns how the order has answered the command, now or before, however long ago that was. */
  async function outcomeOf<C extends Command>(
    order: Order,
    type: CommandType<C>,
    command: NoInfer<C>,
  ): Promise<Outcome | undefined> {
    return outcomeIn(await remembering(order, command), type, command);
  }

  /** Returns the order with its answer to the command, if it has no room for that any more. */
  async function remembering(order: Order, command: Pick<Command, 'id'>): Promise<Order> {
    if (!isPerhapsDisplaced(order, command)) return order;
    return withDisplaced(order, await findAnswer(order.id, command.id));
  }

  /** @throws {AppError} service_unavailable if the database is away, or has only an earlier version */
  async function readDone(id: string, { version }: CommandDone): Promise<Order> {
    // The decision stands and gets its response even if the database is away.
    const now = await find(id).catch(() => null);
    if (now && now.version >= version) return now;
    throw new AppError(
      'service_unavailable',
      'The command was carried out, but the order cannot be read right now. Do not repeat the request: ' +
        'read the order later.',
      { orderId: id },
    );
  }

  return { run, perform, get, find, remembering };
}

/** How a command was answered, and by which attempt. */
type Outcome = Pick<AnsweredCommand, 'error' | 'attemptId'>;

/** Returns how the order has answered the command, now or before, by its answers and by what commands have added to it. */
function outcomeIn<C extends Command>(
  order: Order,
  { additions = () => [] }: CommandType<C>,
  command: NoInfer<C>,
): Outcome | undefined {
  return orProblem(order, () => {
    const made = madeBefore(additions(order), command);
    return made ? { error: null, attemptId: made.attemptId } : answerTo(order, command);
  });
}

/** @throws {AppError} why the order does not allow the command */
function requirePossible<C extends Command>(
  order: Order,
  { check }: CommandType<C>,
  command: NoInfer<C>,
): void {
  orProblem(order, () => {
    // What a closed order rejects, it rejects permanently: a repeat has to hear that, and not of a newer version.
    if (isClosed(order) && command.fingerprint !== undefined) check(order, command);
    requireMatch(order, command);
    check(order, command);
  });
}

/**
 * Returns whether what the order as it is stored does not allow can be rejected at once. An order that is being placed
 * may allow it soon. With an Idempotency-Key, the order has to remember the answer, unless it is closed: what that
 * rejects, it rejects permanently, and Temporal may have forgotten its workflow. If it still owes something, its workflow
 * may have been terminated, and is resumed even by a command that is rejected.
 */
function needsNoWorkflow(order: Order, command: Command): boolean {
  if (isClosed(order)) return unsettled(order).length === 0;
  return order.status !== 'pending' && command.fingerprint === undefined;
}

/** Runs a check of the domain. @throws {AppError} the problem for the BusinessError that the check throws */
export function orProblem<T>({ id, version }: Order, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof BusinessError ? businessProblem(error, version, id) : error;
  }
}

/** Returns a handler of rejected promises that turns problems with this code into null. */
export function unless(code: ErrorCode): (error: unknown) => null {
  return (error) => {
    if (error instanceof AppError && error.code === code) return null;
    throw error;
  };
}

/** @param key the Idempotency-Key of the request */
function late(orderId: string, key?: string): AppError {
  const advice = key
    ? 'repeat the request with the same Idempotency-Key'
    : 'read the order before repeating the request';
  const detail = `The command timed out and may still complete: ${advice}.`;
  return new AppError('service_unavailable', detail, { orderId });
}

function outdated(orderId: string): AppError {
  const detail =
    'Many requests are changing the order at once, and nothing was done for this one: repeat it.';
  return new AppError('service_unavailable', detail, { orderId });
}
