import { randomUUID } from 'node:crypto';
import { newId } from '../../../src/common/ids';
import { orderNumberOf } from '../../../src/domain/order-number';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';
import { person, type Person } from '../../support/signed-in-users';

let api: OrderApi;
let admin: string;
let product: { id: string; sku: string };
beforeAll(async () => {
  api = await openOrderApi();
  admin = api.tokenOf('ADMIN');
  product = await api.shop.sell({ available: 1_000 });
});
afterAll(() => api.close());

async function place(token: string, more: object = {}, id = product.id): Promise<OrderBody> {
  return (await api.place(token, { ...lines([id, 1]), ...more }).expect(201)).body.data;
}

async function find(token: string, query: string): Promise<OrderBody[]> {
  return (await api.call('get', `/orders?${query}`, token).expect(200)).body.data;
}

async function idsOf(token: string, query: string): Promise<string[]> {
  return (await find(token, query)).map(({ id }) => id);
}

describe('the number of an order', () => {
  it('is on every answer, and finds the order however people write it', async () => {
    const alice = api.tokenOf('CUSTOMER');
    const { id, number } = await place(alice);
    await place(alice);
    expect(number).toBe(orderNumberOf(id));
    const { body } = await api.call('get', `/orders/${id}`, alice).expect(200);
    expect(body.data.number).toBe(number);
    const lookalike = number.replaceAll('1', 'l').replaceAll('0', 'o').replace('-', '').toLowerCase();
    for (const text of [number, number.toLowerCase(), lookalike]) {
      expect(await idsOf(alice, `number=${text}`)).toEqual([id]);
      expect(await idsOf(admin, `number=${text}`)).toEqual([id]);
      expect(await idsOf(api.tokenOf('CUSTOMER'), `number=${text}`)).toEqual([]);
    }
    await api.call('get', '/orders?number=7K3DQ-9QXWU', alice).expect(400);
  });
});

