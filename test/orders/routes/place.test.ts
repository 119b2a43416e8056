import { randomUUID } from 'node:crypto';
import { newId } from '../../../src/common/ids';
import { createUsersRepository } from '../../../src/users/users.repository';
import { orderWorkflowId } from '../../../workflows/contract';
import { eventually } from '../../support/eventually';
import { lines, openOrderApi, type OrderApi } from '../../support/order-api';
import { confirmAddress } from '../../support/signed-in-users';
import { orderRequest } from '../../support/shop';

let api: OrderApi;
let alice: string;
let bob: string;
let admin: string;
const aliceId = newId('usr');
beforeAll(async () => {
  api = await openOrderApi();
  [alice, bob, admin] = [api.tokenOf('CUSTOMER', aliceId), api.tokenOf('CUSTOMER'), api.tokenOf('ADMIN')];
});
afterAll(() => api.close());

const address = {
  name: 'Alice',
  line1: 'Street 1',
  line2: 'Backyard',
  city: 'Berlin',
  region: 'BE',
  postalCode: '10115',
  country: 'DE',
};

describe('POST /orders', () => {
  it('returns 201 with the confirmed order, its location and its version', async () => {
    const { id } = await api.shop.sell();
    const sent = { ...lines([id, 2]), note: 'Ring twice', shippingAddress: address };
    const { body, headers } = await api.place(alice, sent).set('X-Request-Id', 'place-1').expect(201);
    expect(body).toEqual({
      data: expect.objectContaining({
        customerId: aliceId,
        status: 'confirmed',
        paymentStatus: 'authorized',
        fulfillmentStatus: 'unfulfilled',
        items: [
          expect.objectContaining({ productServiceId: id, quantity: 2, total: 4_758, fulfilledQuantity: 0 }),
        ],
        currency: 'EUR',
        subtotal: 3_998,
        tax: 760,
        total: 4_758,
        note: 'Ring twice',
        shippingAddress: address,
        rejection: null,
        version: 2,
      }),
      meta: { requestId: 'place-1' },
    });
    expect(body.data).not.toHaveProperty('temporalUrl');
    expect(headers).toMatchObject({
      location: `/orders-management-system/orders/${body.data.id}`,
      etag: '"2"',
      'x-request-id': 'place-1',
    });
    expect(headers).not.toHaveProperty('idempotent-replayed');
    expect(api.logs.find((line) => line.requestId === 'place-1')).toMatchObject({ orderId: body.data.id });
  });

  it.each([
    ['no lines', lines(), 'items'],
    ['lines left out', { ...lines(), items: undefined }, 'items'],
    ['too many lines', lines(...Array.from({ length: 101 }, () => ['ps_x', 1] as [string, number])), 'items'],
    ['quantity 0', lines(['ps_x', 0]), 'items.0.quantity'],
    ['quantity -1', lines(['ps_x', -1]), 'items.0.quantity'],
    ['quantity 1.5', lines(['ps_x', 1.5]), 'items.0.quantity'],
    ['quantity "2"', lines(['ps_x', '2' as never]), 'items.0.quantity'],
    ['quantity 1e9', lines(['ps_x', 1e9]), 'items.0.quantity'],
    ['a price', { ...lines(['ps_x', 1]), price: 1 }, 'price'],
    ['a total', { ...lines(['ps_x', 1]), total: 1 }, 'total'],
    ['a status', { ...lines(['ps_x', 1]), status: 'confirmed' }, 'status'],
    ['a payment method left out', { items: lines(['ps_x', 1]).items }, 'paymentMethod'],
    ['a card number', { ...lines(['ps_x', 1]), paymentMethod: '4242424242424242' }, 'paymentMethod'],
    ['an invalid payment method', { ...lines(['ps_x', 1]), paymentMethod: 'pm_card visa' }, 'paymentMethod'],
    [
      'a price on a line',
      { ...lines(), items: [{ productServiceId: 'ps_x', quantity: 1, unitPrice: 1 }] },
      'items.0.unitPrice',
    ],
    ['a customerId from a CUSTOMER', { ...lines(['ps_x', 1]), customerId: aliceId }, 'customerId'],
    ['half a surrogate pair', { ...lines(['ps_x', 1]), note: '\ud800' }, 'note'],
    ['a note of 501 characters', { ...lines(['ps_x', 1]), note: 'x'.repeat(501) }, 'note'],
    [
      'a name nobody sees',
      { ...lines(['ps_x', 1]), shippingAddress: { ...address, name: '\u3164' } },
      'shippingAddress.name',
    ],
    ['a note that turns around', { ...lines(['ps_x', 1]), note: 'Ring \u202etwice' }, 'note'],
    [
      'a product id that is an object',
      { ...lines(), items: [{ productServiceId: { $ne: '' }, quantity: 1 }] },
      'items.0.productServiceId',
    ],
  ])('returns 400 to %s and names the field', async (_, body, path) => {
    const response = await api.place(alice, body).expect(400);
    expect(response.body).toMatchObject({
      code: 'validation_failed',
      errors: [{ path, message: expect.any(String) }],
    });
  });

  it('takes the countries of ISO 3166-1 only, and says which those are', async () => {
    for (const country of ['de', 'UK', 'EL', 'XX', 'ZZ', 'AN', 'EU']) {
      const body = { ...lines(['ps_x', 1]), shippingAddress: { ...address, country } };
      const { body: problem } = await api.place(alice, body).expect(400);
      expect(problem.errors).toEqual([
        { path: 'shippingAddress.country', message: expect.stringContaining('the United Kingdom is GB') },
      ]);
    }
  });

  it('takes addresses and texts as people write them, and one spelling of each for the same', async () => {
    const { id } = await api.shop.sell();
    const key = { 'Idempotency-Key': randomUUID() };
    const place = (shippingAddress: object, note: string | null) =>
      api.place(alice, { ...lines([id, 1]), shippingAddress, note }, key).expect(201);
    const kept = { name: 'Zoë 👩🏽‍🚀', line1: 'Rruga B 1', city: 'Prishtinë', country: 'XK' };
    const { body } = await place(kept, null);
    expect(body.data).toMatchObject({ note: null });
    expect(body.data.shippingAddress).toEqual(kept);
    const blank = { line2: null, region: '', postalCode: ' \t' };
    const spelled = { ...kept, name: `${kept.name.normalize('NFD')}\r\n`, line1: '\tRruga\tB 1', ...blank };
    const { body: again, headers } = await place(spelled, ' ');
    expect(headers['idempotent-replayed']).toBe('true');
    expect(again.data).toEqual(body.data);
  });

  it.each([
    ['__proto__', '{"__proto__":{"customerId":"usr_x"},"items":[{"productServiceId":"ps_x","quantity":1}]}'],
    ['malformed JSON', '{"items":[{"productServiceId":"ps_x","quantity":1}'],
  ])('returns 400 to %s', async (_, body) => {
    const request = api
      .call('post', '/orders', alice)
      .set({ 'Idempotency-Key': 'k', 'Content-Type': 'application/json' });
    const response = await request.send(body).expect(400);
    expect(response.body.code).toBe('validation_failed');
  });

  it('returns 415 to another type of body', async () => {
    const request = api
      .call('post', '/orders', alice)
      .set({ 'Idempotency-Key': 'k', 'Content-Type': 'text/plain' });
    await request.send('items=1').expect(415);
  });

  it('returns 401 without a token and 400 without an Idempotency-Key', async () => {
    await api
      .call('post', '/orders')
      .send(lines(['ps_x', 1]))
      .expect(401);
    const { body } = await api
      .call('post', '/orders', alice)
      .send(lines(['ps_x', 1]))
      .expect(400);
    expect(body.code).toBe('idempotency_key_required');
    await api.place(alice, lines(['ps_x', 1]), { 'Idempotency-Key': 'k'.repeat(256) }).expect(400);
  });

  it.each([
    ['an unknown product', 422, 'unknown_product', async () => lines(['ps_unknown', 1])],
    [
      'two currencies',
      422,
      'mixed_currencies',
      async () => lines([(await api.shop.sell()).id, 1], [(await api.shop.sell({ currency: 'USD' })).id, 1]),
    ],
    [
      'a total beyond the safe integers',
      422,
      'amount_too_large',
      async () => lines([(await api.shop.sell({ unitPrice: Number.MAX_SAFE_INTEGER })).id, 2]),
    ],
    [
      'more units than are in stock',
      409,
      'out_of_stock',
      async () => lines([(await api.shop.sell({ available: 1 })).id, 2]),
    ],
    [
      'a total below the minimum of a card',
      402,
      'payment_declined',
      async () => lines([(await api.shop.sell({ unitPrice: 10, taxRateBps: 0 })).id, 4]),
    ],
    [
      'a declined card',
      402,
      'payment_declined',
      async () => ({ ...lines([(await api.shop.sell()).id, 1]), paymentMethod: 'pm_card_chargeDeclined' }),
    ],
  ])('rejects %s with %i %s, repeats too, and keeps the rejected order', async (_, status, code, body) => {
    const sent = await body();
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await api.place(alice, sent, key).expect(status);
    expect(first.body).toMatchObject({ code, orderId: expect.any(String), detail: expect.any(String) });
    const again = await api.place(alice, sent, key).expect(status).expect('Idempotent-Replayed', 'true');
    expect({ ...again.body, requestId: '' }).toEqual({ ...first.body, requestId: '' });
    const { body: read } = await api.call('get', `/orders/${first.body.orderId}`, alice).expect(200);
    expect(read.data).toMatchObject({ status: 'rejected', rejection: { code, detail: first.body.detail } });
  });

  it('replays a request, and rejects another body with its key', async () => {
    const { id } = await api.shop.sell();
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await api.place(alice, lines([id, 1]), key).expect(201);
    const again = await api
      .place(alice, lines([id, 1]), key)
      .expect(201)
      .expect('Idempotent-Replayed', 'true');
    expect(again.body.data).toEqual(first.body.data);
    for (const other of [lines([id, 2]), { ...lines([id, 1]), paymentMethod: 'pm_card_mastercard' }]) {
      const { body } = await api.place(alice, other, key).expect(422);
      expect(body.code).toBe('idempotency_key_reused');
    }
    // A key belongs to one customer.
    const bobs = await api.place(bob, lines([id, 1]), key).expect(201);
    expect(bobs.body.data.id).not.toBe(first.body.data.id);
    expect(await api.shop.stockOf(id)).toEqual({ available: 98, reserved: 2 });
  });

  it('replays a request after the order was cancelled with the cancelled order, and places nothing', async () => {
    const { id } = await api.shop.sell();
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await api.place(alice, lines([id, 1]), key).expect(201);
    await api.call('post', `/orders/${first.body.data.id}/cancel`, alice).send({}).expect(200);
    const late = await api
      .place(alice, lines([id, 1]), key)
      .expect(201)
      .expect('Idempotent-Replayed', 'true');
    expect(late.body.data).toMatchObject({ id: first.body.data.id, status: 'cancelled' });
    await api.place(alice, lines([id, 2]), key).expect(422);
    expect(await api.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });

  it('gives 50 concurrent identical requests one workflow, one document, one unit and equal responses', async () => {
    const { id } = await api.shop.sell();
    const key = { 'Idempotency-Key': randomUUID() };
    const customerId = newId('usr');
    const token = api.tokenOf('CUSTOMER', customerId);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.place(token, lines([id, 1]), key).expect(201)),
    );
    const orders = answers.map(({ body }) => body.data);
    expect(orders).toEqual(orders.map(() => orders[0]));
    expect(await api.shop.orders.list({ customerId }, { limit: 2 })).toHaveLength(1);
    await eventually(async () => expect(await runsOf(orders[0].workflowId)).toBeGreaterThan(0));
    expect(await runsOf(orders[0].workflowId)).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'])).toHaveLength(49);
    expect(await api.shop.stockOf(id)).toEqual({ available: 99, reserved: 1 });
  });

  it('returns 202 at once to Prefer: respond-async, and places the order', async () => {
    const { id } = await api.shop.sell();
    const headers = { 'Idempotency-Key': randomUUID(), Prefer: 'respond-async' };
    const first = await api
      .place(alice, lines([id, 1]), headers)
      .expect(202)
      .expect('Preference-Applied', 'respond-async');
    expect(first.body.data).toMatchObject({
      status: 'pending',
      items: [{ productServiceId: id, unitPrice: null }],
    });
    const path = first.headers.location!.replace('/orders-management-system', '');
    await eventually(async () => {
      const { body } = await api.call('get', path, alice).expect(200);
      expect(body.data.status).toBe('confirmed');
    });
    await api
      .place(alice, lines([id, 1]), headers)
      .expect(202)
      .expect('Idempotent-Replayed', 'true');
    await api.place(alice, lines([id, 2]), headers).expect(422);
    const short = { ...lines([(await api.shop.sell({ available: 0 })).id, 1]) };
    const rejected = { 'Idempotency-Key': randomUUID() };
    await api.place(alice, short, rejected).expect(409);
    await api.place(alice, short, { ...rejected, Prefer: 'respond-async' }).expect(409);
    const { Prefer: _, ...key } = headers;
    await api
      .place(alice, lines([id, 1]), key)
      .expect(201)
      .expect('Idempotent-Replayed', 'true');
  });

  it('returns 202 to a repeat for a pending order whose workflow was terminated, and places it', async () => {
    const { id } = await api.shop.sell();
    const key = randomUUID();
    const request = orderRequest({ ...lines([id, 1]), customerId: aliceId }, key);
    const noWorker = { inlinePayments: false, paymentsTaskQueue: `${api.shop.taskQueue}-nobody` };
    await api.shop.withPolicy(noWorker).workflows.start(request);
    const stored = () => api.shop.orders.findById(request.orderId);
    await eventually(async () => expect(await stored()).toMatchObject({ status: 'pending' }));
    await api.shop.temporal.client.workflow.getHandle(orderWorkflowId(request.orderId)).terminate();
    const { body } = await api
      .place(alice, lines([id, 1]), { 'Idempotency-Key': key, Prefer: 'respond-async' })
      .expect(202)
      .expect('Idempotent-Replayed', 'true');
    expect(body.data).toMatchObject({ id: request.orderId, status: 'pending' });
    await eventually(async () => expect(await stored()).toMatchObject({ status: 'confirmed' }));
    expect(await api.shop.stockOf(id)).toEqual({ available: 99, reserved: 1 });
  });

  it('never returns 202 for an order that no workflow is placing', async () => {
    const { id } = await api.shop.sell();
    const headers = { 'Idempotency-Key': randomUUID(), Prefer: 'respond-async' };
    const { Prefer: _, ...key } = headers;
    const { body } = await api.place(alice, lines([id, 1]), key).expect(201);
    await api.call('post', `/orders/${body.data.id}/cancel`, alice).send({}).expect(200);
    // Its workflow has ended, and MongoDB does not have the outcome.
    await api.shop.temporal.client.workflow.getHandle(body.data.workflowId).result();
    await api.shop.db.connection.collection('orders').deleteOne({ _id: body.data.id });
    const answer = await api
      .place(alice, lines([id, 1]), headers)
      .expect(503)
      .expect('Retry-After', '5');
    expect(answer.body.code).toBe('service_unavailable');
  });

  async function customer(email: string): Promise<{ customerId: string; token: string }> {
    const account = { email, password: 'correct horse battery', name: 'Carol' };
    const { body } = await api.call('post', '/auth/register').send(account).expect(201);
    await confirmAddress(api, email);
    return { customerId: body.data.user.id, token: body.data.accessToken };
  }

  it('gives a customer and the staff orders of their own for the same key', async () => {
    const { id } = await api.shop.sell();
    const { customerId, token } = await customer('dave@example.com');
    const key = { 'Idempotency-Key': 'monday' };
    const own = await api.place(token, lines([id, 1]), key).expect(201);
    const byStaff = { ...lines([id, 1]), customerId };
    const first = await api.place(admin, byStaff, key).expect(201);
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    expect(first.body.data).toMatchObject({ customerId, version: 2 });
    expect(first.body.data.id).not.toBe(own.body.data.id);
    const again = await api.place(admin, byStaff, key).expect('Idempotent-Replayed', 'true').expect(201);
    expect(again.body.data.id).toBe(first.body.data.id);
    const other = await api.place(api.tokenOf('ADMIN'), byStaff, key).expect(201);
    expect(other.headers).not.toHaveProperty('idempotent-replayed');
    expect(await api.shop.stockOf(id)).toEqual({ available: 97, reserved: 3 });
  });

  it('places no order for a disabled customer, but returns what was placed before', async () => {
    const { id } = await api.shop.sell();
    const { customerId } = await customer('erin@example.com');
    const key = { 'Idempotency-Key': randomUUID() };
    const body = { ...lines([id, 1]), customerId };
    const { body: placed } = await api.place(admin, body, key).expect(201);
    const users = createUsersRepository(api.shop.db.connection);
    await users.change(customerId, { status: 'disabled' });
    for (const headers of [undefined, { Prefer: 'respond-async' }]) {
      const { body: problem } = await api.place(admin, body, headers).expect(409);
      expect(problem).toMatchObject({
        code: 'invalid_transition',
        detail: expect.stringContaining('The customer is disabled'),
      });
    }
    const { body: again } = await api.place(admin, body, key).expect(201);
    expect(again.data.id).toBe(placed.data.id);
    await users.change(customerId, { status: 'active' });
    await api.place(admin, body).expect(201);
    expect(await api.shop.stockOf(id)).toEqual({ available: 98, reserved: 2 });
  });

  it('places an order of an ADMIN for an existing customer', async () => {
    const { id } = await api.shop.sell();
    const { customerId, token } = await customer('carol@example.com');
    const { body } = await api.place(admin, { ...lines([id, 1]), customerId }).expect(201);
    expect(body.data).toMatchObject({
      customerId,
      temporalUrl: expect.stringContaining(body.data.workflowId),
    });
    await api.call('get', `/orders/${body.data.id}`, token).expect(200);
    await api.place(admin, { ...lines([id, 1]), customerId: newId('usr') }).expect(400);
  });

  it('places orders of a customer whose address is not confirmed, but none of the staff for them', async () => {
    const { id } = await api.shop.sell();
    const account = { email: 'frank@example.com', password: 'correct horse battery', name: 'Frank' };
    const { body } = await api.call('post', '/auth/register').send(account).expect(201);
    const { user, accessToken } = body.data;
    await api.place(accessToken, lines([id, 1])).expect(201);
    const byStaff = { ...lines([id, 1]), customerId: user.id };
    const { body: problem } = await api.place(admin, byStaff).expect(400);
    expect(problem.errors).toEqual([
      { path: 'customerId', message: 'must be the id of a user who has confirmed the e-mail address' },
    ]);
    const found = await api.call('get', `/orders?email=${account.email}`, admin).expect(200);
    expect(found.body.data).toHaveLength(1);
  });
});

