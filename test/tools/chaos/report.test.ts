import type { CallRecord } from '../../../tools/chaos/log';
import { addRun, callsOf, pageOf, runWithoutEnd, type Report, type Run } from '../../../tools/chaos/report';

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

  it('keeps all of the last run and of those with findings, whatever comes after them', () => {
    const seeds = ({ details }: Report) => details.map(({ seed }) => seed);
    expect(seeds(reportOf(runOf(7), runOf(8, [FINDING]), runOf(9)))).toEqual([8, 9]);
    expect(seeds(reportOf(runOf(8, [FINDING]), runOf(8)))).toEqual([8, 8]);
    expect(pageOf(reportOf(runOf(8, [FINDING]), runOf(8)))).toContain('- `stock_lost` ps_1: Lost');
  });

  it('has a line and a finding for a run that did not come to its end', () => {
    const broken = runWithoutEnd({ seed: 8, minutes: 10 }, new Error('The replica set has no primary'));
    const page = pageOf(reportOf(runOf(7), { ...runOf(8), ...broken }));
    expect(page).toContain('2 runs of 20 minutes in all, 1 without a finding.');
    expect(page).toContain('found Error: The replica set has no primary');
  });

  it('counts the faults that were made', () => {
    const made = { atS: 1, text: 'freeze api-1', isMade: true };
    const faults = [made, { atS: 2, text: 'kill api-2: not made, api-2 did not run', isMade: false }];
    const report = reportOf({ ...runOf(7), faults });
    expect(report.runs[0]!.faults).toBe(1);
    expect(pageOf(report)).toContain('not made, api-2 did not run');
  });

  it('tells how calls ended that were not done', () => {
    const call = (fields: Partial<CallRecord>) =>
      ({ op: 'order.read', outcome: 'fail', ...fields }) as CallRecord;
    const calls = callsOf([
      call({ outcome: 'ok', status: 200 }),
      call({ status: 404, code: 'not_found' }),
      call({ status: 503, code: 'service_unavailable' }),
      call({ status: 404, code: 'not_found' }),
      call({ status: null, code: 'ECONNRESET' }),
    ]);
    expect(calls).toMatchObject({ 'order.read': { ok: 1, fail: 4, unknown: 0 } });
    const page = pageOf(reportOf({ ...runOf(7), calls }));
    expect(page).toContain('2 × 404 not_found, 1 × 503 service_unavailable, 1 × no answer ECONNRESET');
  });
});
