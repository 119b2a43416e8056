import type { FindingSide } from '../domain/findings';
import { formatAmount } from '../domain/money';
import { openFindings, type Reconciliation } from '../domain/reconciliation';
import type { StoredFinding } from '../payments/findings/findings.repository';
import { createRunProgress, type Progress } from '../process/progress';

/** Shows where a run is: on one line of a terminal, and with a line every five seconds elsewhere. */
export function createProgress(stream: NodeJS.WriteStream): Progress<Reconciliation> {
  return createRunProgress(stream, (run) => ({ text: textOf(run), share: shareOf(run) }));
}

function textOf({ counts }: Reconciliation): string {
  const { payments, orders, findings } = counts;
  return `${payments} payments, ${orders} orders compared; findings looked at again: ${findings}`;
}

/** How far a run is: each phase is a third. The orders come by the time of their last change, so it is known how far. */
function shareOf({ phase, cursor, from, to }: Reconciliation): number {
  if (phase === 'done') return 1;
  if (phase !== 'orders') return phase === 'payments' ? 0 : 2 / 3;
  const [, at] = cursor?.split(' ') ?? [];
  if (at === undefined) return 1 / 3;
  const [begin, end, now] = [Date.parse(from), Date.parse(to), Date.parse(at)];
  return 1 / 3 + (now - begin) / (end - begin) / 3;
}

/** Says what a run has found. */
export function summaryOf(run: Reconciliation): string {
  const { payments, orders, skipped, unanswered, repaired, gone } = run.counts;
  const open = openFindings(run);
  return [
    `Compared ${payments} payments and ${orders} orders of ${run.from} to ${run.to}.`,
    `Findings: ${open} open, ${repaired} repaired, ${gone} gone.`,
    ...(skipped > 0 ? [`Left to the next run, since they are being changed: ${skipped}.`] : []),
    ...(unanswered > 0 ? [`Not compared, see the log of the workers: ${unanswered}.`] : []),
  ].join('\n');
}

/** 0: order and payment service agree; 1: there are findings; 2: not everything could be compared. */
export function exitCodeOf(run: Reconciliation): number {
  if (run.counts.unanswered > 0) return 2;
  return openFindings(run) > 0 ? 1 : 0;
}

/** Says what was found, on one line. */
export function lineOf({ kind, subject, payment, there, here, since, runbook }: StoredFinding): string {
  const about = subject === payment.key ? `payment ${subject}` : `payment ${payment.key}, ${subject}`;
  const sides = `there: ${sideOf(there)}; here: ${sideOf(here)}`;
  return `${kind} of order ${payment.orderId}, ${about}. ${sides}. Since ${since}. See ${runbook}`;
}

function sideOf(side: FindingSide | null): string {
  return side ? `${formatAmount(side.amount, side.currency)} ${side.status}` : 'nothing';
}
