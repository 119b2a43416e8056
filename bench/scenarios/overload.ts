import { setTimeout as delay } from 'node:timers/promises';
import { goal, type Goal } from '../harness/goals';
import { closedLoop, openLoop } from '../harness/load';
import type { Row } from '../harness/results';
import { quantile } from '../harness/stats';
import type { System } from '../harness/system';
import { anyOf, placeCall } from './calls';
import type { Scenario } from './scenario';

const TIMES = [2, 5];
const PRODUCTS = 1_000;
const IN_FLIGHT = 20;
/** What a shop has on a good day. */
const NORMAL = 0.7;
const LENGTH = { normal: 30, overload: 60, pause: 30 };
/** What an order gets that was let in and is not placed when the client's time is over. */
const LATE = 202;
const QUICK = { normal: 5, overload: 10, pause: 10 };

interface Outcome {
  /** Orders that were placed, per second. */
  goodput: number;
  refused: number;
  /** Orders that were let in and not placed while the client waited. */
  late: number;
  /** Of those that were placed, or let in, in milliseconds. */
  latencies: number[];
  /** Of those that were refused. */
  refusals: number[];
}

/**
 * Orders arrive at what the system can do times two and times five, whether it answers or not, with the admission control
 * that every installation has. What it can do is measured just before, without it.
 */
export const overload: Scenario = async (system, { rounds, seconds }) => {
  await system.startWorker();
  const products = await system.sell(PRODUCTS);
  const soldOut = await system.sell(1);
  await system.database
    .collection('product_services')
    .updateOne({ _id: soldOut[0] as never }, { $set: { 'stock.available': 0 } });
  const open = await system.startApi({ MAX_ORDERS_IN_FLIGHT: '0' });
  const work = async () =>
    void (await system.expect(placeCall(system, `${open.url}/orders`, [anyOf(products)]), 201));
  await closedLoop(work, { inFlight: IN_FLIGHT, seconds });
  const peak = await closedLoop(work, { inFlight: IN_FLIGHT, seconds: rounds * seconds });
  const perSecond = peak.done / peak.seconds;

  const api = await system.startApi({ MAX_ORDERS_IN_FLIGHT: '200', PLACE_ORDER_TIMEOUT_MS: '5000' });
  const length = rounds > 1 ? LENGTH : QUICK;
  const send = (times: number, lasting: number, choose = () => anyOf(products), expected = 201) =>
    arrivals(system, {
      perSecond: times * perSecond,
      seconds: lasting,
      request: () => placeCall(system, `${api.url}/orders`, [choose()]),
      expected,
    });
  await send(NORMAL, length.normal); // nothing of the process is cold after that
  const normal = await send(NORMAL, length.normal);
  const rows: Row[] = [rowOf('normal, 0.7 of the peak', normal)];
  const goals: Goal[] = [goal('refused in normal times, share', shareRefused(normal), { atMost: 0.01 })];
  const p99 = ({ latencies }: Outcome) => quantile(latencies, 0.99);
  for (const times of TIMES) {
    system.output.line(`${times} times the peak of ${perSecond.toFixed(0)} orders/s`);
    const over = await send(times, length.overload);
    await delay(length.pause * 1_000);
    const after = await send(NORMAL, length.normal);
    rows.push(rowOf(`${times} times the peak`, over), rowOf('  30 s later', after));
    goals.push(
      goal(`${times} times the peak: goodput by the peak`, over.goodput / perSecond, { atLeast: 0.8 }),
      goal(`  p99 of what is placed by that of normal times`, p99(over) / p99(normal), { atMost: 2 }),
      goal(`  p99 30 s later by that of normal times`, p99(after) / p99(normal), { atMost: 1.5 }),
      goal(`  refused 30 s later, share`, shareRefused(after), { atMost: 0.01 }),
    );
  }
  system.output.line('a shop that is sold out');
  const sendInVain = (times: number) => send(times, length.normal, () => soldOut[0]!, 409);
  const [rush, out] = [await sendInVain(1), await sendInVain(5)];
  rows.push(rowOf('the peak, sold out', rush), rowOf('5 times the peak, sold out', out));
  goals.push(
    goal('the peak, sold out: refused, share', shareRefused(rush), { atMost: 0.01 }),
    goal('5 times the peak, sold out: out_of_stock per second by the peak', out.goodput / perSecond, {
      atLeast: 0.8,
    }),
    goal('  p99 of out_of_stock by that of normal times', p99(out) / p99(normal), { atMost: 2 }),
  );
  return {
    scenario: 'overload',
    tables: [
      {
        title: 'More orders than can be placed',
        method:
          'Open loop: orders arrive by chance (a Poisson process), one line each, with one worker and one API process. ' +
          `The peak of ${perSecond.toFixed(1)} orders/s was measured just before, closed loop with ${IN_FLIGHT} in flight and no admission control. Latencies are those of ` +
          'orders that were placed (the last rows: answered with out_of_stock), from when they were due; the others got 503.',
        rows,
        plot: { column: 'placed per second' },
      },
    ],
    goals,
  };
};

interface Arrivals {
  perSecond: number;
  seconds: number;
  request(): ReturnType<typeof placeCall>;
  /** The status of what is done; what is refused gets 503. */
  expected: number;
}

async function arrivals(
  { http }: System,
  { perSecond, seconds, request, expected }: Arrivals,
): Promise<Outcome> {
  const latencies: number[] = [];
  const refusals: number[] = [];
  let late = 0;
  const round = await openLoop(
    async (dueAt) => {
      const { status, body } = await http.send(request());
      const ms = performance.now() - dueAt;
      if (status === LATE) late++;
      if (status === expected || status === LATE) latencies.push(ms);
      else if (status === 503) refusals.push(ms);
      else throw new Error(`An order gets ${status}: ${body.slice(0, 500)}`);
    },
    { perSecond, seconds, byChance: true },
  );
  const goodput = (latencies.length - late) / round.seconds;
  return { goodput, refused: refusals.length, late, latencies, refusals };
}

const shareRefused = ({ refused, latencies }: Outcome) => refused / Math.max(1, refused + latencies.length);

function rowOf(name: string, { goodput, refused, late, latencies, refusals }: Outcome): Row {
  return {
    name,
    values: {
      'placed per second': goodput,
      'p50 ms': quantile(latencies, 0.5),
      'p99 ms': quantile(latencies, 0.99),
      refused,
      'let in, and late': late,
      'p99 of refusals ms': refusals.length > 0 ? quantile(refusals, 0.99) : 0,
    },
  };
}
