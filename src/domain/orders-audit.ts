import type { AuditFindingKind } from './audit-findings';
import type { FindingKind } from './findings';
import { afterPartOf } from './reconciliation';

export interface OrdersAuditRequest {
  /** Whether what has one right answer is set right. */
  repair?: boolean;
  /** Whether the payments of the last days are compared with the orders as well. */
  payments?: boolean;
  /** Whether the histories of all workflows are read, which tells of orders that were put back to an earlier version. */
  histories?: boolean;
  /** Whether nothing moves meanwhile, so that what has just changed is looked at as well. */
  atRest?: boolean;
}

/**
 * What is looked at, one after the other: the stock of each product; each cart; each order, with its workflow and its events; the
 * orders that are counted as unpaid; the workflows; the payments; and what was found, now or before, once more.
 */
export const ORDERS_AUDIT_PHASES = [
  'products',
  'carts',
  'orders',
  'unpaid',
  'workflows',
  'payments',
  'findings',
] as const;
export type OrdersAuditPhase = (typeof ORDERS_AUDIT_PHASES)[number];

export interface OrdersAuditCounts extends Record<OrdersAuditPhase, number> {
  /** Suspicions that were gone, or about an order that had changed, when they were looked at again. */
  dismissed: number;
  /** Not looked at, since something did not answer. */
  unanswered: number;
  /** Findings that this run has set right. */
  repaired: number;
  /** Findings of earlier runs that are no more. */
  gone: number;
}

export type OpenFindings = Partial<Record<AuditFindingKind | FindingKind, number>>;

/** A run of the audit, and where it is. */
export interface OrdersAudit extends Required<OrdersAuditRequest> {
  startedAt: string;
  phase: OrdersAuditPhase | 'done';
  /** Where the phase is continued; null at its beginning. */
  cursor: string | null;
  counts: OrdersAuditCounts;
  /** How many findings are open, by their kinds, those of reconciliations as well; once it is done. */
  open: OpenFindings;
}

/** What was done in a part of a phase. */
export interface OrdersAuditPart {
  counts: Partial<OrdersAuditCounts>;
  /** Null at the end of the phase. */
  nextCursor: string | null;
}

/** The name of a run, by which it is known what it has closed. One that continues as new has the same. */
export function auditRunName(workflowId: string, { startedAt }: Pick<OrdersAudit, 'startedAt'>): string {
  return `${workflowId} ${startedAt}`;
}

export function beginOrdersAudit(
  { repair = false, payments = false, histories = false, atRest = false }: OrdersAuditRequest,
  at: string,
): OrdersAudit {
  const phases = Object.fromEntries(ORDERS_AUDIT_PHASES.map((phase) => [phase, 0]));
  const counts = { ...phases, dismissed: 0, unanswered: 0, repaired: 0, gone: 0 } as OrdersAuditCounts;
  return {
    repair,
    payments,
    histories,
    atRest,
    startedAt: at,
    phase: ORDERS_AUDIT_PHASES[0],
    cursor: null,
    counts,
    open: {},
  };
}

/** Returns the run after another part of its phase. */
export function afterAuditPart(run: OrdersAudit, part: OrdersAuditPart): OrdersAudit {
  return afterPartOf(ORDERS_AUDIT_PHASES, run, part);
}
