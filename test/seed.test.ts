import { ID_PATTERNS } from '../src/common/ids';
import { exampleOf } from '../src/openapi/example';
import { placeOrderBody } from '../src/orders/schema/requests';
import { createProductServiceModel, derivedFrom } from '../src/product-service/product-service.model';
import { idParams } from '../src/product-service/product-service.schema';
import { DEMO_CATALOGUE } from '../src/seed/catalogue';
import { seed } from '../src/seed/seed';
import { DEMO_PASSWORD, DEMO_USERS } from '../src/users/demo-users';
import { openTestApi, type TestApi } from './support/api';
import { runEntry } from './support/entries';

let api: TestApi;
beforeAll(async () => void (api = await openTestApi()));
beforeEach(() => api.clear());
afterAll(() => api.close());

it('demo users can sign in, each with their role', async () => {
  await seed(api.db.connection, 'development');
  for (const { email, role } of DEMO_USERS) {
    const { body } = await api
      .call('post', '/auth/login')
      .send({ email, password: DEMO_PASSWORD })
      .expect(200);
    expect(body).toMatchObject({ data: { user: { email, role } } });
  }
});

it('the catalogue has products and services in two currencies, and the ids of the examples', async () => {
  await seed(api.db.connection, 'test');
  const { body } = await api.call('get', '/product-services').expect(200);
  const entries = (body as { data: { id: string; kind: string; currency: string }[] }).data;
  expect(new Set(entries.map(({ kind, currency }) => `${kind} ${currency}`)).size).toBe(4);
  const ids = entries.map(({ id }) => id);
  expect(ids.every((id) => ID_PATTERNS.ps.test(id))).toBe(true);
  expect(DEMO_USERS.every(({ _id }) => ID_PATTERNS.usr.test(_id))).toBe(true);
  expect(ids).toContain((exampleOf(idParams) as { id: string }).id);
  const order = exampleOf(placeOrderBody) as { items: { productServiceId: string }[] };
  expect(ids).toContain(order.items[0]!.productServiceId);
});

it('a second run changes neither stock nor what an ADMIN edited', async () => {
  const connection = api.db.connection;
  const entries = createProductServiceModel(connection);
  expect(await seed(connection, 'development')).toEqual({ users: 3, entries: DEMO_CATALOGUE.length });
  const [first, second] = DEMO_CATALOGUE;
  await entries.updateOne({ _id: first!._id }, { $inc: { 'stock.available': -5 } });
  await entries.updateOne({ _id: second!._id }, { $set: { sku: 'RENAMED', skuKey: 'renamed' } });
  await entries.create({
    ...(await entries.findById(second!._id).lean())!,
    _id: 'ps_01HZX00000000000000000MVG1',
    sku: second!.sku,
    ...derivedFrom(second!),
  });
  const before = await entries.find().sort({ _id: 1 }).lean();
  expect(await seed(connection, 'development')).toEqual({ users: 0, entries: 0 });
  expect(await entries.find().sort({ _id: 1 }).lean()).toEqual(before);
});

it('keeps an entry that has the SKU of a demo entry', async () => {
  const entries = createProductServiceModel(api.db.connection);
  const { sku, name, unitPrice, currency } = DEMO_CATALOGUE[0]!;
  await entries.create({
    _id: 'ps_01HZX00000000000000000MVG1',
    sku,
    name,
    ...derivedFrom({ sku, name }),
    stockRevision: 0,
    stockReceived: 0,
    unitPrice,
    currency,
    taxRateBps: 0,
    kind: 'service',
    isActive: true,
    version: 1,
  });
  expect(await seed(api.db.connection, 'development')).toMatchObject({ entries: DEMO_CATALOGUE.length - 1 });
});

it('is rejected in production', async () => {
  await expect(seed(api.db.connection, 'production')).rejects.toThrow('never in production');
});

it('the command seeds the database in MONGODB_URI, but not in production', async () => {
  const env = { NODE_ENV: 'test', MONGODB_URI: api.db.uri };
  expect(await runEntry('seed', env)).toMatchObject({ code: 0, stderr: '' });
  const { body } = await api.call('get', '/product-services').expect(200);
  expect((body as { data: unknown[] }).data).toHaveLength(DEMO_CATALOGUE.length);
  expect(await runEntry('seed', { ...env, NODE_ENV: 'production' })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('never in production') as string,
  });
});
