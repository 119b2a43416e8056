import { createOrderWriter, type OrderWriterDeps } from '../../activities/order-writer';
import { createAuditRecorder } from '../../src/audit/recorder';
import { createCartRepository } from '../../src/carts/carts.repository';
import type { OrderRejected } from '../../src/domain/errors';
import type { Order } from '../../src/domain/order';
import { orderNumberOf } from '../../src/domain/order-number';
import { openedOrder, rejectedOrder, requestOf } from '../../src/domain/placing';
import { withAnswer } from '../../src/domain/command';
import { createTransact } from '../../src/mongodb/transaction';
import { createStockQueue } from '../../src/product-service/stock-queue';
import { createUnpaidOrdersRepository } from '../../src/orders/unpaid-orders.repository';
import { createStockRepository } from '../../src/product-service/stock.repository';
import { LATER, priced, pricingOf } from '../domain/fixtures';
import { lines } from '../support/order-api';
import { newCommand } from '../support/commands';
import { openShop, orderRequest, type Shop } from '../support/shop';

let shop: Shop;
beforeAll(async () => void (shop = await openShop()));
afterAll(() => shop.close());

/** A writer on the real database. @param orders replaces parts of the repository of orders */
function writerWith(
  orders: Partial<OrderWriterDeps['orders']> = {},
  recordAudit = createAuditRecorder(shop.db.connection),
) {
  const { connection } = shop.db;
  return createOrderWriter({
    orders: { ...shop.orders, ...orders },
    stock: createStockRepository(connection),
    stockQueue: createStockQueue(),
    transact: createTransact(connection),
    recordAudit,
    unpaid: createUnpaidOrdersRepository(connection),
    carts: createCartRepository(connection, {
      stock: createStockRepository(connection),
      stockQueue: createStockQueue(),
    }),
    maxUnpaid: { orders: 1, units: 0 },
  });
}

/** An order of that many units that is not stored yet, of a product of which that many are in stock. */
async function draft(quantity = 2, available = 5): Promise<{ order: Order; productId: string }> {
  const { id } = await shop.sell({ available });
  const request = orderRequest(lines([id, quantity]));
  return { order: openedOrder(request, pricingOf(priced(id, quantity))), productId: id };
}

async function stored(): Promise<{ order: Order; productId: string }> {
  const { order, productId } = await draft();
  return { order: (await writerWith().insert(order, fail)).order, productId };
}

const fail = (): never => {
  throw new Error('The stock was not to run out.');
};
const load = ({ id }: Order) => shop.orders.findById(id);
const withQuantity = (order: Order, quantity: number): Order => ({
  ...order,
  items: order.items.map((item) => ({ ...item, quantity })),
});
const rejectedFor =
  (order: Order) =>
  ({ message: detail }: OrderRejected) =>
    rejectedOrder(requestOf(order), null, { code: 'out_of_stock', detail }, LATER);

