import { randomUUID } from 'node:crypto';
import { newId } from '../../src/common/ids';
import { createStockAdjustmentModel } from '../../src/product-service/product-service.model';
import type { ProductServiceView } from '../../src/product-service/product-service.schema';
import type { StockAdjustmentView } from '../../src/product-service/stock-adjustments.schema';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';

const ADMIN_ID = newId('usr');

let api: OrderApi;
let admin: string;
/** A product with ten units in stock. */
let id: string;
beforeAll(async () => {
  api = await openOrderApi();
  admin = api.tokenOf('ADMIN', ADMIN_ID);
});
beforeEach(async () => {
  ({ id } = await api.shop.sell({ available: 10 }));
});
afterAll(() => api.close());

type Headers = Record<string, string>;

const pathOf = (productId: string) => `/product-services/${productId}`;
const read = () => api.call('get', pathOf(id), admin).expect(200);
const stock = async () => dataOf(await read()).stock;
const etag = async () => (await read()).headers.etag!;
const adjust = (body: object, headers: Headers = {}, token = admin) =>
  api
    .call('post', `${pathOf(id)}/stock-adjustments`, token)
    .set({ 'Idempotency-Key': randomUUID(), ...headers })
    .send(body);
const count = (body: object, headers: Headers) =>
  api
    .call('put', `${pathOf(id)}/stock`, admin)
    .set(headers)
    .send(body);
const dataOf = ({ body }: { body: unknown }) => (body as { data: ProductServiceView }).data;
const pathsOf = ({ body }: { body: unknown }) =>
  (body as { errors: { path: string }[] }).errors.map(({ path }) => path);
const records = () => createStockAdjustmentModel(api.db.connection).find({ productServiceId: id }).lean();

interface Page {
  data: StockAdjustmentView[];
  meta: { page: { nextCursor: string | null } };
}
const list = async (query = '') =>
  (await api.call('get', `${pathOf(id)}/stock-adjustments?${query}`, admin).expect(200)).body as Page;

