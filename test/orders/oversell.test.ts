import { randomUUID } from 'node:crypto';
import type { Order } from '../../src/domain/order';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';

let api: OrderApi;
beforeAll(async () => {
  api = await openOrderApi();
  // The two workers do not share their queues per product: only MongoDB prevents overselling.
  await api.shop.startWorker();
  await api.shop.startWorker();
});
afterAll(() => api.close());

/**
 * Places all orders at the same time and, as a client should, repeats a request that gets 202 or 503 with the
 * same key. Returns the number of final responses with each status.
 */
async function rush(bodies: object[]): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  await Promise.all(
    bodies.map(async (body) => {
      const status = await placeUntilSettled(api.tokenOf('CUSTOMER'), body);
      counts[status] = (counts[status] ?? 0) + 1;
    }),
  );
  return counts;
}

async function placeUntilSettled(token: string, body: object): Promise<number> {
  const key = { 'Idempotency-Key': randomUUID() };
  for (;;) {
    const { status } = await api.place(token, body, key);
    if (status !== 202 && status !== 503) return status;
  }
}

/** Returns the number of orders for a product with each outcome in MongoDB. */
async function outcomesOf(productId: string): Promise<Record<string, number>> {
  const orders = await api.shop.db.connection
    .collection('orders')
    .find({ 'items.productServiceId': productId })
    .toArray();
  const counts: Record<string, number> = {};
  for (const { status, rejection } of orders as unknown as Pick<Order, 'status' | 'rejection'>[]) {
    const outcome = rejection?.code ?? status;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

const buyers = (body: (n: number) => object) => Array.from({ length: 200 }, (_, n) => body(n));

it('sells 50 units to 50 of 200 buyers', async () => {
  const { id } = await api.shop.sell({ available: 50 });
  expect(await rush(buyers(() => lines([id, 1])))).toEqual({ 201: 50, 409: 150 });
  expect(await outcomesOf(id)).toEqual({ confirmed: 50, out_of_stock: 150 });
  expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: 50 });
}, 120_000);

it('sells 50 units of each of two products that are ordered in opposite order', async () => {
  const [a, b] = [await api.shop.sell({ available: 50 }), await api.shop.sell({ available: 50 })];
  const bodies = buyers((n) => (n % 2 ? lines([a.id, 1], [b.id, 1]) : lines([b.id, 1], [a.id, 1])));
  expect(await rush(bodies)).toEqual({ 201: 50, 409: 150 });
  expect(await outcomesOf(a.id)).toEqual({ confirmed: 50, out_of_stock: 150 });
  for (const { id } of [a, b]) expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: 50 });
}, 120_000);

it('sells 50 units to 25 buyers of two lines of one each', async () => {
  const { id } = await api.shop.sell({ available: 50 });
  expect(await rush(buyers(() => lines([id, 1], [id, 1])))).toEqual({ 201: 25, 409: 175 });
  expect(await outcomesOf(id)).toEqual({ confirmed: 25, out_of_stock: 175 });
  expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: 50 });
}, 120_000);
