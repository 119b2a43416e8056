import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { UpdateDefinition, WorkflowStartOptions } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { Order, OrderRequest } from '../domain/order';
import { INITIAL_STATE } from '../domain/order-transitions';
import {
  cancelOrderUpdate,
  ORDER_WORKFLOW,
  orderWorkflowId,
  placeOrderUpdate,
  placeUpdateId,
  SEARCH_ATTRIBUTES,
} from '../../workflows/contract';
import type { CancelOrder } from '../../workflows/contract';
import type { TemporalClient } from './client';
import { describeOrder } from './order-description';
import { temporalProblem } from './temporal-errors';

/** Not a definite answer: the workflow has `ended` before, or it is `late` and may still do what it was asked. */
export type Unanswered = 'ended' | 'late';

export interface OrderWorkflows {
  /** Starts the order's workflow, or joins the one there is, and waits; null without an answer in time. */
  place(request: OrderRequest): Promise<Order | null>;
  /** Starts the order's workflow without waiting; does nothing when there is one. */
  start(request: OrderRequest): Promise<void>;
  /** What was sent, of an order whose workflow Temporal remembers, and whether it is still at work. */
  find(orderId: string): Promise<{ request: OrderRequest; isRunning: boolean } | null>;
  /** Cancels the order, taking it up again when an operator terminated its workflow. */
  cancel(request: OrderRequest, command: CancelOrder): Promise<Order | Unanswered>;
}

export interface OrderWorkflowsOptions {
  taskQueue: string;
  /** How long to wait for a worker, milliseconds. */
  timeoutMs: number;
}

/** After so long without an answer, a server that hangs must be told from a worker that is busy or away. */
const DOUBT_AFTER_MS = 1_000;
/** With the doubt before it, it is known within 3 s that the server hangs. */
const LIVENESS_TIMEOUT_MS = 1_200;
const CALL_TIMEOUT_MS = 2_300;

/** What the API asks of Temporal. Every method throws an AppError: service_unavailable when Temporal is down. */
export function createOrderWorkflows(
  { client, lastAnswerAt }: TemporalClient,
  { taskQueue, timeoutMs }: OrderWorkflowsOptions,
): OrderWorkflows {
  const options = (request: OrderRequest) => ({ ...startOptions(request), taskQueue });

  async function startAndUpdate<Args extends unknown[]>(
    request: OrderRequest,
    update: UpdateDefinition<Order, Args>,
    updateOptions: { args: Args; updateId?: string },
  ): Promise<Order | Unanswered> {
    const startWorkflowOperation = new WithStartWorkflowOperation(ORDER_WORKFLOW, options(request));
    startWorkflowOperation.workflowHandle().catch(() => undefined); // the update's own error says it too
    try {
      return await client.withDeadline(Date.now() + timeoutMs, () =>
        client.workflow.executeUpdateWithStart(update, { ...updateOptions, startWorkflowOperation }),
      );
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return 'late';
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ended';
      throw temporalProblem(error);
    }
  }

  const find: OrderWorkflows['find'] = async (orderId) => {
    try {
      const handle = client.workflow.getHandle(orderWorkflowId(orderId));
      const { memo, status } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
        handle.describe(),
      );
      return { request: memo!.request as OrderRequest, isRunning: status.name === 'RUNNING' };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw temporalProblem(error);
    }
  };

  /** Waits for the answer, but only while the server shows that it lives. */
  async function whileServerLives<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => undefined); // may fail while the doubt is being settled; it is awaited below
    const inDoubt = Symbol();
    const first = await Promise.race([answer, delay(DOUBT_AFTER_MS, inDoubt, { ref: false })]);
    if (first === inDoubt) await requireLiveServer();
    return answer;
  }

  /**
   * Whoever answers another call lives. Else the server is asked, by a call that needs neither its database nor the
   * workflow. A time-out alone proves nothing: it may be this process that was too busy to see the answer.
   */
  async function requireLiveServer(): Promise<void> {
    const since = Date.now() - DOUBT_AFTER_MS;
    if (lastAnswerAt() > since) return;
    try {
      await client.withDeadline(Date.now() + LIVENESS_TIMEOUT_MS, () =>
        client.workflowService.getSystemInfo({}),
      );
    } catch (error) {
      await delay(20); // an answer that has arrived, but was not read yet
      if (lastAnswerAt() <= since) throw temporalProblem(error);
    }
  }

  return {
    find,

    async place(request) {
      const { fingerprint } = request;
      const updateOptions = { args: [fingerprint] as [string], updateId: placeUpdateId(fingerprint) };
      const answer = await whileServerLives(startAndUpdate(request, placeOrderUpdate, updateOptions));
      return typeof answer === 'object' ? answer : null;
    },

    async start(request) {
      try {
        await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
          client.workflow.start(ORDER_WORKFLOW, { ...options(request), workflowIdConflictPolicy: 'FAIL' }),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw temporalProblem(error);
      }
    },

    cancel(request, command) {
      return whileServerLives(startAndUpdate(request, cancelOrderUpdate, { args: [command] }));
    },
  };
}

/**
 * One workflow per order: a running one is joined, a completed one is never started again. One that was terminated
 * or cancelled in Temporal is, so that the order it left behind is taken up again by the next request for it.
 */
function startOptions(request: OrderRequest): Omit<WorkflowStartOptions, 'taskQueue'> & {
  workflowIdConflictPolicy: 'USE_EXISTING';
} {
  const { orderStatus, customerId } = SEARCH_ATTRIBUTES;
  return {
    workflowId: orderWorkflowId(request.orderId),
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    args: [request],
    memo: { request },
    typedSearchAttributes: [
      { key: orderStatus, value: INITIAL_STATE.status },
      { key: customerId, value: request.customerId },
    ],
    ...describeOrder(request),
  };
}
