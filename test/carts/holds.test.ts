import { trusted } from 'mongoose';
import { CARTS_WORKFLOW } from '../../workflows/contract';
import { createCartModel } from '../../src/carts/carts.model';
import { createCartRepository } from '../../src/carts/carts.repository';
import { newId } from '../../src/common/ids';
import { createStockQueue } from '../../src/product-service/stock-queue';
import { createStockRepository } from '../../src/product-service/stock.repository';
import { openCart, type TestCart } from '../support/carts';
import { currentDetailsOf } from '../support/current-details';
import { recordHistory } from '../support/histories';
import { openOrderApi, type OrderApi } from '../support/order-api';

/** Carts that hold what is scarce, of which five are in stock. */
let api: OrderApi;
let scarce: string;
beforeAll(async () => {
  api = await openOrderApi({ own: true, env: { CART_HOLD: '10m' } });
  await api.shop.startWorker({}, undefined, { CART_ABANDONED_AFTER: '1h' });
});
beforeEach(async () => {
  scarce = (await api.shop.sell({ available: 5 })).id;
});
afterAll(() => api.close());

const carts = () => createCartModel(api.db.connection);
const stock = () => api.shop.stockOf(scarce);

async function cartWith(quantity: number): Promise<TestCart> {
  const cart = await openCart(api, api.tokenOf('CUSTOMER', newId('usr')));
  await cart.put(scarce, quantity).expect(200);
  return cart;
}

const hold = (cart: TestCart) => cart.call('post', '/hold').send({});

/** Has the time go by until which the cart may hold what it does. */
const expire = ({ id }: TestCart) =>
  carts().updateOne({ _id: id }, { $set: { 'hold.until': new Date(Date.now() - 1_000) } });

async function sweep(): Promise<unknown> {
  const handle = await api.shop.temporal.client.workflow.start(CARTS_WORKFLOW, {
    workflowId: `carts-${newId('cart')}`,
    taskQueue: api.shop.taskQueue,
    args: [],
  });
  const report: unknown = await handle.result();
  expect(await currentDetailsOf(handle)).toContain('Releases what carts have held too long');
  await recordHistory('carts', handle);
  return report;
}

it('keeps what is in a cart from others, and sells it to its customer', async () => {
  const cart = await cartWith(3);
  const { body } = await hold(cart).expect(200);
  expect(Date.parse(body.data.hold.until as string) - Date.now()).toBeGreaterThan(590_000);
  expect(body.data.items).toMatchObject([{ available: 5, warnings: [] }]);
  expect(await stock()).toEqual({ available: 2, reserved: 0, held: 3 });
  const other = await cartWith(3);
  expect((await other.read()).items).toMatchObject([{ warnings: [{ code: 'out_of_stock' }] }]);
  await hold(other).expect(409);
  await other.checkOut().expect(409);
  await cart.checkOut().expect(201);
  expect(await stock()).toEqual({ available: 2, reserved: 3, held: 0 });
  expect(await cart.read()).toMatchObject({ status: 'ordered', hold: null });
  const { body: shown } = await api.call('get', `/product-services/${scarce}`).expect(200);
  expect(shown.data.stock).toEqual({ available: 2, reserved: 3 });
});

it('holds what is put into the cart later as well, but no longer, and lets go of what is taken out and of it all with the cart', async () => {
  const cart = await cartWith(3);
  const { body: first } = await hold(cart).expect(200);
  const until = first.data.hold.until as string;
  const held = (quantity: number) => ({ until, items: [{ productServiceId: scarce, quantity }] });
  expect(first.data.hold).toEqual(held(3));
  await hold(cart).set('If-Match', '"2"').expect(200); // the content has not changed
  expect((await cart.put(scarce, 1).expect(200)).body.data.hold).toEqual(held(1));
  expect(await stock()).toEqual({ available: 4, reserved: 0, held: 1 });
  await hold(cart).set('If-Match', '"2"').expect(412);
  expect((await cart.put(scarce, 2).expect(200)).body.data.hold).toEqual(held(1));
  expect((await hold(cart).expect(200)).body.data.hold).toEqual(held(2));
  expect(await stock()).toEqual({ available: 3, reserved: 0, held: 2 });
  expect(await carts().findById(cart.id).lean()).toMatchObject({ expiresAt: null });
  expect((await cart.put(scarce, 0).expect(200)).body.data.hold).toBeNull();
  expect(await stock()).toEqual({ available: 5, reserved: 0, held: 0 });
  await cart.put(scarce, 2).expect(200);
  await hold(cart).expect(200);
  await cart.call('delete').expect(204);
  expect(await stock()).toEqual({ available: 5, reserved: 0, held: 0 });
});

