import { lines } from '../support/order-api';
import { openShop, orderRequest } from '../support/shop';
import type { Shop } from '../support/shop';

let shop: Shop;
beforeAll(async () => void (shop = await openShop()));
afterAll(() => shop.close());

const REASON = { code: 'out_of_stock', detail: 'none left' } as const;
const CANCEL = { by: 'usr_1', reason: null, requestId: 'test' };

/** There is just as much as is ordered: a step that ran before must not be taken for a shortage. */
async function priced(available = 2) {
  const { id } = await shop.sell({ available });
  const request = orderRequest(lines([id, 2]));
  return { id, request, pricing: await shop.activities.priceOrder(request) };
}

it('every step run twice, or at the same time, is done once', async () => {
  const { id, request, pricing } = await priced();
  const { openOrder, confirmOrder, cancelOrder } = shop.activities;
  const twice = <T>(step: () => Promise<T>) => Promise.all([step(), step()]);
  const [opened, again] = await twice(() => openOrder(request, pricing));
  expect(again).toEqual(opened);
  expect(await shop.stockOf(id)).toEqual({ available: 0, reserved: 2 });
  const [confirmed, reconfirmed] = await twice(() => confirmOrder(request, opened));
  expect(reconfirmed).toEqual(confirmed);
  const [cancelled, recancelled] = await twice(() => cancelOrder(request, null, CANCEL));
  expect(recancelled).toEqual(cancelled);
  expect(cancelled).toMatchObject({ status: 'cancelled', version: 3 });
  expect(await shop.stockOf(id)).toEqual({ available: 2, reserved: 0 });
});

it('an order of services holds nothing', async () => {
  const { id } = await shop.sell({ kind: 'service', stock: null });
  const request = orderRequest(lines([id, 2]));
  const { priceOrder, openOrder, cancelOrder } = shop.activities;
  expect(await openOrder(request, await priceOrder(request))).toMatchObject({ reservation: 'none' });
  expect(await cancelOrder(request, null, CANCEL)).toMatchObject({
    status: 'cancelled',
    reservation: 'none',
  });
  expect(await shop.stockOf(id)).toBeNull();
});

it('an order that was never opened is saved as cancelled, with its lines as sent', async () => {
  const request = orderRequest(lines(['ps_unknown', 2]));
  const cancelled = await shop.activities.cancelOrder(request, null, CANCEL);
  expect(cancelled).toMatchObject({
    status: 'cancelled',
    currency: null,
    items: [{ quantity: 2, total: null }],
  });
  expect(await shop.orders.findById(request.orderId)).toEqual(cancelled);
});

it('no step touches an order that was made from another request', async () => {
  const { id, request, pricing } = await priced();
  const { openOrder, rejectOrder, cancelOrder } = shop.activities;
  const opened = await openOrder(request, pricing);
  const other = { ...request, fingerprint: 'another' };
  const reused = { name: 'IdempotencyKeyReused' };
  await expect(openOrder(other, pricing)).rejects.toMatchObject(reused);
  await expect(rejectOrder(other, pricing, REASON)).rejects.toMatchObject(reused);
  await expect(cancelOrder(other, pricing, CANCEL)).rejects.toMatchObject(reused);
  expect(await shop.orders.findById(request.orderId)).toEqual(opened);
  expect(await shop.stockOf(id)).toEqual({ available: 0, reserved: 2 });
});

it('a confirmed order cannot be rejected any more', async () => {
  const { request, pricing } = await priced();
  const { openOrder, confirmOrder, rejectOrder } = shop.activities;
  const confirmed = await confirmOrder(request, await openOrder(request, pricing));
  expect(await rejectOrder(request, pricing, REASON)).toEqual(confirmed);
});

it('an order that vanished from MongoDB is an error to look into, not a new order', async () => {
  const { request, pricing } = await priced();
  const opened = await shop.activities.openOrder(request, pricing);
  await shop.db.connection.collection('orders').deleteOne({ _id: request.orderId as never });
  await expect(shop.activities.confirmOrder(request, opened)).rejects.toThrow('gone from MongoDB');
});
