import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config';
import type { Reconciliation, ReconciliationRequest } from '../domain/reconciliation';
import type { TemporalClient } from '../temporal/client';
import { isUnavailable } from '../temporal/errors';
import { RECONCILIATION_WORKFLOW, reconciliationQuery } from '../../workflows/contract';

const PAUSE_MS = 1_000;
const QUERY_TIMEOUT_MS = 5_000;

export interface FollowDeps {
  temporal: TemporalClient;
  queues: Pick<Config['temporal'], 'taskQueue' | 'paymentsTaskQueue'>;
  /** Told where the run is. */
  onProgress(run: Reconciliation): void;
  /** Aborts when nobody wants to know any more; the run continues. */
  signal: AbortSignal;
}

/**
 * Has a worker reconcile, and follows it to its end. A run that is going on already is followed if it is the same.
 * @throws {Error} another one is going on, it was terminated, or the signal has aborted
 */
export async function reconcile(request: ReconciliationRequest, deps: FollowDeps): Promise<Reconciliation> {
  const { temporal, queues, onProgress, signal } = deps;
  const { taskQueue, paymentsTaskQueue } = queues;
  const workflowId = `${taskQueue}-reconcile`;
  const handle = await temporal.client.workflow.start(RECONCILIATION_WORKFLOW, {
    workflowId,
    taskQueue,
    args: [{ ...request, paymentsTaskQueue }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: 'Compares the payments of a period with the orders',
  });
  const result = handle.result() as Promise<Reconciliation>;
  let ended: Promise<Reconciliation | 'unknown'> = result.catch(unlessUnavailable);
  for (;;) {
    const run = await Promise.race([ended, delay(PAUSE_MS, undefined, { ref: false })]);
    if (signal.aborted)
      throw new Error(`The run continues as workflow ${workflowId}: run this again to follow it.`);
    if (typeof run === 'object') return run;
    if (run === 'unknown') ended = (handle.result() as Promise<Reconciliation>).catch(unlessUnavailable);
    const progress = await ask(temporal, handle);
    if (!progress) continue;
    requireSame(request, progress, workflowId);
    onProgress(progress);
  }
}

/** Returns undefined if no worker answers just now. */
async function ask({ client }: TemporalClient, handle: WorkflowHandle): Promise<Reconciliation | undefined> {
  const asked = client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query(reconciliationQuery));
  return asked.catch(() => undefined);
}

/** @throws {Error} */
function requireSame(
  { from, to, repair = false }: ReconciliationRequest,
  run: Reconciliation,
  workflowId: string,
): void {
  const isSame = run.repair === repair && (!from || from === run.from) && (!to || to === run.to);
  if (isSame) return;
  const what = `from ${run.from} to ${run.to}${run.repair ? ' with --repair' : ''}`;
  throw new Error(
    `Another run is going on, ${what}: wait until it has ended, or terminate the workflow ${workflowId}.`,
  );
}

async function unlessUnavailable(error: unknown): Promise<'unknown'> {
  if (!isUnavailable(error)) throw error;
  await delay(PAUSE_MS);
  return 'unknown';
}
