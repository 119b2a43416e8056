import fc from 'fast-check';
import { createHash } from 'node:crypto';

/** What is repeated: how often by `npm test`, and how often by `npm run test:all`. */
const REPETITIONS = {
  'carts: interleavings': { sampled: 12, whole: 200 },
  'domain/order-life: sequences of commands': { sampled: 200, whole: 10_000 },
  'commands-model: sequences of each lane': { sampled: 2, whole: 12 },
  'commands-model: sequences of each lane with payments that wait': { sampled: 2, whole: 10 },
  'orders/oversell: buyers': { sampled: 40, whole: 200 },
  'payments/sandbox: sequences of operations': { sampled: 15, whole: 60 },
  'workflows/races: amendments at once': { sampled: 6, whole: 30 },
  'workflows/races: orders that are cancelled and fulfilled at once': { sampled: 30, whole: 500 },
  'workflows/races: refunds at once': { sampled: 20, whole: 100 },
  'workflows/waiting: milliseconds before a payment is tried': { sampled: 2_000, whole: 180_000 },
} as const;

/**
 * Of which lists of cases `npm test` draws some, with the seed that the run prints. `npm run test:all` runs all cases; how
 * many there are depends on the code that is tested.
 */
const DRAWN_CASES = {
  'docs/commands: systems on which all pages run': 0,
  'e2e/cluster: signals that drain': 1,
  'e2e/outages-during-commands: servers that crash': 1,
  'e2e/outages-during-payments: victims': 1,
  'e2e/personal-data: systems without payload keys': 0,
  'e2e/temporal-ui: systems with a Temporal UI': 0,
  'e2e/worker-crash: kills': 4,
  'edge: attacks of each kind': 120,
  'payments/stripe/events: happenings in the midst of commands': 6,
  'workflows/expiry: days that are skipped': 1,
  'workflows/operator-matrix: interruptions': 6,
  'workflows/operator-matrix: trials of each kind': 6,
  'workflows/replay: histories for each other bundle': 6,
  'workflows/replay: other bundles': 1,
  'workflows/saga-matrix: failing payment methods': 1,
  'workflows/saga-matrix: scenarios with each failing payment method': 2,
  'workflows/saga-matrix: trials of each kind': 8,
} as const;

/** Whether this run is whole, and no sample. */
export const isWhole = process.env.TEST_ALL === 'true';

/** Returns how often this run repeats something. */
export function repetitions(what: keyof typeof REPETITIONS): number {
  return REPETITIONS[what][isWhole ? 'whole' : 'sampled'];
}

/**
 * Returns the cases that this run draws, in their order.
 * @param salt tells draws of the same kind apart
 * @param groupOf names the group of a case, so that about as many are drawn from each group
 */
export function sample<T>(
  what: keyof typeof DRAWN_CASES,
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
    .slice(0, isWhole ? cases.length : DRAWN_CASES[what])
    .sort((a, b) => a.index - b.index)
    .map(({ one }) => one);
}

/** Draws are independent of each other, but the same for the same `TEST_SEED`. */
function seedOf(what: string): number {
  return createHash('sha256').update(`${process.env.TEST_SEED} ${what}`).digest().readInt32BE();
}
