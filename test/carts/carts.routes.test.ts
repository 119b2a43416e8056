import { newId } from '../../src/common/ids';
import { createCartModel } from '../../src/carts/carts.model';
import type { CartView } from '../../src/carts/cart-view';
import { dump } from '../support/database';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';

let api: OrderApi;
let alice: string;
/** Products at 19.99 EUR and 19 % tax, ten and two of which are in stock. */
let shirt: string;
let scarce: string;
beforeAll(async () => {
  api = await openOrderApi();
});
beforeEach(async () => {
  alice = api.tokenOf('CUSTOMER', newId('usr'));
  shirt = (await api.shop.sell({ available: 10 })).id;
  scarce = (await api.shop.sell({ available: 2 })).id;
});
afterAll(() => api.close());

type Cart = CartView & { token: string };
type Opening = { token?: string; guest?: string };
const dataOf = ({ body }: { body: unknown }) => (body as { data: Cart }).data;

/** Calls a route of carts, as a user with an access token or as a guest with the token of the cart. */
function call(method: 'get' | 'put' | 'patch' | 'delete' | 'post', path: string, { token, guest }: Opening) {
  const sent = api.call(method, `/carts${path}`, token);
  return guest === undefined ? sent : sent.set('Cart-Token', guest);
}

async function guestCart(): Promise<Cart> {
  return dataOf(await api.call('post', '/carts').expect(201));
}

async function aliceCart(): Promise<Cart> {
  const { body, status } = await api.call('post', '/carts', alice);
  expect([200, 201]).toContain(status);
  return dataOf({ body });
}

const put = (cart: Pick<Cart, 'id'>, product: string, quantity: number, opening: Opening) =>
  call('put', `/${cart.id}/items/${product}`, opening).send({ quantity });

describe('POST /carts', () => {
  it('gives a guest a cart and what opens it, of which only a hash is stored', async () => {
    const response = await api.call('post', '/carts').expect(201);
    const { id, token, ...cart } = dataOf(response);
    expect(response.headers).toMatchObject({
      etag: '"1"',
      location: `${api.config.http.prefix}/carts/${id}`,
    });
    expect(cart).toMatchObject({ status: 'open', items: [], total: 0, currency: null, version: 1 });
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(await createCartModel(api.db.connection).findById(id).lean())).not.toContain(token);
    expect(dataOf(await call('get', `/${id}`, { guest: token }).expect(200))).toEqual({ id, ...cart });
  });

  it('gives a user the open cart, wherever it was made', async () => {
    const { id } = await aliceCart();
    await put({ id }, shirt, 2, { token: alice }).expect(200);
    expect(await aliceCart()).toMatchObject({ id, items: [{ productServiceId: shirt, quantity: 2 }] });
    expect(
      dataOf(await api.call('post', '/carts', api.tokenOf('CUSTOMER', newId('usr'))).expect(201)).id,
    ).not.toBe(id);
  });

  it('gives a user who makes many at once one cart', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => aliceCart()));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  });

  it('does not take a user whose token is not valid for a guest', async () => {
    const { headers } = await api.call('post', '/carts', 'forged').expect(401);
    expect(headers['www-authenticate']).toContain('invalid_token');
  });
});

describe('reading a cart', () => {
  it('shows the prices and the stock of this moment, and warns of what has changed', async () => {
    const { id, token: guest } = await guestCart();
    await put({ id }, shirt, 2, { guest }).expect(200);
    const { body } = await put({ id }, scarce, 3, { guest }).expect(200);
    expect(dataOf({ body })).toMatchObject({
      items: [
        { productServiceId: shirt, total: 4_758, available: 10, warnings: [] },
        { productServiceId: scarce, available: 2, warnings: [{ code: 'out_of_stock' }] },
      ],
      currency: 'EUR',
      total: 4_758 + 7_136,
    });
    const admin = api.tokenOf('ADMIN');
    await api
      .call('patch', `/product-services/${shirt}`, admin)
      .set('If-Match', '*')
      .send({ unitPrice: 2_100 })
      .expect(200);
    await api.shop.retire(scarce);
    expect(dataOf(await call('get', `/${id}`, { guest }).expect(200))).toMatchObject({
      items: [
        { unitPrice: 2_100, warnings: [{ code: 'price_changed' }] },
        { unitPrice: null, warnings: [{ code: 'retired' }] },
      ],
      total: 4_998,
      version: 3,
    });
  });

  it('shows nobody the cart of another, nor that there is one', async () => {
    const [guests, alices] = [await guestCart(), await aliceCart()];
    const missing = 'cart_01HZX0000000000000N0N0N0N0';
    const others: [string, Opening][] = [
      [guests.id, { token: alice }],
      [guests.id, { guest: (await guestCart()).token }],
      [guests.id, {}],
      [alices.id, { guest: guests.token }],
      [alices.id, { token: api.tokenOf('CUSTOMER', newId('usr')) }],
      [missing, { guest: guests.token }],
    ];
    const texts = new Set<string>();
    for (const [id, opening] of others) {
      const { text } = await call('get', `/${id}`, opening).set('X-Request-Id', 'same').expect(404);
      await put({ id }, shirt, 1, opening).expect(404);
      await call('delete', `/${id}`, opening).expect(404);
      texts.add(text);
    }
    expect(texts.size).toBe(1);
  });
});

