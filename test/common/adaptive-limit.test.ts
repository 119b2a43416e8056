import { createAdaptiveLimit, type Place } from '../../src/common/adaptive-limit';

/** A system that does work of some milliseconds each on its processors, which all that is under way shares equally. */
interface Machine {
  processors: number;
  /** Of a processor, on average. */
  workMs: number;
  /** How long each waits for something else afterwards, for instance a payment. */
  waitMs: number;
  /** Every other one waits for nothing. */
  isMixed?: boolean;
}

interface Job {
  place: Place;
  begunAt: number;
  workMs: number;
  waitMs: number;
}

interface Tally {
  sent: number;
  refused: number;
  latencies: number[];
}

const MACHINE: Machine = { processors: 2, workMs: 50, waitMs: 20 };
const PER_SECOND = (1_000 * MACHINE.processors) / MACHINE.workMs;
/** Limits as the processes of the API on one machine have them together. */
const OPTIONS = { initial: 20, max: 200 };

/** Sends requests as they come from many clients (a Poisson process) to each process in turn, in simulated time. */
function simulate(machine: Machine, processes = 1) {
  let now = 0;
  const initial = OPTIONS.initial / processes;
  const limits = Array.from({ length: processes }, () =>
    createAdaptiveLimit({ ...OPTIONS, initial, now: () => now }),
  );
  const random = seeded(7);
  const jobs = new Set<Job>();
  let count = 0;

  function send(tally: Tally): void {
    tally.sent++;
    const place = limits[count++ % processes]!.enter();
    if (!place) return void tally.refused++;
    const workMs = (0.5 + random()) * machine.workMs;
    const waitMs = machine.isMixed && random() < 0.5 ? 0 : machine.waitMs;
    jobs.add({ place, begunAt: now, workMs, waitMs });
  }

  /** Lets a millisecond pass. */
  function pass(tally: Tally): void {
    now++;
    const working = [...jobs].filter(({ workMs }) => workMs > 0);
    const share = Math.min(1, machine.processors / working.length);
    for (const job of jobs) {
      if (job.workMs > 0) job.workMs -= share;
      else job.waitMs--;
      if (job.workMs > 0 || job.waitMs > 0) continue;
      jobs.delete(job);
      job.place.leave(now - job.begunAt);
      tally.latencies.push(now - job.begunAt);
    }
  }

  return {
    machine,
    limits,
    /** Many at once. */
    burst(count: number): Tally {
      const tally = emptyTally();
      for (let n = 0; n < count; n++) send(tally);
      while (jobs.size > 0) pass(tally);
      return tally;
    },
    run(perSecond: number, seconds: number): Tally {
      const tally = emptyTally();
      for (let ms = 0; ms < seconds * 1_000; ms++) {
        if (random() < chance(perSecond)) send(tally);
        pass(tally);
      }
      return tally;
    },
  };
}

const emptyTally = (): Tally => ({ sent: 0, refused: 0, latencies: [] });
const chance = (perSecond: number) => perSecond / 1_000;

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const p99 = ({ latencies }: Tally) =>
  latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)]!;

/** A system that has been at work for a while. */
function warm(machine: Partial<Machine> = {}, processes = 1) {
  const system = simulate({ ...MACHINE, ...machine }, processes);
  system.run(0.5 * PER_SECOND, 60);
  return { ...system, normal: system.run(0.7 * PER_SECOND, 120) };
}

it('refuses nothing of what can be done', () => {
  const { normal } = warm();
  expect(normal.refused / normal.sent).toBeLessThan(0.01);
});

describe.each([
  { name: 'that works', machine: {} },
  { name: 'that waits for payments', machine: { waitMs: 300 } },
  { name: 'of which every other order waits for a payment', machine: { waitMs: 400, isMixed: true } },
  { name: 'with four processes', machine: {}, processes: 4 },
])('a machine $name', ({ machine, processes }) => {
  it.each([2, 5])('keeps what is done, and how long it takes, at %d times of what can be done', (times) => {
    const { run, normal } = warm(machine, processes);
    const overload = run(times * PER_SECOND, 60);
    expect(overload.latencies.length / 60).toBeGreaterThan(0.8 * PER_SECOND);
    expect(p99(overload)).toBeLessThan(2 * p99(normal));
    run(0.7 * PER_SECOND, 30);
    const after = run(0.7 * PER_SECOND, 60);
    expect(after.refused / after.sent).toBeLessThan(0.02);
    expect(p99(after)).toBeLessThan(1.5 * p99(normal));
  });
});

it('does not get used to an overload', () => {
  const { run, normal } = warm();
  run(3 * PER_SECOND, 600);
  const atLast = run(3 * PER_SECOND, 60);
  expect(atLast.latencies.length / 60).toBeGreaterThan(0.8 * PER_SECOND);
  expect(p99(atLast)).toBeLessThan(2 * p99(normal));
});

it('takes no overload for what has become slow for another reason', () => {
  const { run, machine } = warm();
  machine.waitMs = 1_000;
  run(0.7 * PER_SECOND, 60);
  const later = run(0.7 * PER_SECOND, 60);
  expect(later.refused / later.sent).toBeLessThan(0.01);
  machine.waitMs = 20;
  run(0.7 * PER_SECOND, 60);
  const atLast = run(0.7 * PER_SECOND, 60);
  expect(atLast.refused / atLast.sent).toBeLessThan(0.01);
});

it('lets a burst in when it was quiet, also after an overload', () => {
  const { run, burst } = warm();
  run(5 * PER_SECOND, 60);
  run(0.2 * PER_SECOND, 15);
  expect(burst(0.75 * OPTIONS.initial).refused).toBe(0);
});

it('learns what orders take if there are too many from the beginning', () => {
  const { run } = simulate({ ...MACHINE });
  run(3 * PER_SECOND, 30);
  const later = run(3 * PER_SECOND, 60);
  expect(later.latencies.length / 60).toBeGreaterThan(0.8 * PER_SECOND);
  expect(p99(later)).toBeLessThan(10 * (MACHINE.workMs + MACHINE.waitMs));
});

it('learns nothing from what is less work than others, unless that is late too', () => {
  let now = 0;
  const limit = createAdaptiveLimit({ ...OPTIONS, now: () => now });
  const doAll = (count: number, ms: number, isTypical: boolean) => {
    for (let n = 0; n < count; n++) {
      const place = limit.enter();
      now += ms;
      place!.leave(ms, isTypical);
    }
  };
  doAll(20, 100, true);
  doAll(1_000, 10, false);
  doAll(20, 110, true);
  // With the places that they leave being all that there are, what is slower than usual is seen in the limit.
  const most = limit.limit();
  expect(most).toBe(OPTIONS.initial);
  const places = Array.from({ length: most }, () => limit.enter()!);
  expect(limit.enter()).toBeUndefined();
  for (const place of places) place.leave(300, false);
  expect(limit.limit()).toBeLessThan(most);
});

it('never lets in more than the most, and frees each place once', () => {
  const limit = createAdaptiveLimit({ initial: 2, max: 2 });
  const [one, other] = [limit.enter(), limit.enter()];
  expect(limit.enter()).toBeUndefined();
  one!.leave();
  one!.leave();
  expect(limit.active()).toBe(1);
  expect(limit.enter()).toBeDefined();
  expect(limit.enter()).toBeUndefined();
  other!.leave();
});
