import type { Response } from 'supertest';
import { join } from 'node:path';
import { createCartModel } from '../../src/carts/carts.model';
import { newId } from '../../src/common/ids';
import { cartOrderIdOf, fingerprintOf } from '../../src/orders/order-request';
import { ADDRESS, openCart, type TestCart } from '../support/carts';
import type { Crash } from '../support/crashing-worker';
import { eventually } from '../support/eventually';
import { spawnNode } from '../support/process';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';

const DECLINED = { paymentMethod: 'pm_card_chargeDeclined' };

let api: OrderApi;
let customerId: string;
let alice: string;
/** A product at 23.79 EUR with its tax, of which ten are in stock. */
let shirt: string;
beforeAll(async () => {
  api = await openOrderApi();
});
beforeEach(async () => {
  customerId = newId('usr');
  alice = api.tokenOf('CUSTOMER', customerId);
  shirt = (await api.shop.sell({ available: 10 })).id;
});
afterAll(() => api.close());

async function cartWith(quantity: number, token = alice): Promise<TestCart> {
  const cart = await openCart(api, token);
  await cart.put(shirt, quantity).expect(200);
  return cart;
}

/** Orders the cart until a worker has placed it. */
async function placed(cart: TestCart): Promise<Response> {
  let response: Response;
  await eventually(async () => void (response = await cart.checkOut().expect(201)));
  return response!;
}

const ordersOf = (id: string) =>
  api.shop.db.connection.collection('orders').find({ customerId: id }).sort({ createdAt: 1 }).toArray();

it('makes the order that POST /orders would, and leaves the cart as it was ordered', async () => {
  const cart = await cartWith(2);
  const details = { shippingAddress: ADDRESS, note: 'Ring', metadata: { channel: 'web' } };
  await cart.call('patch').send(details).expect(200);
  const response = await cart.checkOut({ expectedTotal: 4_758, externalRef: 'PO-1' }).expect(201);
  const { data: order } = response.body;
  const placed = await api.place(alice, { ...lines([shirt, 2]), ...details }).expect(201);
  expect(Object.keys(order as object)).toEqual(Object.keys(placed.body.data as object));
  expect(order).toMatchObject({
    ...details,
    status: 'confirmed',
    total: 4_758,
    externalRef: 'PO-1',
    customerId,
  });
  expect(response.headers).toMatchObject({
    location: `${api.config.http.prefix}/orders/${order.id}`,
    etag: '"2"',
  });
  expect(response.headers['idempotent-replayed']).toBeUndefined();
  expect(response.headers['order-token']).toBeUndefined();
  expect(await cart.read()).toMatchObject({
    status: 'ordered',
    orderId: order.id,
    items: [{ productServiceId: shirt, quantity: 2 }],
  });
  for (const sent of [cart.put(shirt, 1), cart.call('patch').send({ note: 'x' }), cart.call('delete')]) {
    const { body } = await sent.expect(409);
    expect(body).toMatchObject({ code: 'cart_ordered', orderId: order.id });
  }
  expect((await openCart(api, alice)).id).not.toBe(cart.id);
});

it('gives the order a fingerprint from which nothing can be guessed without the id of the cart', async () => {
  const cart = await cartWith(1);
  await cart.checkOut({ paymentMethod: 'pm_card_visa' }).expect(201);
  const [stored] = await ordersOf(customerId);
  const content = { ...lines([shirt, 1]), paymentMethod: 'pm_card_visa', note: null, shippingAddress: null };
  expect(stored!.fingerprint).toBe(fingerprintOf(content, cart.id));
});

it('answers a repeat as the first time, and another order of the same cart with the order that it is', async () => {
  const cart = await cartWith(1);
  const { body: first } = await cart.checkOut().expect(201);
  const repeat = await cart.checkOut().expect(201);
  expect(repeat.body.data).toEqual(first.data);
  expect(repeat.headers['idempotent-replayed']).toBe('true');
  for (const other of [DECLINED, { expectedTotal: 1 }]) {
    const { body } = await cart.checkOut(other).expect(409);
    expect(body).toMatchObject({ code: 'cart_ordered', orderId: first.data.id });
  }
});

it('makes one order of two tabs and a double click', async () => {
  const cart = await cartWith(2);
  const other = await openCart(api, alice);
  expect(other.id).toBe(cart.id);
  const tabs = [cart, other, cart, other];
  const answers = await Promise.all(
    tabs.map((tab, n) => tab.checkOut({ paymentMethod: n < 2 ? 'pm_card_visa' : 'pm_card_mastercard' })),
  );
  const orders = await ordersOf(customerId);
  expect(orders).toHaveLength(1);
  const [{ _id: orderId }] = orders as unknown as [{ _id: string }];
  for (const { status, body } of answers) {
    if (status === 409) expect(body).toMatchObject({ code: 'cart_ordered', orderId });
    else expect([status, body.data.id]).toEqual([201, orderId]);
  }
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
  expect(await api.shop.stockOf(shirt)).toEqual({ available: 8, reserved: 2 });
});