describe('changing a cart', () => {
  it('changes it once, however often the request is repeated', async () => {
    const { id } = await aliceCart();
    const etags = [];
    for (const quantity of [2, 2, 0, 0])
      etags.push((await put({ id }, shirt, quantity, { token: alice }).expect(200)).headers.etag);
    expect(etags).toEqual(['"2"', '"2"', '"3"', '"3"']);
  });

  it('keeps the changes of all who make some at once', async () => {
    const { id, token: guest } = await guestCart();
    const ids = [];
    for (let n = 0; n < 6; n++) ids.push((await api.shop.sell()).id);
    await Promise.all(ids.map((product) => put({ id }, product, 1, { guest }).expect(200)));
    const { items, version } = dataOf(await call('get', `/${id}`, { guest }).expect(200));
    expect(items.map(({ productServiceId }) => productServiceId).sort()).toEqual(ids.sort());
    expect(version).toBe(7);
  });

  it('refuses a version that is not current', async () => {
    const { id, token: guest } = await guestCart();
    await put({ id }, shirt, 1, { guest }).set('If-Match', '"1"').expect(200);
    for (const sent of [
      put({ id }, shirt, 2, { guest }),
      call('patch', `/${id}`, { guest }).send({ note: 'x' }),
      call('delete', `/${id}`, { guest }),
    ]) {
      const { headers } = await sent.set('If-Match', '"1"').expect(412);
      expect(headers.etag).toBe('"2"');
    }
    await call('delete', `/${id}`, { guest }).set('If-Match', '"2"').expect(204);
    await call('get', `/${id}`, { guest }).expect(404);
  });

  it('takes the address, note and metadata, and removes them', async () => {
    const { id, token: guest } = await guestCart();
    const shippingAddress = { name: 'Ada', line1: 'Street 1', city: 'Berlin', country: 'DE' };
    const details = { shippingAddress, note: 'Ring', metadata: { channel: 'web' } };
    const { body } = await call('patch', `/${id}`, { guest }).send(details).expect(200);
    expect(dataOf({ body })).toMatchObject(details);
    const nothing = { shippingAddress: null, note: '', metadata: null };
    expect(dataOf(await call('patch', `/${id}`, { guest }).send(nothing).expect(200))).toMatchObject({
      shippingAddress: null,
      note: null,
      metadata: {},
    });
  });

  it('says why something cannot be put into it', async () => {
    const { id, token: guest } = await guestCart();
    const dollars = await api.shop.sell({ currency: 'USD' });
    await put({ id }, shirt, 1, { guest }).expect(200);
    const codes = [];
    for (const product of ['ps_nothing', dollars.id])
      codes.push((await put({ id }, product, 1, { guest }).expect(422)).body.code);
    expect(codes).toEqual(['unknown_product', 'mixed_currencies']);
    await put({ id }, shirt, 10_001, { guest }).expect(400);
  });
});

describe('POST /carts/:id/merge', () => {
  it("adds a guest's cart to that of the user, once", async () => {
    const guests = await guestCart();
    await put(guests, shirt, 2, { guest: guests.token }).expect(200);
    await put(guests, scarce, 1, { guest: guests.token }).expect(200);
    const { id } = await aliceCart();
    await put({ id }, shirt, 1, { token: alice }).expect(200);
    const merge = () =>
      call('post', `/${id}/merge`, { token: alice }).send({ cartId: guests.id, token: guests.token });
    const answers = await Promise.all([merge().expect(200), merge().expect(200)]);
    answers.push(await merge().expect(200));
    for (const answer of answers)
      expect(dataOf(answer).items.map(({ quantity }) => quantity)).toEqual([3, 1]);
    await call('get', `/${guests.id}`, { guest: guests.token }).expect(404);
    const bob = api.tokenOf('CUSTOMER', newId('usr'));
    const bobs = dataOf(await api.call('post', '/carts', bob).expect(201));
    await call('post', `/${bobs.id}/merge`, { token: bob })
      .send({ cartId: guests.id, token: guests.token })
      .expect(404);
  });

  it('needs the token of the other cart, which is another one', async () => {
    const [guests, other] = [await guestCart(), await guestCart()];
    const { id } = await aliceCart();
    const merge = (cartId: string, token: string, into = id, opening: Opening = { token: alice }) =>
      call('post', `/${into}/merge`, opening).send({ cartId, token });
    await merge(guests.id, other.token).expect(404);
    await merge(guests.id, guests.token, guests.id, { guest: guests.token }).expect(409);
  });
});

describe('POST /orders/calculate', () => {
  it('tells anyone what an order would cost, as placing it does, and keeps nothing', async () => {
    const { items } = lines([shirt, 3], [scarce, 5]);
    const before = await dump(api.db.connection);
    const { body } = await api.call('post', '/orders/calculate').send({ items }).expect(200);
    expect(await dump(api.db.connection)).toEqual(before);
    expect(body.data).toMatchObject({
      items: [{ warnings: [] }, { available: 2, warnings: [{ code: 'out_of_stock' }] }],
    });
    await api.shop.stockUp(scarce, 3);
    const { subtotal, tax, total } = body.data as Cart;
    await expect(api.placed(alice, [shirt, 3], [scarce, 5])).resolves.toMatchObject({ subtotal, tax, total });
  });

  it('refuses what placing would', async () => {
    const dollars = await api.shop.sell({ currency: 'USD' });
    const codeOf = async (...ids: string[]) =>
      (
        await api
          .call('post', '/orders/calculate')
          .send({ items: lines(...ids.map((id): [string, number] => [id, 1])).items })
          .expect(422)
      ).body.code;
    expect(await codeOf('ps_nothing')).toBe('unknown_product');
    expect(await codeOf(shirt, dollars.id)).toBe('mixed_currencies');
  });
});
