import { randomUUID } from 'node:crypto';
import { closedLoop } from '../harness/load';
import { quantile } from '../harness/stats';
import type { System } from '../harness/system';
import { anyOf, dataOf, placeCall } from './calls';
import type { Scenario } from './scenario';

const IN_FLIGHT = 20;
const PRODUCTS = 100;

interface OrderView {
  id: string;
  fulfillments: { id: string }[];
}

/**
 * Returns a function that places, fulfills and delivers an order one step after the other, like a shop that ships
 * immediately, and the latencies of each step, which it adds to.
 * @param orders the URL of `POST /orders`
 */
export function livesOf(system: System, orders: string, products: readonly string[]) {
  const admin = system.headers('ADMIN');
  const steps: Record<string, number[]> = { place: [], fulfill: [], deliver: [] };

  async function timed<T>(step: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    steps[step]!.push(performance.now() - start);
    return result;
  }

  async function live(): Promise<void> {
    const productServiceId = anyOf(products);
    const placed = await timed('place', () =>
      system.expect(placeCall(system, orders, [productServiceId]), 201),
    );
    const url = `${orders}/${dataOf<OrderView>(placed).id}/fulfillments`;
    const body = JSON.stringify({ items: [{ productServiceId, quantity: 1 }] });
    const fulfilled = await timed('fulfill', () =>
      system.expect(
        { url, method: 'POST', headers: { ...admin, 'Idempotency-Key': randomUUID() }, body },
        201,
      ),
    );
    const [{ id }] = dataOf<OrderView>(fulfilled).fulfillments as [{ id: string }];
    await timed('deliver', () =>
      system.expect({ url: `${url}/${id}/deliver`, method: 'POST', headers: admin }, 200),
    );
  }

  return { live, steps };
}

/** Measures whole lives of orders. */
export const life: Scenario = async (system, { rounds, seconds }) => {
  const api = await system.startApi();
  await system.startWorker();
  const { live, steps } = livesOf(system, `${api.url}/orders`, await system.sell(PRODUCTS));
  system.output.line('lives of orders');
  await closedLoop(live, { inFlight: IN_FLIGHT, seconds });
  for (const latencies of Object.values(steps)) latencies.length = 0;
  const { done, seconds: counted } = await closedLoop(live, {
    inFlight: IN_FLIGHT,
    seconds: rounds * seconds,
  });
  return {
    scenario: 'life',
    tables: [
      {
        title: `Whole lives of orders: ${(done / counted).toFixed(1)} a second`,
        method: `Place, fulfill, deliver over HTTP, ${IN_FLIGHT} lives at a time for ${rounds * seconds} s.`,
        rows: Object.entries(steps).map(([name, latencies]) => ({
          name,
          values: {
            count: latencies.length,
            'p50 ms': quantile(latencies, 0.5),
            'p99 ms': quantile(latencies, 0.99),
          },
        })),
        plot: { column: 'p50 ms' },
      },
    ],
    goals: [],
  };
};
