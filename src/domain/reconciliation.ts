import type { FindingKind } from './findings';

/** A time from which, and one before which, something has happened; ISO 8601. */
export interface Period {
  from: string;
  to: string;
}

/** What a reconciliation is asked for. */
export interface ReconciliationRequest extends Partial<Period> {
  /** Whether what has one right answer is set right. */
  repair?: boolean;
}

/**
 * What is compared, one after the other: the payment service's payments with their orders, the orders with their payments;
 * and what was found, now or before, is looked at again.
 */
export const RECONCILIATION_PHASES = ['payments', 'orders', 'findings'] as const;
export type ReconciliationPhase = (typeof RECONCILIATION_PHASES)[number];

export interface ReconciliationCounts extends Record<ReconciliationPhase, number> {
  /** Left to the next run, since they are being changed. */
  skipped: number;
  /** Not compared, since the payment service or the order did not answer. */
  unanswered: number;
  /** Findings that this run has set right. */
  repaired: number;
  /** Findings of earlier runs that are no more. */
  gone: number;
}

/** A run of the reconciliation, and where it is. */
export interface Reconciliation extends Required<ReconciliationRequest> {
  startedAt: string;
  phase: ReconciliationPhase | 'done';
  /** Where the phase is continued; null at its beginning. */
  cursor: string | null;
  counts: ReconciliationCounts;
  /** How many findings are open, by their kinds; once it is done. */
  open: Partial<Record<FindingKind, number>>;
}

/** What was done in a part of a phase. */
export interface ReconciliationPart {
  counts: Partial<ReconciliationCounts>;
  /** Null at the end of the phase. */
  nextCursor: string | null;
}

/** An authorisation lasts a week: whatever becomes of it is found within one run more. */
const USUAL_PERIOD_MS = 8 * 86_400_000;

export function beginReconciliation(
  { from, to, repair = false }: ReconciliationRequest,
  at: string,
): Reconciliation {
  const end = to ?? at;
  const begin = from ?? new Date(Date.parse(end) - USUAL_PERIOD_MS).toISOString();
  const counts = { payments: 0, orders: 0, findings: 0, skipped: 0, unanswered: 0, repaired: 0, gone: 0 };
  return {
    from: begin,
    to: end,
    repair,
    startedAt: at,
    phase: RECONCILIATION_PHASES[0],
    cursor: null,
    counts,
    open: {},
  };
}

/** Returns the run after another part of its phase. */
export function afterPart(run: Reconciliation, part: ReconciliationPart): Reconciliation {
  return afterPartOf(RECONCILIATION_PHASES, run, part);
}

/** A run that is done in parts, phase after phase. */
interface RunInParts {
  phase: string;
  cursor: string | null;
  counts: object;
}

/** Returns a run after another part of its phase, of those in their order. */
export function afterPartOf<Run extends RunInParts>(
  phases: readonly Run['phase'][],
  run: Run,
  { counts, nextCursor }: { counts: Partial<Run['counts']>; nextCursor: string | null },
): Run {
  const sums = { ...run.counts } as Record<string, number>;
  for (const [name, count] of Object.entries(counts as Record<string, number>))
    sums[name] = (sums[name] ?? 0) + count;
  const phase = nextCursor === null ? (phases[phases.indexOf(run.phase) + 1] ?? 'done') : run.phase;
  return { ...run, counts: sums, phase, cursor: nextCursor };
}

/** Returns how many findings are open. */
export function openFindings({ open }: { open: Partial<Record<string, number>> }): number {
  return Object.values(open).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}
