import { randomBytes } from 'node:crypto';
import type { mongo } from 'mongoose';
import { newId } from '../../src/common/ids';
import { orderIdOf } from '../../src/orders/order-request';
import { cpuDuring } from '../harness/cpu';
import { goal } from '../harness/goals';
import { closedLoop } from '../harness/load';
import { watchMemory } from '../harness/memory';
import type { Row } from '../harness/results';
import type { System } from '../harness/system';
import { livesOf } from './life';
import { anyOf, placeCall } from './calls';
import type { Scenario } from './scenario';

const SIZES = [1_000, 100_000, 1_000_000];
const QUICK_SIZES = [1_000, 10_000];
const PRODUCTS = 100;
const OPEN_SECONDS = 10;
const IN_FLIGHT = 10;
const BATCH = 5_000;
const DAY_MS = 86_400_000;
/** What the worker may grow by, beyond what it had with few orders, in MB. */
const MOST_GROWTH_MB = 150;

interface Item {
  productServiceId: string;
  sku: string;
  quantity: number;
}

interface Stored extends mongo.Document {
  _id: string;
  items: Item[];
  fulfillments: { items: Item[] }[];
}

/**
 * Audits more and more orders, by the command and a worker. Orders that are open are placed by the API; those that were
 * delivered long ago are copies of one of them.
 */
export const audit: Scenario = async (system, { rounds }) => {
  const [api, worker] = [await system.startApi(), await system.startWorker()];
  const products = await system.sell(PRODUCTS);
  const orders = system.database.collection<Stored>('orders');
  const { live } = livesOf(system, `${api.url}/orders`, products);
  await live();
  const template = (await orders.findOne({ status: 'completed' }))!;
  await closedLoop(
    async () => void (await system.expect(placeCall(system, `${api.url}/orders`, [anyOf(products)]), 201)),
    { inFlight: IN_FLIGHT, seconds: rounds > 1 ? OPEN_SECONDS : 1 },
  );
  const open = await orders.countDocuments({ archivedAt: null, status: 'confirmed' });
  const pids = { worker: worker.pid!, mongodb: system.serverPids().mongodb };
  const rows: Row[] = [];
  let [stored, plans] = [0, [] as Plan[]];
  for (const size of rounds > 1 ? SIZES : QUICK_SIZES) {
    system.output.line(`storing ${size} orders …`);
    await store(system, template, { count: size - stored, products });
    stored = size;
    const isFirst = rows.length === 0;
    if (isFirst) await system.database.db!.command({ profile: 2 });
    const begun = performance.now();
    const { result, cpu } = await cpuDuring(pids, () =>
      watchMemory(worker.pid!, () => system.runCommand('audit-orders')),
    );
    const seconds = (performance.now() - begun) / 1_000;
    if (isFirst) plans = await plansIn(system);
    rows.push({
      name: `${size} orders`,
      values: {
        seconds,
        'orders per second': size / seconds,
        'peak of the worker, MB': result.peakMb,
        'worker, ms of processor per 1 000 orders': cpu.worker! / (size / 1_000),
        'MongoDB, the same': cpu.mongodb! / (size / 1_000),
      },
    });
    system.output.line(`  ${seconds.toFixed(1)} s, peak ${result.peakMb.toFixed(0)} MB`);
  }
  const peak = (row: Row) => row.values['peak of the worker, MB']!;
  const { values: most } = rows.at(-1)!;
  const hours = 10_000_000 / most['orders per second']! / 3_600;
  return {
    scenario: 'audit',
    tables: [
      {
        title: `An audit of many orders; ten million would take ${hours.toFixed(1)} hours at the last rate`,
        method:
          `\`npm run audit:orders\` on one worker, with ${open} open orders that have workflows, and copies of a delivered one for the rest; ` +
          `${PRODUCTS} products, the first of which is in every fifth order. No events are kept of the copies, and payments are those of ` +
          'the open orders. Peaks are of resident memory, measured five times a second.',
        rows,
        plot: { column: 'peak of the worker, MB' },
      },
      {
        title: 'Queries of the audit, by their plans',
        method: "MongoDB's profiler, during the first run.",
        rows: summaryOf(plans),
      },
    ],
    goals: [
      goal(
        'the worker with the most orders beyond that with the fewest, MB',
        peak(rows.at(-1)!) - peak(rows[0]!),
        {
          atMost: MOST_GROWTH_MB,
        },
      ),
      goal('queries that scan a collection that grows', plans.filter(isScan).length, { atMost: 0 }),
      goal('queries that sort what they have read, or use the disk', plans.filter(isSort).length, {
        atMost: 0,
      }),
    ],
  };
};

