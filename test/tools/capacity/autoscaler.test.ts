import fc from 'fast-check';
import { decide, type Decision, type ScalingRules } from '../../../tools/capacity/autoscaler';

const RULES: ScalingRules = {
  minReplicas: 2,
  maxReplicas: 50,
  targetBacklog: 100,
  targetUtilisation: null,
  pollingSeconds: 30,
  syncSeconds: 15,
  scaleUpStabilisationSeconds: 0,
  scaleDownStabilisationSeconds: 300,
  scaleDownPodsPerMinute: Infinity,
  podStartSeconds: [20, 40],
};

const loadOf = (backlog: number, busyReplicas = 0) => ({ backlog, busyReplicas });

/** What comes of backlogs that are seen every 15 s, from so many replicas on. */
function replicasAfter(backlogs: number[], replicas: number, rules = RULES): number[] {
  const past: Decision[] = [];
  return backlogs.map((backlog, index) => {
    const before = past.at(-1)?.replicas ?? replicas;
    past.push(decide(rules, 15 * index, loadOf(backlog), before, past));
    return past.at(-1)!.replicas;
  });
}

it('as many replicas as the backlog is a multiple of the target', () => {
  expect(replicasAfter([450], 2)).toEqual([5]);
});

it('a difference of a tenth is none', () => {
  expect(replicasAfter([1_090], 10)).toEqual([10]);
  expect(replicasAfter([1_110], 10)).toEqual([12]);
});

it('at most as many more, or four more, in 15 s', () => {
  expect(replicasAfter([1e6, 1e6, 1e6, 1e6], 2)).toEqual([6, 12, 24, 48]);
});

it('never below or above its limits', () => {
  expect(replicasAfter([0], 2)).toEqual([2]);
  expect(replicasAfter(Array<number>(8).fill(1e6), 2).at(-1)).toBe(50);
});

it('down only when the greatest recommendation of the window is lower', () => {
  const replicas = replicasAfter([1_000, ...Array<number>(20).fill(0)], 10);
  expect(replicas.slice(0, 20)).toEqual(Array(20).fill(10));
  expect(replicas[20]).toBe(2); // at 300 s
});

it('down by so many pods a minute, where that is said', () => {
  const rules = { ...RULES, scaleDownStabilisationSeconds: 0, scaleDownPodsPerMinute: 1 };
  const backlogs = [...Array<number>(5).fill(1_000), ...Array<number>(9).fill(0)];
  const replicas = replicasAfter(backlogs, 10, rules);
  expect(replicas).toEqual([10, 10, 10, 10, 10, 9, 9, 9, 9, 8, 8, 8, 8, 7]);
});

it('up only to the least recommendation of the window, where there is one', () => {
  const rules = { ...RULES, scaleUpStabilisationSeconds: 30 };
  expect(replicasAfter([200, 600, 600, 600], 2, rules)).toEqual([2, 2, 6, 6]);
});

it('of two triggers the one that wants more', () => {
  const rules = { ...RULES, targetUtilisation: 0.6 };
  expect(decide(rules, 0, loadOf(0, 6), 8, []).recommended).toBe(10);
  expect(decide(rules, 0, loadOf(2_000, 6), 18, []).recommended).toBe(20);
});

it('without a trigger of utilisation an empty backlog recommends the least, however busy they are', () => {
  expect(decide(RULES, 0, loadOf(0, 40), 45, []).recommended).toBe(2);
});

it('a constant load comes to rest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 2, max: 50 }), (backlog, replicas) => {
      const after = replicasAfter(Array<number>(60).fill(backlog), replicas);
      expect(after.at(-1)).toBe(after.at(-20));
    }),
  );
});
