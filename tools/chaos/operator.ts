import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { randomUUID } from 'node:crypto';
import { HANG_MS, until } from '../devstack/until';

const { EventType, PendingActivityState, ResetReapplyType } = temporal.api.enums.v1;

/** What an operator does to workflows by hand, with the CLI or the UI of Temporal. */
export type Operator = ReturnType<typeof createOperator>;

export function createOperator({ client }: { client: Client }) {
  const { namespace } = client.options;

  /** Resets the workflow to its first or its last workflow task; accepted updates are applied again. */
  async function reset(workflowId: string, to: 'first' | 'last'): Promise<void> {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const tasks = events!.filter(
      ({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    );
    await client.workflowService.resetWorkflowExecution({
      namespace,
      workflowExecution: { workflowId },
      reason: 'A bad deployment',
      requestId: randomUUID(),
      // Temporal refuses it where there is none.
      workflowTaskFinishEventId: tasks.at(to === 'first' ? 0 : -1)?.eventId,
      resetReapplyType: ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
    });
  }

  async function isPaused(workflowId: string, id: string): Promise<boolean> {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    const activity = raw.pendingActivities?.find(({ activityId }) => activityId === id);
    return activity?.state === PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED;
  }

  return {
    reset,

    /** Pauses the activity while it runs, so that its next attempt waits. */
    async pauseActivity(workflowId: string, id: string): Promise<void> {
      await client.workflowService.pauseActivity({ namespace, execution: { workflowId }, id });
    },

    /** Waits until the paused activity does not run any more, and unpauses it. */
    async unpauseActivity(workflowId: string, id: string): Promise<void> {
      await until(
        HANG_MS,
        async () => (await isPaused(workflowId, id)) || undefined,
        () => new Error(`The activity ${id} of ${workflowId} was never paused.`),
      );
      await client.workflowService.unpauseActivity({ namespace, execution: { workflowId }, id });
    },

    async terminate(workflowId: string): Promise<void> {
      await client.workflow
        .getHandle(workflowId)
        .terminate('by mistake')
        .then(() => undefined, unlessEnded);
    },

    async delete(workflowId: string): Promise<void> {
      const workflowExecution = { workflowId };
      await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
    },

    async failActivity(workflowId: string, activityId: string): Promise<void> {
      const failure = {
        message: 'Failed by an operator',
        applicationFailureInfo: { type: 'OperatorFailure', nonRetryable: true },
      };
      await client.workflowService.respondActivityTaskFailedById({
        namespace,
        workflowId,
        activityId,
        failure,
      });
    },

    /** Completes the activity with a result that no activity returns. */
    async completeActivity(workflowId: string, activityId: string): Promise<void> {
      const metadata = { encoding: Buffer.from('json/plain') };
      const result = { payloads: [{ metadata, data: Buffer.from('{"done":true}') }] };
      await client.workflowService.respondActivityTaskCompletedById({
        namespace,
        workflowId,
        activityId,
        result,
      });
    },
  };
}

function unlessEnded(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}
