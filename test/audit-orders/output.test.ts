import { exitCodeOf, lineOf, createProgress, summaryOf } from '../../src/audit-orders/output';
import { parseOptions } from '../../src/audit-orders/options';
import { beginOrdersAudit, type OrdersAudit } from '../../src/domain/orders-audit';
import type { StoredAuditFinding } from '../../src/orders-audit/findings.repository';

const AT = '2026-01-31T00:00:00.000Z';
const begun = beginOrdersAudit({}, AT);
const run: OrdersAudit = {
  ...begun,
  counts: { ...begun.counts, products: 3, carts: 4, orders: 2, workflows: 2, payments: 1, dismissed: 1 },
  phase: 'done',
};

it('a run without findings is no success if something could not be looked at', () => {
  expect(exitCodeOf(run)).toBe(0);
  expect(exitCodeOf({ ...run, open: { order_missing: 1 } })).toBe(1);
  expect(exitCodeOf({ ...run, open: { refund_failed: 1 } })).toBe(1);
  expect(exitCodeOf({ ...run, counts: { ...run.counts, unanswered: 1 } })).toBe(2);
});

it('says what was looked at and found, and what was left out if anything was', () => {
  const all =
    'Looked at 3 products, 4 carts, 2 orders, 2 workflows and 1 payments.\nFindings: 0 open, 0 repaired, 0 gone.';
  expect(summaryOf(run)).toBe(`${all}\nSuspicions that were gone at a second look: 1.`);
  expect(summaryOf({ ...run, counts: { ...run.counts, dismissed: 0, unanswered: 2 } })).toBe(
    `${all}\nNot looked at, see the log of the workers: 2.`,
  );
});

it('says of a finding what to do, or what was done', () => {
  const finding: StoredAuditFinding = {
    id: 'stock_reserved_differs:ps_1',
    kind: 'stock_reserved_differs',
    subject: 'ps_1',
    state: 'open',
    expected: 'reserved 4',
    found: 'reserved 7',
    revision: null,
    firstSeenAt: AT,
    lastSeenAt: AT,
    repair: null,
    runbook: 'docs/x.md#y',
  };
  const said = `stock_reserved_differs of ps_1. expected: reserved 4; found: reserved 7. Since ${AT}.`;
  expect(lineOf(finding)).toBe(`${said} See docs/x.md#y`);
  const repair = 'reserved set from 7 to 4';
  expect(lineOf({ ...finding, state: 'repaired', repair })).toBe(`${said} Repaired: ${repair}`);
});

it.each<[string, Partial<OrdersAudit>, number]>([
  ['at the first products', { phase: 'products' }, 0],
  ['at the first orders', { phase: 'orders', cursor: null }, 2 / 7],
  ['half through the orders', { phase: 'orders', cursor: `ord_8${'0'.repeat(31)}` }, 5 / 14],
  ['at the findings', { phase: 'findings', cursor: 'order_missing:ord_1' }, 6 / 7],
  ['at its end', { phase: 'done' }, 1],
])('shows on a terminal how far a run is that is %s', (_, place, share) => {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 200, write: (text: string) => written.push(text) };
  const { show, end } = createProgress(stream as unknown as NodeJS.WriteStream);
  written.length = 0; // what it starts with
  show({ ...run, ...place });
  end();
  const shown = written.join('');
  expect(shown).toContain('3 products, 4 carts, 2 orders, 2 workflows looked at');
  const bar = shown.match(/[=-]{40}/g)!.at(-1)!;
  const percent = Math.round(100 * share);
  expect(bar.lastIndexOf('=') + 1).toBe(Math.round((40 * percent) / 100));
});

it('the options are whether to repair, whether anything moves, and how to print', () => {
  const whole = { payments: true, histories: true };
  expect(parseOptions([])).toEqual({ request: { ...whole, repair: false, atRest: false }, asJson: false });
  expect(parseOptions(['--repair', '--at-rest', '--json'])).toEqual({
    request: { ...whole, repair: true, atRest: true },
    asJson: true,
  });
  expect(() => parseOptions(['--period'])).toThrow(
    /^Unknown option '--period'.* Usage: npm run audit:orders/,
  );
});