describe('POST /product-services/:id/stock-adjustments', () => {
  it('changes the stock but not the version, and the ETag says so', async () => {
    const response = await adjust({ delta: 5, reason: 'delivery' }).expect(201);
    expect(dataOf(response)).toMatchObject({ id, stock: { available: 15, reserved: 0 }, version: 1 });
    expect(response.headers.etag).toBe('"1-1"');
    expect(await etag()).toBe('"1-1"');
    expect(await stock()).toEqual({ available: 15, reserved: 0 });
  });

  it('returns 409 below zero and records nothing', async () => {
    const { body } = await adjust({ delta: -11, reason: 'theft' }).expect(409);
    expect(body).toMatchObject({
      code: 'out_of_stock',
      detail: expect.stringContaining('only 10') as string,
    });
    expect(await stock()).toEqual({ available: 10, reserved: 0 });
    expect(await records()).toEqual([]);
  });

  it('needs an Idempotency-Key', async () => {
    const { body } = await api
      .call('post', `${pathOf(id)}/stock-adjustments`, admin)
      .send({ delta: 5, reason: 'delivery' })
      .expect(400);
    expect(body).toMatchObject({ code: 'idempotency_key_required' });
    expect(await stock()).toEqual({ available: 10, reserved: 0 });
  });

  it('gives a repetition the first answer, whatever has happened since', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await adjust({ delta: -8, reason: 'broken' }, key).expect(201);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    await adjust({ delta: -2, reason: 'broken' }).expect(201);
    const again = await adjust({ reason: 'broken', delta: -8 }, key).expect(201);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect([dataOf(again), again.headers.etag]).toEqual([dataOf(first), first.headers.etag]);
    await api.shop.retire(id);
    await adjust({ delta: -8, reason: 'broken' }, key).expect(201);
    expect((await api.shop.products.find(id))!.stock).toEqual({ available: 0, reserved: 0 });
  });

  it('rejects a key that was used for another adjustment, and does not share keys between callers', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    await adjust({ delta: 1, reason: 'found' }, key).expect(201);
    for (const other of [
      { delta: 2, reason: 'found' },
      { delta: 1, reason: 'bought' },
    ]) {
      expect((await adjust(other, key).expect(422)).body).toMatchObject({ code: 'idempotency_key_reused' });
    }
    const { id: another } = await api.shop.sell();
    await api
      .call('post', `${pathOf(another)}/stock-adjustments`, admin)
      .set(key)
      .send({ delta: 1, reason: 'found' })
      .expect(422);
    await adjust({ delta: 2, reason: 'found' }, key, api.tokenOf('ADMIN', newId('usr'))).expect(201);
    expect(await stock()).toEqual({ available: 13, reserved: 0 });
  });

  it('adjusts once for many concurrent requests with one key, even if the stock suffices only once', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => adjust({ delta: -10, reason: 'fire' }, key)),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array<number>(10).fill(201));
    const replayed = responses.filter(({ headers }) => headers['idempotent-replayed'] === 'true');
    expect(replayed).toHaveLength(9);
    expect(await stock()).toEqual({ available: 0, reserved: 0 });
    expect(await records()).toHaveLength(1);
  });

  it('obeys If-Match, except for a repetition', async () => {
    const [before, key] = [await etag(), { 'Idempotency-Key': randomUUID() }];
    await adjust({ delta: 1, reason: 'found' }, { ...key, 'If-Match': before }).expect(201);
    const stale = await adjust({ delta: 1, reason: 'found' }, { 'If-Match': before }).expect(412);
    expect(stale.headers.etag).toBe(await etag());
    await adjust({ delta: 1, reason: 'found' }, { ...key, 'If-Match': before }).expect(201);
    expect(await stock()).toEqual({ available: 11, reserved: 0 });
  });

  it('answers 20 adjustments beside 10 orders of one product', async () => {
    const { id: product } = await api.shop.sell({ available: 100 });
    id = product;
    const orders = Array.from({ length: 10 }, () => api.place(api.tokenOf('CUSTOMER'), lines([id, 3])));
    const deltas = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 2 : -1));
    const adjustments = deltas.map((delta) => adjust({ delta, reason: 'race' }));
    expect((await Promise.all(orders)).map(({ status }) => status)).toEqual(Array<number>(10).fill(201));
    expect((await Promise.all(adjustments)).map(({ status }) => status)).toEqual(Array<number>(20).fill(201));
    expect(await stock()).toEqual({ available: 100 - 30 + 10, reserved: 30 });
    const { data } = await list('limit=100');
    expect(data.map(({ delta }) => delta).sort()).toEqual(deltas.toSorted());
  });

  it('never falls below zero under concurrent adjustments', async () => {
    const deltas = Array.from({ length: 24 }, (_, n) => (n % 3 === 0 ? 2 : -3));
    const responses = await Promise.all(deltas.map((delta) => adjust({ delta, reason: 'race' })));
    expect(responses.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
    const made = await records();
    expect(made).toHaveLength(responses.filter(({ status }) => status === 201).length);
    const available = 10 + made.reduce((sum, { delta }) => sum + delta, 0);
    expect(await stock()).toEqual({ available, reserved: 0 });
    expect(Math.min(...made.map(({ after }) => after))).toBeGreaterThanOrEqual(0);
  });

  it('returns 404 as soon as the product is retired', async () => {
    const responses = await Promise.all([
      api.call('delete', pathOf(id), admin),
      ...Array.from({ length: 8 }, () => adjust({ delta: 1, reason: 'race' })),
    ]);
    const accepted = responses.filter(({ status }) => status === 201).length;
    expect(responses.slice(1).every(({ status }) => status === 201 || status === 404)).toBe(true);
    expect(await stock()).toEqual({ available: 10 + accepted, reserved: 0 });
  });

  it('returns 409 for a service, and 404 for an unknown product', async () => {
    ({ id } = await api.shop.sell({ kind: 'service', stock: null }));
    expect((await adjust({ delta: 1, reason: 'x' }).expect(409)).body).toMatchObject({
      code: 'invalid_transition',
    });
    await count({ available: 1, reason: 'x' }, { 'If-Match': '*' }).expect(409);
    id = newId('ps');
    await adjust({ delta: 1, reason: 'x' }).expect(404);
  });

  it.each([
    [{ delta: 0, reason: 'x' }, 'delta'],
    [{ delta: 1.5, reason: 'x' }, 'delta'],
    [{ delta: '1', reason: 'x' }, 'delta'],
    [{ delta: 1e9 + 1, reason: 'x' }, 'delta'],
    [{ delta: -1e9 - 1, reason: 'x' }, 'delta'],
    [{ delta: 1 }, 'reason'],
    [{ delta: 1, reason: ' ' }, 'reason'],
    [{ delta: 1, reason: 'x', by: 'me' }, 'by'],
  ])('rejects the body %j', async (body, path) => {
    expect(pathsOf(await adjust(body).expect(400))).toEqual([path]);
  });
});