describe('GET /orders', () => {
  let alice: Person;
  let web: OrderBody;
  let shop: OrderBody;
  let sent: OrderBody;
  let archived: OrderBody;
  const trackingNumber = randomUUID();
  let other: { id: string; sku: string };
  beforeAll(async () => {
    alice = await person(api);
    const token = alice.accessToken;
    other = await api.shop.sell({ sku: `OTHER ${randomUUID()}` });
    web = await place(token, { externalRef: 'PO-1', metadata: { channel: 'web', campaign: 'a=b' } });
    shop = await place(token, { metadata: { channel: 'shop' } }, other.id);
    sent = await place(token, { metadata: { channel: 'web' } });
    archived = await place(token, { metadata: { channel: 'web' } });
    await api
      .call('post', `/orders/${sent.id}/fulfillments`, admin)
      .set('Idempotency-Key', randomUUID())
      .send({ items: lines([product.id, 1]).items, carrier: 'DHL', trackingNumber })
      .expect(201);
    await api.call('post', `/orders/${archived.id}/cancel`, token).send({}).expect(200);
    await api.call('delete', `/orders/${archived.id}`, admin).expect(204);
  });

  it.each<[string, () => string, () => OrderBody[]]>([
    ['one status', () => 'status=confirmed', () => [sent, shop, web]],
    ['several statuses', () => 'status=confirmed,pending&paymentStatus=captured,voided', () => [sent]],
    ['several fulfillment statuses', () => 'fulfillmentStatus=fulfilled,delivered', () => [sent]],
    ['a SKU', () => `sku=${encodeURIComponent(other.sku)}`, () => [shop]],
    ['a tracking number', () => `trackingNumber=${trackingNumber}`, () => [sent]],
    ['an externalRef', () => 'externalRef=PO-1', () => [web]],
    ['metadata', () => 'metadata[channel]=web', () => [sent, web]],
    ['encoded metadata', () => 'metadata%5Bcampaign%5D=a%3Db', () => [web]],
    ['several metadata', () => 'metadata[channel]=web&metadata[campaign]=a=b', () => [web]],
    ['metadata and a status', () => 'metadata[channel]=shop&status=confirmed', () => [shop]],
    ['a period', () => `from=${shop.createdAt}&to=${sent.createdAt}`, () => [shop]],
    ['a number', () => `number=${shop.number}&status=confirmed`, () => [shop]],
    ['nothing that is there', () => 'metadata[channel]=phone', () => []],
  ])('finds the orders of a CUSTOMER by %s', async (_what, query, expected) => {
    const ids = expected().map(({ id }) => id);
    expect(await idsOf(alice.accessToken, query())).toEqual(ids);
    expect(await idsOf(admin, `${query()}&customerId=${alice.id}`)).toEqual(ids);
    const others = await idsOf(api.tokenOf('CUSTOMER'), query());
    expect(others).toEqual([]);
  });

  it('finds the orders of all customers for an ADMIN, by e-mail too', async () => {
    const email = encodeURIComponent(alice.email.toUpperCase());
    expect(await idsOf(admin, `email=${email}`)).toEqual([sent.id, shop.id, web.id]);
    expect(await idsOf(admin, `email=${email}&customerId=${alice.id}&sku=${product.sku}`)).toHaveLength(2);
    expect(await idsOf(admin, `email=${email}&customerId=${newId('usr')}`)).toEqual([]);
    expect(await idsOf(admin, 'email=nobody@example.com')).toEqual([]);
    expect(await idsOf(admin, `trackingNumber=${trackingNumber}`)).toEqual([sent.id]);
  });

  it('has the archive for ADMINs, with the same filters', async () => {
    const all = await find(admin, `archived=true&customerId=${alice.id}`);
    expect(all.map(({ id }) => id)).toEqual([archived.id]);
    expect(all[0].archivedAt).not.toBeNull();
    expect(await idsOf(admin, `archived=true&email=${alice.email}&metadata[channel]=web`)).toHaveLength(1);
    expect(await idsOf(admin, `archived=true&number=${archived.number}`)).toEqual([archived.id]);
    expect(await idsOf(admin, `archived=false&number=${archived.number}`)).toEqual([]);
  });

  it('is followed by the time of the last change, oldest first, page by page', async () => {
    const token = alice.accessToken;
    const changed = await api.call('get', `/orders/${shop.id}`, token).expect(200);
    const since = `updatedFrom=${web.updatedAt}`;
    const byChange = [web, changed.body.data, sent].map(({ id }) => id);
    expect(await idsOf(token, since)).toEqual(byChange);
    expect(await idsOf(admin, `${since}&email=${alice.email}&status=confirmed`)).toEqual(byChange);
    const pages: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await api.call('get', `/orders?limit=1&${since}${cursor}`, token).expect(200);
      pages.push(...body.data.map(({ id }: OrderBody) => id));
      if (body.meta.page.nextCursor === null) break;
      cursor = `&cursor=${body.meta.page.nextCursor}`;
    }
    expect(pages).toEqual(byChange);
    await api
      .call('patch', `/orders/${web.id}`, token)
      .set('If-Match', '*')
      .send({ note: 'Changed' })
      .expect(200);
    expect(await idsOf(token, since)).toEqual([...byChange.slice(1), web.id]);
    expect(await idsOf(token, `updatedTo=${web.updatedAt}`)).toEqual([]);
  });

  it('rejects a cursor of a list with another sort', async () => {
    const { body } = await api.call('get', '/orders?limit=1', alice.accessToken).expect(200);
    const cursor = `cursor=${body.meta.page.nextCursor}`;
    await api.call('get', `/orders?${cursor}`, alice.accessToken).expect(200);
    const rejected = await api
      .call('get', `/orders?updatedFrom=2026-01-01&${cursor}`, alice.accessToken)
      .expect(400);
    expect(rejected.body.errors[0].path).toBe('cursor');
  });

  it.each(['customerId=usr_01HZX000000000000000A11CE0', 'email=bob@example.com', 'archived=true'])(
    'rejects ?%s of a CUSTOMER',
    async (query) => {
      const { body } = await api.call('get', `/orders?${query}`, alice.accessToken).expect(400);
      expect(body.errors).toEqual([
        { path: query.split('=')[0], message: 'is for ADMINs only: leave it out' },
      ]);
    },
  );

  it.each([
    ['from=2026-02-01&to=2026-01-01', 'to', 'must be after from'],
    ['from=2026-02-01&to=2026-02-01', 'to', 'must be after from'],
    ['updatedFrom=2026-02-01&updatedTo=2026-01-01', 'updatedTo', 'must be after updatedFrom'],
    ['from=2026-01-31T10:00:00+01:00', 'from', '%2B'],
    ['status=', 'status.0', 'must be one of'],
    ['number=7K3DQ', 'number', '7K3DQ-9QXWM'],
    ['metadata=web', 'metadata', 'must be of type object'],
    ['metadata[a b]=web', 'metadata.a b', 'is no name for metadata'],
    ['metadata[a]=1&metadata[a]=2', 'metadata.a', 'must be a string'],
    ['metadata[__proto__]=1', 'metadata[__proto__]', 'not allowed'],
    ['externalRef[a]=1', 'externalRef[a]', 'not allowed'],
    ['archived=perhaps', 'archived', 'must be a boolean'],
  ])('rejects ?%s', async (query, path, message) => {
    const { body } = await api.call('get', `/orders?${query}`, admin).expect(400);
    expect(body.errors[0]).toEqual({ path, message: expect.stringContaining(message) });
  });
});

