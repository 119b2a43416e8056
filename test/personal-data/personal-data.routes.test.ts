import { openCart } from '../support/carts';
import { Canaries } from '../support/canaries';
import { currentDetailsOf } from '../support/current-details';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import { keepRelaying } from '../support/relay';
import { orderRequest } from '../support/shop';
import { PASSWORD, person, signIn, type Person } from '../support/signed-in-users';
import type { ProductService } from '../../src/product-service/product-service.model';
import { createUsersRepository } from '../../src/users/users.repository';
import { erasureWorkflowId } from '../../workflows/contract';

let api: OrderApi;
let admin: Person;
let product: ProductService;
let relay: ReturnType<typeof keepRelaying>;
beforeAll(async () => {
  api = await openOrderApi();
  admin = await person(api, 'ADMIN');
  product = await api.shop.sell();
  relay = keepRelaying(api.db.connection);
  await relay.following;
});
afterAll(async () => {
  await relay.stop();
  await api.close();
});

const exported = async (id: string, token: string): Promise<OrderBody[]> => {
  const { text } = await api.call('get', `/users/${id}/export`, token).buffer(true).expect(200);
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
};

const erase = (id: string, token: string, currentPassword = PASSWORD) =>
  api.call('post', `/users/${id}/erase`, token).send({ currentPassword });

/** Waits until nothing more is to be erased of the user. */
const erased = async (id: string, outcome?: string): Promise<void> => {
  const handle = api.shop.temporal.client.workflow.getHandle(erasureWorkflowId(id));
  await handle.result();
  if (outcome !== undefined) await recordHistory(outcome, handle);
};

const ADDRESS = { name: 'Bo Ek', line1: 'Long Road 1', city: 'Malmö', postalCode: '211 20', country: 'SE' };

async function cancelled(who: Person, order: object = {}): Promise<OrderBody> {
  const body = { ...lines([product.id, 1]), shippingAddress: ADDRESS, ...order };
  const placed = (await api.place(who.accessToken, body).expect(201)).body.data;
  await api.call('post', `/orders/${placed.id}/cancel`, who.accessToken).send({}).expect(200);
  return (await api.call('get', `/orders/${placed.id}`, who.accessToken).expect(200)).body.data;
}

describe('GET /users/:id/export', () => {
  it('has the user, sessions, orders, also archived ones, and what the staff changed of theirs', async () => {
    const who = await person(api);
    await signIn(api, who.email);
    const [first, second] = [await cancelled(who), await cancelled(who, { note: 'Ring twice' })];
    await api.call('delete', `/orders/${first.id}`, admin.accessToken).expect(204);
    const found = await exported(who.id, who.accessToken);
    expect(found.map(({ type }) => type)).toEqual([
      'user',
      'session',
      'session',
      'order',
      'order',
      'auditEntry',
    ]);
    expect(found[0]).toMatchObject({ id: who.id, email: who.email, name: 'Person', status: 'active' });
    const orders = found.filter(({ type }) => type === 'order');
    expect(orders[0]).toEqual({ type: 'order', ...second });
    expect(orders[1]).toMatchObject({ id: first.id, shippingAddress: ADDRESS });
    expect(found.at(-1)).toMatchObject({
      action: 'order.archive',
      object: first.id,
      by: 'staff',
      address: null,
    });
    const text = JSON.stringify(found);
    expect(text).not.toMatch(/hash|family|usedFrom|internalNote/i);
    expect(text).not.toContain(admin.id);
    const byAdmin = await exported(who.id, admin.accessToken);
    const isExport = ({ action }: OrderBody) => action === 'user.export';
    expect(byAdmin.filter((entry) => !isExport(entry))).toEqual(found);
    expect(byAdmin.filter(isExport)).toMatchObject([{ object: who.id, by: 'staff', address: null }]);
  });

  it('has the API keys of an ADMIN, without what tells of others', async () => {
    const maker = await person(api, 'ADMIN');
    const key = { name: 'Warehouse', scopes: ['orders:read'], currentPassword: PASSWORD };
    await api.call('post', '/api-keys', maker.accessToken).send(key).expect(201);
    const who = await person(api);
    const body = { ...lines([product.id, 1]), customerId: who.id, shippingAddress: ADDRESS };
    await api.place(maker.accessToken, body).expect(201);
    const found = await exported(maker.id, maker.accessToken);
    expect(found).toContainEqual(expect.objectContaining({ type: 'apiKey', name: 'Warehouse' }));
    expect(found).toContainEqual(expect.objectContaining({ action: 'order.place', by: maker.id }));
    expect(JSON.stringify(found)).not.toContain('Long Road');
  });

  it('is the same to others as a user who does not exist', async () => {
    const [who, other] = [await person(api), await person(api)];
    const missing = who.id.replace(/.{4}$/, 'ZZZZ');
    for (const action of ['export', 'erase'] as const) {
      const bodies = [];
      for (const id of [who.id, missing]) {
        const call = api.call(
          action === 'export' ? 'get' : 'post',
          `/users/${id}/${action}`,
          other.accessToken,
        );
        const sent = action === 'export' ? call : call.send({ currentPassword: PASSWORD });
        const { requestId: _, ...problem } = (await sent.expect(404)).body;
        bodies.push(problem);
      }
      expect(bodies[0]).toEqual(bodies[1]);
    }
    await api.call('get', `/users/${missing}/export`, admin.accessToken).expect(404);
    await erase(missing, admin.accessToken).expect(404);
  });
});

