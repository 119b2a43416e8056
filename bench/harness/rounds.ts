import type { Output } from '../../scripts/servers/output';
import type { Round } from './load';
import { median, quantile } from './stats';

/** One of what is compared: a round of it under the same load as the others. */
export interface Contender {
  name: string;
  round(): Promise<Round>;
}

/** The same kind of round of each. */
export function contendersOf<Work>(
  ways: Readonly<Record<string, Work>>,
  round: (work: Work) => Promise<Round>,
): Contender[] {
  return Object.entries(ways).map(([name, work]) => ({ name, round: () => round(work) }));
}

export interface Standing {
  name: string;
  /** Requests per second in each round. */
  rates: number[];
  /** Of all rounds, milliseconds. */
  latencies: number[];
}

/**
 * Each in turn, again and again (A B C A B C …), so that all of them see the same machine; what it does meanwhile to one
 * round it does to one of each. One round of each, before, is not counted.
 */
export async function inTurns(
  contenders: readonly Contender[],
  { rounds, output }: { rounds: number; output: Output },
): Promise<Map<string, Standing>> {
  const standings = new Map<string, Standing>(
    contenders.map(({ name }) => [name, { name, rates: [], latencies: [] }]),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const { done, seconds, latencies } = await contender.round();
      const rate = done / seconds;
      const what = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
      output.line(
        `  ${contender.name}, ${what}: ${rate.toFixed(0)}/s, p99 ${quantile(latencies, 0.99).toFixed(0)} ms`,
      );
      if (round === 0) continue;
      const standing = standings.get(contender.name)!;
      standing.rates.push(rate);
      standing.latencies.push(...latencies);
    }
  }
  return standings;
}

/** The median of the ratios of the rounds, each of which had both. */
export function ratio(one: Standing, other: Standing): number {
  return median(one.rates.map((rate, n) => rate / other.rates[n]!));
}

export function summaryOf({ rates, latencies }: Standing): Record<string, number> {
  return {
    'per second': median(rates),
    'p50 ms': quantile(latencies, 0.5),
    'p99 ms': quantile(latencies, 0.99),
    'slowest round': Math.min(...rates),
    'fastest round': Math.max(...rates),
  };
}
