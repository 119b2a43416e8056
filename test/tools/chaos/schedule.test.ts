import fc from 'fast-check';
import {
  freezesOf,
  isOfNodes,
  PRIMARY,
  primaryFaultsOf,
  scheduleOf,
  SECONDARY,
  soakFaultsOf,
  textOf,
  type Fault,
} from '../../../tools/chaos/schedule';

const MINUTE_MS = 60_000;

describe('the schedule of faults', () => {
  it('depends on the seed, the scenario and the length alone', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const texts = scheduleOf(seed, 'random', MINUTE_MS).map(textOf);
        expect(scheduleOf(seed, 'random', MINUTE_MS).map(textOf)).toEqual(texts);
        expect(scheduleOf(seed, 'other', MINUTE_MS).map(textOf)).not.toEqual(texts);
        expect(scheduleOf(seed + 1, 'random', MINUTE_MS).map(textOf)).not.toEqual(texts);
      }),
    );
  });

  it('ends every fault within the run, and lets one node of three fail at a time', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const faults = scheduleOf(seed, 'random', 10 * MINUTE_MS);
        expect(faults.every(({ atMs, forMs }) => atMs >= 0 && atMs + forMs <= 10 * MINUTE_MS)).toBe(true);
        expectOneAtATime(faults.filter(isOfNodes));
        const units = new Set(faults.flatMap((fault) => ('unit' in fault ? [fault.unit] : [])));
        for (const unit of units)
          expectOneAtATime(faults.filter((fault) => 'unit' in fault && fault.unit === unit));
      }),
    );
  });

  it('makes faults that are longer than anything that waits, and most that are not', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const faults = scheduleOf(seed, 'random', 10 * MINUTE_MS);
        const long = faults.filter(({ forMs }) => forMs > 15_000).length;
        expect(long).toBeGreaterThan(3);
        expect(long).toBeLessThan(faults.length / 3);
      }),
    );
  });

  it('makes faults of every kind in a night, at all that there is', () => {
    const where = (name: string): string => name.replace(/-\d$/, '');
    const kinds = scheduleOf(1, 'random', 8 * 60 * MINUTE_MS).map((fault) => {
      if ('unit' in fault) return `${fault.kind} ${where(fault.unit)}`;
      return 'from' in fault ? `${fault.kind} ${where(fault.from)} > ${where(fault.to)}` : fault.kind;
    });
    const servers = ['mongodb', 'temporal', PRIMARY, SECONDARY];
    const links = [
      ...['api', 'worker'].flatMap((from) => servers.map((to) => `${from} > ${to}`)),
      'clients > api',
    ];
    const ofNodes = [`${PRIMARY} > ${SECONDARY}`, `${SECONDARY} > ${PRIMARY}`];
    const expected = [
      ...['kill', 'terminate', 'freeze'].flatMap((kind) =>
        ['api', 'worker', 'temporal', PRIMARY, SECONDARY].map((unit) => `${kind} ${unit}`),
      ),
      ...['cut', 'stall', 'slow'].flatMap((kind) => [...links, ...ofNodes].map((link) => `${kind} ${link}`)),
      ...links.map((link) => `swallow ${link}`),
      'isolate',
      'stepDown',
    ];
    expect([...new Set(kinds)].sort()).toEqual(expected.sort());
  });

  it('loses the primary in every way in two minutes and a half, once at a time', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const faults = primaryFaultsOf(seed, 2.5 * MINUTE_MS);
        expect(new Set(faults.map(({ kind }) => kind))).toEqual(
          new Set(['freeze', 'isolate', 'kill', 'stepDown']),
        );
        expectOneAtATime(faults);
      }),
    );
  });

  it('makes a fault each 15 s of a soak, one at a time, and has no process of ours start anew', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const faults = soakFaultsOf(seed, 60 * MINUTE_MS);
        expect(faults).toHaveLength(239);
        expectOneAtATime(faults);
        const killed = faults.flatMap((fault) => ('unit' in fault ? [fault.unit] : []));
        expect(killed.filter((unit) => /^(api|worker)/.test(unit))).toEqual([]);
      }),
    );
  });

  it('freezes one worker of a pair at a time', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const faults = freezesOf(seed, 20 * MINUTE_MS) as Extract<Fault, { kind: 'freeze' }>[];
        expect(faults.length).toBeGreaterThanOrEqual(100);
        for (const pair of ['worker-1 worker-2', 'worker-3 worker-4'])
          expectOneAtATime(faults.filter(({ unit }) => pair.includes(unit)));
      }),
    );
  });
});

function expectOneAtATime(faults: readonly Fault[]): void {
  for (const [index, { atMs }] of faults.entries()) {
    const before = faults[index - 1];
    if (before) expect(atMs).toBeGreaterThan(before.atMs + before.forMs);
  }
}
