import { closedLoop } from '../harness/load';
import { goal } from '../harness/goals';
import type { Row, Table } from '../harness/results';
import { median } from '../harness/stats';
import { anyOf, placeCall } from './calls';
import type { ManagedProcess } from '../../tools/devstack/managed-process';
import type { System } from '../harness/system';
import type { Scenario, ScenarioOptions } from './scenario';

const WORKERS = [1, 2, 4];
const LATENCY_MS = 200;
/** One load with more orders than two cores can place, and one where slots are the limit. */
const LOADS = [
  { slots: 8, each: '8 slots each', inFlight: 100 },
  { slots: 1, each: '1 slot each', inFlight: 24 },
];
const PRODUCTS = 1_000;
const STOP_MS = 20_000;

/** With a slow payment service slots are what payments need, so more processes mean more orders. */
export const workers: Scenario = async (system, options) => {
  const api = await system.startApi({ PAYMENTS_INLINE: 'false' }); // the payment workers are what is measured
  await system.startWorker({ WORKER_QUEUES: 'orders' });
  const products = await system.sell(PRODUCTS);
  const way = async () =>
    void (await system.expect(placeCall(system, `${api.url}/orders`, [anyOf(products)]), 201));
  const tables: Table[] = [];
  for (const load of LOADS) {
    const rows = await ratesOf(way, load, options, system);
    tables.push({
      title: `Orders by payment workers with ${load.each}`,
      method: `The payment service takes ${LATENCY_MS} ms, ${load.inFlight} orders are in flight.`,
      rows,
      plot: { column: 'per second' },
    });
  }
  return {
    scenario: 'workers',
    tables,
    goals: LOADS.map(({ each }, n) => {
      const rate = (row: Row | undefined) => row!.values['per second']!;
      const { rows } = tables[n]!;
      const what = `orders/s of 4 payment workers by 1, ${each}`;
      return goal(what, rate(rows.at(-1)) / rate(rows[0]), { atLeast: 3.6 });
    }),
  };
};

async function ratesOf(
  way: () => Promise<void>,
  { slots, inFlight }: { slots: number; inFlight: number },
  { rounds, seconds }: ScenarioOptions,
  system: System,
): Promise<Row[]> {
  const rows: Row[] = [];
  const running: ManagedProcess[] = [];
  for (const count of WORKERS) {
    while (running.length < count) {
      running.push(
        await system.startScript('variants/payment-worker.ts', 'worker started', {
          PAYMENT_LATENCY_MS: String(LATENCY_MS),
          WORKER_MAX_CONCURRENT_PAYMENTS: String(slots),
          WORKER_QUEUES: 'payments',
        }),
      );
    }
    await closedLoop(way, { inFlight, seconds });
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { done, seconds: counted } = await closedLoop(way, { inFlight, seconds });
      rates.push(done / counted);
    }
    const slotsAllow = (count * slots * 1_000) / LATENCY_MS;
    const name = `${count} payment ${count === 1 ? 'worker' : 'workers'}`;
    rows.push({ name, values: { 'per second': median(rates), 'slots allow': slotsAllow }, rates });
    system.output.line(`  ${name}: ${median(rates).toFixed(1)}/s of ${slotsAllow}`);
  }
  for (const worker of running) await worker.stop(STOP_MS);
  return rows;
}