interface Plan {
  ns: string;
  planSummary: string;
  command: { aggregate?: string; find?: string };
  hasSortStage?: boolean;
  usedDisk?: boolean;
  docsExamined?: number;
}

/** What the audit reads and grows with the shop. */
const GROWING = /\.(orders|carts|events|product_services|unpaid_orders)$/;
const isScan = ({ planSummary }: Plan) => planSummary.includes('COLLSCAN');
const isSort = ({ hasSortStage, usedDisk }: Plan) => hasSortStage === true || usedDisk === true;

async function plansIn({ database }: System): Promise<Plan[]> {
  await database.db!.command({ profile: 0 });
  const told = await database.db!.collection<Plan>('system.profile').find().toArray();
  // Change streams of other work follow the log of the database, which is no collection.
  const isFollowing = (plan: Plan) => JSON.stringify(plan).includes('$changeStream');
  return told.filter((plan) => plan.planSummary && GROWING.test(plan.ns) && !isFollowing(plan));
}

/** Of each collection and index, how often it was asked, and how many documents were read at most. */
function summaryOf(plans: readonly Plan[]): Row[] {
  // A plan of several ids names its index for each.
  const nameOf = ({ ns, planSummary }: Plan) =>
    `${ns}: ${[...new Set(planSummary.split(/,\s(?=IX)/))].join(', ')}`;
  const names = [...new Set(plans.map(nameOf))].sort();
  return names.map((name) => {
    const same = plans.filter((plan) => nameOf(plan) === name);
    const most = Math.max(...same.map(({ docsExamined = 0 }) => docsExamined));
    return { name, values: { queries: same.length, 'documents at most': most } };
  });
}

/** Adds copies of an order that was delivered long ago, and the units that it has to what their products have received. */
async function store(
  { database }: System,
  template: Stored,
  { count, products }: { count: number; products: readonly string[] },
): Promise<void> {
  const at = new Date(Date.now() - 400 * DAY_MS);
  const units = new Map<string, number>();
  for (let start = 0; start < count; start += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - start) }, (_, n): Stored => {
      const customerId = newId('usr');
      const id = products[n % 5 === 0 ? 0 : n % products.length]!;
      const _id = orderIdOf(customerId, randomBytes(16).toString('hex'));
      const times = { createdAt: new Date(at.getTime() + start + n), updatedAt: at };
      const items = template.items.map((item) => ({ ...item, productServiceId: id, sku: `SKU-${id}` }));
      for (const { quantity } of items) units.set(id, (units.get(id) ?? 0) + quantity);
      const fulfillments = template.fulfillments.map((fulfillment) => ({
        ...fulfillment,
        items: fulfillment.items.map((item) => ({ ...item, productServiceId: id })),
      }));
      return { ...template, _id, customerId, number: _id, items, fulfillments, ...times };
    });
    await database.collection<Stored>('orders').insertMany(batch, { ordered: false });
  }
  const received = [...units].map(([_id, more]) => ({
    updateOne: { filter: { _id }, update: { $inc: { stockReceived: more } } },
  }));
  await database.collection<{ _id: string; stockReceived: number }>('product_services').bulkWrite(received);
}
