import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { ulid } from 'ulid';
import type { Command } from '../../domain/command';
import { unsettled } from '../../domain/compensation';
import type { Order, OrderRequest } from '../../domain/order';
import { isClosed } from '../../domain/order-transitions';
import { requestOf } from '../../domain/placing';
import type { TemporalClient } from '../../temporal/client';
import { createKeyedLimit } from '../../temporal/keyed-limit';
import { whileServerLives } from '../../temporal/liveness';
import {
  pauseWithin,
  sendToRunning,
  sendToRunningOrStart,
  sendWithStart,
  untilAnswered,
  type Unanswered,
  type Update,
} from '../../temporal/updates';
import { workflowInput } from '../../temporal/workflow-input';
import {
  orderWorkflowId,
  placeOrderUpdate,
  placeUpdateId,
  type CommandDone,
  type CommandType,
} from '../../../workflows/contract';
import { isOutdated, temporalProblem } from './failures';
import { closedOrderWorkflow, orderWorkflow, type OrderStartOptions } from './start-options';

export type OrderWorkflows = ReturnType<typeof createOrderWorkflows>;

/** Nothing was done, because the order had changed much since the caller read it. */
export type Outdated = 'outdated';

export interface OrderWorkflowsOptions extends OrderStartOptions {
  /** How long to wait until an order is placed, in milliseconds. */
  timeoutMs: number;
  /** How long to wait until a command on an order is done, in milliseconds. */
  commandTimeoutMs: number;
}

const CALL_TIMEOUT_MS = 2_300;
/** A live server may be busy, but what it knows of an order is worth waiting for. */
const FIND_TIMEOUT_MS = 10_000;
/**
 * Temporal allows 10 updates of a workflow in flight, and may drop them all when there is one more. Since
 * they are handled one after the other anyway, a few at a time lose nothing and leave room for other
 * processes. Customers and everyone else have turns of their own: nobody keeps the staff from an order of theirs.
 */
const IN_FLIGHT_PER_SIDE = 2;

/**
 * Starts and updates the workflows of orders. Throws an AppError, service_unavailable if Temporal is away.
 */