it.each([
  ['nothing', 2],
  ['some', 3],
])('keeps what the cart of a guest holds when that is merged into one that holds %s', async (what, held) => {
  const guests = await openCart(api);
  await guests.put(scarce, 2).expect(200);
  await hold(guests).expect(200);
  const cart = await cartWith(1);
  if (what === 'some') await hold(cart).expect(200);
  const { body } = await cart
    .call('post', '/merge')
    .send({ cartId: guests.id, token: guests.token })
    .expect(200);
  expect(body.data).toMatchObject({
    items: [{ quantity: 3 }],
    hold: { items: [{ productServiceId: scarce, quantity: held }] },
  });
  expect(await stock()).toEqual({ available: 5 - held, reserved: 0, held });
  await cart.checkOut().expect(201);
  expect(await stock()).toEqual({ available: 2, reserved: 3, held: 0 });
});

it('gives what was held long enough to the next cart that is ordered or held, and not before', async () => {
  const [first, second, third] = [await cartWith(4), await cartWith(4), await cartWith(5)];
  await hold(first).expect(200);
  await expire(first);
  await hold(second).expect(200);
  expect((await first.read()).hold).toBeNull();
  expect(await stock()).toEqual({ available: 1, reserved: 0, held: 4 });
  await third.checkOut().expect(409);
  await expire(second);
  await third.checkOut().expect(201);
  expect(await stock()).toEqual({ available: 0, reserved: 5, held: 0 });
  await second.checkOut().expect(409);
});

it('never sells or holds a unit twice, however many want it at once', async () => {
  const wanting = await Promise.all(Array.from({ length: 6 }, () => cartWith(2)));
  await hold(wanting[0]!).expect(200);
  await expire(wanting[0]!);
  const answers = await Promise.all(wanting.map((cart, n) => (n % 2 === 0 ? hold(cart) : cart.checkOut())));
  const done = answers.filter(({ status }) => status < 300).length;
  expect(done).toBe(2);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
  const { available, reserved, held = 0 } = (await stock())!;
  expect([available, reserved + held]).toEqual([1, 4]);
});

it('holds nothing but goods that there are', async () => {
  const cart = await openCart(api, api.tokenOf('CUSTOMER', newId('usr')));
  const { id } = await api.shop.sell({ kind: 'service', stock: null });
  await cart.put(id, 1).expect(200);
  const { body } = await hold(cart).expect(409);
  expect(body.code).toBe('invalid_transition');
});

it('releases what can be released, beyond any number of carts of which that cannot be, and says which those are', async () => {
  const { id: lacking } = await api.shop.sell({ available: 0 });
  const cart = await cartWith(1);
  await hold(cart).expect(200);
  const stored = (await carts().findById(cart.id).lean())!;
  const stuck = Array.from({ length: 60 }, (_, n) => ({
    ...stored,
    _id: `cart_stuck_${n}`,
    customerId: newId('usr'),
    // The stock of that product holds nothing, and one of these is damaged.
    hold: { items: n === 0 ? 'lost' : [{ productServiceId: lacking, quantity: 1 }], until: new Date(1) },
  }));
  await carts().collection.insertMany(stuck as never);
  await expire(cart);
  const failures = new Map<string, unknown>();
  const repository = createCartRepository(api.db.connection, {
    stock: createStockRepository(api.db.connection),
    stockQueue: createStockQueue(),
  });
  expect(await repository.releaseExpired(undefined, (id, reason) => failures.set(id, reason))).toBe(1);
  expect(await stock()).toEqual({ available: 5, reserved: 0, held: 0 });
  expect([...failures.keys()].toSorted()).toEqual(stuck.map(({ _id }) => _id).toSorted());
  expect(failures.get('cart_stuck_1')).toMatch(/lacks what the cart holds/);
  expect(failures.get('cart_stuck_0')).toBeInstanceOf(Error);
  await carts().deleteMany({ _id: trusted({ $in: stuck.map(({ _id }) => _id) }) });
});

it('sweeps what was held too long, and marks what was abandoned, once', async () => {
  const [held, abandoned, recent] = [await cartWith(1), await cartWith(1), await cartWith(1)];
  const empty = await openCart(api);
  await hold(held).expect(200);
  await expire(held);
  const long = { $set: { updatedAt: new Date(Date.now() - 2 * 3_600_000) } };
  await carts().updateMany({ _id: trusted({ $in: [abandoned.id, empty.id] }) }, long, { timestamps: false });
  expect(await sweep()).toEqual({ released: 1, abandoned: 1 });
  expect(await stock()).toEqual({ available: 5, reserved: 0, held: 0 });
  const marked = await carts()
    .find({ abandonedAt: trusted({ $ne: null }) })
    .lean();
  expect(marked.map(({ _id, version }) => [_id, version])).toEqual([[abandoned.id, 3]]);
  expect(await recent.read()).toMatchObject({ version: 2 });
  await abandoned.put(scarce, 2).expect(200);
  await carts().updateOne({ _id: abandoned.id }, long, { timestamps: false });
  expect(await sweep()).toEqual({ released: 0, abandoned: 0 });
  await abandoned.checkOut().expect(201);
});