it('takes another attempt after a card was declined, and only then', async () => {
  const cart = await cartWith(2);
  const { body: declined } = await cart.checkOut(DECLINED).expect(402);
  expect(declined).toMatchObject({ code: 'payment_declined' });
  expect((await openCart(api, alice)).id).toBe(cart.id);
  await cart.put(shirt, 3).expect(200);
  const { body } = await cart.checkOut().expect(201);
  expect(body.data.id).not.toBe(declined.orderId);
  expect((await ordersOf(customerId)).map(({ status }) => status as string)).toEqual([
    'rejected',
    'confirmed',
  ]);
  expect(await api.shop.stockOf(shirt)).toEqual({ available: 7, reserved: 3 });
});

it('is open again with its order rejected, and can be merged', async () => {
  const own = await cartWith(1);
  const guests = await openCart(api);
  await guests.put(shirt, 2).expect(200);
  await guests.call('patch').send({ shippingAddress: ADDRESS }).expect(200);
  await guests.checkOut({ ...DECLINED, email: 'ada@example.com' }).expect(402);
  const stored = await createCartModel(api.db.connection).findById(guests.id).lean();
  expect(stored).toMatchObject({ status: 'open', orderId: null, attempt: 2 });
  const body = { cartId: guests.id, token: guests.token };
  const merged = await own.call('post', '/merge').send(body).expect(200);
  expect(merged.body.data).toMatchObject({ items: [{ quantity: 3 }] });
});

it('orders what was in the version that the customer has seen, or nothing', async () => {
  const cart = await cartWith(2);
  await cart.put(shirt, 3).expect(200);
  const { headers } = await cart.checkOut({}, { 'If-Match': '"2"' }).expect(412);
  expect(headers.etag).toBe('"3"');
  const seen = { 'If-Match': '"3"' };
  await cart.checkOut(DECLINED, seen).expect(402);
  const { body: ordered } = await cart.checkOut({}, seen).expect(201);
  expect(ordered.data.items).toMatchObject([{ quantity: 3 }]);
  const repeat = await cart.checkOut({}, seen).expect(201);
  expect(repeat.headers['idempotent-replayed']).toBe('true');
  const { body: other } = await cart.checkOut({}, { 'If-Match': '"2"' }).expect(409);
  expect(other).toMatchObject({ code: 'cart_ordered', orderId: ordered.data.id });
});

it('takes another attempt if what another tab has ordered at the same time was rejected', async () => {
  const cart = await cartWith(1);
  const { place } = api.service;
  const faster: typeof place = async (request, withinMs) => {
    api.service.place = place;
    await place({
      ...request,
      ...DECLINED,
      fingerprint: fingerprintOf({ ...request, ...DECLINED }, cart.id),
    });
    return place(request, withinMs);
  };
  api.service.place = faster;
  const { body } = await cart.checkOut().expect(201);
  expect(await cart.read()).toMatchObject({ status: 'ordered', orderId: body.data.id });
  expect((await ordersOf(customerId)).map(({ status }) => status as string)).toEqual([
    'rejected',
    'confirmed',
  ]);
});

it('stays open when the order was turned down, and says why', async () => {
  const cart = await cartWith(11);
  const { body: short } = await cart.checkOut().expect(409);
  expect(short).toMatchObject({ code: 'out_of_stock', orderId: expect.stringMatching(/^ord_/) as string });
  await cart.put(shirt, 2).expect(200);
  const { body: dearer } = await cart.checkOut({ expectedTotal: 1 }).expect(409);
  expect(dearer).toMatchObject({ code: 'price_changed', total: 4_758 });
  await cart.checkOut({ expectedTotal: 4_758 }).expect(201);
  expect((await ordersOf(customerId)).map(({ status }) => status as string)).toEqual([
    'rejected',
    'rejected',
    'confirmed',
  ]);
});

it('cannot be ordered while it is empty', async () => {
  const cart = await openCart(api, alice);
  const { body } = await cart.checkOut().expect(409);
  expect(body).toMatchObject({
    code: 'invalid_transition',
    detail: expect.stringMatching(/empty/) as string,
  });
  await cart.checkOut({ email: 'ada@example.com' }).expect(400);
});

