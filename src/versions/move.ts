import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isMissing } from '../temporal/errors';
import { moveSignal, ORDER_WORKFLOW } from '../../workflows/contract';
import type { Deployment } from './deployment';
import { restartOrder, type Run } from './restart';

const { BatchOperationState } = temporal.api.enums.v1;

const ORDERS = ` AND WorkflowType = "${ORDER_WORKFLOW}"`;
/** The others. Each of them is short, or is started again: by a Schedule, or by what it belongs to. */
const OTHERS = ` AND WorkflowType != "${ORDER_WORKFLOW}"`;

const POLL_MS = 500;
const AT_A_TIME = 10;
/** How often what lists do not show yet is looked for again. */
const LATE_MS = 1_000;

export interface MoveOptions {
  signal: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/**
 * Tells the open orders of a version to move to the one that they belong on by now. Temporal does so for all of them, at a
 * rate that leaves room for customers, even if this process ends meanwhile. Returns how many were told.
 */
export async function tellOrders(
  client: Client,
  deployment: Deployment,
  buildId: string,
  { signal, onProgress, perSecond }: MoveOptions & { perSecond: number },
): Promise<number> {
  const { workflowService } = client;
  const { namespace, identity } = client.options;
  const visibilityQuery = deployment.queryOf(buildId, ORDERS);
  if ((await client.workflow.count(visibilityQuery)).count === 0) return 0;
  const jobId = `move-${randomUUID()}`;
  await workflowService.startBatchOperation({
    namespace,
    jobId,
    visibilityQuery,
    reason: `Orders of version ${buildId} move to another version`,
    maxOperationsPerSecond: perSecond,
    signalOperation: { signal: moveSignal.name, identity },
  });
  for (;;) {
    const job = await workflowService.describeBatchOperation({ namespace, jobId });
    const [done, total] = [Number(job.completeOperationCount), Number(job.totalOperationCount)];
    onProgress?.(done, total);
    if (job.state === BatchOperationState.BATCH_OPERATION_STATE_COMPLETED) return done;
    if (job.state === BatchOperationState.BATCH_OPERATION_STATE_FAILED)
      throw new Error(`Temporal has given up telling orders of version ${buildId} to move: ${job.reason}`);
    await delay(POLL_MS, undefined, { signal });
  }
}

/**
 * Takes the open workflows of a version away from it, whose workers are gone: orders are resumed by new runs, and what
 * remains is ended, since what needs it starts it again. Returns how many orders were resumed.
 */
export async function abandonVersion(
  client: Client,
  deployment: Deployment,
  buildId: string,
  { signal, onProgress }: MoveOptions,
): Promise<number> {
  let done = 0;
  // Lists lag behind, so each run is ended only if it is the one that was listed: another one is on another version.
  const every = (query: string, end: (run: Run) => Promise<void>) =>
    forEach(client, deployment.queryOf(buildId, query), signal, end);
  const total = await deployment.countOpen(buildId);
  do {
    await every(ORDERS, async (run) => {
      if (await whileKnown(restartOrder(client, run, buildId))) onProgress?.(++done, total);
    });
    await every(OTHERS, async ({ workflowId, runId }) => {
      const reason = `No worker of version ${buildId} is left`;
      await whileKnown(
        client.workflow
          .getHandle(workflowId, runId)
          .terminate(reason)
          .then(() => true),
      );
    });
    await delay(LATE_MS, undefined, { signal });
  } while ((await deployment.countOpen(buildId)) > 0);
  return done;
}

/** Returns false if the workflow has ended meanwhile. */
async function whileKnown(ending: Promise<boolean>): Promise<boolean> {
  return ending.catch((error: unknown) => {
    if (isMissing(error)) return false;
    throw error;
  });
}

/** Does something with each workflow that a list shows, a few at a time. */
async function forEach(
  client: Client,
  query: string,
  signal: AbortSignal,
  work: (run: Run) => Promise<void>,
): Promise<void> {
  let part: Promise<void>[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    signal.throwIfAborted();
    part.push(work({ workflowId, runId }));
    if (part.length < AT_A_TIME) continue;
    await Promise.all(part);
    part = [];
  }
  await Promise.all(part);
}
