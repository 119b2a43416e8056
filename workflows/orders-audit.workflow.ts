import { executeChild, log, proxyActivities, setHandler, setWorkflowOptions } from '@temporalio/workflow';
import type { OrdersAuditActivities } from '../activities/orders-audit.activities';
import {
  afterAuditPart,
  beginOrdersAudit,
  type OrdersAudit,
  type OrdersAuditPart,
  type OrdersAuditRequest,
} from '../src/domain/orders-audit';
import { openFindings } from '../src/domain/reconciliation';
import { ordersAuditQuery } from './contract';
import type { reconciliationWorkflow } from './reconciliation.workflow';
import { onItsVersion, PINNED, shouldMove } from './versions';
import { showWork, unlessLonger } from './work.display';

const audit = proxyActivities<OrdersAuditActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '60s',
  retry: { initialInterval: '1s', maximumInterval: '60s' },
});

/**
 * Looks for damage in orders, stock, workflows and events, part by part: a Schedule starts it, or an operator. Whatever
 * worker dies meanwhile, it is continued with the part that was not done.
 */
export async function ordersAuditWorkflow(
  { paymentsTaskQueue, ...request }: OrdersAuditRequest & { paymentsTaskQueue: string },
  begun?: OrdersAudit,
): Promise<OrdersAudit> {
  let run = begun ?? beginOrdersAudit(request, new Date().toISOString());
  setHandler(ordersAuditQuery, () => run);
  const parts = {
    products: () =>
      audit.auditProducts.executeWithOptions({ summary: 'Compare stock with orders and carts' }, [run]),
    carts: () => audit.auditCarts.executeWithOptions({ summary: 'Look at carts' }, [run]),
    orders: () => audit.auditOrders.executeWithOptions({ summary: 'Look at orders' }, [run]),
    unpaid: () => audit.auditUnpaid.executeWithOptions({ summary: 'Look at unpaid orders' }, [run]),
    workflows: () => audit.auditWorkflows.executeWithOptions({ summary: 'Look at workflows' }, [run]),
    payments: () => comparePayments(run, paymentsTaskQueue),
    findings: () =>
      audit.settleAuditFindings.executeWithOptions({ summary: 'Look again at findings' }, [run]),
  };
  while (run.phase !== 'done') {
    const { products, carts, orders, workflows, findings } = run.counts;
    showWork(
      `Audits ${run.phase}, begun ${run.startedAt}; so far ${products} products, ${carts} carts, ${orders} orders, ${workflows} workflows, ${findings} findings`,
      unlessLonger('six hours', 'docs/runbook.md#orders-audit-lasts'),
    );
    run = afterAuditPart(run, await parts[run.phase]());
    // replay-tested: test/workflows/replay.test.ts
    if (run.phase !== 'done' && shouldMove())
      await onItsVersion<typeof ordersAuditWorkflow>()({ paymentsTaskQueue, ...request }, run);
  }
  run = {
    ...run,
    open: await audit.countAuditFindings.executeWithOptions({ summary: 'Count what is open' }, []),
  };
  const { repair, counts, open } = run;
  const summary = { repair, ...counts, open, openFindings: openFindings(run) };
  const after = summary.openFindings > 0 ? 'See docs/runbook.md#orders-audit-finds-something.' : 'Nothing.';
  showWork(`Done; ${summary.openFindings} findings are open`, after);
  if (summary.openFindings > 0) log.warn('orders audited', summary);
  else log.info('orders audited', summary);
  return run;
}

// Its phases may change without patches, and it moves between two parts of them.
setWorkflowOptions({ versioningBehavior: PINNED }, ordersAuditWorkflow);

/** Has a reconciliation compare the payments of the last days, if that is wanted. */
async function comparePayments(
  { payments, repair }: OrdersAudit,
  paymentsTaskQueue: string,
): Promise<OrdersAuditPart> {
  if (!payments) return { counts: {}, nextCursor: null };
  const { counts } = await executeChild<typeof reconciliationWorkflow>('reconciliationWorkflow', {
    args: [{ repair, paymentsTaskQueue }],
    staticSummary: 'Compares the payments of the last days with the orders',
  });
  const { unanswered, repaired, gone } = counts;
  return { counts: { payments: counts.payments, unanswered, repaired, gone }, nextCursor: null };
}