async function runsOf(workflowId: string): Promise<number> {
  const query = `WorkflowId = '${workflowId}'`;
  return (await api.shop.temporal.client.workflow.count(query)).count;
}

describe('the total that the client expects', () => {
  it('has to be that of the order, which is rejected otherwise and says what it would cost', async () => {
    const { id } = await api.shop.sell({ available: 5, unitPrice: 999, priceIncludesTax: true });
    const key = { 'Idempotency-Key': randomUUID() };
    const body = { ...lines([id, 2]), expectedTotal: 1_990 };
    for (const replayed of [undefined, 'true']) {
      const refused = await api.place(alice, body, key).expect(409);
      expect(refused.body).toMatchObject({ code: 'price_changed', total: 1_998 });
      expect(refused.headers['idempotent-replayed']).toBe(replayed);
      const { orderId } = refused.body as { orderId: string };
      const order = await api.call('get', `/orders/${orderId}`, alice).expect(200);
      expect(order.body.data).toMatchObject({ status: 'rejected', rejection: { code: 'price_changed' } });
    }
    expect(await api.shop.stockOf(id)).toEqual({ available: 5, reserved: 0 });
    await api.place(alice, { ...body, expectedTotal: 1_998 }, key).expect(422);
    const placed = await api.place(alice, { ...body, expectedTotal: 1_998 }).expect(201);
    expect(placed.body.data).toMatchObject({
      total: 1_998,
      items: [{ unitPrice: 999, priceIncludesTax: true, subtotal: 1_679, tax: 319, total: 1_998 }],
    });
  });

  it('is a non-negative integer', async () => {
    const { id } = await api.shop.sell();
    for (const expectedTotal of [-1, 1.5, '1']) {
      const { body } = await api.place(alice, { ...lines([id, 1]), expectedTotal }).expect(400);
      expect(body).toMatchObject({ errors: [{ path: 'expectedTotal' }] });
    }
  });
});
