import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../src/common/ids';
import { createProductServiceModel } from '../../src/product-service/product-service.model';
import { createProductServiceRepository } from '../../src/product-service/product-service.repository';
import { createCatalogueService } from '../../src/product-service/product-service.service';
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
const adjust = (id: string, body: object, headers: Record<string, string> = {}) =>
  api
    .call('post', `${PATH}/${id}/stock-adjustments`, admin)
    .set({ 'Idempotency-Key': randomUUID(), ...headers })
    .send(body);
const count = (id: string, ifMatch: string, body: object) =>
  api.call('put', `${PATH}/${id}/stock`, admin).set('If-Match', ifMatch).send(body);
const retire = (id: string, headers: Record<string, string> = {}) =>
  api.call('delete', `${PATH}/${id}`, admin).set(headers);
const restore = (id: string, headers: Record<string, string> = {}) =>
  api.call('post', `${PATH}/${id}/restore`, admin).set(headers);
const dataOf = ({ body }: { body: unknown }) => (body as { data: ProductServiceView }).data;
const pathsOf = (body: unknown) => [
  ...new Set((body as { errors: { path: string }[] }).errors.map(({ path }) => path)),
];

describe('access', () => {
  const id = newId('ps');
  it.each([
    ['post', PATH],
    ['patch', `${PATH}/${id}`],
    ['delete', `${PATH}/${id}`],
    ['post', `${PATH}/${id}/restore`],
    ['get', `${PATH}/${id}/stock-adjustments`],
    ['post', `${PATH}/${id}/stock-adjustments`],
    ['put', `${PATH}/${id}/stock`],
  ] as const)('%s %s returns 401 without a token and 403 to a CUSTOMER', async (method, path) => {
    await api.call(method, path).expect(401);
    await api.call(method, path, api.tokenOf('CUSTOMER')).expect(403);
  });

  it.each(['get', 'patch', 'delete'] as const)('%s of an unknown entry returns 404', async (method) => {
    const body = method === 'delete' ? undefined : { name: 'x' };
    await api.call(method, `${PATH}/${id}`, admin).set('If-Match', '*').send(body).expect(404);
  });

  it.each(['nonsense', 'usr_01HZX000000000000000A11CE0', 'ps_1'])('GET rejects the id %s', async (wrong) => {
    expect(pathsOf((await api.call('get', `${PATH}/${wrong}`).expect(400)).body)).toEqual(['id']);
  });
});

