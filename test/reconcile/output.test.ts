import { beginReconciliation, type Reconciliation } from '../../src/domain/reconciliation';
import type { StoredFinding } from '../../src/payments/findings/findings.repository';
import { createProgress, exitCodeOf, lineOf, summaryOf } from '../../src/reconcile/output';

const AT = '2026-01-31T00:00:00.000Z';
const run: Reconciliation = {
  ...beginReconciliation({}, AT),
  counts: { payments: 3, orders: 2, findings: 1, skipped: 1, unanswered: 0, repaired: 0, gone: 0 },
  phase: 'done',
};
const WHERE = '3 payments, 2 orders compared; findings looked at again: 1';

function progressOn({ isTTY }: { isTTY: boolean }) {
  const written: string[] = [];
  const stream = { isTTY, columns: 200, write: (text: string) => written.push(text) };
  return { written, ...createProgress(stream as unknown as NodeJS.WriteStream) };
}

afterEach(() => void jest.useRealTimers());

it('a run without findings is no success if something could not be compared', () => {
  expect(exitCodeOf(run)).toBe(0);
  expect(exitCodeOf({ ...run, open: { refund_failed: 1 } })).toBe(1);
  expect(exitCodeOf({ ...run, counts: { ...run.counts, unanswered: 1 } })).toBe(2);
});

it('says what was compared and found, and what was left out if anything was', () => {
  const all =
    'Compared 3 payments and 2 orders of 2026-01-23T00:00:00.000Z to 2026-01-31T00:00:00.000Z.\n' +
    'Findings: 0 open, 0 repaired, 0 gone.';
  const skipped = '\nLeft to the next run, since they are being changed: 1.';
  const unanswered = '\nNot compared, see the log of the workers: 2.';
  expect(summaryOf(run)).toBe(all + skipped);
  const { counts } = run;
  expect(summaryOf({ ...run, counts: { ...counts, skipped: 0 } })).toBe(all);
  expect(summaryOf({ ...run, counts: { ...counts, unanswered: 2 } })).toBe(all + skipped + unanswered);
});

it('names the payment of a finding once, and says of a side that it has nothing', () => {
  const { key, orderId } = { key: 'ord_1-1', orderId: 'ord_1' };
  const finding: StoredFinding = {
    id: `charge_unknown:${key}`,
    kind: 'charge_unknown',
    subject: key,
    payment: { key, orderId, reference: null, amount: 500, currency: 'EUR', paymentMethod: 'pm_card_visa' },
    there: { amount: 500, currency: 'EUR', status: 'captured' },
    here: null,
    since: AT,
    firstSeenAt: AT,
    lastSeenAt: AT,
    runbook: 'docs/x.md',
  };
  const rest = `Since ${AT}. See docs/x.md`;
  expect(lineOf(finding)).toBe(
    `charge_unknown of order ord_1, payment ord_1-1. there: 5.00 EUR captured; here: nothing. ${rest}`,
  );
  expect(lineOf({ ...finding, subject: 'ref_1', there: null, here: finding.there })).toBe(
    `charge_unknown of order ord_1, payment ord_1-1, ref_1. there: nothing; here: 5.00 EUR captured. ${rest}`,
  );
});

it('writes a line every five seconds where there is no terminal', () => {
  jest.useFakeTimers({ now: Date.parse(AT) });
  const { show, end, written } = progressOn({ isTTY: false });
  show(run);
  jest.advanceTimersByTime(4_999);
  show(run);
  expect(written).toEqual([`${WHERE}\n`]);
  jest.advanceTimersByTime(1);
  show({ ...run, counts: { ...run.counts, orders: 7 } });
  end();
  expect(written.slice(1)).toEqual(['3 payments, 7 orders compared; findings looked at again: 1\n']);
});

it.each<[string, Partial<Reconciliation>, number]>([
  ['at the first payments', { phase: 'payments' }, 0],
  ['at the first orders', { phase: 'orders', cursor: null }, 1 / 3],
  ['half through the orders', { phase: 'orders', cursor: 'listed 2026-01-27T00:00:00.000Z ord_1' }, 1 / 2],
  ['at the first orders of the archive', { phase: 'orders', cursor: 'archived' }, 1 / 3],
  ['at the findings', { phase: 'findings', cursor: 'refund_failed:ref_1' }, 2 / 3],
  ['at its end', { phase: 'done' }, 1],
])('shows on a terminal how far a run is that is %s', (_, place, share) => {
  const { show, end, written } = progressOn({ isTTY: true });
  written.length = 0; // what it starts with
  show({ ...run, ...place });
  end();
  const shown = written.join('');
  expect(shown).toContain(WHERE);
  const bar = shown.match(/[=-]{40}/g)!.at(-1)!;
  expect(bar.lastIndexOf('=') + 1).toBe(Math.round(40 * share));
});
