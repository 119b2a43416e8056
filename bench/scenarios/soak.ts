import { setTimeout as delay } from 'node:timers/promises';
import { memoryOf } from '../harness/memory';
import { closedLoop, openLoop } from '../harness/load';
import { goal, type Goal } from '../harness/goals';
import type { Row } from '../harness/results';
import { quantile } from '../harness/stats';
import { anyOf, placeCall } from './calls';
import type { Scenario } from './scenario';

const MINUTES = 10;
const SHARE_OF_CAPACITY = 0.7;
const LOOK_EVERY_MS = 1_000;
const PRODUCTS = 1_000;

/** Places orders for ten minutes, and watches the memory of the processes. */
export const soak: Scenario = async (system, { rounds, seconds }) => {
  const api = await system.startApi();
  const worker = await system.startWorker();
  const products = await system.sell(PRODUCTS);
  const way = async () =>
    void (await system.expect(placeCall(system, `${api.url}/orders`, [anyOf(products)]), 201));
  await closedLoop(way, { inFlight: 20, seconds });
  const capacity = await closedLoop(way, { inFlight: 20, seconds: rounds * seconds });
  const perSecond = Math.floor((capacity.done / capacity.seconds) * SHARE_OF_CAPACITY);
  const length = rounds > 1 ? MINUTES * 60 : 20;
  system.output.line(`${perSecond} orders/s for ${length} s`);

  const pids = { api: api.process.pid!, worker: worker.pid!, ...system.serverPids() };
  const memory = Object.fromEntries(Object.keys(pids).map((name) => [name, [] as number[]]));
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      for (const [name, pid] of Object.entries(pids)) memory[name]!.push(await memoryOf(pid));
      await delay(LOOK_EVERY_MS);
    }
  })();
  const load = await openLoop(way, { perSecond, seconds: length }).finally(() => (isOver = true));
  await watching;

  const rows = Object.entries(memory).map(([name, all]): Row => {
    const quarter = (n: number) => mean(all.slice((all.length * n) / 4, (all.length * (n + 1)) / 4));
    return {
      name,
      values: { 'second quarter MB': quarter(1), 'last quarter MB': quarter(3), 'most MB': Math.max(...all) },
    };
  });
  const goals = rows
    .filter(({ name }) => name === 'api' || name === 'worker')
    .map(({ name, values }): Goal =>
      goal(
        `memory of the ${name}, last quarter by second`,
        values['last quarter MB']! / values['second quarter MB']!,
        {
          atMost: 1.05,
        },
      ),
    );
  return {
    scenario: 'soak',
    tables: [
      {
        title: `${length} s at ${perSecond} orders/s`,
        method:
          `${SHARE_OF_CAPACITY * 100} % of capacity, open loop: ${load.done} orders in ${load.seconds.toFixed(0)} s, p50 ` +
          `${quantile(load.latencies, 0.5).toFixed(0)} ms, p99 ${quantile(load.latencies, 0.99).toFixed(0)} ms. Resident memory ` +
          'of each process, once a second. Temporal keeps its histories in memory here (its development server).',
        rows,
      },
    ],
    goals,
  };
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