export function createOrderWorkflows(
  temporal: TemporalClient,
  { timeoutMs, commandTimeoutMs, ...startOptions }: OrderWorkflowsOptions,
) {
  const { client } = temporal;
  const limited = createKeyedLimit(IN_FLIGHT_PER_SIDE);

  /**
   * Starts the order's workflow, or joins the running one, and waits until the order is placed or rejected.
   * Returns false if this takes too long, or if the workflow has ended.
   */
  async function place(request: OrderRequest, withinMs = timeoutMs): Promise<boolean> {
    const { fingerprint, orderId } = request;
    const update: Update<CommandDone, string> = {
      definition: placeOrderUpdate,
      options: { args: [fingerprint], updateId: placeUpdateId(fingerprint) },
    };
    const workflow = orderWorkflow(request, startOptions);
    const placing = untilAnswered(temporal, Date.now() + Math.min(withinMs, timeoutMs), () =>
      sendWithStart(client, workflow, update),
    );
    const answer = await translatingErrors(whileServerLives(temporal, placing), orderId);
    return typeof answer === 'object';
  }

  /** Starts the order's workflow without waiting, unless it is running. */
  async function start(request: OrderRequest): Promise<void> {
    const { type, options } = orderWorkflow(request, startOptions);
    try {
      await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
        client.workflow.start(type, { ...options, workflowIdConflictPolicy: 'FAIL' }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw temporalProblem(error);
    }
  }

  /** Finds the request for an order that Temporal remembers, and whether its workflow is running. */
  async function find(orderId: string): Promise<{ request: OrderRequest; isRunning: boolean } | null> {
    const finding = client.withDeadline(Date.now() + FIND_TIMEOUT_MS, async () => {
      const workflowId = orderWorkflowId(orderId);
      const { status } = await client.workflow.getHandle(workflowId).describe();
      const [request] = (await workflowInput(client, workflowId)) as [Partial<OrderRequest> | undefined];
      return isRequestFor(orderId, request) ? { request, isRunning: status.name === 'RUNNING' } : null;
    });
    try {
      return await whileServerLives(temporal, finding);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw temporalProblem(error);
    }
  }

  /**
   * Has the order's workflow carry out the command, and restarts one that an operator terminated.
   * @param stored the order, if it is stored
   */
  async function execute<C extends Command>(
    request: OrderRequest,
    type: CommandType<C>,
    command: C,
    stored?: Order,
  ): Promise<CommandDone | Unanswered | Outdated> {
    const workflow = orderWorkflow(request, startOptions, 'resume', stored);
    const update = commandUpdate(type, command);
    return inTurn(request, command, (deadline) =>
      untilAnswered(temporal, deadline, () => sendToRunningOrStart(client, workflow, update)),
    );
  }

  /**
   * Has the order's workflow carry out the command, or the workflow of the closed order if that has ended.
   * @param updateId the same as before to wait for what was sent before, if that is under way
   */
  async function executeAlways<C extends Command>(
    order: Order,
    type: CommandType<C>,
    command: C,
    updateId?: string,
  ): Promise<CommandDone | 'late' | Outdated> {
    const request = requestOf(order);
    const workflow = orderWorkflow(request, startOptions, 'resume', order);
    const update = commandUpdate(type, command, updateId);
    // Temporal may have forgotten the workflow of a finished order, which must not run once more.
    const send = isFinished(order) ? sendToRunning : sendToRunningOrStart;
    return inTurn(request, command, async (deadline) => {
      const answer = await untilAnswered(temporal, deadline, () => send(client, workflow, update));
      return answer === 'ended' ? executeClosed(order, update, deadline) : answer;
    });
  }

  /** The workflow of a closed order ends when it is idle. If it does so just now, another one is started. */
  async function executeClosed<C extends Command>(
    order: Order,
    update: Update<CommandDone, C>,
    deadline: number,
  ): Promise<CommandDone | 'late'> {
    const workflow = closedOrderWorkflow(requestOf(order), startOptions, order);
    for (let attempt = 0; ; attempt++) {
      const answer = await untilAnswered(temporal, deadline, () =>
        sendToRunningOrStart(client, workflow, update),
      );
      if (answer !== 'ended') return answer;
      if (!(await pauseWithin(deadline, attempt))) return 'late';
    }
  }

  function inTurn<T>(
    { orderId, customerId }: OrderRequest,
    { by }: Command,
    work: (deadline: number) => Promise<T>,
  ): Promise<T | 'late' | Outdated> {
    const deadline = Date.now() + commandTimeoutMs;
    const side = by === customerId ? 'customer' : 'others';
    const answer = limited(`${orderId} ${side}`, deadline, () => whileServerLives(temporal, work(deadline)));
    return translatingErrors(answer.catch(whenOutdated), orderId);
  }

  /** Whether the workflow of the order runs, which finishes what it has begun. */
  async function isRunning(orderId: string): Promise<boolean> {
    const describing = client.withDeadline(Date.now() + FIND_TIMEOUT_MS, () =>
      client.workflow.getHandle(orderWorkflowId(orderId)).describe(),
    );
    try {
      const { status } = await whileServerLives(temporal, describing);
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw temporalProblem(error, orderId);
    }
  }

  return { place, start, find, isRunning, execute, executeAlways };
}

function commandUpdate<C extends Command>(
  { update: definition }: CommandType<C>,
  command: C,
  updateId = ulid(),
): Update<CommandDone, C> {
  return { definition, options: { args: [command], updateId } };
}

/** @throws {AppError} the problem for the error of Temporal */
async function translatingErrors<T>(answer: Promise<T>, orderId: string): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw temporalProblem(error, orderId);
  }
}

function isFinished(order: Order): boolean {
  return isClosed(order) && unsettled(order).length === 0;
}

/** Returns whether the input is an order's, and not that of a workflow that someone has started by hand. */
function isRequestFor(orderId: string, input: Partial<OrderRequest> | undefined): input is OrderRequest {
  return input?.orderId === orderId && Array.isArray(input.items);
}

function whenOutdated(error: unknown): Outdated {
  if (isOutdated(error)) return 'outdated';
  throw error;
}