describe('externalRef and metadata', () => {
  it('are kept as sent, and are part of what an Idempotency-Key stands for', async () => {
    const alice = api.tokenOf('CUSTOMER');
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = { ...lines([product.id, 1]), externalRef: 'PO 1/ä', metadata: { a: '1', b: '' } };
    const first = await api.place(alice, body, headers).expect(201);
    expect(first.body.data).toMatchObject({ externalRef: 'PO 1/ä', metadata: { a: '1', b: '' } });
    const reordered = { ...body, metadata: { b: '', a: '1' } };
    const again = await api.place(alice, reordered, headers).expect(201);
    expect(again.headers['idempotent-replayed']).toBe('true');
    await api.place(alice, { ...body, metadata: { a: '1' } }, headers).expect(422);
    await api.place(alice, { ...body, externalRef: 'PO 2' }, headers).expect(422);
    const none = await place(alice, { externalRef: '', metadata: {} });
    expect(none).toMatchObject({ externalRef: null, metadata: {} });
    const stored = await api.shop.db.connection.collection('orders').findOne({ _id: none.id });
    expect(Object.keys(stored!)).not.toEqual(expect.arrayContaining([expect.stringMatching(/metadata|Ref/)]));
  });

  it('turn a second order with the same externalRef down, which holds nothing and says which order has it', async () => {
    const aliceId = newId('usr');
    const alice = api.tokenOf('CUSTOMER', aliceId);
    const { id: scarce } = await api.shop.sell({ available: 5 });
    const first = await place(alice, { externalRef: 'PO-7' }, scarce);
    const key = { 'Idempotency-Key': randomUUID() };
    const body = { ...lines([scarce, 1]), externalRef: 'PO-7' };
    const second = await api.place(alice, body, key).expect(409);
    expect(second.body).toMatchObject({ code: 'already_exists', existingOrderId: first.id });
    const replayed = await api.place(alice, body, key).expect(409);
    expect(replayed.body).toMatchObject({ existingOrderId: first.id, orderId: second.body.orderId });
    expect(await api.shop.stockOf(scarce)).toEqual({ available: 4, reserved: 1 });
    const rejected = await api.call('get', `/orders/${second.body.orderId}`, alice).expect(200);
    expect(rejected.body.data).toMatchObject({
      status: 'rejected',
      externalRef: null,
      rejection: { code: 'already_exists', existingOrderId: first.id },
    });
    expect(await idsOf(alice, 'externalRef=PO-7')).toEqual([first.id]);
    const others = await place(api.tokenOf('CUSTOMER'), { externalRef: 'PO-7' });
    expect(others.externalRef).toBe('PO-7');
    expect((await idsOf(admin, 'externalRef=PO-7')).sort()).toEqual([first.id, others.id].sort());
  });

  it('leave an externalRef to the next order if the first one is rejected', async () => {
    const alice = api.tokenOf('CUSTOMER');
    const { id: scarce } = await api.shop.sell({ available: 1 });
    await api.place(alice, { ...lines([scarce, 2]), externalRef: 'PO-8' }).expect(409);
    const declined = { ...lines([scarce, 1]), paymentMethod: 'pm_card_chargeDeclined', externalRef: 'PO-8' };
    await api.place(alice, declined).expect(402);
    expect((await place(alice, { externalRef: 'PO-8' }, scarce)).externalRef).toBe('PO-8');
  });

  it('let one of many orders with one externalRef through', async () => {
    const alice = api.tokenOf('CUSTOMER');
    const body = { ...lines([product.id, 1]), externalRef: 'PO-9' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => api.place(alice, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    const [winner] = answers.filter(({ status }) => status === 201).map((answer) => answer.body.data.id);
    for (const { status, body: problem } of answers) {
      if (status === 409) expect(problem.existingOrderId).toBe(winner);
    }
  });

  it('are amended: null removes, metadata is replaced as a whole', async () => {
    const alice = api.tokenOf('CUSTOMER');
    const { id } = await place(alice, { externalRef: 'PO-1', metadata: { a: '1' } });
    const amend = async (change: object) =>
      (await api.call('patch', `/orders/${id}`, alice).set('If-Match', '*').send(change).expect(200)).body
        .data;
    expect(await amend({ metadata: { b: '2' } })).toMatchObject({
      externalRef: 'PO-1',
      metadata: { b: '2' },
    });
    expect(await amend({ externalRef: 'PO-2' })).toMatchObject({
      externalRef: 'PO-2',
      metadata: { b: '2' },
    });
    expect(await amend({ items: lines([product.id, 2]).items, externalRef: 'PO-3' })).toMatchObject({
      externalRef: 'PO-3',
      items: [{ quantity: 2 }],
    });
    expect(await amend({ externalRef: null, metadata: {} })).toMatchObject({
      externalRef: null,
      metadata: {},
    });
    expect(await idsOf(alice, 'externalRef=PO-3')).toEqual([]);
    expect((await place(alice, { externalRef: 'PO-3' })).externalRef).toBe('PO-3');
  });

  it('cannot be amended to the externalRef of another order: nothing changes, and nothing is authorised', async () => {
    const alice = api.tokenOf('CUSTOMER');
    const taken = await place(alice, { externalRef: 'PO-1' });
    const order = await place(alice, { externalRef: 'PO-2' });
    const path = `/orders/${order.id}`;
    for (const change of [{}, { note: 'New' }, { items: lines([product.id, 3]).items }]) {
      const { body } = await api
        .call('patch', path, alice)
        .set('If-Match', '*')
        .send({ ...change, externalRef: 'PO-1' })
        .expect(409);
      expect(body).toMatchObject({ code: 'already_exists', existingOrderId: taken.id });
    }
    const { body } = await api.call('get', path, alice).expect(200);
    expect(body.data).toMatchObject({ externalRef: 'PO-2', note: null, items: [{ quantity: 1 }] });
    expect(body.data.total).toBe(order.total);
  });

  it.each([
    [{ externalRef: 'x'.repeat(101) }, 'externalRef'],
    [{ externalRef: 'two\nlines' }, 'externalRef'],
    [{ metadata: { 'a b': '1' } }, 'metadata.a b'],
    [{ metadata: { ['k'.repeat(41)]: '1' } }, `metadata.${'k'.repeat(41)}`],
    [{ metadata: { a: 'x'.repeat(501) } }, 'metadata.a'],
    [{ metadata: { a: 1 } }, 'metadata.a'],
    [{ metadata: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, ''])) }, 'metadata'],
  ])('reject %j', async (more, path) => {
    const alice = api.tokenOf('CUSTOMER');
    const { body } = await api.place(alice, { ...lines([product.id, 1]), ...more }).expect(400);
    expect(body.errors).toEqual([{ path, message: expect.any(String) }]);
  });
});
