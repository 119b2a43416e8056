import { status } from '@grpc/grpc-js';
import {
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type UpdateDefinition,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { TemporalClient } from './client';
import { hasEnded, isBusy, isUnavailable } from './errors';
import { requireLiveServer } from './liveness';

/**
 * What an update gets in place of an answer: its workflow has `ended`, or it is `late` and may still be
 * handled.
 */
export type Unanswered = 'ended' | 'late';

/** A workflow that may be running, and how it is started. */
export interface StartableWorkflow {
  type: string;
  options: WorkflowStartOptions & { workflowIdConflictPolicy: 'USE_EXISTING' };
}

export interface Update<Answer, Arg> {
  definition: UpdateDefinition<Answer, [Arg]>;
  /** `updateId` makes it harmless to send the update again. */
  options: { args: [Arg]; updateId: string };
}

/** Sends the update to the workflow if it is running. */
export async function sendToRunning<Answer, Arg>(
  client: Client,
  { options: { workflowId } }: StartableWorkflow,
  { definition, options }: Update<Answer, Arg>,
): Promise<Answer> {
  return client.workflow.getHandle(workflowId).executeUpdate(definition, options);
}

/** Sends the update to the workflow, which is started unless it is running. */
export async function sendWithStart<Answer, Arg>(
  client: Client,
  workflow: StartableWorkflow,
  { definition, options }: Update<Answer, Arg>,
): Promise<Answer> {
  const startWorkflowOperation = new WithStartWorkflowOperation(workflow.type, workflow.options);
  startWorkflowOperation.workflowHandle().catch(() => undefined); // the update fails with the same error
  return client.workflow.executeUpdateWithStart(definition, { ...options, startWorkflowOperation });
}

/**
 * Sends the update to the workflow, which is most likely running. Update-with-Start alone would do, but the
 * server is slow at many of them for one workflow at a time.
 */
export async function sendToRunningOrStart<Answer, Arg>(
  client: Client,
  workflow: StartableWorkflow,
  update: Update<Answer, Arg>,
): Promise<Answer> {
  try {
    return await sendToRunning(client, workflow, update);
  } catch (error) {
    if (hasEnded(error)) return sendWithStart(client, workflow, update);
    throw error;
  }
}

/**
 * Sends an update until it is answered or the deadline (milliseconds since the epoch) has passed.
 * @throws the failure of the update, or the error of a server that does not respond
 */
export async function untilAnswered<Answer>(
  temporal: TemporalClient,
  deadline: number,
  send: () => Promise<Answer>,
): Promise<Answer | Unanswered> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await temporal.client.withDeadline(deadline, send);
    } catch (error) {
      if (hasEnded(error)) return 'ended';
      if (isUnavailable(error)) await requireLiveServer(temporal);
      else if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
        if (isOver(error, deadline)) return 'late';
      } else if (!isBusy(error)) throw error;
    }
    if (!(await pauseWithin(deadline, attempt))) return 'late';
  }
}

/** A server that is busy may give up before our own deadline has passed: the update is then sent again. */
function isOver({ cause }: WorkflowUpdateRPCTimeoutOrCancelledError, deadline: number): boolean {
  const isServers = isGrpcServiceError(cause) && cause.code === status.DEADLINE_EXCEEDED;
  return !isServers || deadline - Date.now() < FIRST_PAUSE_MS;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Pauses longer with each attempt, and at random, apart from other requests that wait for the same workflow.
 * Returns false if the pause would end after the deadline.
 */
export async function pauseWithin(deadline: number, attempt: number): Promise<boolean> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  const pause = longest * (0.5 + Math.random() / 2);
  if (Date.now() + pause >= deadline) return false;
  await delay(pause);
  return true;
}
