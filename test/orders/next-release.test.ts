import { openOrderApi, type OrderApi } from '../support/order-api';

/** During a release, and after one that is taken back, this code meets documents of the next one. */
let api: OrderApi;
beforeAll(async () => {
  api = await openOrderApi();
});
afterAll(() => api.close());

it('commands work on an order that the next release has written, and lose nothing that only that one knows', async () => {
  const token = api.tokenOf('CUSTOMER');
  const product = await api.shop.sell();
  const { id } = await api.placed(token, [product.id, 3]);
  const unknown = { schemaVersion: 2, giftWrap: { colour: 'red', cards: [{ text: 'Enjoy' }] } };
  const orders = api.shop.db.connection.collection<{ _id: string }>('orders');
  await orders.updateOne({ _id: id }, { $set: unknown });

  const { body } = await api.call('get', `/orders/${id}`, token).expect(200);
  expect(body.data).not.toHaveProperty('giftWrap');
  await api.fulfill(id, [[product.id, 1]]).expect(201);
  await api.fulfill(id, [[product.id, 2]]).expect(201);
  expect(await orders.findOne({ _id: id })).toMatchObject(unknown);
  await api.call('get', '/orders', token).expect(200);
});
