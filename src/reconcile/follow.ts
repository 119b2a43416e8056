import type { Config } from '../config';
import type { Reconciliation, ReconciliationRequest } from '../domain/reconciliation';
import { followRun, type FollowDeps } from '../temporal/follow-run';
import { RECONCILIATION_WORKFLOW, reconciliationQuery } from '../../workflows/contract';

export interface ReconcileDeps extends FollowDeps<Reconciliation> {
  queues: Pick<Config['temporal'], 'taskQueue' | 'paymentsTaskQueue'>;
}

/**
 * Has a worker reconcile, and follows it to its end. A run that is going on already is followed if it is the same.
 * @throws {Error} another one is going on, it was terminated, or the signal has aborted
 */
export function reconcile(
  request: ReconciliationRequest,
  { queues: { taskQueue, paymentsTaskQueue }, ...deps }: ReconcileDeps,
): Promise<Reconciliation> {
  const workflowId = `${taskQueue}-reconcile`;
  const run = {
    workflowType: RECONCILIATION_WORKFLOW,
    workflowId,
    taskQueue,
    args: [{ ...request, paymentsTaskQueue }],
    summary: 'Compares the payments of a period with the orders',
    query: reconciliationQuery,
    requireSame: (found: Reconciliation) => requireSame(request, found, workflowId),
  };
  return followRun(run, deps);
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