describe('insert', () => {
  it('stores the order at revision 1 with its stock', async () => {
    const { order, productId } = await draft();
    const { order: inserted, isNew } = await writerWith().insert(order, fail);
    expect(isNew).toBe(true);
    expect(inserted).toEqual({ ...order, revision: 1 });
    expect(await load(order)).toEqual(inserted);
    expect(await shop.stockOf(productId)).toEqual({ available: 3, reserved: 2 });
  });

  it('returns the stored order, and takes no stock, if there is one', async () => {
    const { order, productId } = await stored();
    expect(await writerWith().insert({ ...order, note: 'Another' }, fail)).toEqual({ order, isNew: false });
    expect(await shop.stockOf(productId)).toEqual({ available: 3, reserved: 2 });
  });

  it('returns the stored order if it has taken the last units', async () => {
    const { order, productId } = await draft(2, 2);
    const first = await writerWith().insert(order, fail);
    expect(await writerWith().insert(order, fail)).toEqual({ ...first, isNew: false });
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 2 });
  });

  it('takes the next number if another order has that of its id, and takes the stock once', async () => {
    const { order, productId } = await draft();
    const documents = shop.db.connection.collection<{ _id: string; number: string }>('orders');
    for (const taken of [0, 1]) {
      const other = await stored();
      await documents.updateOne(
        { _id: other.order.id },
        { $set: { number: orderNumberOf(order.id, taken) } },
      );
    }
    const { order: inserted, isNew } = await writerWith().insert(order, fail);
    expect(inserted).toEqual({ ...order, number: orderNumberOf(order.id, 2), revision: 1 });
    expect([isNew, await load(order)]).toEqual([true, inserted]);
    expect(await writerWith().insert(order, fail)).toEqual({ order: inserted, isNew: false });
    expect(await shop.stockOf(productId)).toEqual({ available: 3, reserved: 2 });
  });

  it('stores another order if the stock lacks units, and takes none', async () => {
    const { order, productId } = await draft(6, 5);
    const { order: inserted } = await writerWith().insert(order, rejectedFor(order));
    const rejection = { detail: expect.stringContaining('(6 ordered, 5 available)') as string };
    expect(inserted).toMatchObject({ status: 'rejected', rejection, revision: 1 });
    expect(await load(order)).toEqual(inserted);
    expect(await shop.stockOf(productId)).toEqual({ available: 5, reserved: 0 });
  });

  it('names the products that lack units, and no others', async () => {
    const [scarce, plenty] = [await shop.sell({ available: 1 }), await shop.sell({ available: 9 })];
    const items = [priced(scarce.id, 1), priced(plenty.id, 3), priced(scarce.id, 1)];
    const request = orderRequest(lines([scarce.id, 1], [plenty.id, 3], [scarce.id, 1]));
    const order = openedOrder(request, pricingOf(...items));
    const { order: rejected } = await writerWith().insert(order, rejectedFor(order));
    expect(rejected.rejection!.detail).toBe(
      `Not enough in stock: SKU-${scarce.id} (2 ordered, 1 available). Nothing was changed; order fewer.`,
    );
  });

  it('stores neither the order nor its stock if the order cannot be written', async () => {
    const { order, productId } = await draft();
    const insert = () => Promise.reject(new Error('The disk is full.'));
    await expect(writerWith({ insert }).insert(order, fail)).rejects.toThrow('The disk is full');
    expect(await load(order)).toBeNull();
    expect(await shop.stockOf(productId)).toEqual({ available: 5, reserved: 0 });
  });
});

describe('change', () => {
  const note = (text: string) => (order: Order) => ({ ...order, note: text });

  it('saves what becomes of the order in the next revision', async () => {
    const { order } = await stored();
    const changed = await writerWith().change(order.id, note('New'));
    expect(changed).toEqual({ ...order, note: 'New', revision: 2 });
    expect(await load(order)).toEqual(changed);
  });

  it('writes nothing if nothing changes', async () => {
    const { order } = await stored();
    const save = () => Promise.reject(new Error('It was written.'));
    expect(await writerWith({ save }).change(order.id, (same) => same)).toEqual(order);
  });

  it('returns null if there is no such order', async () => {
    expect(await writerWith().change('ord_missing', fail)).toBeNull();
  });

  it('moves the stock with the order', async () => {
    const { order, productId } = await stored();
    await writerWith().change(order.id, (now) => withQuantity(now, 5));
    expect(await load(order)).toMatchObject({ items: [{ quantity: 5 }], revision: 2 });
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 5 });
  });

  it('decides again, with the reason, if the stock lacks units', async () => {
    const { order, productId } = await stored();
    const changed = await writerWith().change(order.id, (now, _at, short) =>
      short ? { ...now, note: short.error.message } : withQuantity(now, 6),
    );
    expect(changed).toMatchObject({
      note: expect.stringContaining('(6 ordered, 5 available)') as string,
      items: [{ quantity: 2 }],
      revision: 2,
    });
    expect(await shop.stockOf(productId)).toEqual({ available: 3, reserved: 2 });
  });

  it('saves an order that is known without reading it', async () => {
    const { order } = await stored();
    const findById = () => Promise.reject(new Error('It was read.'));
    expect(await writerWith({ findById }).change(order.id, note('New'), order)).toMatchObject({
      revision: 2,
    });
  });
});

