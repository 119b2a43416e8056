import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLACING } from '../../../bench/counts';
import { grouped, markdownTable, sized, withBlock } from '../../../bench/harness/markdown';
import { actionsOf, LIFE_COST, planFor, storageOf } from '../../../tools/capacity/plan';
import { withTables } from '../../../tools/capacity/capacity';
import { meanWaitSeconds, waitProbability } from '../../../tools/capacity/erlang';
import { PROJECT_ROOT } from '../../../tools/project';

it('docs/capacity.md has the tables that npm run capacity writes', async () => {
  const document = await readFile(join(PROJECT_ROOT, 'docs', 'capacity.md'), 'utf8');
  expect(document).toBe(withTables(document));
});

describe('Erlang C', () => {
  it('agrees with M/M/1, where the probability of waiting is the utilization', () => {
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

  it('returns certainty and an infinite wait when the servers do not suffice', () => {
    const queue = { arrivalsPerSecond: 10, meanServiceSeconds: 1, servers: 10 };
    expect(waitProbability(queue)).toBe(1);
    expect(meanWaitSeconds(queue)).toBe(Infinity);
  });
});

describe('what an order costs', () => {
  it('counts 5 Actions to place it: start, update, a task with a marker, upsert, timer', () => {
    expect(actionsOf(PLACING)).toBe(5);
  });

  it('counts no Action for more local activities in the same workflow task', () => {
    expect(actionsOf({ ...PLACING, localActivities: 10 })).toBe(actionsOf(PLACING));
    expect(actionsOf({ ...PLACING, activities: 1 })).toBe(actionsOf(PLACING) + 1);
  });

  it('counts 11 Actions, 13 requests to Temporal, 20 MongoDB commands and two payment calls for its life', () => {
    expect(LIFE_COST).toMatchObject({
      actions: 11,
      temporalRequests: 13,
      mongoDbCommands: 20,
      paymentCalls: 2,
    });
  });
});

describe('the plan', () => {
  it('has a hundred times the traffic for a hundred times the orders', () => {
    const [few, many] = [planFor(100), planFor(10_000)];
    expect(many.actionsPerSecond).toBe(100 * few.actionsPerSecond);
    expect(many.stateTransitionsPerSecond).toBe(100 * few.stateTransitionsPerSecond);
    expect(many.mongoDbCommandsPerSecond).toBe(100 * few.mongoDbCommandsPerSecond);
  });

  it('provisions no capacity within the default of a namespace, and two processes of each kind', () => {
    expect(planFor(10)).toMatchObject({ trus: 0, namespaces: 1, apiProcesses: 2, paymentWorkers: 2 });
  });

  it('has a power of two of history shards, and at least 512', () => {
    for (const rate of [1, 10, 500, 1_000, 10_000]) {
      const { historyShards } = planFor(rate);
      expect(Number.isInteger(Math.log2(historyShards))).toBe(true);
      expect(historyShards).toBeGreaterThanOrEqual(512);
    }
  });

  it('needs storage in proportion to the orders', () => {
    expect(storageOf(2_000).temporal).toBe(2 * storageOf(1_000).temporal);
  });
});

describe('Markdown', () => {
  it('aligns tables as Prettier does', () => {
    expect(
      markdownTable(
        ['', 'of it'],
        [
          ['one', '1'],
          ['– more', '12 000'],
        ],
      ),
    ).toBe(
      ['|        |  of it |', '| ------ | -----: |', '| one    |      1 |', '| – more | 12 000 |'].join('\n'),
    );
  });

  it.each([
    [0, '0'],
    [999, '999'],
    [12_600, '12 600'],
    [4_320_000_000, '4 320 000 000'],
  ])('writes %d as %s', (value, text) => expect(grouped(value)).toBe(text));

  it.each([
    [0, '0.0 B'],
    [999, '999 B'],
    [2_850, '2.9 kB'],
    [378e9, '378 GB'],
    [1.12e15, '1.1 PB'],
  ])('writes %d bytes as %s', (bytes, text) => expect(sized(bytes)).toBe(text));

  it('replaces a block, twice with the same result, and throws if its place is missing', () => {
    const written = withBlock('a\n\n<!-- x -->\nold\n<!-- /x -->\n\nb', 'x', 'new');
    expect(written).toBe('a\n\n<!-- x -->\n\nnew\n\n<!-- /x -->\n\nb');
    expect(withBlock(written, 'x', 'new')).toBe(written);
    expect(() => withBlock('a', 'x', 'new')).toThrow('no place for "x"');
  });
});
