import { ORDERS_AUDIT_PHASES, type OrdersAudit } from '../domain/orders-audit';
import { openFindings } from '../domain/reconciliation';
import type { StoredAuditFinding } from '../orders-audit/findings.repository';
import { createRunProgress, type Progress } from '../process/progress';

/** Shows where a run is: on one line of a terminal, and with a line every five seconds elsewhere. */
export function createProgress(stream: NodeJS.WriteStream): Progress<OrdersAudit> {
  return createRunProgress(stream, (run) => ({ text: textOf(run), share: shareOf(run) }));
}

function textOf({ phase, counts }: OrdersAudit): string {
  const { products, carts, orders, workflows } = counts;
  return `${phase}: ${products} products, ${carts} carts, ${orders} orders, ${workflows} workflows looked at`;
}

/**
 * How far a run is: each phase is a part of the same size. The ids of orders are hashes, so they are spread evenly, and it is
 * known how far among them it is.
 */
function shareOf({ phase, cursor }: OrdersAudit): number {
  if (phase === 'done') return 1;
  const [, digits] = /^ord_([0-9a-f]{8})/.exec(cursor ?? '') ?? [];
  const within = digits === undefined ? 0 : parseInt(digits, 16) / 2 ** 32;
  return (ORDERS_AUDIT_PHASES.indexOf(phase) + within) / ORDERS_AUDIT_PHASES.length;
}

/** Says what a run has found. */
export function summaryOf(run: OrdersAudit): string {
  const { products, carts, orders, workflows, payments, dismissed, unanswered, repaired, gone } = run.counts;
  return [
    `Looked at ${products} products, ${carts} carts, ${orders} orders, ${workflows} workflows and ${payments} payments.`,
    `Findings: ${openFindings(run)} open, ${repaired} repaired, ${gone} gone.`,
    ...(dismissed > 0 ? [`Suspicions that were gone at a second look: ${dismissed}.`] : []),
    ...(unanswered > 0 ? [`Not looked at, see the log of the workers: ${unanswered}.`] : []),
  ].join('\n');
}

/** 0: nothing is damaged; 1: there are findings; 2: not everything could be looked at. */
export function exitCodeOf(run: OrdersAudit): number {
  if (run.counts.unanswered > 0) return 2;
  return openFindings(run) > 0 ? 1 : 0;
}

/** Says what was found, and what was done about it, on one line. */
export function lineOf(finding: StoredAuditFinding): string {
  const { kind, subject, expected, found, repair, firstSeenAt, runbook } = finding;
  const end = repair === null ? `See ${runbook}` : `Repaired: ${repair}`;
  return `${kind} of ${subject}. expected: ${expected}; found: ${found}. Since ${firstSeenAt}. ${end}`;
}
