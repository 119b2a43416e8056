import fc from 'fast-check';
import { createAgenda } from '../../../tools/capacity/agenda';
import { meanWaitSeconds, waitProbability } from '../../../tools/capacity/erlang';
import { outcomeOf, saleOf, type Change } from '../../../tools/capacity/sale';
import { simulate, type Run, type Scenario } from '../../../tools/capacity/simulation';
import type { StationRules, StationState } from '../../../tools/capacity/station';

/** One queue with so many servers and no autoscaler: M/M/c. */
function queueOf(servers: number, utilisation: number, seconds: number, seed = 1): Scenario {
  return {
    seed,
    phases: [{ untilSeconds: seconds, ordersPerSecond: servers * utilisation }],
    stations: [{ name: 'servers', parallelism: 1, slots: 1, replicas: servers, scaling: null }],
    route: [{ station: 0, meanSeconds: 1 }],
    sampleSeconds: 10,
  };
}

const mostWaiting = ({ samples }: Run) => Math.max(...samples.map(({ stations }) => stations[0]!.waiting));

const changes = fc.record({
  minFactor: fc.constantFrom(1, 2, 5),
  maxFactor: fc.constantFrom(0.3, 1, 2),
  scaling: fc.record({
    pollingSeconds: fc.constantFrom(5, 15, 30, 60),
    scaleUpStabilisationSeconds: fc.constantFrom(0, 30),
    scaleDownStabilisationSeconds: fc.constantFrom(0, 60, 300),
    targetUtilisation: fc.constantFrom(null, 0.6),
    podStartSeconds: fc.constantFrom<readonly [number, number]>([1, 2], [20, 40], [60, 180]),
  }),
});

/** A sale of a minute. */
function briefSaleOf(change: Change = {}, seed = 1): Scenario {
  const phases = [
    { untilSeconds: 30, ordersPerSecond: 20 },
    { untilSeconds: 90, ordersPerSecond: 200 },
    { untilSeconds: 240, ordersPerSecond: 20 },
  ];
  return { ...saleOf(20, change), phases, seed };
}

