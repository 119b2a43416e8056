import { answerTo, madeBefore, type Command, type KeyedCommand } from '../../domain/command';
import { unsettled } from '../../domain/compensation';
import { BusinessError } from '../../domain/errors';
import type { Order } from '../../domain/order';
import { isClosed } from '../../domain/order-transitions';
import { requestOf } from '../../domain/placing';
import { AppError } from '../../errors/app-error';
import type { ErrorCode } from '../../errors/problems';
import type { Principal } from '../../role/principal';
import type { AdditionType, CommandDone, CommandType } from '../../../workflows/contract';
import type { Caller } from '../order-request';
import { businessProblem, orderingUnavailable, recordedProblem } from '../temporal/failures';
import type { OrderWorkflows } from '../temporal/order-workflows';

/** An order with something added to it, possibly by an earlier request with the same key. */
export interface Addition {
  order: Order;
  isReplay: boolean;
}

export interface CommandRunnerDeps {
  workflows: OrderWorkflows;
  /** @throws {AppError} not_found, also when it is another user's order */
  get(id: string, principal: Principal): Promise<Order>;
  find(id: string): Promise<Order | null>;
}

/** How often a command is sent to an order that more than 50 others are changing meanwhile. */
const ATTEMPTS = 3;

export type CommandRunner = ReturnType<typeof createCommandRunner>;

/** Has the workflow of an order carry out commands, and reads the order that results. */
export function createCommandRunner({ workflows, get, find }: CommandRunnerDeps) {
  /** Returns `late` if the command may still be carried out. @throws {AppError} why it is not */
  async function send<C extends Command>(
    order: Order,
    type: CommandType<C>,
    command: NoInfer<C>,
    attempts = ATTEMPTS,
  ): Promise<Order | 'late'> {
    const answered = orProblem(order, () => answerTo(order, command));
    if (answered?.error) throw recordedProblem(answered.error, answered.version, order.id);
    if (answered) return order;
    if (needsNoWorkflow(order, command)) orProblem(order, () => type.check(order, command));
    const answer = type.outlives
      ? await workflows.executeAlways(order, type, command)
      : await workflows.execute(requestOf(order), type, command);
    if (answer === 'late') return answer;
    if (typeof answer === 'object') return readDone(order.id, answer);
    const now = (await find(order.id)) ?? order;
    if (answer === 'outdated') {
      if (attempts === 1) throw outdated(order.id);
      return send(now, type, { ...command, seenRevision: now.revision }, attempts - 1);
    }
    orProblem(now, () => type.check(now, command));
    throw orderingUnavailable(undefined, order.id);
  }

  /** @throws {AppError} service_unavailable if the database is away, or has only an earlier version */
  async function readDone(id: string, { version }: CommandDone): Promise<Order> {
    const now = await findIfPossible(id);
    if (now && now.version >= version) return now;
    throw new AppError(
      'service_unavailable',
      'The command was carried out, but the order cannot be read right now. Do not repeat the request: ' +
        'read the order later.',
      { orderId: id },
    );
  }

  /** @throws {AppError} service_unavailable if the command is late */
  async function complete<C extends Command>(
    order: Order,
    type: CommandType<C>,
    command: NoInfer<C>,
  ): Promise<Order> {
    const answer = await send(order, type, command);
    if (answer === 'late') throw late(order.id);
    return answer;
  }

  /** Adds what the command is about, unless an earlier request with the same key has done so. */
  async function add<C extends KeyedCommand>(
    id: string,
    { principal }: Caller,
    type: AdditionType<C>,
    commandOn: (order: Order) => C,
    key?: string,
  ): Promise<Addition> {
    const order = await get(id, principal);
    const command = commandOn(order);
    const findAdded = (order: Order) => orProblem(order, () => madeBefore(type.additions(order), command));
    if (findAdded(order)) return { order, isReplay: true };
    const answer = await send(order, type, command);
    // A late command may have been carried out: its addition has a known id.
    const now = answer === 'late' ? await get(id, principal) : answer;
    const added = findAdded(now);
    if (!added) throw late(id, key);
    return { order: now, isReplay: added.attemptId !== command.attemptId };
  }

  /** Returns null if the database is away, since a decision stands and gets its response regardless. */
  function findIfPossible(id: string): Promise<Order | null> {
    return find(id).catch(() => null);
  }

  return { send, complete, add, get, find, findIfPossible };
}

/**
 * Returns whether what the order as it is stored does not allow can be rejected at once. An order that is being placed
 * may allow it soon. With an Idempotency-Key, the order has to remember the answer, unless it is closed: what that
 * rejects, it rejects permanently, and Temporal may have forgotten its workflow. If it still owes something, its workflow
 * may have been terminated, and is resumed even by a command that is rejected.
 */
function needsNoWorkflow(order: Order, command: Partial<KeyedCommand>): boolean {
  if (isClosed(order)) return unsettled(order).length === 0;
  return order.status !== 'pending' && command.fingerprint === undefined;
}

/** Runs a check of the domain. @throws {AppError} the problem for the BusinessError that the check throws */
export function orProblem<T>({ id }: Order, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof BusinessError ? businessProblem(error, id) : error;
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
export function late(orderId: string, key?: string): AppError {
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
