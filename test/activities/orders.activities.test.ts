import { confirmedOrder, openedOrder } from '../../src/domain/placing';
import type { Activities } from '../../src/worker/activities';
import { activitiesOn } from '../support/activities';
import { lines } from '../support/order-api';
import { openShop, orderRequest, type Shop } from '../support/shop';

let shop: Shop;
let activities: Activities;
beforeAll(async () => {
  shop = await openShop();
  activities = activitiesOn(shop.db);
});
afterAll(() => shop.close());

const REASON = { code: 'out_of_stock', detail: 'none left' } as const;
const AT = '2026-01-01T00:00:00.000Z';
const CANCEL = { by: 'usr_1', reason: null, requestId: 'test' };

/** Sells just as much as is ordered: an earlier run of a step must not be taken for a shortage. */
async function priced(available = 2) {
  const { id } = await shop.sell({ available });
  const request = orderRequest(lines([id, 2]));
  const pricing = await activities.priceOrder(request);
  const opened = openedOrder(request, pricing);
  const payment = { key: `${opened.id}-1`, reference: null, amount: opened.total!, currency: 'EUR' };
  return { id, request, pricing, opened, confirmed: confirmedOrder(opened, payment, AT) };
}

it('carries out a step once when it runs twice or at the same time', async () => {
  const { id, request, opened, confirmed } = await priced();
  const { openOrder, confirmOrder, cancelOrder } = activities;
  const twice = <T>(step: () => Promise<T>) => Promise.all([step(), step()]);
  const results = await twice(() => openOrder(opened));
  for (const stored of results.filter((result) => result !== null)) expect(stored).toEqual(opened);
  expect(await shop.orders.findById(opened.id)).toEqual(opened);
  expect(await shop.stockOf(id)).toEqual({ available: 0, reserved: 2 });
  expect(await twice(() => confirmOrder(confirmed))).toEqual([null, null]);
  expect(await shop.orders.findById(opened.id)).toEqual(confirmed);
  const [cancelled, recancelled] = await twice(() => cancelOrder(request, null, CANCEL));
  expect(recancelled).toEqual(cancelled);
  expect(cancelled).toMatchObject({
    status: 'cancelled',
    version: 3,
    compensations: [{ step: 'voidPayment-1', state: 'owed', payment: confirmed.payment }],
  });
  expect(await shop.stockOf(id)).toEqual({ available: 2, reserved: 0 });
});

it('holds no stock for an order of services', async () => {
  const { id } = await shop.sell({ kind: 'service', stock: null });
  const request = orderRequest(lines([id, 2]));
  const { priceOrder, openOrder, cancelOrder } = activities;
  expect(await openOrder(openedOrder(request, await priceOrder(request)))).toBeNull();
  expect(await shop.orders.findById(request.orderId)).toMatchObject({ reservation: 'none' });
  expect(await cancelOrder(request, null, CANCEL)).toMatchObject({
    status: 'cancelled',
    reservation: 'none',
  });
  expect(await shop.stockOf(id)).toBeNull();
});

it('saves an order that was never opened as cancelled, with its lines as sent', async () => {
  const request = orderRequest(lines(['ps_unknown', 2]));
  const cancelled = await activities.cancelOrder(request, null, CANCEL);
  expect(cancelled).toMatchObject({
    status: 'cancelled',
    currency: null,
    items: [{ quantity: 2, total: null }],
  });
  expect(await shop.orders.findById(request.orderId)).toEqual(cancelled);
});

it('changes no order that was made from another request', async () => {
  const { id, request, pricing, opened } = await priced();
  const { openOrder, rejectOrder, cancelOrder } = activities;
  await openOrder(opened);
  const other = { ...request, fingerprint: 'another' };
  const reused = { name: 'IdempotencyKeyReused' };
  await expect(openOrder({ ...opened, fingerprint: 'another' })).rejects.toMatchObject(reused);
  await expect(rejectOrder(other, pricing, REASON)).rejects.toMatchObject(reused);
  await expect(cancelOrder(other, pricing, CANCEL)).rejects.toMatchObject(reused);
  expect(await shop.orders.findById(request.orderId)).toEqual(opened);
  expect(await shop.stockOf(id)).toEqual({ available: 0, reserved: 2 });
});

it('does not reject a confirmed order', async () => {
  const { request, pricing, opened, confirmed } = await priced();
  const { openOrder, confirmOrder, rejectOrder } = activities;
  await openOrder(opened);
  await confirmOrder(confirmed);
  expect(await rejectOrder(request, pricing, REASON)).toEqual(confirmed);
});

it('throws for an order that is missing in MongoDB, instead of creating it', async () => {
  const { request, opened, confirmed } = await priced();
  await activities.openOrder(opened);
  await shop.db.connection.collection('orders').deleteOne({ _id: request.orderId as never });
  await expect(activities.confirmOrder(confirmed)).rejects.toThrow('missing in MongoDB');
});

it('returns a version that another writer has saved', async () => {
  const { opened, confirmed } = await priced();
  const { openOrder, confirmOrder, amendOrder } = activities;
  await openOrder(opened);
  await confirmOrder(confirmed);
  const other = { ...confirmed, updatedAt: '2026-01-02T00:00:00.000Z' };
  expect(await confirmOrder(other)).toEqual(confirmed);
  expect(await amendOrder({ ...other, note: 'mine' })).toEqual(confirmed);
  await expect(amendOrder({ ...other, version: 9 })).rejects.toThrow('is behind its workflow');
});

it('moves the stock of an amendment by the difference, or changes nothing', async () => {
  const { id, opened, confirmed } = await priced(5);
  const { openOrder, confirmOrder, amendOrder } = activities;
  await openOrder(opened);
  await confirmOrder(confirmed);
  const withQuantity = (quantity: number, version: number) => ({
    ...confirmed,
    version,
    items: confirmed.items.map((item) => ({ ...item, quantity })),
  });
  await expect(amendOrder(withQuantity(6, 3))).rejects.toMatchObject({
    name: 'OutOfStock',
    message: expect.stringContaining('(6 ordered, 5 available)'),
  });
  expect(await shop.stockOf(id)).toEqual({ available: 3, reserved: 2 });
  expect(await amendOrder(withQuantity(5, 3))).toBeNull();
  expect(await shop.stockOf(id)).toEqual({ available: 0, reserved: 5 });
  expect(await amendOrder(withQuantity(1, 4))).toBeNull();
  expect(await shop.stockOf(id)).toEqual({ available: 4, reserved: 1 });
});

it('throws for a fulfillment of what is not reserved, instead of reporting a shortage', async () => {
  const { id, opened, confirmed } = await priced();
  const { openOrder, confirmOrder, fulfillOrder } = activities;
  await openOrder(opened);
  await confirmOrder(confirmed);
  await shop.db.connection
    .collection('product_services')
    .updateOne({ _id: id as never }, { $set: { 'stock.reserved': 1 } });
  const items = confirmed.items.map((item) => ({ ...item, fulfilledQuantity: 2 }));
  await expect(fulfillOrder({ ...confirmed, items, version: 3 })).rejects.toThrow('changed by hand');
});
