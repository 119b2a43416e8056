import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '../../tools/output';
import { cpuDuring } from './cpu';
import type { Round } from './load';
import type { Row } from './results';
import { median, quantile } from './stats';

/** By then the work that a request leaves behind is done; it counts as processor time of the request. */
const SETTLE_MS = 1_000;

/** Something that is compared with others under the same load, in rounds. */
export interface Contender {
  name: string;
  round(): Promise<Round>;
  /** Processes whose processor time is counted, if they are not the same for all contenders. */
  pids?: Readonly<Record<string, number>>;
}

/** Returns a contender for each way, with the same kind of round. */
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
  /** Of all rounds, in milliseconds. */
  latencies: number[];
  /** Milliseconds of processor time per request in each round, by the name of the process. */
  cpu: Record<string, number[]>;
}

export interface TurnOptions {
  rounds: number;
  output: Output;
  /** Processes whose processor time is counted, by name. */
  pids?: Readonly<Record<string, number>>;
}

/**
 * Runs rounds of each contender in turn, there and back (A B C, C B A, A B C …), so that all of them see the
 * same machine and none always follows the same one. The first round of each is a warm-up and does not count.
 */
export async function inTurns(
  contenders: readonly Contender[],
  { rounds, output, pids: shared = {} }: TurnOptions,
): Promise<Map<string, Standing>> {
  const standings = new Map<string, Standing>(
    contenders.map(({ name, pids = shared }) => [
      name,
      { name, rates: [], latencies: [], cpu: Object.fromEntries(Object.keys(pids).map((one) => [one, []])) },
    ]),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const { pids = shared } = contender;
      const { result, cpu } = await cpuDuring(pids, async () => {
        const result = await contender.round();
        if (Object.keys(pids).length > 0) await delay(SETTLE_MS);
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
      for (const [process, ms] of Object.entries(cpu)) standing.cpu[process]!.push(ms / sent);
    }
  }
  return standings;
}

/** Returns the median of the ratios of the rounds, each of which had both. */
export function ratio(one: Standing, other: Standing): number {
  return ratioOf(one.rates, other.rates);
}

/** Returns the median ratio of two figures per round. */
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

/** Returns the processor time per request of each process, in milliseconds. */
export function cpuRowOf({ name, cpu }: Standing): Row {
  const values = Object.entries(cpu).map(([process, rounds]) => [process, median(rounds)]);
  return { name, values: Object.fromEntries(values) as Record<string, number>, rounds: cpu };
}