describe('the audit log', () => {
  const unwritable = () => Promise.reject(new Error('The audit log is full.'));
  const staff = newCommand();
  const restock = (order: Order, at: string) => withAnswer(withQuantity(order, 4), staff, null, at);
  const entriesOf = ({ id }: Order) => shop.db.connection.collection('audit').countDocuments({ object: id });

  it('has a change of the staff once, also if it is decided again', async () => {
    const { order } = await stored();
    const stale = order;
    await writerWith().change(order.id, (now) => ({ ...now, note: 'New' }));
    await writerWith().change(order.id, restock, stale, staff);
    expect(await entriesOf(order)).toBe(1);
  });

  it('that cannot be written keeps the order and its stock as they were', async () => {
    const { order, productId } = await stored();
    const failing = writerWith({}, unwritable);
    await expect(failing.change(order.id, restock, undefined, staff)).rejects.toThrow('log is full');
    expect(await load(order)).toEqual(order);
    expect(await shop.stockOf(productId)).toEqual({ available: 3, reserved: 2 });

    const { order: another, productId: others } = await draft();
    const origin = { by: 'usr_1', requestId: 'test', address: null };
    const audit = { origin, action: 'order.place', object: another.id, subject: null };
    const inserting = failing.insert(another, fail, () => ({ ...audit, changes: [], personal: [] }));
    await expect(inserting).rejects.toThrow('log is full');
    expect(await load(another)).toBeNull();
    expect(await shop.stockOf(others)).toEqual({ available: 5, reserved: 0 });
  });
});

describe('a change beside another writer', () => {
  const append = (text: string) => (order: Order) => ({ ...order, note: `${order.note ?? ''}${text}` });

  it('is decided again on what that one has saved', async () => {
    const { order } = await stored();
    const stale = order;
    await writerWith().change(order.id, append('a'));
    expect(await writerWith().change(order.id, append('b'), stale)).toMatchObject({
      note: 'ab',
      revision: 3,
    });
  });

  it('counts once each if many come at once', async () => {
    const { order, productId } = await stored();
    const more = (now: Order) => withQuantity(now, now.items[0]!.quantity + 1);
    await Promise.all([1, 2, 3].map(() => writerWith().change(order.id, more)));
    expect(await load(order)).toMatchObject({ items: [{ quantity: 5 }], revision: 4 });
    expect(await shop.stockOf(productId)).toEqual({ available: 0, reserved: 5 });
  });

  it('moves no stock for a decision that was superseded', async () => {
    const { order, productId } = await stored();
    const stale = order;
    await writerWith().change(order.id, (now) => withQuantity(now, 3));
    const save: typeof shop.orders.save = async (next, session) =>
      next.revision === 2 ? shop.orders.save(next, session) : Promise.reject(new Error('It stops here.'));
    const late = writerWith({ save }).change(order.id, (now) => withQuantity(now, 5), stale);
    await expect(late).rejects.toThrow('It stops here');
    expect(await load(order)).toMatchObject({ items: [{ quantity: 3 }], revision: 2 });
    expect(await shop.stockOf(productId)).toEqual({ available: 2, reserved: 3 });
  });

  it('is no shortage if that one has moved the stock for it', async () => {
    const { order, productId } = await stored();
    const release = (now: Order): Order =>
      now.reservation === 'held' ? { ...now, reservation: 'released' } : now;
    const released = await writerWith().change(order.id, release);
    expect(await writerWith().change(order.id, release, order)).toEqual(released);
    expect(await shop.stockOf(productId)).toEqual({ available: 5, reserved: 0 });
  });

  it('is given up, for Temporal to try again, if that one is faster five times', async () => {
    const { order } = await stored();
    let decisions = 0;
    const save = async () => {
      decisions++;
      return false;
    };
    const change = writerWith({ save }).change(order.id, append('a'));
    await expect(change).rejects.toThrow(`Other writers keep changing order ${order.id}`);
    expect({ decisions, note: (await load(order))!.note }).toEqual({ decisions: 5, note: null });
  });
});

it('throws if what is reserved was changed by hand, instead of reporting a shortage', async () => {
  const { order, productId } = await stored();
  await shop.db.connection
    .collection('product_services')
    .updateOne({ _id: productId as never }, { $set: { 'stock.reserved': 1 } });
  const release = (now: Order): Order => ({ ...now, reservation: 'released' });
  await expect(writerWith().change(order.id, release)).rejects.toThrow('changed by hand');
  expect(await load(order)).toEqual(order);
});
