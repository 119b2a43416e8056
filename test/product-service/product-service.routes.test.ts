import { newId } from '../../src/common/ids';
import {
  createProductServiceModel,
  createStockAdjustmentModel,
} from '../../src/product-service/product-service.model';
import type { ProductServiceView } from '../../src/product-service/product-service.schema';
import { openTestDatabase } from '../support/database';
import { openTestApi, type TestApi } from '../support/api';

const PATH = '/product-services';
const MUG = {
  sku: 'MUG',
  name: 'Mug',
  description: 'Blue',
  kind: 'product',
  unitPrice: 1_250,
  currency: 'EUR',
  taxRateBps: 1_900,
  stock: 10,
};
const WRAPPING = {
  sku: 'WRAP',
  name: 'Gift wrapping',
  description: '',
  kind: 'service',
  unitPrice: 490,
  currency: 'USD',
};
const ADMIN_ID = newId('usr');

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await openTestApi();
  admin = api.tokenOf('ADMIN', ADMIN_ID);
});
beforeEach(() => api.clear());
afterAll(() => api.close());

async function create(body: object = MUG): Promise<ProductServiceView> {
  const response = await api.call('post', PATH, admin).send(body).expect(201);
  return (response.body as { data: ProductServiceView }).data;
}
const read = async (id: string) =>
  ((await api.call('get', `${PATH}/${id}`).expect(200)).body as { data: ProductServiceView }).data;
const change = (id: string, ifMatch: string, body: object) =>
  api.call('patch', `${PATH}/${id}`, admin).set('If-Match', ifMatch).send(body);
const adjust = (id: string, body: object) =>
  api.call('post', `${PATH}/${id}/stock-adjustments`, admin).send(body);
const pathsOf = (body: unknown) => [
  ...new Set((body as { errors: { path: string }[] }).errors.map(({ path }) => path)),
];

describe('who may', () => {
  const id = newId('ps');
  it.each([
    ['post', PATH],
    ['patch', `${PATH}/${id}`],
    ['delete', `${PATH}/${id}`],
    ['post', `${PATH}/${id}/stock-adjustments`],
  ] as const)('%s %s: an ADMIN only', async (method, path) => {
    await api.call(method, path).expect(401);
    await api.call(method, path, api.tokenOf('CUSTOMER')).expect(403);
  });

  it.each(['get', 'patch', 'delete'] as const)(
    '%s of an entry that does not exist is 404',
    async (method) => {
      const body = method === 'delete' ? undefined : { name: 'x' };
      await api.call(method, `${PATH}/${id}`, admin).set('If-Match', '*').send(body).expect(404);
    },
  );

  it.each(['nonsense', 'usr_01HZX000000000000000A11CE0', 'ps_1'])('the id %s is refused', async (wrong) => {
    expect(pathsOf((await api.call('get', `${PATH}/${wrong}`).expect(400)).body)).toEqual(['id']);
  });
});