describe('PUT /product-services/:id/stock', () => {
  it('sets what was counted, and lists the difference', async () => {
    const response = await count(
      { available: 7, reason: 'stock-taking' },
      { 'If-Match': await etag() },
    ).expect(200);
    expect(dataOf(response)).toMatchObject({ stock: { available: 7, reserved: 0 }, version: 1 });
    await count({ available: 7, reason: 'again' }, { 'If-Match': response.headers.etag! }).expect(200);
    expect((await list()).data).toMatchObject([
      { delta: 0, reason: 'again', before: 7, after: 7 },
      { delta: -3, reason: 'stock-taking', before: 10, after: 7 },
    ]);
  });

  it('rejects a count that an order has overtaken', async () => {
    const before = await etag();
    await api.placed(api.tokenOf('CUSTOMER'), [id, 2]);
    const { headers } = await count({ available: 10, reason: 'count' }, { 'If-Match': before }).expect(412);
    expect(headers.etag).toBe(await etag());
    await count({ available: 10, reason: 'count' }, { 'If-Match': headers.etag! }).expect(200);
    expect(await stock()).toEqual({ available: 10, reserved: 2 });
  });

  it('needs an If-Match that names entry and stock', async () => {
    await api
      .call('put', `${pathOf(id)}/stock`, admin)
      .send({ available: 1, reason: 'x' })
      .expect(428);
    for (const ifMatch of ['"1"', '"2-0"', '"1-1"', 'W/"1-0"']) {
      await count({ available: 1, reason: 'x' }, { 'If-Match': ifMatch }).expect(412);
    }
    await count({ available: 0, reason: 'x' }, { 'If-Match': '"1-1", "1-0"' }).expect(200);
    await count({ available: 3, reason: 'x' }, { 'If-Match': '*' }).expect(200);
  });

  it.each([
    [{ available: -1, reason: 'x' }, 'available'],
    [{ available: 1.5, reason: 'x' }, 'available'],
    [{ available: 1e9 + 1, reason: 'x' }, 'available'],
    [{ available: 1 }, 'reason'],
    [{ available: 1, reason: 'x', reserved: 0 }, 'reserved'],
  ])('rejects the body %j', async (body, path) => {
    expect(pathsOf(await count(body, { 'If-Match': '*' }).expect(400))).toEqual([path]);
  });
});

describe('GET /product-services/:id/stock-adjustments', () => {
  it('pages through who, when, why, before and after, newest first', async () => {
    const start = Date.now();
    for (const delta of [1, -2, 3]) await adjust({ delta, reason: `by ${delta}` }).expect(201);
    const [first, rest] = [await list('limit=2'), await list()];
    expect(first.data).toEqual(rest.data.slice(0, 2));
    const cursor = first.meta.page.nextCursor!;
    expect(await list(`limit=2&cursor=${cursor}`)).toMatchObject({
      data: [rest.data[2]],
      meta: { page: { nextCursor: null } },
    });
    expect(rest.data).toMatchObject([
      { delta: 3, reason: 'by 3', before: 9, after: 12 },
      { delta: -2, reason: 'by -2', before: 11, after: 9 },
      { delta: 1, reason: 'by 1', before: 10, after: 11 },
    ]);
    for (const { id: name, by, at } of rest.data) {
      expect([name, by]).toEqual([expect.stringMatching(/^adj_[0-9a-f]{32}$/), ADMIN_ID]);
      expect(Date.parse(at)).toBeGreaterThanOrEqual(start - 1);
    }
  });

  it('shows those of a retired product, and none of an unknown one', async () => {
    await adjust({ delta: 1, reason: 'found' }).expect(201);
    await api.shop.retire(id);
    expect((await list()).data).toHaveLength(1);
    await api.call('get', `${pathOf(newId('ps'))}/stock-adjustments`, admin).expect(404);
  });

  it('rejects a cursor that is not its own', async () => {
    const path = `${pathOf(id)}/stock-adjustments`;
    for (const cursor of ['nonsense', Buffer.from('["x"]').toString('base64url')]) {
      expect(pathsOf(await api.call('get', `${path}?cursor=${cursor}`, admin).expect(400))).toEqual([
        'cursor',
      ]);
    }
  });
});