describe('while no worker runs', () => {
  let own: OrderApi;
  beforeAll(async () => {
    own = await openOrderApi({ own: true, env: { PLACE_ORDER_TIMEOUT_MS: '300' } });
  });
  afterAll(() => own.close());

  it('accepts the order, which is rejected if the cart is changed before it is placed', async () => {
    const token = own.tokenOf('CUSTOMER', newId('usr'));
    const { id } = await own.shop.sell({ available: 10 });
    const cart = await openCart(own, token);
    await cart.put(id, 2).expect(200);
    const { body: accepted, headers } = await cart.checkOut({}, { Prefer: 'respond-async' }).expect(202);
    expect(headers['preference-applied']).toBe('respond-async');
    await cart.put(id, 3).expect(200);
    const { body: other } = await cart.checkOut().expect(409);
    expect(other).toMatchObject({ code: 'cart_ordered', orderId: accepted.data.id });
    const worker = await own.shop.startWorker();
    await eventually(async () => {
      const { body } = await own.call('get', `/orders/${accepted.data.id}`, token).expect(200);
      expect(body.data).toMatchObject({ status: 'rejected', rejection: { code: 'invalid_transition' } });
    });
    expect(await cart.read()).toMatchObject({ status: 'open', orderId: null });
    const { body } = await placed(cart);
    expect(body.data.items).toMatchObject([{ quantity: 3 }]);
    expect(await own.shop.stockOf(id)).toEqual({ available: 7, reserved: 3 });
    await worker.stop();
  });

  it('makes one order of a cart whose worker is killed before or after it has saved the order', async () => {
    const { id } = await own.shop.sell({ available: 10 });
    const begin = async (moment: Crash['moment']) => {
      const customer = newId('usr');
      const cart = await openCart(own, own.tokenOf('CUSTOMER', customer));
      await cart.put(id, 2).expect(200);
      const orderId = cartOrderIdOf({ id: cart.id, attempt: 1, customerId: customer });
      return { cart, orderId, step: 'placeOrder', moment };
    };
    const begun = [await begin('before'), await begin('after')];
    const crashes = begun.map(({ orderId, step, moment }): Crash => ({ orderId, step, moment }));
    const killed = spawnNode(['--import', 'tsx', join(__dirname, '..', 'support', 'crashing-worker.ts')], {
      ...process.env,
      MONGODB_URI: own.shop.db.uri,
      TASK_QUEUE: own.shop.taskQueue,
      CRASHES: JSON.stringify(crashes),
    });
    await killed.line(/worker started/);
    const first = await Promise.all(begun.map(({ cart }) => cart.checkOut()));
    // One is saved by then, or not, and nobody has said so.
    for (const { status } of first) expect([201, 202]).toContain(status);
    expect(await killed.ended).toBe('SIGKILL');
    const worker = await own.shop.startWorker();
    for (const { cart, orderId } of begun) {
      const { body, headers } = await placed(cart);
      expect([body.data.id, headers['idempotent-replayed']]).toEqual([orderId, 'true']);
      expect(await cart.read()).toMatchObject({ status: 'ordered', orderId });
    }
    expect(await own.shop.stockOf(id)).toEqual({ available: 6, reserved: 4 });
    await worker.stop();
  });

  it('pays the order that waits for another card', async () => {
    const worker = await own.shop.startWorker({}, undefined, { PAYMENT_RETRY_WINDOW: '15m' });
    const token = own.tokenOf('CUSTOMER', newId('usr'));
    const { id } = await own.shop.sell({ available: 10 });
    const cart = await openCart(own, token);
    await cart.put(id, 2).expect(200);
    await eventually(async () => {
      const { body } = await cart.checkOut(DECLINED).expect(402);
      expect(body.retryUntil).toEqual(expect.any(String));
    });
    const { body: dearer } = await cart.checkOut({ expectedTotal: 1 }).expect(409);
    expect(dearer).toMatchObject({ code: 'price_changed', total: 4_758 });
    const { body: named } = await cart.checkOut({ externalRef: 'PO-2' }).expect(409);
    expect(named).toMatchObject({ code: 'cart_ordered', orderId: dearer.orderId });
    const { body: paid } = await placed(cart);
    expect(paid.data).toMatchObject({ status: 'confirmed', attempts: [{ outcome: 'declined' }, {}] });
    const { body: repeated } = await cart.checkOut().expect(201);
    expect(repeated.data.id).toBe(paid.data.id);
    const { body: other } = await cart.checkOut({ paymentMethod: 'pm_card_mastercard' }).expect(409);
    expect(other.code).toBe('cart_ordered');
    await worker.stop();
  });
});
