import { closedLoop } from '../harness/load';
import { goal, type Goal } from '../harness/goals';
import type { Table } from '../harness/results';
import { contendersOf, inTurns, ratio, rowOf } from '../harness/rounds';
import { quantile } from '../harness/stats';
import { anyOf, placeCall } from './calls';
import type { Scenario } from './scenario';

const WORKERS = [1, 4];
const IN_FLIGHT = 20;
const PRODUCTS = 1_000;

/** All orders are for one product, so one document of MongoDB takes all reservations. */
export const flashSale: Scenario = async (system, { rounds, seconds }) => {
  const api = await system.startApi();
  const products = await system.sell(PRODUCTS);
  const [hot] = products as [string];
  const way = (choose: () => string) => async () =>
    void (await system.expect(placeCall(system, `${api.url}/orders`, [choose()]), 201));
  const ways = { 'one SKU': way(() => hot), '1 000 SKUs': way(() => anyOf(products)) };
  const contenders = contendersOf(ways, (work) => closedLoop(work, { inFlight: IN_FLIGHT, seconds }));
  const tables: Table[] = [];
  const goals: Goal[] = [];
  let running = 0;
  for (const workers of WORKERS) {
    for (; running < workers; running++) await system.startWorker();
    system.output.line(`a flash sale, ${workers} worker processes`);
    const standings = await inTurns(contenders, { rounds, output: system.output });
    const [one, many] = [standings.get('one SKU')!, standings.get('1 000 SKUs')!];
    const p99 = quantile(one.latencies, 0.99) / quantile(many.latencies, 0.99);
    tables.push({
      title: `A flash sale with ${workers} worker processes`,
      method:
        `Closed loop, ${IN_FLIGHT} in flight, one line each; ${rounds} rounds of ${seconds} s, in turns. The processors are ` +
        'the limit here, well before what one document of MongoDB can take (docs/capacity.md).',
      rows: [...standings.values()].map(rowOf),
      plot: { column: 'per second' },
    });
    goals.push(
      goal(`one SKU by 1 000 SKUs, orders/s, ${workers} workers`, ratio(one, many), { atLeast: 0.8 }),
      goal(`the same, p99`, p99, { atMost: 2 }),
    );
  }
  return { scenario: 'flash-sale', tables, goals };
};
