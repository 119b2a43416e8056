import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '../../tools/output';
import { cpuDuring } from './cpu';
import type { Round } from './load';
import type { Row } from './results';
import { median, quantile } from './stats';

/** What a request leaves to be done after its answer is done by then, and counts as its processor time. */
const SETTLE_MS = 1_000;

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
  /** Milliseconds of processor time per request in each round, by the name of the process. */
  cpu: Record<string, number[]>;
}

export interface TurnOptions {
  rounds: number;
  output: Output;
  /** Processes whose processor time is to be counted, by name. */
  pids?: Readonly<Record<string, number>>;
}

/**
 * Each in turn, again and again, there and back (A B C, C B A, A B C …), so that all of them see the same machine and
 * none is always behind the same other. One round of each, before, is not counted.
 */
export async function inTurns(
  contenders: readonly Contender[],
  { rounds, output, pids = {} }: TurnOptions,
): Promise<Map<string, Standing>> {
  const names = Object.keys(pids);
  const standings = new Map<string, Standing>(
    contenders.map(({ name }) => [
      name,
      { name, rates: [], latencies: [], cpu: Object.fromEntries(names.map((process) => [process, []])) },
    ]),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const { result, cpu } = await cpuDuring(pids, async () => {
        const result = await contender.round();
        if (names.length > 0) await delay(SETTLE_MS);
        return result;
      });
      const { done, seconds, latencies, sent } = result;
      const rate = done / seconds;
      const what = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
      output.line(
        `  ${contender.name}, ${what}: ${rate.toFixed(0)}/s, p99 ${quantile(latencies, 0.99).toFixed(0)} ms`,
      );
      if (round === 0) continue;
      const standing = standings.get(contender.name)!;
      standing.rates.push(rate);
      standing.latencies.push(...latencies);
      for (const process of names) standing.cpu[process]!.push(cpu[process]! / sent);
    }
  }
  return standings;
}

/** The median of the ratios of the rounds, each of which had both. */
export function ratio(one: Standing, other: Standing): number {
  return ratioOf(one.rates, other.rates);
}

/** The same of any two figures per round. */
export function ratioOf(one: readonly number[], other: readonly number[]): number {
  return median(one.map((value, n) => value / other[n]!));
}

export function rowOf({ name, rates, latencies }: Standing): Row {
  return {
    name,
    values: {
      requests: latencies.length,
      'per second': median(rates),
      'slowest round': Math.min(...rates),
      'fastest round': Math.max(...rates),
      'p50 ms': quantile(latencies, 0.5),
      'p99 ms': quantile(latencies, 0.99),
    },
    rates,
  };
}

/** Milliseconds of processor time per request, of each process. */
export function cpuRowOf({ name, cpu }: Standing): Row {
  const values = Object.entries(cpu).map(([process, rounds]) => [process, median(rounds)]);
  return { name, values: Object.fromEntries(values) as Record<string, number>, rounds: cpu };
}
