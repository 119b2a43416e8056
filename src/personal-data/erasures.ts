import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { ulid } from 'ulid';
import type { ErasureAnswer, ErasureRequest } from '../domain/erasing';
import { AppError } from '../errors/app-error';
import type { TemporalClient } from '../temporal/client';
import { whileServerLives } from '../temporal/liveness';
import { sendWithStart, untilAnswered, type StartableWorkflow } from '../temporal/updates';
import { beginErasureUpdate, ERASURE_WORKFLOW, erasureWorkflowId } from '../../workflows/contract';

export type Erasures = ReturnType<typeof createErasures>;

export interface ErasuresOptions {
  taskQueue: string;
  /** How long to wait until it is known whether anything stands in the way, in milliseconds. */
  timeoutMs: number;
  /** For how long an API process may still send an order that it had accepted, in milliseconds. */
  lateMs: number;
}

/** Has Temporal erase the data of users. */
export function createErasures(temporal: TemporalClient, { taskQueue, timeoutMs, lateMs }: ErasuresOptions) {
  return {
    /**
     * Starts the workflow, or joins the running one, and waits until the account is closed.
     * @throws {AppError} service_unavailable
     */
    async begin(request: Omit<ErasureRequest, 'lateMs'>): Promise<ErasureAnswer> {
      const workflow = erasureWorkflow({ ...request, lateMs }, taskQueue);
      const args: [string] = [request.userId];
      const update = { definition: beginErasureUpdate, options: { args, updateId: ulid() } };
      const deadline = Date.now() + timeoutMs;
      const send = () =>
        untilAnswered(temporal, deadline, () => sendWithStart(temporal.client, workflow, update));
      const sending = send().then((answer) => (answer === 'ended' ? send() : answer)); // for the next run
      const answer = await whileServerLives(temporal, sending).catch((cause: unknown) => {
        throw unavailable(cause);
      });
      if (typeof answer === 'string') throw unavailable();
      return answer;
    },
  };
}

export type EndedErasures = ReturnType<typeof createEndedErasures>;

/** Starts erasures again. */
export function createEndedErasures({ client }: Pick<TemporalClient, 'client'>, taskQueue: string) {
  return {
    /** Whether the last erasure of a user has ended before its time; not if Temporal keeps nothing of it any more. */
    async wasInterrupted(userId: string): Promise<boolean> {
      try {
        const { status } = await client.workflow.getHandle(erasureWorkflowId(userId)).describe();
        return !['RUNNING', 'CONTINUED_AS_NEW', 'COMPLETED'].includes(status.name);
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },

    /** Returns false if the erasure of the user is running, which is left alone. */
    async start(request: ErasureRequest): Promise<boolean> {
      const { type, options } = erasureWorkflow(request, taskQueue);
      try {
        await client.workflow.start(type, { ...options, workflowIdConflictPolicy: 'FAIL' });
        return true;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
        throw error;
      }
    },
  };
}

/** Returns the one workflow that erases a user: a running one is joined, and one that has ended is started again. */
function erasureWorkflow(request: ErasureRequest, taskQueue: string): StartableWorkflow {
  return {
    type: ERASURE_WORKFLOW,
    options: {
      taskQueue,
      workflowId: erasureWorkflowId(request.userId),
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE', // an earlier one may have found something in the way
      args: [request],
      staticSummary: `Erase the personal data of ${request.userId}`,
    },
  };
}

function unavailable(cause?: unknown): AppError {
  return new AppError(
    'service_unavailable',
    'It is not known yet whether the data can be erased: repeat the request, or sign in again to see whether the account ' +
      'is closed.',
    { cause },
  );
}
