import fc from 'fast-check';
import { createHash } from 'node:crypto';

/**
 * What takes long by nature, and how much of it `npm test` runs: a sample, drawn with the seed that the run prints.
 * `npm run test:all` runs all of it.
 */
const SAMPLE_SIZES = {
  'commands-model: sequences of each lane': 2,
  'e2e/outages-during-commands: servers that crash': 1,
  'e2e/personal-data: systems': 1,
  'e2e/worker-crash: kills': 16,
  'edge: attacks of each kind': 250,
  'orders/oversell: buyers': 64,
  'payments/sandbox: sequences of operations': 15,
  'workflows/races: amendments at once': 8,
  'workflows/races: orders that are cancelled and fulfilled at once': 50,
  'workflows/races: refunds at once': 30,
  'workflows/saga-matrix: scenarios with each failing payment method': 4,
  'workflows/saga-matrix: terminations': 16,
  'workflows/saga-matrix: trials of each kind': 26,
} as const;

type Sampled = keyof typeof SAMPLE_SIZES;

/** Whether this run is whole, and no sample. */
export const isWhole = process.env.TEST_ALL === 'true';

/** Returns how many of `all` this run does. */
export function sampleSize(what: Sampled, all: number): number {
  return isWhole ? all : Math.min(all, SAMPLE_SIZES[what]);
}

/**
 * Returns the cases that this run draws, in their order.
 * @param salt tells draws of the same kind apart
 * @param groupOf names the group of a case, so that about as many are drawn from each group
 */
export function sample<T>(
  what: Sampled,
  cases: readonly T[],
  { salt = '', groupOf = () => '' }: { salt?: string; groupOf?: (one: T) => string } = {},
): T[] {
  const shuffles = fc.shuffledSubarray([...cases.entries()], { minLength: cases.length });
  const [shuffled] = fc.sample(shuffles, { numRuns: 1, seed: seedOf(what + salt) });
  const drawn = new Map<string, number>();
  const ranked = shuffled!.map(([index, one]) => {
    const group = groupOf(one);
    const rank = drawn.get(group) ?? 0;
    drawn.set(group, rank + 1);
    return { index, one, rank };
  });
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, sampleSize(what, cases.length))
    .sort((a, b) => a.index - b.index)
    .map(({ one }) => one);
}

/** Draws are independent of each other, but the same for the same `TEST_SEED`. */
function seedOf(what: string): number {
  return createHash('sha256').update(`${process.env.TEST_SEED} ${what}`).digest().readInt32BE();
}
