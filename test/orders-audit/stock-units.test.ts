import { mongo } from 'mongoose';
import { createStockUnits } from '../../src/orders-audit/stock-units.repository';
import { openTestDatabase, type TestDatabase } from '../support/database';

let db: TestDatabase;
beforeEach(async () => {
  db = await openTestDatabase({ own: true });
  for (const id of ['ps_1', 'ps_2', 'ps_3']) {
    await collection('product_services').insertOne({
      _id: id,
      skuKey: id,
      kind: 'product',
      stock: { available: 90, reserved: 10 },
      stockRevision: 4,
      stockReceived: 100,
    });
    await order(id, { quantity: 10, fulfilledQuantity: 2 });
  }
});
afterEach(async () => {
  jest.restoreAllMocks();
  await db.drop();
});

const collection = (name: string) => db.connection.collection<mongo.Document & { _id: string }>(name);

let orders = 0;
async function order(productServiceId: string, counts: object, fields: object = {}): Promise<void> {
  const number = `order-${orders++}`;
  const items = [{ productServiceId, sku: 'ANY', kind: 'product', ...counts }];
  const document = {
    _id: number,
    number,
    reservation: 'held',
    createdAt: new Date(orders),
    items,
    ...fields,
  };
  await collection('orders').insertOne(document);
}

/** Has MongoDB forget what was at the time of a snapshot, when orders of a product are read in it. */
function outlive(id: string, onRead: () => Promise<void> = async () => undefined) {
  const stored = db.connection.collection('orders');
  const aggregate = stored.aggregate.bind(stored);
  jest.spyOn(stored, 'aggregate').mockImplementation((...args) => {
    const [pipeline, options] = args as [object[], mongo.AggregateOptions];
    const found = aggregate(pipeline, options);
    if (!JSON.stringify(pipeline).includes(id)) return found;
    const toArray = async () => {
      if (options.session) throw new mongo.MongoServerError({ code: 239, message: 'snapshot too old' });
      await onRead();
      return found.toArray();
    };
    return { toArray } as never;
  });
}

const unitsOf = (units: object) => expect.objectContaining({ units }) as unknown;
const EACH = { reserved: 8, held: 0, gone: 2 };

it('adds up what orders of all lists have of a product, whatever sku they were placed under', async () => {
  await order('ps_2', { quantity: 3, cancelledQuantity: 1 }, { archivedAt: new Date() });
  await order('ps_2', { quantity: 5 }, { reservation: 'released' });
  await collection('orders').updateOne(
    { 'items.productServiceId': 'ps_2' },
    { $set: { 'items.0.sku': null } },
  );
  const { all, moving } = await createStockUnits(db.connection).inUse(['ps_2']);
  expect(all).toEqual([unitsOf({ reserved: 10, held: 0, gone: 2 })]);
  expect(moving).toEqual([]);
});

it('adds up a product alone whose orders take longer than MongoDB keeps a snapshot, and all others with it', async () => {
  outlive('ps_2');
  const { all, moving } = await createStockUnits(db.connection).inUse(['ps_1', 'ps_2', 'ps_3']);
  expect(all).toEqual([unitsOf(EACH), unitsOf(EACH), unitsOf(EACH)]);
  expect(all.map(({ stock }) => stock.id)).toEqual(['ps_1', 'ps_2', 'ps_3']);
  expect(moving).toEqual([]);
});

it('says of such a product that it cannot be told when its stock moves meanwhile', async () => {
  outlive('ps_2', async () => {
    await collection('product_services').updateOne({ _id: 'ps_2' }, { $inc: { stockRevision: 1 } });
  });
  const { all, moving } = await createStockUnits(db.connection).inUse(['ps_1', 'ps_2', 'ps_3']);
  expect(all.map(({ stock }) => stock.id)).toEqual(['ps_1', 'ps_3']);
  expect(moving).toEqual(['ps_2']);
});

it('finds what carts hold of a product without a look at those that hold others', async () => {
  const until = new Date();
  const holding = (productServiceId: string) => ({ items: [{ productServiceId, quantity: 2 }], until });
  for (let n = 0; n < 50; n++)
    await collection('carts').insertOne({
      _id: `cart_${n}`,
      tokenHash: 'x',
      hold: holding(n ? 'ps_1' : 'ps_2'),
    });
  const aggregate = jest.spyOn(db.connection.collection('carts'), 'aggregate');
  const { all } = await createStockUnits(db.connection).inUse(['ps_2']);
  expect(all).toEqual([unitsOf({ ...EACH, held: 2 })]);
  const [pipeline, { hint }] = aggregate.mock.calls[0] as [object[], mongo.AggregateOptions];
  const explained = await collection('carts').aggregate(pipeline, { hint }).explain('executionStats');
  expect(JSON.stringify(explained)).toMatch(/"totalDocsExamined":1\b/);
});
