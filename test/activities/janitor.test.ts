import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createJanitorActivities, type JanitorActivityDeps } from '../../activities/janitor.activities';
import type { Order } from '../../src/domain/order';
import { createTransact } from '../../src/mongodb/transaction';
import { createOrderRepository } from '../../src/orders/orders.repository';
import type { Unfinished } from '../../src/orders/unfinished-orders';
import { CREATED, intendedFulfillment, LATER, orderIn, owed } from '../domain/fixtures';
import { openTestDatabase } from '../support/database';

/** A run over more orders than fit into memory, with orders that fail. */
const COUNT = 50;
const timeOf = (n: number) => new Date(Date.parse(CREATED) + n).toISOString();
const idOf = (n: number) => `ord_${String(n).padStart(2, '0')}`;
const being = { status: 'pending', paymentStatus: 'pending', updatedAt: CREATED } as const;
const ORDERS = Array.from({ length: COUNT }, (_, n) =>
  orderIn({ ...being, id: idOf(n), createdAt: timeOf(n) }),
);

let inMemory = 0;
let most = 0;
let asked: string[];
beforeEach(() => {
  [inMemory, most, asked] = [0, 0, []];
});

function janitor({ executeAlways }: Partial<JanitorActivityDeps['workflows']> = {}) {
  return createJanitorActivities({
    afterMs: 60_000,
    orders: {
      listUnfinished: (which, { after, limit }) => {
        const from = after ? ORDERS.findIndex(({ id }) => id === after.id) + 1 : 0;
        return Promise.resolve(which === 'pending' ? ORDERS.slice(from, from + limit) : []);
      },
    },
    workflows: {
      isRunning: (id) => Promise.resolve(id === idOf(1)),
      executeAlways:
        executeAlways ??
        (async (order: Order) => {
          most = Math.max(most, ++inMemory);
          await new Promise(setImmediate);
          inMemory--;
          asked.push(order.id);
          if (order.id === idOf(2)) throw new Error('It cannot be read.');
          return order.id === idOf(3) ? 'late' : { version: 1 };
        }),
    },
  });
}

function environment(heartbeatDetails?: unknown) {
  const env = new MockActivityEnvironment(
    { heartbeatDetails },
    { logger: new DefaultLogger('ERROR', () => undefined) },
  );
  const beats: unknown[] = [];
  env.on('heartbeat', (details) => beats.push(details));
  return { env, beats };
}

it('asks a few at a time, and continues after one that fails or is late', async () => {
  const { env, beats } = environment();
  const report = await env.run(janitor().finishStuckOrders);
  expect(report).toEqual({ seen: COUNT, moved: COUNT - 3, underWay: 1, failed: 1 });
  expect(asked).toHaveLength(COUNT - 1);
  expect(most).toBeLessThanOrEqual(20);
  expect(beats.length).toBeGreaterThanOrEqual(3);
});

it('continues after the orders that an earlier attempt has asked', async () => {
  const first = environment();
  let calls = 0;
  const cancelled = janitor({
    executeAlways: () => {
      if (++calls === 30) first.env.cancel();
      return Promise.resolve({ version: 1 });
    },
  });
  await expect(first.env.run(cancelled.finishStuckOrders)).rejects.toThrow();
  const second = environment(first.beats.at(-1));
  const report = await second.env.run(janitor().finishStuckOrders);
  expect(report).toMatchObject({ seen: COUNT });
  expect(asked).toEqual(ORDERS.slice(40).map(({ id }) => id));
});

it('finds every unfinished order once, page by page, and no other', async () => {
  const db = await openTestDatabase();
  const orders = createOrderRepository(db.connection);
  const confirmed = { status: 'confirmed', paymentStatus: 'authorized' } as const;
  const since = CREATED;
  const challenged = { paymentStatus: 'action_required', payBy: LATER } as const;
  const stored: Record<string, Partial<Order>> = {
    pending_1: being,
    pending_2: { ...being, ...challenged },
    pending_3: { ...being, compensations: [owed({ since })] },
    late: { ...being, createdAt: LATER },
    confirmed,
    rejected: { status: 'rejected' },
    obligation_1: { ...confirmed, ...challenged },
    obligation_2: { ...confirmed, intention: { ...intendedFulfillment(), since } },
    obligation_3: { ...confirmed, compensations: [owed({ since })] },
    obligation_4: { status: 'cancelled', compensations: [owed({ since, state: 'pending' })] },
    settled: { status: 'cancelled', compensations: [owed({ since, state: 'resolved' })] },
    recent: { ...confirmed, compensations: [owed({ since: LATER })] },
  };
  for (const [id, fields] of Object.entries(stored)) {
    const order = orderIn({ createdAt: CREATED, ...fields, id, number: id });
    await createTransact(db.connection)((session) => orders.insert(order, session));
  }
  const found: string[] = [];
  for (const which of ['pending', 'obligation'] satisfies Unfinished[]) {
    for (let last: Order | undefined, isLast = false; !isLast;) {
      const after = last && { at: new Date(last.createdAt), id: last.id };
      const page = await orders.listUnfinished(which, { before: new Date(CREATED), after, limit: 2 });
      found.push(...page.map(({ id }) => id));
      [last, isLast] = [page.at(-1), page.length < 2];
    }
  }
  expect(found).toEqual(Object.keys(stored).filter((id) => /_\d/.test(id)));
  await db.drop();
});