describe('POST /product-services', () => {
  it('adds a product', async () => {
    const { body, headers } = await api.call('post', PATH, admin).send(MUG).expect(201);
    const { data } = body as { data: ProductServiceView };
    expect(data).toMatchObject({ ...MUG, stock: { available: 10, reserved: 0 }, isActive: true, version: 1 });
    expect(headers).toMatchObject({
      etag: '"1-0"',
      location: `/orders-management-system/product-services/${data.id}`,
      'cache-control': 'no-store',
    });
    expect(await read(data.id)).toEqual(data);
  });

  it('adds a service without stock, whose tax rate defaults to 0', async () => {
    expect(await create(WRAPPING)).toMatchObject({ ...WRAPPING, taxRateBps: 0, stock: null });
  });

  it('adds the defaults of optional fields and trims texts', async () => {
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

  it.each(['Ärmel-ß 12', 'C&A:42#7+', 'КРУЖКА 1/2', 'मग_१', '有机棉T恤', 'x'.repeat(64), 'A.b'])(
    'accepts the sku %j, which is unique whatever its case',
    async (sku) => {
      const { id } = await create({ ...MUG, sku });
      expect(await read(id)).toMatchObject({ sku });
      for (const same of [sku.toLowerCase(), sku.toUpperCase(), sku.normalize('NFD')]) {
        await api
          .call('post', PATH, admin)
          .send({ ...MUG, sku: same })
          .expect(409);
      }
      await change(id, '*', { sku: sku.toUpperCase() }).expect(200);
    },
  );

  it('keeps tax rates of two decimals, and whether the price contains the tax', async () => {
    const entry = await create({ ...MUG, taxRateBps: 997.5, priceIncludesTax: true });
    expect(await read(entry.id)).toMatchObject({ taxRateBps: 997.5, priceIncludesTax: true });
    await change(entry.id, '*', { taxRateBps: 8.29, priceIncludesTax: false }).expect(200);
    expect(await read(entry.id)).toMatchObject({ taxRateBps: 8.29, priceIncludesTax: false });
  });

  it('returns 409 for a sku in use, so that one of several concurrent requests succeeds', async () => {
    const responses = await Promise.all(
      Array.from({ length: 5 }, () => api.call('post', PATH, admin).send(MUG)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it.each([
    [{ ...MUG, unitPrice: -1 }, 'unitPrice'],
    [{ ...MUG, unitPrice: 1.5 }, 'unitPrice'],
    [{ ...MUG, unitPrice: '1250' }, 'unitPrice'],
    [{ ...MUG, unitPrice: 2 ** 53 }, 'unitPrice'],
    [{ ...MUG, currency: 'KWD', unitPrice: 5_124 }, 'unitPrice'],
    [{ ...MUG, currency: 'MGA', unitPrice: 1_250 }, 'unitPrice'],
    [{ ...MUG, currency: 'eur' }, 'currency'],
    [{ ...MUG, currency: 'XXX' }, 'currency'],
    [{ ...MUG, taxRateBps: 10_001 }, 'taxRateBps'],
    [{ ...MUG, taxRateBps: 19.555 }, 'taxRateBps'],
    [{ ...MUG, taxRateBps: -0.01 }, 'taxRateBps'],
    [{ ...MUG, priceIncludesTax: 'yes' }, 'priceIncludesTax'],
    [{ ...MUG, stock: -1 }, 'stock'],
    [{ ...MUG, stock: 1e9 + 1 }, 'stock'],
    [{ ...MUG, stock: { available: 1 } }, 'stock'],
    [{ ...WRAPPING, stock: 1 }, 'stock'],
    [{ ...MUG, kind: 'thing' }, 'kind'],
    [{ ...MUG, sku: '-MUG' }, 'sku'],
    [{ ...MUG, sku: '=MUG' }, 'sku'],
    [{ ...MUG, sku: 'MUG*' }, 'sku'],
    [{ ...MUG, sku: 'MUG\nRED' }, 'sku'],
    [{ ...MUG, sku: 'x'.repeat(65) }, 'sku'],
    [{ ...MUG, name: '' }, 'name'],
    [{ ...MUG, name: 'a\u0007b' }, 'name'],
    [{ ...MUG, description: 'x'.repeat(5_001) }, 'description'],
    [{ ...MUG, version: 7 }, 'version'],
    [{ ...MUG, isActive: false }, 'isActive'],
    [{ ...MUG, id: 'ps_1' }, 'id'],
  ])('rejects the body %j', async (body, path) => {
    expect(pathsOf((await api.call('post', PATH, admin).send(body).expect(400)).body)).toEqual([path]);
  });
});

it('a price that cards cannot be charged exactly is refused with the reason, also when it is changed', async () => {
  const message =
    'is not possible: cards are charged in multiples of 0.010 KWD, so choose 5120 (5.120 KWD) or 5130 (5.130 KWD)';
  const refused = { code: 'validation_failed', errors: [{ path: 'unitPrice', message }] };
  const { body } = await api.call('post', PATH, admin).send({ ...MUG, currency: 'KWD', unitPrice: 5_124 });
  expect(body).toMatchObject(refused);
  const { id } = await create({ ...MUG, currency: 'KWD', unitPrice: 5_120 });
  const change = (unitPrice: number) =>
    api.call('patch', `${PATH}/${id}`, admin).set('If-Match', '*').send({ unitPrice });
  expect((await change(5_124).expect(400)).body).toMatchObject(refused);
  await change(5_130).expect(200);
});

describe('GET /product-services', () => {
  const list = async (query: string) => {
    const { body } = await api.call('get', `${PATH}?${query}`).expect(200);
    return body as {
      data: ProductServiceView[];
      meta: { page: { limit: number; nextCursor: string | null } };
    };
  };

  it('pages through all entries once, newest first, while others are added', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      await delay(2); // ids of the same millisecond are unordered
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

  it('has no next page after a full last page or an empty one', async () => {
    expect(await list('')).toMatchObject({ data: [], meta: { page: { limit: 20, nextCursor: null } } });
    await create();
    await create(WRAPPING);
    expect((await list('limit=2')).meta.page.nextCursor).toBeNull();
  });

  it.each([
    ['kind=service', ['WRAP']],
    ['currency=EUR', ['MUG']],
    ['kind=product&currency=USD', []],
  ])('filters by ?%s', async (query, skus) => {
    await create();
    await create(WRAPPING);
    expect((await list(query)).data.map(({ sku }) => sku)).toEqual(skus);
  });

  it.each([
    ['mUg', ['MUG']],
    ['gift w', ['WRAP']],
    ['wr gi', ['WRAP']],
    ['rap', []], // not the beginning
    ['gift mug', []], // not both
    ['cafe', ['CAFÉ']],
    ['Café  CRÈME', ['CAFÉ']],
    ['crème mokka', []],
    ['strasse', ['STR']],
    ['STRAßE', ['STR']],
    ['zurich', ['STR']],
    ['Zu\u0308r', ['STR']],
    ['str. 8', ['STR']],
    ['.*', []],
    ['$literal', []],
    ['café creme 250 g arabica beans', ['CAFÉ']],
    ['café creme 250 g arabica tea', []],
  ])('finds by the beginnings of words %j', async (q, skus) => {
    await create();
    await create(WRAPPING);
    await create({ ...MUG, sku: 'CAFÉ', name: 'Café crème, 250 g: arabica beans' });
    await create({ ...MUG, sku: 'STR', name: 'Plan of Bahnhofstraße 8, Straße in Zürich' });
    const found = await list(`q=${encodeURIComponent(q)}`);
    expect(found.data.map(({ sku }) => sku)).toEqual(skus);
  });

  it('finds an entry by the name and sku that it has now', async () => {
    const { id } = await create();
    await change(id, '*', { name: 'Becher', sku: 'CUP' }).expect(200);
    const found = async (q: string) => (await list(`q=${q}`)).data.length;
    expect([await found('mug'), await found('becher'), await found('cup')]).toEqual([0, 1, 1]);
  });

  it('lists retired entries to ADMINs only', async () => {
    const { id } = await create();
    await create(WRAPPING);
    await retire(id).expect(204);
    const retired = `${PATH}?isActive=false`;
    const { body } = await api.call('get', retired, admin).expect(200);
    expect(body).toMatchObject({ data: [{ id, isActive: false, stock: { available: 10, reserved: 0 } }] });
    expect((await list('isActive=true')).data.map(({ sku }) => sku)).toEqual(['WRAP']);
    for (const token of [undefined, api.tokenOf('CUSTOMER')]) {
      expect(pathsOf((await api.call('get', retired, token).expect(400)).body)).toEqual(['isActive']);
    }
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
    ['q=x', 'q'],
    ['q=', 'q'],
    ['isActive=maybe', 'isActive'],
    ['sort=name', 'sort'],
  ])('rejects ?%s', async (query, path) => {
    expect(pathsOf((await api.call('get', `${PATH}?${query}`).expect(400)).body)).toEqual([path]);
  });
});

describe('PATCH /product-services/:id', () => {
  it('changes only the given fields', async () => {
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
    expect(headers.etag).toBe('"2-0"');
  });

  it('cannot change the currency, with the reason', async () => {
    const { id } = await create();
    const { body } = await change(id, '*', { currency: 'USD' }).expect(400);
    expect(body).toMatchObject({
      errors: [{ path: 'currency', message: expect.stringContaining('cannot be changed') as string }],
    });
    expect(await read(id)).toMatchObject({ currency: 'EUR', version: 1 });
  });

  it('requires a matching If-Match', async () => {
    const { id } = await create();
    await api.call('patch', `${PATH}/${id}`, admin).send({ name: 'x' }).expect(428);
    expect(pathsOf((await change(id, '1', { name: 'x' }).expect(400)).body)).toEqual(['if-match']);
    const { headers } = await change(id, '"7"', { name: 'x' }).expect(412);
    expect(headers.etag).toBe('"1-0"');
    expect((await change(id, 'W/"1-0"', { name: 'x' }).expect(412)).headers.etag).toBe('"1-0"');
    await change(id, '"7", "1-0"', { name: 'y' }).expect(200);
    expect(await read(id)).toMatchObject({ name: 'y', version: 2 });
    const get = (ifMatch: string) => api.call('get', `${PATH}/${id}`).set('If-Match', ifMatch);
    await get('"2-0"').expect(200);
    await get('"2-1"').expect(412);
    // Orders change the stock all the time, which does not concern who changes the name.
    await adjust(id, { delta: 1, reason: 'found' }).expect(201);
    await change(id, '"2-0"', { name: 'z' }).expect(200);
  });

  it('accepts exactly one of many concurrent changes of the same version', async () => {
    const { id } = await create();
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, n) => change(id, '"1"', { name: `Mug ${n}` })),
    );
    const winners = responses.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 412)).toHaveLength(19);
    expect(await read(id)).toEqual((winners[0]!.body as { data: ProductServiceView }).data);
  });

  it('applies all of many concurrent changes of any version, one after another', async () => {
    const { id } = await create();
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, n) => change(id, '*', { name: `Mug ${n}` })),
    );
    const versions = responses.map(({ body }) => (body as { data: ProductServiceView }).data.version);
    expect(versions.sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('returns 409 for the sku of another entry', async () => {
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
  ])('rejects the body %j', async (body, path) => {
    const { id } = await create();
    expect(pathsOf((await change(id, '"1"', body).expect(400)).body)).toEqual([path]);
  });
});

describe('DELETE /product-services/:id', () => {
  it('hides the entry from all but ADMINs, frees its sku and keeps its stock', async () => {
    const { id } = await create();
    const responses = await Promise.all([1, 2, 3].map(() => retire(id)));
    expect(responses.map(({ status }) => status).sort()).toEqual([204, 404, 404]);
    await api.call('get', `${PATH}/${id}`).expect(404);
    await api.call('get', `${PATH}/${id}`, api.tokenOf('CUSTOMER')).expect(404);
    expect(dataOf(await api.call('get', `${PATH}/${id}`, admin).expect(200))).toMatchObject({
      id,
      isActive: false,
      stock: { available: 10, reserved: 0 },
      version: 2,
    });
    await change(id, '*', { name: 'x' }).expect(404);
    await adjust(id, { delta: 1, reason: 'x' }).expect(404);
    await count(id, '*', { available: 1, reason: 'x' }).expect(404);
    expect((await api.call('get', PATH).expect(200)).body).toMatchObject({ data: [] });
    await create();
  });

  it('obeys If-Match', async () => {
    const { id } = await create();
    await retire(id, { 'If-Match': '"2-0"' }).expect(412);
    await adjust(id, { delta: 1, reason: 'found' }).expect(201);
    await retire(id, { 'If-Match': '"1-0"' }).expect(204);
  });
});

describe('POST /product-services/:id/restore', () => {
  it('makes a retired entry active again, and can be repeated', async () => {
    const { id } = await create();
    await retire(id).expect(204);
    expect(dataOf(await restore(id).expect(200))).toMatchObject({ id, isActive: true, version: 3 });
    expect(dataOf(await restore(id).expect(200))).toMatchObject({ version: 3 });
    expect(await read(id)).toMatchObject({ sku: 'MUG', stock: { available: 10, reserved: 0 } });
    await restore(newId('ps')).expect(404);
  });

  it('returns 409 if its sku was taken meanwhile, and changes nothing', async () => {
    const { id } = await create();
    await retire(id).expect(204);
    const other = await create({ ...MUG, sku: 'mug' });
    expect((await restore(id).expect(409)).body).toMatchObject({ code: 'already_exists' });
    await api.call('get', `${PATH}/${id}`).expect(404);
    await retire(other.id).expect(204);
    await restore(id).expect(200);
  });

  it('obeys If-Match', async () => {
    const { id } = await create();
    await retire(id).expect(204);
    const { headers } = await restore(id, { 'If-Match': '"1-0"' }).expect(412);
    await restore(id, { 'If-Match': headers.etag! }).expect(200);
  });
});

it('every route returns 503 with Retry-After while MongoDB is unreachable', async () => {
  const db = await openTestDatabase();
  const disconnected = await openTestApi({ db });
  const token = disconnected.tokenOf('ADMIN');
  await db.drop();
  const entry = `${PATH}/${newId('ps')}`;
  const user = { email: 'carol@example.com', password: 'correct horse battery', name: 'Carol' };
  for (const call of [
    disconnected.call('get', PATH),
    disconnected.call('get', entry),
    disconnected.call('post', PATH, token).send(MUG),
    disconnected.call('patch', entry, token).set('If-Match', '*').send({ name: 'x' }),
    disconnected.call('delete', entry, token),
    disconnected
      .call('post', `${entry}/stock-adjustments`, token)
      .set('Idempotency-Key', 'k')
      .send({ delta: 1, reason: 'x' }),
    disconnected.call('post', '/auth/register').send(user),
    disconnected.call('post', '/auth/login').send({ email: user.email, password: user.password }),
  ]) {
    const { body, headers } = await call.expect(503);
    expect(body).toMatchObject({ code: 'service_unavailable' });
    expect(headers['retry-after']).toBe('5');
  }
  await disconnected.close();
});

it('a search that stops reading continues from there with its next page', async () => {
  const repository = createProductServiceRepository(api.db.connection, 3);
  const catalogue = createCatalogueService(repository);
  const found: string[] = [];
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) {
    await delay(2); // ids of the same millisecond are unordered
    const name = n % 4 === 0 ? 'Red shirt' : 'Blue shirt, blue collar, red buttons';
    await create({
      ...MUG,
      sku: `SHIRT-${n}`,
      name,
      kind: n === 2 ? 'service' : 'product',
      stock: undefined,
    });
  }
  const pages: number[] = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await catalogue.list({ q: 'red blue', kind: 'service', isActive: true, limit: 5, after });
    pages.push(page.entries.length);
    found.push(...page.entries.map(({ sku }) => sku));
    ({ last: after, more } = page);
  }
  expect(found).toEqual(['SHIRT-2']);
  expect(pages.length).toBeGreaterThan(1);
});
