import { proxyActivities, workflowInfo, setWorkflowOptions } from '@temporalio/workflow';
import type { OldOrders, RetentionActivities } from '../activities/retention.activities';
import { showWork, unlessLonger, UPKEEP } from './work.display';
import { PINNED } from './versions';

const { removeOldAuditEntries, continueErasures, eraseOldOrders } = proxyActivities<RetentionActivities>({
  startToCloseTimeout: '12h',
  heartbeatTimeout: '30s', // a worker that is gone is noticed, and another one continues
  retry: { initialInterval: '1s', maximumInterval: '60s' },
});

/** What a run has removed and erased, and where the next one begins. */
export interface RetentionReport {
  removedAuditEntries: number;
  /** Erasures of users that were started again. */
  continuedErasures: number;
  orders: OldOrders;
}

/**
 * Removes and erases what is too old to be kept, or left of erased users: a Schedule starts it, one run at a time. A run begins with the orders after
 * those that the last one has erased. One that an operator triggers is not told of that, and looks at all of them.
 */
export async function retentionWorkflow(): Promise<RetentionReport> {
  const last = workflowInfo().lastResult as RetentionReport | undefined;
  const otherwise = unlessLonger('a day', UPKEEP);
  showWork('Removes entries of the audit log that are too old', otherwise);
  const removedAuditEntries = await removeOldAuditEntries.executeWithOptions(
    { summary: 'Remove entries of the audit log that are too old' },
    [],
  );
  showWork('Erases what is left of erased users', otherwise);
  const { started: continuedErasures } = await continueErasures.executeWithOptions(
    { summary: 'Erase what is left of erased users' },
    [],
  );
  showWork('Erases what closed orders have of their customers for too long', otherwise);
  const orders = await eraseOldOrders.executeWithOptions(
    { summary: 'Erase what closed orders have of their customers for too long' },
    [last?.orders.done ?? {}],
  );
  return { removedAuditEntries, continuedErasures, orders };
}

// Its steps may change without patches, and it ends in hours.
setWorkflowOptions({ versioningBehavior: PINNED }, retentionWorkflow);