const sales = fc
  .tuple(changes, fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  .map(([change, seed]) => briefSaleOf(change, seed));

/** What of the run cannot be. */
function impossibilitiesOf(scenario: Scenario, { samples, responses }: Run): unknown[] {
  const unbalanced = samples.filter(({ placed, finished, stations }) => {
    const underWay = stations.reduce((sum, { waiting, busy }) => sum + waiting + busy, 0);
    return finished + underWay !== placed;
  });
  const backwards = samples.filter(({ placed, finished }, index) => {
    const before = samples[index - 1];
    return before && (placed < before.placed || finished < before.finished);
  });
  const wrong = samples.flatMap(({ stations }) =>
    stations.filter((state, index) => !isPossible(state, scenario.stations[index]!)),
  );
  return [...unbalanced, ...backwards, ...wrong, ...responses.filter(({ seconds }) => seconds < 0)];
}

/** Nothing is negative, nobody is idle while something waits, and replicas stay within their limits. */
function isPossible(state: StationState, { parallelism, scaling }: StationRules): boolean {
  const { waiting, busy, ready, wanted } = state;
  const { minReplicas, maxReplicas } = scaling!;
  const isBusy = waiting === 0 || busy >= ready * parallelism;
  const isWithin = minReplicas <= wanted && wanted <= maxReplicas && ready <= wanted;
  return waiting >= 0 && busy >= 0 && busy <= maxReplicas * parallelism && isBusy && isWithin;
}

it('whatever the autoscaler does, each order placed is finished, worked on or waiting, and nothing impossible happens', () => {
  fc.assert(
    fc.property(sales, (scenario) => {
      const run = simulate(scenario);
      expect(run.placed).toBeGreaterThan(10_000);
      expect(impossibilitiesOf(scenario, run)).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

it('the same seed makes the same run, another seed another one', () => {
  const scenario = briefSaleOf();
  expect(simulate(scenario)).toEqual(simulate(scenario));
  expect(simulate({ ...scenario, seed: 1 })).not.toEqual(simulate({ ...scenario, seed: 2 }));
});

describe('a queue without an autoscaler', () => {
  it.each([
    [1, 0.5],
    [1, 0.8],
    [5, 0.8],
    [20, 0.9],
  ])('with %d servers, %d busy, tasks wait as long on average as Erlang C says', (servers, utilisation) => {
    const arrivals = 200_000;
    const { stations } = simulate(queueOf(servers, utilisation, arrivals / (servers * utilisation)));
    const expected = meanWaitSeconds({
      arrivalsPerSecond: servers * utilisation,
      meanServiceSeconds: 1,
      servers,
    });
    expect(Math.abs(stations[0]!.meanWaitSeconds / expected - 1)).toBeLessThan(0.1);
  });

  it('with enough servers the backlog stays bounded, however long it runs', () => {
    for (let seed = 0; seed < 5; seed++)
      expect(mostWaiting(simulate(queueOf(10, 0.7, 10_000, seed)))).toBeLessThan(60);
  });

  it('with too few it grows by what they cannot do', () => {
    const seconds = 5_000;
    const { samples } = simulate(queueOf(10, 1.2, seconds));
    const { waiting } = samples.at(-1)!.stations[0]!;
    expect(Math.abs(waiting / (10 * 0.2 * seconds) - 1)).toBeLessThan(0.1);
  });

  it('one server answers in the order in which it was asked', () => {
    const { responses } = simulate(queueOf(1, 0.9, 1_000));
    const times = responses.map(({ placedAt }) => placedAt);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });
});

describe('Erlang C', () => {
  it('agrees with M/M/1, where the probability to wait is the utilisation', () => {
    expect(waitProbability({ arrivalsPerSecond: 0.7, meanServiceSeconds: 1, servers: 1 })).toBeCloseTo(
      0.7,
      12,
    );
    expect(meanWaitSeconds({ arrivalsPerSecond: 0.7, meanServiceSeconds: 1, servers: 1 })).toBeCloseTo(
      0.7 / 0.3,
      12,
    );
  });

  it('agrees with M/M/2 in closed form', () => {
    // P(wait) = 2ρ² / (1 + ρ) with ρ = a / 2
    const rho = 0.75;
    const queue = { arrivalsPerSecond: 2 * rho, meanServiceSeconds: 1, servers: 2 };
    expect(waitProbability(queue)).toBeCloseTo((2 * rho ** 2) / (1 + rho), 12);
  });

  it('everybody waits, for ever, where the servers do not suffice', () => {
    const queue = { arrivalsPerSecond: 10, meanServiceSeconds: 1, servers: 10 };
    expect(waitProbability(queue)).toBe(1);
    expect(meanWaitSeconds(queue)).toBe(Infinity);
  });
});

describe('a sale', () => {
  const run = (change?: Change) => {
    const scenario = briefSaleOf(change);
    return outcomeOf(simulate(scenario), scenario);
  };

  it('with replicas enough beforehand nobody is answered 202', () => {
    expect(run({ minFactor: 10 })).toMatchObject({
      answered202: 0,
      inTimeAgainSeconds: 0,
      drainedSeconds: 0,
    });
  });

  it('pods that start later make the longest answer longer', () => {
    const soon = run().longestResponseSeconds;
    expect(run({ scaling: { podStartSeconds: [60, 90] } }).longestResponseSeconds).toBeGreaterThan(soon);
  });
});

it('the agenda does everything in the order of time, and of asking', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
      const agenda = createAgenda();
      const done: [number, number][] = [];
      times.forEach((at, index) => agenda.in(at, () => done.push([at, index])));
      agenda.runUntil(20);
      expect(done).toEqual(
        times.map((at, index) => [at, index]).sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!),
      );
    }),
  );
});
