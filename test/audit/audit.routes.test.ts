import { randomUUID } from 'node:crypto';
import { createAuditRepository } from '../../src/audit/audit.repository';
import { auditRoutes } from '../../src/audit/audit.routes';
import type { AuditEntryView } from '../../src/audit/audit.schema';
import { verifyAuditLog } from '../../src/audit/verify';
import { newId } from '../../src/common/ids';
import { createTransact } from '../../src/mongodb/transaction';
import { createUsersRepository } from '../../src/users/users.repository';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';

const HOME = { name: 'Alice', line1: 'Old Street 1', city: 'Bonn', postalCode: '53111', country: 'DE' };

let api: OrderApi;
let admin: string;
let alice: string;
const adminId = newId('usr');
const aliceId = newId('usr');
const auditOf = () => createAuditRepository(api.db.connection, createTransact(api.db.connection));
beforeAll(async () => {
  api = await openOrderApi({
    more: ({ connection }) => auditRoutes(createAuditRepository(connection, createTransact(connection))),
  });
  [admin, alice] = [api.tokenOf('ADMIN', adminId), api.tokenOf('CUSTOMER', aliceId)];
});
afterAll(() => api.close());

async function entries(query = ''): Promise<AuditEntryView[]> {
  const { body } = await api.call('get', `/audit${query}`, admin).expect(200);
  return (body as { data: AuditEntryView[] }).data;
}

it('says who changed a price from what to what, with which request and from where', async () => {
  const { id } = await api.shop.sell();
  const change = api
    .call('patch', `/product-services/${id}`, admin)
    .set({ 'If-Match': '*', 'X-Request-Id': 'price-1' });
  await change.send({ unitPrice: 2_499 }).expect(200);
  const [entry] = await entries(`?object=${id}`);
  expect(entry).toEqual({
    id: expect.stringMatching(/^aud_/) as string,
    at: expect.any(String) as string,
    actor: { type: 'user', id: adminId },
    action: 'catalogue.change',
    object: id,
    changes: [{ field: 'unitPrice', before: 1_999, after: 2_499 }],
    requestId: 'price-1',
    address: expect.stringMatching(/127\.0\.0\.1|::1/) as string,
    isErased: false,
    seal: null,
  });
  await auditOf().seal();
  expect((await entries(`?object=${id}`))[0]!.seal).toMatchObject({ hash: expect.any(String) as string });
});

it("keeps what a customer's amendment replaces, and nothing of placing and cancelling the order", async () => {
  const { id: productId } = await api.shop.sell();
  const placed = await api.place(alice, { ...lines([productId, 1]), shippingAddress: HOME }).expect(201);
  const { id } = placed.body.data;
  expect(await entries(`?object=${id}`)).toEqual([]);
  const amend = api.call('patch', `/orders/${id}`, alice).set('If-Match', '"2"');
  await amend
    .send({ items: lines([productId, 2]).items, shippingAddress: { line1: 'New Street 2' } })
    .expect(200);
  const [amendment, ...others] = await entries(`?object=${id}`);
  expect(others).toEqual([]);
  expect(amendment).toMatchObject({ actor: { type: 'user', id: aliceId }, action: 'order.amend' });
  expect(amendment!.changes).toEqual(
    expect.arrayContaining([
      { field: 'total', before: 2_379, after: 4_758 },
      expect.objectContaining({ field: 'items.0.quantity', before: 1, after: 2 }),
      { field: 'shippingAddress', before: HOME, after: { ...HOME, line1: 'New Street 2' } },
    ]),
  );
  await api.call('post', `/orders/${id}/cancel`, alice).send({}).expect(200);
  expect(await entries(`?object=${id}`)).toHaveLength(1);
});

it('has a refund once, with the request that it waited for the payment service with', async () => {
  const order = await api.completed(alice, 1);
  const headers = { 'Idempotency-Key': randomUUID(), 'X-Request-Id': 'refund-1' };
  const body = { amount: 500, reason: 'Sorry' };
  await api.refund(order.id, body, headers).expect(201);
  await api.refund(order.id, body, { ...headers, 'X-Request-Id': 'refund-2' }).expect(201);
  await api.refund(order.id, { amount: 999_999, reason: 'Too much' }).expect(409);
  const found = await entries(`?object=${order.id}`);
  expect(found.map(({ action }) => action)).toEqual(['order.refund', 'order.deliver', 'order.fulfill']);
  expect(found[0]).toMatchObject({ requestId: 'refund-1', address: expect.any(String) as string });
  expect(found[0]!.changes).toEqual(
    expect.arrayContaining([
      { field: 'refunded', before: 0, after: 500 },
      expect.objectContaining({ before: null, after: { amount: 500, status: 'succeeded', items: [] } }),
    ]),
  );
});

it('has an order that the staff placed for a customer', async () => {
  const { id: productId } = await api.shop.sell();
  const customerId = newId('usr');
  const email = `${customerId}@example.com`;
  const user = { id: customerId, email, confirmedEmail: email, name: 'C', passwordHash: 'x' };
  await createUsersRepository(api.db.connection).insert({ ...user, role: 'CUSTOMER' });
  const { body } = await api.place(admin, { ...lines([productId, 1]), customerId }).expect(201);
  const [placed] = await entries(`?object=${body.data.id}`);
  expect(placed).toMatchObject({
    actor: { id: adminId },
    action: 'order.place',
    address: expect.any(String) as string,
  });
  expect(placed!.changes).toContainEqual({ field: 'total', before: null, after: 2_379 });
});

it('is listed by actor and time, a page at a time, newest first', async () => {
  const someone = newId('usr');
  const token = api.tokenOf('ADMIN', someone);
  const { id } = await api.shop.sell();
  const adjust = (delta: number) =>
    api
      .call('post', `/product-services/${id}/stock-adjustments`, token)
      .set('Idempotency-Key', randomUUID())
      .send({ delta, reason: 'Found' })
      .expect(201);
  for (let delta = 1; delta <= 3; delta++) await adjust(delta);
  const changes = [{ field: 'stock.available', before: 103, after: 106 }];
  const first = await api.call('get', `/audit?actor=${someone}&limit=2`, admin).expect(200);
  expect(first.body.data).toHaveLength(2);
  expect(first.body.data[0]).toMatchObject({ action: 'stock.adjust', object: id, changes });
  const next = `/audit?actor=${someone}&limit=2&cursor=${first.body.meta.page.nextCursor}`;
  const second = await api.call('get', next, admin).expect(200);
  expect(second.body.data).toHaveLength(1);
  expect(second.body.meta.page.nextCursor).toBeNull();
  const { at } = first.body.data[0];
  expect(await entries(`?actor=${someone}&from=${at}`)).toHaveLength(1);
  expect(await entries(`?actor=${someone}&from=2100-01-01`)).toEqual([]);
  await api.call('get', '/audit?object=jane@example.com', admin).expect(400);
  await api.call('get', '/audit', alice).expect(403);
});

it('forms one chain, whatever was done', async () => {
  const audit = auditOf();
  while (await audit.seal());
  await expect(verifyAuditLog(api.db.connection)).resolves.toMatchObject({ unsealed: 0, flaws: [] });
});
