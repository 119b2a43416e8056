import type { EventDocument, RelayDocument } from '../../src/events/events.model';
import { createProductServiceRepository } from '../../src/product-service/product-service.repository';
import { createProductServiceModel } from '../../src/product-service/product-service.model';
import { createCartModel } from '../../src/carts/carts.model';
import { createCartRepository } from '../../src/carts/carts.repository';
import { newId } from '../../src/common/ids';
import { newCart } from '../../src/domain/cart';
import { createStockQueue } from '../../src/product-service/stock-queue';
import { createStockRepository } from '../../src/product-service/stock.repository';
import { createGuestRepository } from '../../src/users/guests.repository';
import { createUsersRepository } from '../../src/users/users.repository';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { TEST_ORIGIN } from '../support/origin';
import { keepRelaying } from '../support/relay';
import { entryOf } from '../support/shop';

let db: TestDatabase;
let relay: ReturnType<typeof keepRelaying>;
beforeAll(async () => {
  db = await openTestDatabase({ own: true });
  relay = keepRelaying(db.connection);
  await relay.following;
});
afterAll(async () => {
  await relay.stop();
  await db.drop();
});

const events = () => db.connection.collection<EventDocument>('events');
const relayState = () => db.connection.collection<RelayDocument>('relay');

/** Waits until the feed has exactly these events of an object, and returns them. */
async function expectEvents(object: string, types: string[][]): Promise<EventDocument[]> {
  const found = () => events().find({ object }).sort({ position: 1 }).toArray();
  await eventually(async () => expect((await found()).map((event) => event.types)).toEqual(types));
  return found();
}

async function sell(available: number | null): Promise<string> {
  const entry = entryOf(available ?? 0);
  const isService = available === null;
  const product = { ...entry, ...(isService && { kind: 'service' as const, stock: null }) };
  return (await products().insert(product, TEST_ORIGIN))!.id;
}

const products = () => createProductServiceRepository(db.connection);

async function move(id: string, units: number): Promise<void> {
  const moved = { $inc: { 'stock.available': units, stockRevision: 1 } };
  await createProductServiceModel(db.connection).updateOne({ _id: id }, moved, { timestamps: false });
}

async function edit(id: string, changes: Parameters<ReturnType<typeof products>['update']>[1]) {
  await products().update((await products().find(id))!, changes, TEST_ORIGIN);
}

it('tells what is changed in the catalogue, and when a product runs out or is there again', async () => {
  const id = await sell(2);
  await move(id, -1);
  await move(id, -1);
  await move(id, 3);
  await move(id, -1);
  await edit(id, { unitPrice: 2_500 });
  await edit(id, { name: 'Another thing' });
  await products().retire((await products().find(id))!, TEST_ORIGIN);
  await products().restore((await products().find(id))!, TEST_ORIGIN);
  const found = await expectEvents(id, [
    ['product.created'],
    ['product.out_of_stock'],
    ['product.back_in_stock'],
    ['product.price_changed'],
    ['product.updated'],
    ['product.retired'],
    ['product.restored'],
  ]);
  expect(found.map(({ _id }) => _id.replace(`evt_${id}_`, ''))).toEqual([
    '1',
    's2',
    's3',
    '2',
    '3',
    '4',
    '5',
  ]);
  expect(found[3]!.data).toMatchObject({ id, unitPrice: 2_500 });
  const soldOut = await sell(0);
  await move(soldOut, 1);
  await expectEvents(soldOut, [['product.created'], ['product.back_in_stock']]);
  await expectEvents(await sell(null), [['product.created']]);
});

/** Has someone order who has no account. */
async function guestOrders(): Promise<string> {
  const guest = { id: newId('usr'), email: 'guest@example.com', name: 'Guest', orderTokenHash: newId('usr') };
  await createGuestRepository(db.connection).keep(guest);
  return guest.id;
}

it('tells once of a cart that nobody touches any more, and nothing of the person', async () => {
  const carts = createCartRepository(db.connection, {
    stock: createStockRepository(db.connection),
    stockQueue: createStockQueue(),
  });
  const owner = { id: newId('cart'), customerId: newId('usr'), tokenHash: 'x' };
  const { id, ...cart } = newCart(owner, new Date().toISOString());
  const items = [{ productServiceId: 'ps_1', quantity: 2 }];
  const times = { createdAt: new Date(), updatedAt: new Date() };
  await createCartModel(db.connection).collection.insertOne({
    _id: id,
    ...cart,
    ...times,
    note: 'Canary',
    items,
  } as never);
  expect(await carts.markAbandoned(new Date())).toBe(1);
  expect(await carts.markAbandoned(new Date())).toBe(0);
  const [event] = await expectEvents(id, [['cart.abandoned']]);
  expect(event).toMatchObject({
    _id: `evt_${id}_abandoned`,
    data: { id, isGuest: true, items: [{ productServiceId: 'ps_1', quantity: 2 }] },
  });
  expect(JSON.stringify(event)).not.toContain('Canary');
});

it('tells who has opened an account, and whose was disabled, enabled or erased, and nothing of the person', async () => {
  const users = createUsersRepository(db.connection);
  const guest = await guestOrders();
  const user = await users.insert({
    id: newId('usr'),
    email: 'canary@example.com',
    name: 'Zoe Canary',
    role: 'CUSTOMER',
    passwordHash: 'x',
  });
  const { id } = user!;
  await users.rename(user!, 'Zoe Other', TEST_ORIGIN);
  await users.change(id, { status: 'disabled' });
  await users.change(id, { status: 'active' });
  await users.erase(id, TEST_ORIGIN);
  const found = await expectEvents(id, [
    ['user.created'],
    ['user.disabled'],
    ['user.enabled'],
    ['user.erased'],
  ]);
  expect(found.map(({ data }) => (data as { status: string }).status)).toEqual([
    'active',
    'disabled',
    'active',
    'erased',
  ]);
  expect(JSON.stringify(found)).not.toMatch(/canary|Zoe/i);
  await expectEvents(guest, []);
});

it('looks for changes that it has missed, and tells none twice', async () => {
  const [edited, gone, back] = [await sell(5), await sell(1), await sell(0)];
  await Promise.all([edited, gone, back].map((id) => expectEvents(id, [['product.created']])));
  await relay.stop();
  const { token } = (await relayState().findOne())! as { token: { _data: string } };
  const old = `${token._data.slice(0, 2)}50000000${token._data.slice(10)}`;
  await relayState().updateOne({}, { $set: { token: { _data: old } } });
  await edit(edited, { unitPrice: 1, name: 'Cheap' });
  await move(gone, -1);
  await move(back, 4);
  await move(back, -4);
  await move(back, 4);
  const added = await sell(0);
  const users = createUsersRepository(db.connection);
  const [one, other] = [newId('usr'), newId('usr')];
  for (const id of [one, other])
    await users.insert({ id, email: `${id}@example.com`, name: 'X', role: 'CUSTOMER', passwordHash: 'x' });
  await users.change(other, { status: 'disabled' });
  const guest = await guestOrders();
  relay = keepRelaying(db.connection);
  await expectEvents(edited, [['product.created'], ['product.price_changed']]);
  await expectEvents(gone, [['product.created'], ['product.out_of_stock']]);
  await expectEvents(back, [['product.created'], ['product.back_in_stock']]);
  await expectEvents(added, [['product.created']]);
  await expectEvents(one, [['user.created']]);
  await expectEvents(other, [['user.created'], ['user.disabled']]);
  await expectEvents(guest, []);
  await edit(edited, { name: 'Later' });
  await expectEvents(edited, [['product.created'], ['product.price_changed'], ['product.updated']]);
});