describe('POST /product-services', () => {
  it('adds a product', async () => {
    const { body, headers } = await api.call('post', PATH, admin).send(MUG).expect(201);
    const { data } = body as { data: ProductServiceView };
    expect(data).toMatchObject({ ...MUG, stock: { available: 10, reserved: 0 }, isActive: true, version: 1 });
    expect(headers).toMatchObject({
      etag: '"1"',
      location: `/orders-management-system/product-services/${data.id}`,
      'cache-control': 'private, no-cache',
    });
    expect(await read(data.id)).toEqual(data);
  });

  it('adds a service, which has no stock and by default no tax', async () => {
    expect(await create(WRAPPING)).toMatchObject({ ...WRAPPING, taxRateBps: 0, stock: null });
  });

  it('fills in what may be left out and trims what is given', async () => {
    const { sku, name, kind, unitPrice, currency } = MUG;
    const entry = await create({ sku: ` ${sku} `, name: ` ${name}`, kind, unitPrice, currency });
    expect(entry).toMatchObject({
      sku,
      name,
      description: '',
      taxRateBps: 0,
      stock: { available: 0, reserved: 0 },
    });
  });

  it('answers 409 for a sku in use; one of many at once wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.call('post', PATH, admin).send(MUG)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it.each([
    [{ ...MUG, unitPrice: -1 }, 'unitPrice'],
    [{ ...MUG, unitPrice: 1.5 }, 'unitPrice'],
    [{ ...MUG, unitPrice: '1250' }, 'unitPrice'],
    [{ ...MUG, unitPrice: 2 ** 53 }, 'unitPrice'],
    [{ ...MUG, currency: 'eur' }, 'currency'],
    [{ ...MUG, currency: 'XXX' }, 'currency'],
    [{ ...MUG, taxRateBps: 10_001 }, 'taxRateBps'],
    [{ ...MUG, taxRateBps: 19.5 }, 'taxRateBps'],
    [{ ...MUG, stock: -1 }, 'stock'],
    [{ ...MUG, stock: 1e9 + 1 }, 'stock'],
    [{ ...MUG, stock: { available: 1 } }, 'stock'],
    [{ ...WRAPPING, stock: 1 }, 'stock'],
    [{ ...MUG, kind: 'thing' }, 'kind'],
    [{ ...MUG, sku: 'two words' }, 'sku'],
    [{ ...MUG, sku: 'x'.repeat(65) }, 'sku'],
    [{ ...MUG, name: '' }, 'name'],
    [{ ...MUG, name: 'a\u0007b' }, 'name'],
    [{ ...MUG, description: 'x'.repeat(5_001) }, 'description'],
    [{ ...MUG, version: 7 }, 'version'],
    [{ ...MUG, isActive: false }, 'isActive'],
    [{ ...MUG, id: 'ps_1' }, 'id'],
  ])('refuses %j', async (body, path) => {
    expect(pathsOf((await api.call('post', PATH, admin).send(body).expect(400)).body)).toEqual([path]);
  });
});