describe('POST /users/:id/erase', () => {
  it('leaves nothing readable in MongoDB, and all that the books need', async () => {
    const canaries = new Canaries();
    const text = (name: string) => canaries.make(name);
    const password = text('password');
    const account = { email: `${text('e-mail')}@example.com`, password, name: text('name') };
    const { body } = await api.call('post', '/auth/register').send(account).expect(201);
    const who = { id: body.data.user.id as string, accessToken: body.data.accessToken as string };
    const shippingAddress = {
      name: text('address: name'),
      line1: text('line1'),
      line2: text('line2'),
      city: text('city'),
      region: text('region'),
      postalCode: text('postal code').slice(0, 20),
      country: 'SE',
    };
    canaries.add('postal code', shippingAddress.postalCode);
    const order = (fields = {}) => ({
      ...lines([product.id, 2]),
      note: text('note'),
      shippingAddress,
      externalRef: text('reference'),
      metadata: { key: text('metadata') },
      ...fields,
    });
    const placed = async (fields?: object) =>
      (await api.place(who.accessToken, order(fields)).expect(201)).body.data;

    const completed = await placed();
    const shipment = {
      items: lines([product.id, 2]).items,
      carrier: text('carrier'),
      trackingNumber: text('number'),
    };
    const path = `/orders/${completed.id}/fulfillments`;
    const shipped = await api
      .call('post', path, admin.accessToken)
      .set('Idempotency-Key', 'ship')
      .send(shipment)
      .expect(201);
    const { version } = shipped.body.data;
    expect(version).toBeGreaterThan(1);
    await api
      .call('post', `${path}/${shipped.body.data.fulfillments[0].id}/deliver`, admin.accessToken)
      .expect(200);
    await api.refund(completed.id, { amount: 500, reason: text('refund reason') }).expect(201);

    const other = await placed();
    const change = { note: text('amended note') };
    await api
      .call('patch', `/orders/${other.id}`, who.accessToken)
      .set('If-Match', '*')
      .send(change)
      .expect(200);
    await api
      .call('post', `/orders/${other.id}/cancel`, who.accessToken)
      .send({ reason: text('cancel reason') })
      .expect(200);
    await api.call('delete', `/orders/${other.id}`, admin.accessToken).expect(204);
    const reference = order();
    await api.place(who.accessToken, reference).expect(201);
    const taken = await api.place(who.accessToken, { ...reference, note: null }).expect(409);
    expect(taken.body.detail).toContain(reference.externalRef);
    for (const { id } of (await api.call('get', '/orders', who.accessToken).expect(200)).body.data)
      await api.call('post', `/orders/${id}/cancel`, who.accessToken).send({});
    const books = await bookOf(completed.id);
    const events = api.db.connection.collection('events');
    await eventually(async () =>
      expect(await events.countDocuments({ object: completed.id, type: 'order.completed' })).toBe(1),
    );
    expect(await foundInMongoDb(canaries)).toEqual(
      expect.arrayContaining(['name', 'e-mail', 'note', 'number']),
    );

    const { body: answer } = await erase(who.id, who.accessToken, password).expect(202);
    expect(answer.data).toMatchObject({ id: who.id, name: 'erased', status: 'erased' });
    await erased(who.id, 'erased');
    // The events of an order are erased with the event of its erasure.
    await eventually(async () => expect(await foundInMongoDb(canaries)).toEqual([]));
    expect(await bookOf(completed.id)).toEqual(books);
    for (const id of [completed.id, other.id]) {
      const { body: seen } = await api.call('get', `/orders/${id}`, admin.accessToken).expect(200);
      expect(seen.data).toMatchObject({
        customerId: who.id,
        note: null,
        shippingAddress: null,
        externalRef: null,
      });
    }
    const logged = await exported(who.id, admin.accessToken);
    expect(logged).toContainEqual(expect.objectContaining({ action: 'user.erase', by: who.id }));
  });

  it('erases the carts, and what the user has ordered as a guest, too', async () => {
    const canaries = new Canaries();
    const who = await person(api);
    const shippingAddress = { ...ADDRESS, name: canaries.make('name'), line1: canaries.make('line1') };
    const details = { shippingAddress, note: canaries.make('note') };
    const guests = await openCart(api);
    const own = await openCart(api, who.accessToken);
    for (const cart of [guests, own]) {
      await cart.put(product.id, 1).expect(200);
      await cart.call('patch').send(details).expect(200);
    }
    const { body } = await guests.checkOut({ email: who.email }).expect(201);
    const { accessToken } = await signIn(api, who.email);
    const { detail } = (await erase(who.id, accessToken).expect(409)).body;
    expect(detail).toContain(body.data.number);
    await api.call('post', `/orders/${body.data.id}/cancel`, accessToken).send({}).expect(200);
    const found = await exported(who.id, accessToken);
    expect(found.filter(({ type }) => type === 'cart').map(({ id }) => id as string)).toEqual([
      own.id,
      guests.id,
    ]);
    expect(found).toContainEqual(expect.objectContaining({ type: 'order', id: body.data.id }));
    await api.call('delete', `/orders/${body.data.id}`, admin.accessToken).expect(204);
    const entry = { type: 'auditEntry', action: 'order.archive', object: body.data.id, by: 'staff' };
    expect(await exported(who.id, accessToken)).toContainEqual(expect.objectContaining(entry));
    await erase(who.id, accessToken).expect(202);
    await erased(who.id);
    // The events of an order are erased with the event of its erasure.
    await eventually(async () => expect(await foundInMongoDb(canaries)).toEqual([]));
    const guest = await api.call('get', `/users/${body.data.customerId}`, admin.accessToken).expect(200);
    expect(guest.body.data).toMatchObject({ status: 'erased', name: 'erased' });
  });

  it('erases what was ordered as a guest since the user has signed in', async () => {
    const who = await person(api);
    const guests = await openCart(api);
    await guests.put(product.id, 1).expect(200);
    await guests.call('patch').send({ shippingAddress: ADDRESS }).expect(200);
    const { body, headers } = await guests.checkOut({ email: who.email }).expect(201);
    const { id, number, customerId } = body.data as Record<string, string>;
    const { detail } = (await erase(who.id, who.accessToken).expect(409)).body;
    expect(detail).toContain(number);
    await api
      .call('post', `/orders/${id}/cancel`)
      .set('Order-Token', headers['order-token']!)
      .send({})
      .expect(200);
    await erase(who.id, who.accessToken).expect(202);
    await erased(who.id);
    const guest = await api.call('get', `/users/${customerId}`, admin.accessToken).expect(200);
    expect(guest.body.data).toMatchObject({ status: 'erased' });
  });

  it('closes the account permanently', async () => {
    const who = await person(api);
    await erase(who.id, who.accessToken).expect(202);
    await eventually(() => api.call('get', '/users/me', who.accessToken).expect(401));
    const { refreshToken, email } = who;
    await api.call('post', '/auth/refresh').send({ refreshToken }).expect(401);
    await api.call('post', '/auth/login').send({ email, password: PASSWORD }).expect(401);
    const instead = `${who.id.toLowerCase()}@erased.invalid`;
    await api.call('post', '/auth/login').send({ email: instead, password: PASSWORD }).expect(401);
    const enabling = api.call('patch', `/users/${who.id}`, admin.accessToken).send({ status: 'active' });
    expect((await enabling.expect(409)).body.detail).toContain('register a new one');
    const order = { ...lines([product.id, 1]), customerId: who.id };
    expect((await api.place(admin.accessToken, order).expect(409)).body.code).toBe('invalid_transition');
    await api.call('post', '/auth/register').send({ email, password: PASSWORD, name: 'Again' }).expect(201);
    await erase(who.id, admin.accessToken).expect(202); // changes nothing
  });

  it('is not undone by a change that waited meanwhile', async () => {
    const who = await person(api);
    const users = createUsersRepository(api.shop.db.connection);
    const before = (await users.findById(who.id))!;
    await erase(who.id, who.accessToken).expect(202);
    await expect(
      users.rename(before, 'Carol again', { by: who.id, requestId: null, address: null }),
    ).resolves.toBeNull();
  });

  it('asks for the password, even of an ADMIN who has just signed in', async () => {
    const who = await person(api);
    await api.call('post', `/users/${who.id}/erase`, admin.accessToken).send({}).expect(400);
    for (const token of [who.accessToken, admin.accessToken]) {
      const { body } = await erase(who.id, token, 'not the password').expect(400);
      expect(body.errors).toEqual([{ path: 'currentPassword', message: 'is not the current password' }]);
    }
    await api.call('get', '/users/me', who.accessToken).expect(200);
  });

  it('is refused while orders are open, and says which and what to do', async () => {
    const who = await person(api);
    const open = await api.placed(who.accessToken, [product.id, 1]);
    for (const token of [who.accessToken, admin.accessToken]) {
      const { body } = await erase(who.id, token).expect(409);
      expect(body).toMatchObject({ code: 'invalid_transition' });
      expect(body.detail).toContain(open.number);
      expect(body.detail).toMatch(/cancel them.*repeat the request/);
    }
    await erased(who.id, 'erasure-refused');
    await api.call('get', '/users/me', who.accessToken).expect(200);
    await api.call('post', `/orders/${open.id}/cancel`, who.accessToken).send({}).expect(200);
    await erase(who.id, admin.accessToken).expect(202);
  });

  it('erases orders that were placed while the account was being closed when they are closed', async () => {
    const who = await person(api);
    await erase(who.id, who.accessToken).expect(202);
    const request = orderRequest({ ...lines([product.id, 1]), customerId: who.id, note: 'Too late' });
    await api.shop.place(request); // by a process that does not know yet
    const { workflow } = api.shop.temporal.client;
    const last = workflow.getHandle(erasureWorkflowId(who.id));
    const { runId } = await last.describe();
    await eventually(async () => expect((await last.describe()).runId).not.toBe(runId));
    await eventually(async () =>
      expect(await currentDetailsOf(last)).toMatch(
        /Waits for orders that are not closed yet, and looks again at/,
      ),
    );
    await recordHistory('erasure-continued', workflow.getHandle(last.workflowId, runId));
    expect(await api.shop.orders.findById(request.orderId)).toMatchObject({ note: 'Too late' });
    await erase(who.id, admin.accessToken).expect(202); // joins the run
    await api.call('post', `/orders/${request.orderId}/cancel`, admin.accessToken).send({}).expect(200);
    await erased(who.id, 'erased-after-a-late-order');
    expect(await api.shop.orders.findById(request.orderId)).toMatchObject({
      status: 'cancelled',
      note: null,
    });
  });

  it('keeps the last active ADMIN', async () => {
    const others = api.db.connection.collection('users');
    await others.updateMany(
      { role: 'ADMIN', _id: { $ne: admin.id as never } },
      { $set: { status: 'disabled' } },
    );
    const { body } = await erase(admin.id, admin.accessToken).expect(409);
    expect(body.detail).toContain('make another user an ADMIN first');
  });
});

/** What of an order the books need. */
async function bookOf(id: string): Promise<object> {
  const { items, total, captured, refunded, status, paymentStatus, createdAt, customerId, payment, refunds } =
    (await api.shop.orders.findById(id))!;
  const { key, reference, amount } = payment!;
  const amounts = refunds.map((refund) => [refund.id, refund.amount, refund.createdAt]);
  return {
    items,
    total,
    captured,
    refunded,
    status,
    paymentStatus,
    createdAt,
    customerId,
    key,
    reference,
    amount,
    amounts,
  };
}

/** Returns the names of the canaries that are in any document of any collection. */
async function foundInMongoDb(canaries: Canaries): Promise<string[]> {
  const found: string[] = [];
  for (const collection of await api.db.connection.db!.collections())
    for await (const document of collection.find()) found.push(...canaries.foundIn(JSON.stringify(document)));
  return [...new Set(found)];
}
