import { log, proxyActivities, setHandler, setWorkflowOptions } from '@temporalio/workflow';
import type { ReconciliationActivities } from '../activities/reconciliation.activities';
import {
  afterPart,
  beginReconciliation,
  openFindings,
  type Reconciliation,
  type ReconciliationRequest,
} from '../src/domain/reconciliation';
import { reconciliationQuery } from './contract';
import { showWork, unlessLonger } from './work.display';
import { onItsVersion, PINNED, shouldMove } from './versions';

/**
 * Compares the payments of a period with the orders, part by part: a Schedule starts it, or an operator. Whatever worker
 * dies meanwhile, it is continued with the part that was not done.
 */
export async function reconciliationWorkflow(
  { paymentsTaskQueue, ...request }: ReconciliationRequest & { paymentsTaskQueue: string },
  begun?: Reconciliation,
): Promise<Reconciliation> {
  const { comparePayments, compareOrders, settleFindings, countFindings } =
    proxyActivities<ReconciliationActivities>({
      taskQueue: paymentsTaskQueue,
      startToCloseTimeout: '1h', // a limit of calls per second may make a part slow
      heartbeatTimeout: '60s',
      retry: { initialInterval: '1s', maximumInterval: '60s' },
    });
  let run = begun ?? beginReconciliation(request, new Date().toISOString());
  setHandler(reconciliationQuery, () => run);
  const parts = {
    payments: () => comparePayments.executeWithOptions({ summary: 'Compare payments with orders' }, [run]),
    orders: () => compareOrders.executeWithOptions({ summary: 'Compare orders with payments' }, [run]),
    findings: () => settleFindings.executeWithOptions({ summary: 'Look again at findings' }, [run]),
  };
  while (run.phase !== 'done') {
    const { payments, orders, findings } = run.counts;
    showWork(
      `Compares ${run.phase} from ${run.from} to ${run.to}, begun ${run.startedAt}; so far ${payments} payments, ${orders} orders, ${findings} findings`,
      unlessLonger('an hour', 'docs/runbook.md#reconciliation-lasts'),
    );
    run = afterPart(run, await parts[run.phase]());
    // replay-tested: test/workflows/replay.test.ts
    if (run.phase !== 'done' && shouldMove())
      await onItsVersion<typeof reconciliationWorkflow>()({ paymentsTaskQueue, ...request }, run);
  }
  run = { ...run, open: await countFindings.executeWithOptions({ summary: 'Count what is open' }, []) };
  const { from, to, repair, counts, open } = run;
  const summary = { from, to, repair, ...counts, open, openFindings: openFindings(run) };
  const after = summary.openFindings > 0 ? 'See docs/runbook.md#reconciliation-finds-something.' : 'Nothing.';
  showWork(`Done; ${summary.openFindings} findings are open`, after);
  if (summary.openFindings > 0) log.warn('reconciliation done', summary);
  else log.info('reconciliation done', summary);
  return run;
}

// Its parts may change without patches, and it moves between two of them.
setWorkflowOptions({ versioningBehavior: PINNED }, reconciliationWorkflow);
