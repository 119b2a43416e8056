import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedProcess } from '../../tools/devstack/managed-process';
import { imbalances, readBooks } from '../harness/books';
import { goal, type Goal } from '../harness/goals';
import { closedLoop, openLoop } from '../harness/load';
import { memoryOf } from '../harness/memory';
import type { Row } from '../harness/results';
import { quantile, ratesOf } from '../harness/stats';
import { STOCK, type System } from '../harness/system';
import { anyOf, dataOf, placeCall } from './calls';
import type { Scenario } from './scenario';

/** Parts are what the rate is judged by. */
const LENGTH = { parts: 20, partSeconds: 60 };
const QUICK = { parts: 4, partSeconds: 5 };
const SHARE_OF_CAPACITY = 0.7;
const LOOK_EVERY_MS = 1_000;
const PRODUCTS = 1_000;
/** By then Temporal lists the last workflow. */
const LISTED_MS = 5_000;

/**
 * Places orders for twenty minutes and kills one of two workers in the middle. Watches the rate and the memory of the
 * processes, and balances the books in the end.
 */
export const soak: Scenario = async (system, { rounds, seconds }) => {
  const api = await system.startApi();
  const worker = await system.startWorker();
  const victim = await system.startWorker({}, { restart: true });
  const { place, accepted, failures } = orders(system, `${api.url}/orders`, await system.sell(PRODUCTS));
  await closedLoop(place, { inFlight: 20, seconds });
  const capacity = await closedLoop(place, { inFlight: 20, seconds: rounds * seconds });
  const perSecond = Math.floor((capacity.done / capacity.seconds) * SHARE_OF_CAPACITY);
  const { parts, partSeconds } = rounds > 1 ? LENGTH : QUICK;
  const length = parts * partSeconds;
  system.output.line(`${perSecond} orders/s for ${length} s`);

  const pids = { api: api.process.pid!, worker: worker.pid!, ...system.serverPids() };
  const stopWatching = new AbortController();
  const watching = memoryOverTime(pids, stopWatching.signal);
  const killing = killAfter(victim, (length * 1_000) / 2, system);
  const load = await openLoop(place, { perSecond, seconds: length });
  stopWatching.abort();
  const [memory] = await Promise.all([watching, killing]);
  await delay(LISTED_MS);
  const wrong = imbalances(await readBooks(system), accepted, STOCK);
  for (const what of [...failures.map(String), ...wrong].slice(0, 20)) system.output.line(`  ${what}`);

  const rates = ratesOf(load.doneAt, parts, partSeconds);
  const rows = Object.entries(memory).map(([name, all]) => memoryRow(name, all));
  return {
    scenario: 'soak',
    tables: [
      {
        title: `${length} s at ${perSecond} orders/s`,
        method:
          `${SHARE_OF_CAPACITY * 100} % of capacity, open loop, two workers, one of which is killed after half of the time and ` +
          `started again by its supervisor: ${load.done} orders in ${load.seconds.toFixed(0)} s, p50 ` +
          `${quantile(load.latencies, 0.5).toFixed(0)} ms, p99 ${quantile(load.latencies, 0.99).toFixed(0)} ms, at most ` +
          `${Math.max(...load.latencies).toFixed(0)} ms. Resident memory of each process, once a second; that of the worker ` +
          'is of the one that lives.',
        rows,
      },
      {
        title: 'Orders per second in the course of time',
        method: `Responses in each ${partSeconds} s. The kill comes between the two halves.`,
        rows: [
          {
            name: 'orders',
            values: { 'slowest per second': Math.min(...rates), 'fastest per second': Math.max(...rates) },
            rates,
          },
        ],
      },
    ],
    goals: [
      ...rows.filter(({ name }) => name === 'api' || name === 'worker').map(memoryGoal),
      goal(`the slowest ${partSeconds} s by the rate at which orders come`, Math.min(...rates) / perSecond, {
        atLeast: 0.95,
      }),
      goal(`the fastest ${partSeconds} s`, Math.max(...rates) / perSecond, { atMost: 1.05 }),
      none('failed requests', failures),
      none('differences between orders, payments, stock and workflows', wrong),
    ],
  };
};

/** Returns a function that places an order, the ids of those that were confirmed, and the requests that failed. */
function orders(system: System, url: string, products: readonly string[]) {
  const accepted: string[] = [];
  const failures: unknown[] = [];
  async function place(): Promise<void> {
    try {
      const body = await system.expect(placeCall(system, url, [anyOf(products)]), 201);
      accepted.push(dataOf<{ id: string }>(body).id);
    } catch (error) {
      failures.push(error);
    }
  }
  return { place, accepted, failures };
}

/** Kills the process, whose supervisor starts it again. */
async function killAfter(victim: ManagedProcess, afterMs: number, { output }: System): Promise<void> {
  await delay(afterMs);
  output.line(`  killing worker ${victim.pid}`);
  process.kill(victim.pid!, 'SIGKILL');
}

/** Returns the resident memory of each process in MB, once a second. */
async function memoryOverTime(
  pids: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<Record<string, number[]>> {
  const memory = Object.fromEntries(Object.keys(pids).map((name) => [name, [] as number[]]));
  while (!signal.aborted) {
    for (const [name, pid] of Object.entries(pids)) memory[name]!.push(await memoryOf(pid));
    await delay(LOOK_EVERY_MS);
  }
  return memory;
}

function memoryRow(name: string, all: readonly number[]): Row {
  const quarter = (n: number) => mean(all.slice((all.length * n) / 4, (all.length * (n + 1)) / 4));
  return {
    name,
    values: { 'second quarter MB': quarter(1), 'last quarter MB': quarter(3), 'most MB': Math.max(...all) },
  };
}

function memoryGoal({ name, values }: Row): Goal {
  const ratio = values['last quarter MB']! / values['second quarter MB']!;
  return goal(`memory of the ${name}, last quarter by second`, ratio, { atMost: 1.05 });
}

function none(what: string, found: readonly unknown[]): Goal {
  return { what, goal: 'none', measured: String(found.length), met: found.length === 0 };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
