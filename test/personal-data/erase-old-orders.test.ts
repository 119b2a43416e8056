import pino from 'pino';
import type { Order } from '../../src/domain/order';
import { createEraser } from '../../src/worker/activities';
import { eraseOldOrders } from '../../src/personal-data/erase-old-orders';
import { testWorkerConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { openShop, type Shop } from '../support/shop';
import { createOrderModel } from '../../src/orders/orders.model';
import { orderIn } from '../domain/fixtures';

const DAY = 86_400_000;
let shop: Shop;
beforeAll(async () => void (shop = await openShop({ own: true })));
afterAll(() => shop.close());

async function stored(id: string, daysAgo: number, fields: Partial<Order> = {}): Promise<string> {
  const at = new Date(Date.now() - daysAgo * DAY).toISOString();
  const order = orderIn({
    id,
    number: id,
    note: 'Ring twice',
    status: 'completed',
    updatedAt: at,
    ...fields,
  });
  await shop.db.connection.withSession((session) => shop.orders.insert({ ...order, revision: 1 }, session));
  return id;
}

const notes = async () =>
  Object.fromEntries(
    (await createOrderModel(shop.db.connection).find().lean()).map(({ _id, note }) => [_id, note]),
  );

it('erases closed orders that have not changed for the retention, archived ones as well, but no others', async () => {
  await stored('ord_old', 11);
  await stored('ord_archived', 12, { archivedAt: new Date(Date.now() - 12 * DAY).toISOString() });
  await stored('ord_new', 9);
  await stored('ord_open', 11, { status: 'confirmed' });
  const dispute = {
    id: 'd',
    amount: 1,
    status: 'opened',
    reason: 'fraudulent',
    at: '2026-01-01T00:00:00Z',
  } as const;
  await stored('ord_disputed', 12, { disputes: [dispute] });
  const { connection } = shop.db;
  const running = eraseOldOrders({
    orders: shop.orders,
    erase: createEraser(connection, testWorkerConfig()),
    retentionMs: 10 * DAY,
    logger: pino({ level: 'silent' }),
    everyMs: 10,
  });
  try {
    const kept = { ord_new: 'Ring twice', ord_open: 'Ring twice' };
    await eventually(async () =>
      expect(await notes()).toEqual({
        ord_old: null,
        ord_archived: null,
        ...kept,
        ord_disputed: 'Ring twice',
      }),
    );
    const decided = { $set: { 'disputes.0.status': 'won' } };
    await createOrderModel(connection).updateOne({ _id: 'ord_disputed' }, decided);
    await eventually(async () =>
      expect(await notes()).toEqual({ ord_old: null, ord_archived: null, ...kept, ord_disputed: null }),
    );
  } finally {
    await running.close();
  }
});
