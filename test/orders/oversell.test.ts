import { randomUUID } from 'node:crypto';
import type { Order } from '../../src/domain/order';
import { repeat } from '../support/eventually';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';
import { repetitions } from '../support/sample';

/** Four buyers for each unit. */
const BUYERS = repetitions('orders/oversell: buyers');
const UNITS = BUYERS / 4;

let api: OrderApi;
beforeAll(async () => {
  api = await openOrderApi({ own: true });
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
  const attempt = async () => {
    const { status } = await api.place(token, body, key);
    return status === 202 || status === 503 ? undefined : status;
  };
  return repeat(attempt, () => 'The order is still pending.');
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

const buyers = (body: (n: number) => object) => Array.from({ length: BUYERS }, (_, n) => body(n));

it(`sells ${UNITS} units to as many of ${BUYERS} buyers`, async () => {
  const { id } = await api.shop.sell({ available: UNITS });
  expect(await rush(buyers(() => lines([id, 1])))).toEqual({ 201: UNITS, 409: BUYERS - UNITS });
  expect(await outcomesOf(id)).toEqual({ confirmed: UNITS, out_of_stock: BUYERS - UNITS });
  expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: UNITS });
});

it(`sells ${UNITS} units of each of two products that are ordered in opposite order`, async () => {
  const [a, b] = [await api.shop.sell({ available: UNITS }), await api.shop.sell({ available: UNITS })];
  const bodies = buyers((n) => (n % 2 ? lines([a.id, 1], [b.id, 1]) : lines([b.id, 1], [a.id, 1])));
  expect(await rush(bodies)).toEqual({ 201: UNITS, 409: BUYERS - UNITS });
  expect(await outcomesOf(a.id)).toEqual({ confirmed: UNITS, out_of_stock: BUYERS - UNITS });
  for (const { id } of [a, b]) expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: UNITS });
});

it(`sells ${UNITS} units to half as many buyers of two lines of one each`, async () => {
  const { id } = await api.shop.sell({ available: UNITS });
  expect(await rush(buyers(() => lines([id, 1], [id, 1])))).toEqual({
    201: UNITS / 2,
    409: BUYERS - UNITS / 2,
  });
  expect(await outcomesOf(id)).toEqual({ confirmed: UNITS / 2, out_of_stock: BUYERS - UNITS / 2 });
  expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: UNITS });
});
