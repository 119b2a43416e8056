import { addRun, pageOf, type Report, type Run } from '../../../tools/chaos/report';

const FINDING = { kind: 'stock_lost', means: 'Lost', subject: 'ps_1', expected: '4', found: '3' };

function runOf(seed: number, findings: Run['findings'] = []): Parameters<typeof addRun>[2] {
  return {
    at: '2026-11-30T06:30:00.000Z',
    commit: 'abc1234',
    load: { before: 0.5, after: 3.25 },
    seed,
    minutes: 10,
    faults: [{ atS: 1.5, text: `a fault of seed ${seed}` }],
    calls: { 'order.place': { ok: 5, fail: 2, unknown: 1 } },
    messages: [],
    settledS: 1.4,
    findings,
  };
}

const reportOf = (...runs: ReturnType<typeof runOf>[]): Report =>
  runs.reduce<Report | undefined>((report, run) => addRun(report, 'random', run), undefined)!;

describe('the report of a scenario', () => {
  it('has a line for each run that was ever made, and tells how long they were in all', () => {
    const page = pageOf(reportOf(runOf(7), runOf(8, [FINDING]), runOf(8)));
    expect(page).toContain('3 runs of 30 minutes in all, 2 without a finding.');
    expect(page.match(/\| 2026-11-30 \| abc1234 \| 0\.5 to 3\.3 \| {4}8 \|/g)).toHaveLength(2);
    expect(page).toMatch(/\| +8 \| +1 \| +1\.4 \| +1 \|\n/);
  });

  it('keeps all of the last run, and of those with findings until they are repeated without any', () => {
    const seeds = ({ details }: Report) => details.map(({ seed }) => seed);
    expect(seeds(reportOf(runOf(7), runOf(8, [FINDING]), runOf(9)))).toEqual([8, 9]);
    expect(seeds(reportOf(runOf(7), runOf(8, [FINDING]), runOf(9), runOf(8)))).toEqual([8]);
    expect(pageOf(reportOf(runOf(8, [FINDING]), runOf(9)))).toContain('- `stock_lost` ps_1: Lost');
  });
});
