import {
  WithStartWorkflowOperation,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type UpdateDefinition,
} from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { OrderRequest } from '../../domain/order';
import {
  CLOSED_ORDER_WORKFLOW,
  closedOrderWorkflowId,
  ORDER_WORKFLOW,
  orderWorkflowId,
  type OrderPolicy,
} from '../../../workflows/contract';
import type { TemporalClient } from '../../temporal/client';
import { requireLiveServer } from '../../temporal/liveness';
import { closedOrderStartOptions, orderStartOptions } from './start-options';
import { hasEnded, isBusy, isUnavailable, temporalProblem } from './failures';

/** Not a definite answer: the workflow has `ended` before, or it is `late` and may still do what it was asked. */
export type Unanswered = 'ended' | 'late';

/** An update of the workflow of an order. */
export interface OrderUpdate<Answer, Arg> {
  request: OrderRequest;
  definition: UpdateDefinition<Answer, [Arg]>;
  /** `updateId` makes it harmless to send it again. */
  options: { args: [Arg]; updateId: string };
}

export interface OrderUpdatesOptions {
  taskQueue: string;
  policy: OrderPolicy;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/** Sends updates until they are answered or the deadline (milliseconds since the epoch) is over. */
export function createOrderUpdates(temporal: TemporalClient, { taskQueue, policy }: OrderUpdatesOptions) {
  const { client } = temporal;
  type Send = <Answer, Arg>(update: OrderUpdate<Answer, Arg>) => Promise<Answer>;

  const join =
    (workflowIdOf: (orderId: string) => string): Send =>
    ({ request, definition, options }) =>
      client.workflow.getHandle(workflowIdOf(request.orderId)).executeUpdate(definition, options);

  const start =
    (workflowType: string, startOptions: typeof orderStartOptions): Send =>
    ({ request, definition, options }) => {
      const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, {
        ...startOptions(request, policy),
        taskQueue,
      });
      startWorkflowOperation.workflowHandle().catch(() => undefined); // the update's own error says it too
      return client.workflow.executeUpdateWithStart(definition, { ...options, startWorkflowOperation });
    };

  /** Update-with-Start would do alone, but the server is slow at it when many do it to one workflow at a time. */
  const joinOrStart =
    (toRunning: Send, toNew: Send): Send =>
    (update) =>
      toRunning(update).catch((error) => {
        if (hasEnded(error)) return toNew(update);
        throw error;
      });

  const startOwn = start(ORDER_WORKFLOW, orderStartOptions);
  const joinOwn = join(orderWorkflowId);
  const joinOrStartOwn = joinOrStart(joinOwn, startOwn);
  const joinOrStartClosed = joinOrStart(
    join(closedOrderWorkflowId),
    start(CLOSED_ORDER_WORKFLOW, closedOrderStartOptions),
  );

  async function answerTo<Answer, Arg>(
    update: OrderUpdate<Answer, Arg>,
    deadline: number,
    send: Send,
  ): Promise<Answer | Unanswered> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await client.withDeadline(deadline, () => send(update));
      } catch (error) {
        if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return 'late';
        if (hasEnded(error)) return 'ended';
        if (isUnavailable(error)) await requireLiveServer(temporal);
        else if (!isBusy(error)) throw temporalProblem(error, update.request.orderId);
      }
      if (!(await pauseWithin(deadline, attempt))) return 'late';
    }
  }

  return {
    /** The order's own workflow, which most likely has to be started. */
    first: <Answer, Arg>(update: OrderUpdate<Answer, Arg>, deadline: number) =>
      answerTo(update, deadline, startOwn),

    /** The order's own workflow, which is most likely running. */
    own: <Answer, Arg>(update: OrderUpdate<Answer, Arg>, deadline: number) =>
      answerTo(update, deadline, joinOrStartOwn),

    /** The order's own workflow, but only while it is running. */
    running: <Answer, Arg>(update: OrderUpdate<Answer, Arg>, deadline: number) =>
      answerTo(update, deadline, joinOwn),

    /** The workflow of the closed order. It ends when it is idle: if that is just now, another one is started. */
    async closed<Answer, Arg>(update: OrderUpdate<Answer, Arg>, deadline: number): Promise<Answer | 'late'> {
      for (let attempt = 0; ; attempt++) {
        const answer = await answerTo(update, deadline, joinOrStartClosed);
        if (answer !== 'ended') return answer;
        if (!(await pauseWithin(deadline, attempt))) return 'late';
      }
    },
  };
}

/** Longer and longer, and apart from others that wait for the same order. False when the time would be over. */
async function pauseWithin(deadline: number, attempt: number): Promise<boolean> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  const pause = longest * (0.5 + Math.random() / 2);
  if (Date.now() + pause >= deadline) return false;
  await delay(pause);
  return true;
}
