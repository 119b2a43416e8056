import type { WorkflowHandle } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { TemporalClient } from './client';
import { isUnavailable } from './errors';

const PAUSE_MS = 1_000;
const QUERY_TIMEOUT_MS = 5_000;

/** A workflow that tells by a query where it is, and returns the same at its end. */
export interface RunToFollow<Run> {
  workflowType: string;
  workflowId: string;
  taskQueue: string;
  args: unknown[];
  /** For people who look at it in Temporal. */
  summary: string;
  query: QueryDefinition<Run, []>;
  /** @throws {Error} a run that is going on is not the one that is wanted */
  requireSame(run: Run): void;
}

export interface FollowDeps<Run> {
  temporal: TemporalClient;
  /** Told where the run is. */
  onProgress(run: Run): void;
  /** Aborts when nobody wants to know any more; the run continues. */
  signal: AbortSignal;
}

/**
 * Has a worker do the work, and follows it to its end. A run that is going on already is followed if it is the same.
 * @throws {Error} another one is going on, it was terminated, or the signal has aborted
 */
export async function followRun<Run extends object>(
  { workflowType, workflowId, taskQueue, args, summary, query, requireSame }: RunToFollow<Run>,
  { temporal, onProgress, signal }: FollowDeps<Run>,
): Promise<Run> {
  const handle = await temporal.client.workflow.start(workflowType, {
    workflowId,
    taskQueue,
    args,
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: summary,
  });
  const result = handle.result() as Promise<Run>;
  let ended: Promise<Run | 'unknown'> = result.catch(unlessUnavailable);
  for (;;) {
    const run = await Promise.race([ended, delay(PAUSE_MS, undefined, { ref: false })]);
    if (signal.aborted)
      throw new Error(`The run continues as workflow ${workflowId}: run this again to follow it.`);
    if (typeof run === 'object') return run;
    if (run === 'unknown') ended = (handle.result() as Promise<Run>).catch(unlessUnavailable);
    const progress = await ask(temporal, handle, query);
    if (!progress) continue;
    requireSame(progress);
    onProgress(progress);
  }
}

/** Returns undefined if no worker answers just now. */
async function ask<Run>(
  { client }: TemporalClient,
  handle: WorkflowHandle,
  query: QueryDefinition<Run, []>,
): Promise<Run | undefined> {
  const asked = client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query(query));
  return asked.catch(() => undefined);
}

async function unlessUnavailable(error: unknown): Promise<'unknown'> {
  if (!isUnavailable(error)) throw error;
  await delay(PAUSE_MS);
  return 'unknown';
}
