import { openCart } from '../support/carts';
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
  // A migration has to look at it again: it may have computed something from what was changed.
  expect(await orders.findOne({ _id: id })).toMatchObject({ ...unknown, schemaVersion: 1 });
  await api.call('get', '/orders', token).expect(200);
});

it('what is inserted has the version of this release, and what is changed has no higher one', async () => {
  const token = api.tokenOf('CUSTOMER');
  const product = await api.shop.sell();
  const cart = await openCart(api, token);
  const of = (name: string) =>
    api.shop.db.connection.collection<{ _id: string; schemaVersion?: number }>(name);
  const [products, carts] = [of('product_services'), of('carts')];
  const versions = async () => [
    (await products.findOne({ _id: product.id }))!.schemaVersion,
    (await carts.findOne({ _id: cart.id }))!.schemaVersion,
  ];
  expect(await versions()).toEqual([1, 1]);
  for (const [change, after] of [
    [() => cart.put(product.id, 3), [2, 1]], // the cart is replaced
    [() => cart.checkOut(), [1, 1]], // both are updated
    [() => api.shop.stockUp(product.id, 5), [1, 2]],
  ] as const) {
    await products.updateOne({ _id: product.id }, { $set: { schemaVersion: 2 } });
    await carts.updateOne({ _id: cart.id }, { $set: { schemaVersion: 2 } });
    await change();
    expect(await versions()).toEqual(after);
  }
  const [placed] = await of('orders').find().sort({ createdAt: -1 }).limit(1).toArray();
  expect(placed!.schemaVersion).toBe(1);
});
