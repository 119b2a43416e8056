import { openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';

let api: OrderApi;
let alice: string;
let productId: string;
beforeAll(async () => {
  api = await openOrderApi();
  alice = api.tokenOf('CUSTOMER');
  productId = (await api.shop.sell()).id;
});
afterAll(() => api.close());

async function read({ id }: OrderBody): Promise<OrderBody> {
  return (await api.call('get', `/orders/${id}`, alice).expect(200)).body.data;
}

async function paymentKeyOf({ id }: OrderBody): Promise<string> {
  return (await api.shop.orders.findById(id))!.payment!.key;
}

it('cancels the order that uses the authorisation, once', async () => {
  const order = await api.placed(alice, [productId, 1]);
  const key = await paymentKeyOf(order);
  await api.service.authorizationEnded(order.id, key);
  const now = await read(order);
  expect(now).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
  const change = { to: 'cancelled', by: 'system', reason: 'payment_voided' };
  expect(now.statusHistory).toContainEqual(expect.objectContaining({ axis: 'status', ...change }));
  await api.service.authorizationEnded(order.id, key);
  expect(await read(order)).toEqual(now);
});

it('ignores a replaced payment and unknown orders', async () => {
  const order = await api.placed(alice, [productId, 1]);
  const key = await paymentKeyOf(order);
  const path = `/orders/${order.id}`;
  const items = [{ productServiceId: productId, quantity: 2 }];
  await api.call('patch', path, alice).set('If-Match', '*').send({ items }).expect(200);
  await api.service.authorizationEnded(order.id, key);
  expect(await read(order)).toMatchObject({ status: 'confirmed' });
  await api.service.authorizationEnded(`ord_${'0'.repeat(32)}`, key);
  await api.service.authorizationEnded('nonsense', key);
});

it('ignores an order that is partly fulfilled', async () => {
  const order = await api.placed(alice, [productId, 1]);
  const key = await paymentKeyOf(order);
  await api.fulfill(order.id, [[productId, 1]]).expect(201);
  await api.service.authorizationEnded(order.id, key);
  expect(await read(order)).toMatchObject({ status: 'confirmed', paymentStatus: 'captured' });
});

it('fails with 503 if the order was resumed meanwhile, and cancels it when the event is sent again', async () => {
  const order = await api.placed(alice, [productId, 1]);
  const key = await paymentKeyOf(order);
  const { revision } = (await api.shop.orders.findById(order.id))!;
  const orders = api.shop.db.connection.collection('orders');
  const set = (fields: object) => orders.updateOne({ _id: order.id }, { $set: fields });
  await set({ resumedRevision: revision + 1 });
  const outdated = {
    code: 'service_unavailable',
    message: expect.stringContaining('nothing was done') as string,
  };
  await expect(api.service.authorizationEnded(order.id, key)).rejects.toMatchObject(outdated);
  expect(await read(order)).toEqual(order);
  await set({ revision: revision + 1 });
  await api.service.authorizationEnded(order.id, key);
  expect(await read(order)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
});
