import { afterPart, beginReconciliation, openFindings } from '../../src/domain/reconciliation';

const AT = '2026-01-31T00:00:00.000Z';
const NOTHING = { payments: 0, orders: 0, findings: 0, skipped: 0, unanswered: 0, repaired: 0, gone: 0 };

it('compares the last eight days and repairs nothing, unless it is asked for something else', () => {
  expect(beginReconciliation({}, AT)).toEqual({
    from: '2026-01-23T00:00:00.000Z',
    to: AT,
    repair: false,
    startedAt: AT,
    phase: 'payments',
    cursor: null,
    counts: NOTHING,
    open: {},
  });
  const to = '2026-01-10T00:00:00.000Z';
  expect(beginReconciliation({ to }, AT)).toMatchObject({ from: '2026-01-02T00:00:00.000Z', to });
  const from = '2026-01-09T00:00:00.000Z';
  expect(beginReconciliation({ from, to, repair: true }, AT)).toMatchObject({ from, to, repair: true });
});

it('continues a phase where its last part has ended, then the next phase at its beginning', () => {
  const parts = ['intents:pi_1', null, 'ord_1', null, null];
  let run = beginReconciliation({}, AT);
  const places = parts.map((nextCursor) => {
    run = afterPart(run, { counts: {}, nextCursor });
    return [run.phase, run.cursor];
  });
  expect(places).toEqual([
    ['payments', 'intents:pi_1'],
    ['orders', null],
    ['orders', 'ord_1'],
    ['findings', null],
    ['done', null],
  ]);
});

it('adds what the parts have done, and changes no run that it was given', () => {
  const begun = beginReconciliation({}, AT);
  const once = afterPart(begun, { counts: { payments: 100, skipped: 1 }, nextCursor: 'intents:pi_1' });
  const twice = afterPart(once, { counts: { payments: 20, repaired: 2 }, nextCursor: null });
  expect(twice.counts).toEqual({ ...NOTHING, payments: 120, skipped: 1, repaired: 2 });
  expect([begun.counts, once.counts.payments]).toEqual([NOTHING, 100]);
});

it('counts the open findings of all kinds', () => {
  expect(openFindings({ open: {} })).toBe(0);
  expect(openFindings({ open: { refund_failed: 2, charge_unknown: 1 } })).toBe(3);
});
