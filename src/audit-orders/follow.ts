import type { Config } from '../config';
import type { OrdersAudit, OrdersAuditRequest } from '../domain/orders-audit';
import { followRun, type FollowDeps } from '../temporal/follow-run';
import { ORDERS_AUDIT_WORKFLOW, ordersAuditQuery } from '../../workflows/contract';

export interface AuditOrdersDeps extends FollowDeps<OrdersAudit> {
  queues: Pick<Config['temporal'], 'taskQueue' | 'paymentsTaskQueue'>;
}

/** The workflow of a run that the command has asked for. */
export function auditWorkflowId(taskQueue: string): string {
  return `${taskQueue}-audit-orders`;
}

/**
 * Has a worker audit the orders, and follows it to its end. A run that is going on already is followed if it is the same.
 * @throws {Error} another one is going on, it was terminated, or the signal has aborted
 */
export function auditOrders(
  request: Required<OrdersAuditRequest>,
  { queues: { taskQueue, paymentsTaskQueue }, ...deps }: AuditOrdersDeps,
): Promise<OrdersAudit> {
  const workflowId = auditWorkflowId(taskQueue);
  const run = {
    workflowType: ORDERS_AUDIT_WORKFLOW,
    workflowId,
    taskQueue,
    args: [{ ...request, paymentsTaskQueue }],
    summary: 'Looks for damage in orders, stock, workflows, events and payments',
    query: ordersAuditQuery,
    requireSame({ repair, atRest }: OrdersAudit) {
      if (repair === request.repair && atRest === request.atRest) return;
      const options = [...(repair ? ['--repair'] : []), ...(atRest ? ['--at-rest'] : [])].join(' and ');
      throw new Error(
        `Another run is going on, ${options === '' ? 'without --repair' : `with ${options}`}: wait until it has ended, or ` +
          `terminate the workflow ${workflowId}.`,
      );
    },
  };
  return followRun(run, deps);
}
