import { closedLoop } from '../harness/load';
import { goal } from '../harness/goals';
import type { Row } from '../harness/results';
import { median } from '../harness/stats';
import { anyOf, placeCall } from './calls';
import type { Scenario } from './scenario';

const WORKERS = [1, 2, 4];
const LATENCY_MS = 200;
const SLOTS = 8;
const IN_FLIGHT = 100;
const PRODUCTS = 1_000;

/** A payment service that takes its time: what payments need is slots, so more processes are more orders. */
export const workers: Scenario = async (system, { rounds, seconds }) => {
  const api = await system.startApi();
  await system.startWorker({ WORKER_QUEUES: 'orders' });
  const products = await system.sell(PRODUCTS);
  const way = async () =>
    void (await system.expect(placeCall(system, `${api.url}/orders`, [anyOf(products)]), 201));
  const rows: Row[] = [];
  let running = 0;
  for (const count of WORKERS) {
    for (; running < count; running++) {
      await system.startScript('variants/payment-worker.ts', 'worker started', {
        PAYMENT_LATENCY_MS: String(LATENCY_MS),
        WORKER_MAX_CONCURRENT_PAYMENTS: String(SLOTS),
        WORKER_QUEUES: 'payments',
      });
    }
    await closedLoop(way, { inFlight: IN_FLIGHT, seconds });
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { done, seconds: taken } = await closedLoop(way, { inFlight: IN_FLIGHT, seconds });
      rates.push(done / taken);
    }
    const slotsAllow = (count * SLOTS * 1_000) / LATENCY_MS;
    rows.push({
      name: `${count} payment workers`,
      values: { 'per second': median(rates), 'slots allow': slotsAllow },
    });
    system.output.line(`  ${count} payment workers: ${median(rates).toFixed(1)}/s of ${slotsAllow}`);
  }
  const rate = (row: Row | undefined) => row!.values['per second']!;
  return {
    scenario: 'workers',
    tables: [
      {
        title: 'Orders by payment workers',
        method: `The payment service takes ${LATENCY_MS} ms, each worker has ${SLOTS} slots, ${IN_FLIGHT} orders are in flight.`,
        rows,
        plot: { column: 'per second', unit: '/s' },
      },
    ],
    goals: [goal('orders/s of 4 payment workers by 1', rate(rows.at(-1)) / rate(rows[0]), { atLeast: 3.6 })],
  };
};
