import fc from 'fast-check';
import {
  freezesOf,
  primaryFaultsOf,
  scheduleOf,
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
        const ofNodes = faults.filter(
          (fault) => fault.kind === 'stepDown' || ('unit' in fault && fault.unit.startsWith('the primary')),
        );
        ofNodes.forEach(({ atMs }, index) => {
          const before = ofNodes[index - 1];
          if (before) expect(atMs).toBeGreaterThan(before.atMs + before.forMs);
        });
      }),
    );
  });

  it('makes faults of every kind in a night', () => {
    const kinds = new Set(scheduleOf(1, 'random', 8 * 60 * MINUTE_MS).map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual([
      'cut',
      'freeze',
      'kill',
      'slow',
      'stall',
      'stepDown',
      'swallow',
      'terminate',
    ]);
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