describe('GET /product-services', () => {
  const list = async (query: string) => {
    const { body } = await api.call('get', `${PATH}?${query}`).expect(200);
    return body as {
      data: ProductServiceView[];
      meta: { page: { limit: number; nextCursor: string | null } };
    };
  };

  it('pages through all entries, newest first, each once, while others are added', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 2)); // ids of one millisecond are in no order
      ids.unshift((await create({ ...MUG, sku: `MUG-${n}` })).id);
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const { data, meta } = await list(`limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...data.map(({ id }) => id));
      cursor = meta.page.nextCursor ?? '';
      if (seen.length === 2) await create({ ...MUG, sku: 'LATE' });
    } while (cursor);
    expect(seen).toEqual(ids);
  });

  it('has no next page when the last one is just full, nor when there is nothing', async () => {
    expect(await list('')).toMatchObject({ data: [], meta: { page: { limit: 20, nextCursor: null } } });
    await create();
    await create(WRAPPING);
    expect((await list('limit=2')).meta.page.nextCursor).toBeNull();
  });

  it.each([
    ['kind=service', ['WRAP']],
    ['currency=EUR', ['MUG']],
    ['kind=product&currency=USD', []],
    ['q=mUg', ['MUG']],
    ['q=gift%20w', ['WRAP']],
    ['q=rap', ['WRAP']],
    ['q=.*', []],
    ['q=%5E', []],
    ['q=(', []],
  ])('finds by %s', async (query, skus) => {
    await create();
    await create(WRAPPING);
    expect((await list(query)).data.map(({ sku }) => sku)).toEqual(skus);
  });

  it('uses an index for every filter', async () => {
    const model = createProductServiceModel(api.db.connection);
    for (const filter of [{}, { kind: 'product' as const }, { currency: 'EUR' }]) {
      const plan = (await model
        .find({ isActive: true, ...filter })
        .sort({ _id: -1 })
        .explain('queryPlanner')) as object as { queryPlanner: { winningPlan: object } };
      const winner = JSON.stringify(plan.queryPlanner.winningPlan);
      expect(winner).toContain('IXSCAN');
      expect(winner).not.toMatch(/SORT|COLLSCAN/);
    }
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=two', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=nonsense', 'cursor'],
    [`cursor=${Buffer.from('[{"$gt":""}]').toString('base64url')}`, 'cursor'],
    ['kind=thing', 'kind'],
    ['kind[$ne]=product', 'kind[$ne]'],
    ['currency=euro', 'currency'],
    [`q=${'x'.repeat(101)}`, 'q'],
    ['sort=name', 'sort'],
  ])('refuses ?%s', async (query, path) => {
    expect(pathsOf((await api.call('get', `${PATH}?${query}`).expect(400)).body)).toEqual([path]);
  });
});

describe('PATCH /product-services/:id', () => {
  it('changes what is given and nothing else', async () => {
    const before = await create();
    const { body, headers } = await change(before.id, '"1"', { unitPrice: 1_100, name: 'Big mug' }).expect(
      200,
    );
    const { data } = body as { data: ProductServiceView };
    expect(data).toEqual({
      ...before,
      unitPrice: 1_100,
      name: 'Big mug',
      version: 2,
      updatedAt: data.updatedAt,
    });
    expect(headers.etag).toBe('"2"');
  });

  it('needs an If-Match that matches', async () => {
    const { id } = await create();
    await api.call('patch', `${PATH}/${id}`, admin).send({ name: 'x' }).expect(428);
    expect(pathsOf((await change(id, '1', { name: 'x' }).expect(400)).body)).toEqual(['if-match']);
    const { headers } = await change(id, '"7"', { name: 'x' }).expect(412);
    expect(headers.etag).toBe('"1"');
    await change(id, '"7", "1"', { name: 'y' }).expect(200);
    expect(await read(id)).toMatchObject({ name: 'y', version: 2 });
  });

  it('of many at once on the same version exactly one wins', async () => {
    const { id } = await create();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => change(id, '"1"', { name: `Mug ${n}` })),
    );
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
    expect(await read(id)).toEqual((winners[0]!.body as { data: ProductServiceView }).data);
  });

  it('of many at once on any version all win, one after the other', async () => {
    const { id } = await create();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => change(id, '*', { name: `Mug ${n}` })),
    );
    const versions = answers.map(({ body }) => (body as { data: ProductServiceView }).data.version);
    expect(versions.sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('answers 409 for the sku of another', async () => {
    await create(WRAPPING);
    const { id } = await create();
    await change(id, '*', { sku: 'WRAP' }).expect(409);
    expect(await read(id)).toMatchObject({ sku: 'MUG', version: 1 });
  });

  it.each([
    [{}, ''],
    [{ kind: 'service' }, 'kind'],
    [{ stock: 5 }, 'stock'],
    [{ isActive: false }, 'isActive'],
    [{ unitPrice: '5' }, 'unitPrice'],
    [{ name: null }, 'name'],
  ])('refuses %j', async (body, path) => {
    const { id } = await create();
    expect(pathsOf((await change(id, '"1"', body).expect(400)).body)).toEqual([path]);
  });
});

describe('DELETE /product-services/:id', () => {
  it('retires for good: it is gone for everyone, its sku is free, the document stays', async () => {
    const { id } = await create();
    const answers = await Promise.all([1, 2, 3].map(() => api.call('delete', `${PATH}/${id}`, admin)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404]);
    await api.call('get', `${PATH}/${id}`, admin).expect(404);
    await change(id, '*', { name: 'x' }).expect(404);
    await adjust(id, { delta: 1, reason: 'x' }).expect(404);
    expect((await api.call('get', PATH).expect(200)).body).toMatchObject({ data: [] });
    await create();
    await expect(createProductServiceModel(api.db.connection).findById(id).lean()).resolves.toMatchObject({
      isActive: false,
      stock: { available: 10, reserved: 0 },
    });
  });
});

describe('POST /product-services/:id/stock-adjustments', () => {
  it('moves the stock and records who and why; the version stays', async () => {
    const { id } = await create();
    const { body, headers } = await adjust(id, { delta: 5, reason: 'delivery' }).expect(201);
    expect(body).toMatchObject({ data: { id, stock: { available: 15, reserved: 0 }, version: 1 } });
    expect(headers.etag).toBe('"1"');
    await adjust(id, { delta: -15, reason: 'count' }).expect(201);
    const records = await createStockAdjustmentModel(api.db.connection).find().sort({ at: 1 }).lean();
    expect(records).toMatchObject([
      { productServiceId: id, delta: 5, reason: 'delivery', by: ADMIN_ID, at: expect.any(Date) as Date },
      { productServiceId: id, delta: -15, reason: 'count', by: ADMIN_ID },
    ]);
  });

  it('never goes below zero, and then records nothing', async () => {
    const { id } = await create();
    const { body } = await adjust(id, { delta: -11, reason: 'theft' }).expect(409);
    expect(body).toMatchObject({
      code: 'out_of_stock',
      detail: expect.stringContaining('only 10') as string,
    });
    expect((await read(id)).stock).toEqual({ available: 10, reserved: 0 });
    await expect(createStockAdjustmentModel(api.db.connection).countDocuments()).resolves.toBe(0);
  });

  it('of many at once the stock is exactly what the records add up to', async () => {
    const { id } = await create();
    const deltas = Array.from({ length: 24 }, (_, n) => (n % 3 === 0 ? 2 : -3));
    const answers = await Promise.all(deltas.map((delta) => adjust(id, { delta, reason: 'race' })));
    // 503: it collided with the others for so long that nobody can tell whether it was done. The records can.
    expect(
      [...new Set(answers.map(({ status }) => status))].filter((status) => ![201, 409, 503].includes(status)),
    ).toEqual([]);
    const records = await createStockAdjustmentModel(api.db.connection).find().lean();
    const available = 10 + records.reduce((sum, { delta }) => sum + delta, 0);
    expect(available).toBeGreaterThanOrEqual(0);
    expect((await read(id)).stock).toEqual({ available, reserved: 0 });
    const statusesOf = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect(records.length).toBeGreaterThanOrEqual(statusesOf(201));
    expect(records.length).toBeLessThanOrEqual(statusesOf(201) + statusesOf(503));
  });

  it('is impossible for a service', async () => {
    const { id } = await create(WRAPPING);
    expect((await adjust(id, { delta: 1, reason: 'x' }).expect(409)).body).toMatchObject({
      code: 'invalid_transition',
    });
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
  ])('refuses %j', async (body, path) => {
    const { id } = await create();
    expect(pathsOf((await adjust(id, body).expect(400)).body)).toEqual([path]);
  });
});

it('every route answers 503 with Retry-After while MongoDB cannot be reached', async () => {
  const db = await openTestDatabase();
  const cut = await openTestApi({ db });
  const token = cut.tokenOf('ADMIN');
  await db.drop();
  const entry = `${PATH}/${newId('ps')}`;
  const user = { email: 'carol@example.com', password: 'correct horse battery', name: 'Carol' };
  for (const call of [
    cut.call('get', PATH),
    cut.call('get', entry),
    cut.call('post', PATH, token).send(MUG),
    cut.call('patch', entry, token).set('If-Match', '*').send({ name: 'x' }),
    cut.call('delete', entry, token),
    cut.call('post', `${entry}/stock-adjustments`, token).send({ delta: 1, reason: 'x' }),
    cut.call('post', '/auth/register').send(user),
    cut.call('post', '/auth/login').send({ email: user.email, password: user.password }),
  ]) {
    const { body, headers } = await call.expect(503);
    expect(body).toMatchObject({ code: 'service_unavailable' });
    expect(headers['retry-after']).toBe('5');
  }
  await cut.close();
});

it('a product that is retired while its stock is adjusted is not found', async () => {
  const { id } = await create();
  const answers = await Promise.all([
    api.call('delete', `${PATH}/${id}`, admin),
    ...Array.from({ length: 8 }, () => adjust(id, { delta: 1, reason: 'race' })),
  ]);
  const accepted = answers.filter(({ status }) => status === 201).length;
  expect(answers.slice(1).every(({ status }) => status === 201 || status === 404)).toBe(true);
  const { stock } = (await createProductServiceModel(api.db.connection).findById(id).lean())!;
  expect(stock).toEqual({ available: 10 + accepted, reserved: 0 });
});
