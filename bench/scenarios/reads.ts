import { randomBytes } from 'node:crypto';
import { newId } from '../../src/common/ids';
import { encodeCursor } from '../../src/common/pagination';
import { orderIdOf } from '../../src/orders/order-request';
import { closedLoop, type Call } from '../harness/load';
import { goal } from '../harness/goals';
import type { Row } from '../harness/results';
import { contendersOf, cpuRowOf, inTurns, ratio, rowOf } from '../harness/rounds';
import { quantile } from '../harness/stats';
import type { System } from '../harness/system';
import { anyOf, dataOf, placeCall } from './calls';
import type { Scenario } from './scenario';

const SIZES = [1_000, 100_000, 1_000_000];
const QUICK_SIZES = [1_000, 100_000];
const IN_FLIGHT = 10;
const BATCH = 5_000;
/** Every so many orders belong to the customer who asks. */
const OWN_EVERY = 50;
const SPACING_MS = 30_000;
/** Every so many are cancelled. */
const CANCELLED_EVERY = 100;
/** Where the page begins that is not the first. */
const FAR_BACK = 900;

interface Stored {
  _id: string;
  number: string;
  status: string;
  customerId: string;
  createdAt: Date;
}

/** Reads while more and more orders are stored. */
export const reads: Scenario = async (system, { rounds, seconds }) => {
  const [api, variants] = [await system.startApi(), await system.startVariantsServer()];
  await system.startWorker();
  const products = await system.sell(100);
  const placed = await system.expect(placeCall(system, `${api.url}/orders`, products.slice(0, 3)), 201);
  const { id } = dataOf<{ id: string }>(placed);
  const orders = system.database.collection<Stored>('orders');
  const template = (await orders.findOne({ _id: id }))!;
  const own: string[] = [id];

  const get = (url: string, role: 'CUSTOMER' | 'ADMIN' = 'CUSTOMER'): (() => Promise<void>) => {
    const call: Omit<Call, 'url'> = { method: 'GET', headers: system.headers(role) };
    return async () => void (await system.expect({ ...call, url: url.replace('{id}', anyOf(own)) }, 200));
  };
  const ways = {
    'an order': get(`${api.url}/orders/{id}`),
    'a customer’s page': get(`${api.url}/orders`),
    'a customer’s confirmed': get(`${api.url}/orders?status=confirmed`),
    'an ADMIN’s page': get(`${api.url}/orders`, 'ADMIN'),
    'an ADMIN’s confirmed': get(`${api.url}/orders?status=confirmed`, 'ADMIN'),
    [`an ADMIN’s cancelled, 1 in ${CANCELLED_EVERY}`]: get(`${api.url}/orders?status=cancelled`, 'ADMIN'),
    [`an ADMIN’s page after ${FAR_BACK}`]: get(`${api.url}/orders?cursor=${farBack()}`, 'ADMIN'),
    'the catalogue': get(`${api.url}/product-services`),
  };
  const rows: Row[] = Object.keys(ways).map((name) => ({ name, values: {} }));
  let stored = 1;
  for (const size of rounds > 1 ? SIZES : QUICK_SIZES) {
    system.output.line(`storing ${size} orders …`);
    own.push(...(await store(system, template, { from: stored, to: size })));
    stored = size;
    for (const [n, [name, way]] of Object.entries(ways).entries()) {
      await closedLoop(way, { inFlight: IN_FLIGHT, seconds: seconds / 2 });
      const { latencies } = await closedLoop(way, { inFlight: IN_FLIGHT, seconds });
      rows[n]!.values[`p50 ms, ${size} orders`] = quantile(latencies, 0.5);
      system.output.line(`  ${name}: p50 ${quantile(latencies, 0.5).toFixed(2)} ms`);
    }
  }

  const both = { ours: ways['an order'], plain: get(`${variants.url}/read/{id}`) };
  const beside = contendersOf(both, (way) => closedLoop(way, { inFlight: IN_FLIGHT, seconds }));
  const pids = {
    ours: api.process.pid!,
    plain: variants.process.pid!,
    client: process.pid,
    mongodb: system.serverPids().mongodb,
  };
  const standings = await inTurns(beside, { rounds, output: system.output, pids });
  const sizes = Object.keys(rows[0]!.values);
  const growth = (name: string) => {
    const { values } = rows.find((row) => row.name === name)!;
    return values[sizes.at(-1)!]! / values[sizes[0]!]!;
  };
  return {
    scenario: 'reads',
    tables: [
      {
        title: 'Reads by number of orders stored',
        method: `Closed loop, ${IN_FLIGHT} in flight, ${seconds} s each after a warm-up; pages of 20; every ${OWN_EVERY}th order is the customer's.`,
        rows,
      },
      {
        title: 'An order by its id, beside plain Koa and Mongoose',
        method: `The same access token is checked, the same document read by its id; ${rounds} rounds of ${seconds} s, in turns.`,
        rows: [...standings.values()].map(rowOf),
        plot: { column: 'per second' },
      },
      {
        title: 'Processor time per read, ms',
        method: 'User and system time of each process in these rounds.',
        rows: [...standings.values()].map(cpuRowOf),
      },
    ],
    goals: [
      goal(
        'GET /orders/:id by plain Koa and Mongoose',
        ratio(standings.get('ours')!, standings.get('plain')!),
        {
          atLeast: 0.8,
        },
      ),
      goal(`a customer's page, p50, most orders by fewest`, growth('a customer’s page'), { atMost: 1.3 }),
      goal(`an ADMIN's page, p50, most orders by fewest`, growth('an ADMIN’s page'), { atMost: 1.3 }),
    ],
  };
};

/** As the API itself would say where the next page begins. */
function farBack(): string {
  const createdAt = new Date(Date.now() - FAR_BACK * SPACING_MS).toISOString();
  return encodeCursor([createdAt, `ord_${'0'.repeat(32)}`]);
}

/** Adds copies of an order. Returns the ids of those that are the customer's. */
async function store(
  { database, customerId }: System,
  template: Stored,
  { from, to }: { from: number; to: number },
): Promise<string[]> {
  const orders = database.collection<Stored>('orders');
  const own: string[] = [];
  for (let start = from; start < to; start += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, to - start) }, (_, n): Stored => {
      const isOwn = (start + n) % OWN_EVERY === 0;
      const owner = isOwn ? customerId : newId('usr');
      const _id = orderIdOf(owner, randomBytes(16).toString('hex'));
      if (isOwn && own.length < 1_000) own.push(_id);
      const createdAt = new Date(Date.now() - (start + n) * SPACING_MS);
      const status = (start + n) % CANCELLED_EVERY === 0 ? 'cancelled' : template.status;
      return { ...template, _id, number: _id, status, customerId: owner, createdAt };
    });
    await orders.insertMany(batch, { ordered: false });
  }
  return own;
}
