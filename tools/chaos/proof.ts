import { mongo } from 'mongoose';
import type { CallRecord, Op } from './log';
import type { Finding } from './report';
import type { Rig } from './rig/rig';

/** What a run has to meet so that finding nothing means something. */
export interface Bar {
  what: string;
  atLeast: number;
  found: number;
}

/** Returns a finding for each bar that the run has not met: nothing was wrong, and little would have been seen. */
export function notProven(bars: readonly Bar[]): Finding[] {
  return bars
    .filter(({ atLeast, found }) => found < atLeast)
    .map(({ what, atLeast, found }) => ({
      kind: 'not_proven',
      means: 'The run has not met what it is about',
      subject: what,
      expected: `at least ${atLeast}`,
      found: String(found),
    }));
}

/** What clients do so often that even a minute on a machine that is much too busy has some of it. */
const EACH_MINUTE: Partial<Record<Op, number>> = {
  'order.place': 2,
  'order.read': 3,
  'order.cancel': 0.5,
  'order.fulfill': 0.5,
};
/** What was tried so often has succeeded at least once. */
const OFTEN = 40;

/** Clients have done something of each kind, not only asked for it. */
export function barsOfCalls(log: readonly CallRecord[], minutes: number): Bar[] {
  const ops = new Set([...log.map(({ op }) => op), ...(Object.keys(EACH_MINUTE) as Op[])]);
  return [...ops].map((op) => {
    const all = log.filter((call) => call.op === op);
    const often = all.length >= OFTEN ? 1 : 0;
    return {
      what: `${op} that succeed`,
      atLeast: Math.max(often, Math.floor((EACH_MINUTE[op] ?? 0) * minutes)),
      found: all.filter(({ outcome }) => outcome === 'ok').length,
    };
  });
}

/** The first calls of all put the goods into the stock. */
export function barOfStocking(log: readonly CallRecord[], products: number): Bar {
  const stocked = log.filter(
    ({ client, op, outcome }) => client === 'owner' && op === 'stock.adjust' && outcome === 'ok',
  );
  return { what: 'products that are put into the stock', atLeast: products, found: stocked.length };
}

/** Orders have become what orders become, by what is stored. */
export async function barsOfOrders({ mongodbUri }: Pick<Rig, 'mongodbUri'>, minutes: number): Promise<Bar[]> {
  const client = new mongo.MongoClient(mongodbUri, { readConcern: { level: 'majority' } });
  const count = (filter: object): Promise<number> => client.db().collection('orders').countDocuments(filter);
  try {
    return [
      {
        what: 'orders that are confirmed',
        atLeast: Math.floor(minutes),
        found: await count({ statusHistory: { $elemMatch: { axis: 'status', to: 'confirmed' } } }),
      },
      {
        what: 'orders that are captured',
        atLeast: Math.floor(minutes / 2),
        found: await count({ captured: { $gt: 0 } }),
      },
      {
        what: 'orders that are refunded',
        atLeast: Math.floor(minutes / 4),
        found: await count({ refunded: { $gt: 0 } }),
      },
    ];
  } finally {
    await client.close();
  }
}
