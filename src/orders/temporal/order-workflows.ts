import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type UpdateDefinition,
} from '@temporalio/client';
import { ulid } from 'ulid';
import type { Command } from '../../domain/command';
import { unsettled } from '../../domain/compensation';
import type { Order, OrderRequest } from '../../domain/order';
import { isClosed } from '../../domain/order-transitions';
import { requestOf } from '../../domain/placing';
import {
  ORDER_WORKFLOW,
  orderWorkflowId,
  placeOrderUpdate,
  placeUpdateId,
  type CommandDone,
} from '../../../workflows/contract';
import type { TemporalClient } from '../../temporal/client';
import { whileServerLives } from '../../temporal/liveness';
import {
  createOrderUpdates,
  type OrderUpdate,
  type OrderUpdatesOptions,
  type Unanswered,
} from './order-updates';
import { orderStartOptions } from './start-options';
import { temporalProblem } from './failures';
import { createTurns, type Turns } from '../../temporal/keyed-limit';
import { workflowInput } from '../../temporal/workflow-input';

/** @typeParam Done what is told of a command that is done */
export interface OrderWorkflows<Done = CommandDone> {
  /** Starts the order's workflow, or joins the one there is, and waits; null without an answer in time. */
  place(request: OrderRequest): Promise<Order | null>;
  /** Starts the order's workflow without waiting; does nothing when there is one. */
  start(request: OrderRequest): Promise<void>;
  /** What was sent, of an order whose workflow Temporal remembers, and whether it is still at work. */
  find(orderId: string): Promise<{ request: OrderRequest; isRunning: boolean } | null>;
  /** Has the order's workflow do it, taking the order up again when an operator terminated that. */
  execute<C extends Command>(
    request: OrderRequest,
    update: UpdateDefinition<CommandDone, [C]>,
    command: C,
  ): Promise<Done | Unanswered>;
  /** The same for what outlives the order's own workflow: when that has ended, another one does it. */
  executeAlways<C extends Command>(
    order: Order,
    update: UpdateDefinition<CommandDone, [C]>,
    command: C,
  ): Promise<Done | 'late'>;
}

export interface OrderWorkflowsOptions extends OrderUpdatesOptions {
  /** How long to wait until an order is placed, milliseconds. */
  timeoutMs: number;
  /** The same for what is done to an order later. */
  commandTimeoutMs: number;
}

const CALL_TIMEOUT_MS = 2_300;
/** A server that lives may be busy: what it knows of an order is worth waiting for. */
const FIND_TIMEOUT_MS = 10_000;
/**
 * Temporal allows 10 updates of a workflow in flight, and may drop them all at the eleventh. They are done one after
 * the other anyway; a few at a time leave room for other processes.
 */
const IN_FLIGHT_PER_ORDER = 4;

/** What the API asks of Temporal. Every method throws an AppError: service_unavailable when Temporal is down. */
export function createOrderWorkflows(
  temporal: TemporalClient,
  { timeoutMs, commandTimeoutMs, ...options }: OrderWorkflowsOptions,
): OrderWorkflows {
  const { client } = temporal;
  const updates = createOrderUpdates(temporal, options);
  const turns = createTurns(IN_FLIGHT_PER_ORDER);
  const inTurn: Turns = (key, deadline, work) =>
    turns(key, deadline, () => whileServerLives(temporal, work()));

  return {
    async place(request) {
      const { fingerprint } = request;
      const answer = await whileServerLives(
        temporal,
        updates.first(
          {
            request,
            definition: placeOrderUpdate,
            options: { args: [fingerprint], updateId: placeUpdateId(fingerprint) },
          },
          Date.now() + timeoutMs,
        ),
      );
      return typeof answer === 'object' ? answer : null;
    },

    async start(request) {
      const { policy, taskQueue } = options;
      const startOptions = { ...orderStartOptions(request, policy), taskQueue };
      try {
        await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
          client.workflow.start(ORDER_WORKFLOW, { ...startOptions, workflowIdConflictPolicy: 'FAIL' }),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw temporalProblem(error);
      }
    },

    async find(orderId) {
      try {
        const looking = client.withDeadline(Date.now() + FIND_TIMEOUT_MS, async () => {
          const workflowId = orderWorkflowId(orderId);
          const { status } = await client.workflow.getHandle(workflowId).describe();
          const [request] = (await workflowInput(client, workflowId)) as [OrderRequest];
          return { request, isRunning: status.name === 'RUNNING' };
        });
        return await whileServerLives(temporal, looking);
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw temporalProblem(error);
      }
    },

    execute(request, definition, command) {
      const update = commandUpdate(request, definition, command);
      const deadline = Date.now() + commandTimeoutMs;
      return inTurn(request.orderId, deadline, () => updates.own(update, deadline));
    },

    executeAlways(order, definition, command) {
      const update = commandUpdate(requestOf(order), definition, command);
      const deadline = Date.now() + commandTimeoutMs;
      return inTurn(order.id, deadline, async () => {
        // Temporal may have forgotten the workflow of a finished order: it is not to run once more for this.
        const first = await updates[isFinished(order) ? 'running' : 'own'](update, deadline);
        return first === 'ended' ? updates.closed(update, deadline) : first;
      });
    },
  };
}

function commandUpdate<C extends Command>(
  request: OrderRequest,
  definition: UpdateDefinition<CommandDone, [C]>,
  command: C,
): OrderUpdate<CommandDone, C> {
  return { request, definition, options: { args: [command], updateId: ulid() } };
}

function isFinished(order: Order): boolean {
  return isClosed(order) && unsettled(order).length === 0;
}
