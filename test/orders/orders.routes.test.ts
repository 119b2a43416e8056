import { newId } from '../../src/common/ids';
import { lines, openOrderApi } from '../support/order-api';
import type { OrderApi } from '../support/order-api';

let api: OrderApi;
let alice: string;
let bob: string;
let admin: string;
const aliceId = newId('usr');
beforeAll(async () => {
  api = await openOrderApi({ PLACE_ORDER_TIMEOUT_MS: '30000' });
  await api.shop.startWorker();
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
  it('answers 201 with the confirmed order, where it is and its version', async () => {
    const { id } = await api.shop.sell();
    const sent = { ...lines([id, 2]), note: 'Ring twice', shippingAddress: address };
    const { body, headers } = await api.place(alice, sent).set('X-Request-Id', 'place-1').expect(201);
    expect(body).toEqual({
      data: expect.objectContaining({
        customerId: aliceId,
        status: 'confirmed',
        paymentStatus: 'pending',
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
    ['nothing', {}, 'items'],
    ['no lines', { items: [] }, 'items'],
    ['too many lines', lines(...Array.from({ length: 101 }, () => ['ps_x', 1] as [string, number])), 'items'],
    ['quantity 0', lines(['ps_x', 0]), 'items.0.quantity'],
    ['quantity -1', lines(['ps_x', -1]), 'items.0.quantity'],
    ['quantity 1.5', lines(['ps_x', 1.5]), 'items.0.quantity'],
    ['quantity "2"', lines(['ps_x', '2' as never]), 'items.0.quantity'],
    ['quantity 1e9', lines(['ps_x', 1e9]), 'items.0.quantity'],
    ['a price', { ...lines(['ps_x', 1]), price: 1 }, 'price'],
    ['a total', { ...lines(['ps_x', 1]), total: 1 }, 'total'],
    ['a status', { ...lines(['ps_x', 1]), status: 'confirmed' }, 'status'],
    ['a payment method', { ...lines(['ps_x', 1]), paymentMethod: 'pm_card_visa' }, 'paymentMethod'],
    [
      'a price on a line',
      { items: [{ productServiceId: 'ps_x', quantity: 1, unitPrice: 1 }] },
      'items.0.unitPrice',
    ],
    ['a customer, from a CUSTOMER', { ...lines(['ps_x', 1]), customerId: aliceId }, 'customerId'],
    ['half a surrogate pair', { ...lines(['ps_x', 1]), note: '\ud800' }, 'note'],
    ['a note of 501 characters', { ...lines(['ps_x', 1]), note: 'x'.repeat(501) }, 'note'],
    [
      'a country that is none',
      { ...lines(['ps_x', 1]), shippingAddress: { ...address, country: 'de' } },
      'shippingAddress.country',
    ],
    [
      'a product id that is an object',
      { items: [{ productServiceId: { $ne: '' }, quantity: 1 }] },
      'items.0.productServiceId',
    ],
  ])('answers 400 to %s and names it', async (_, body, path) => {
    const response = await api.place(alice, body).expect(400);
    expect(response.body).toMatchObject({
      code: 'validation_failed',
      errors: [{ path, message: expect.any(String) }],
    });
  });

  it.each([
    ['__proto__', '{"__proto__":{"customerId":"usr_x"},"items":[{"productServiceId":"ps_x","quantity":1}]}'],
    ['malformed JSON', '{"items":[{"productServiceId":"ps_x","quantity":1}'],
  ])('answers 400 to %s', async (_, body) => {
    const request = api
      .call('post', '/orders', alice)
      .set({ 'Idempotency-Key': 'k', 'Content-Type': 'application/json' });
    const response = await request.send(body).expect(400);
    expect(response.body.code).toBe('validation_failed');
  });

  it('answers 415 to another type of body', async () => {
    const request = api
      .call('post', '/orders', alice)
      .set({ 'Idempotency-Key': 'k', 'Content-Type': 'text/plain' });
    await request.send('items=1').expect(415);
  });

  it('answers 401 to nobody and 400 without a key', async () => {
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
      'more than in stock',
      409,
      'out_of_stock',
      async () => lines([(await api.shop.sell({ available: 1 })).id, 2]),
    ],
  ])('answers %s with %i %s, every time, and keeps the rejected order', async (_, status, code, body) => {
    const sent = await body();
    const key = { 'Idempotency-Key': newId('ps') };
    const first = await api.place(alice, sent, key).expect(status);
    expect(first.body).toMatchObject({ code, orderId: expect.any(String), detail: expect.any(String) });
    const again = await api.place(alice, sent, key).expect(status).expect('Idempotent-Replayed', 'true');
    expect({ ...again.body, requestId: '' }).toEqual({ ...first.body, requestId: '' });
    const { body: read } = await api.call('get', `/orders/${first.body.orderId}`, alice).expect(200);
    expect(read.data).toMatchObject({ status: 'rejected', rejection: { code, detail: first.body.detail } });
  });

  it('answers a repeat as the first time, also after the order was cancelled, and refuses another body', async () => {
    const { id } = await api.shop.sell();
    const key = { 'Idempotency-Key': newId('ps') };
    const first = await api.place(alice, lines([id, 1]), key).expect(201);
    const again = await api
      .place(alice, lines([id, 1]), key)
      .expect(201)
      .expect('Idempotent-Replayed', 'true');
    expect(again.body.data).toEqual(first.body.data);
    const other = await api.place(alice, lines([id, 2]), key).expect(422);
    expect(other.body.code).toBe('idempotency_key_reused');
    await api.call('post', `/orders/${first.body.data.id}/cancel`, alice).send({}).expect(200);
    const late = await api.place(alice, lines([id, 1]), key).expect(201);
    expect(late.body.data).toEqual(first.body.data);
    await api.place(alice, lines([id, 2]), key).expect(422);
    // The key is the customer's own.
    const bobs = await api.place(bob, lines([id, 1]), key).expect(201);
    expect(bobs.body.data.id).not.toBe(first.body.data.id);
    expect(await api.shop.stockOf(id)).toEqual({ available: 99, reserved: 1 });
  });

  it('gives 50 identical requests at once one workflow, one document, one unit and 50 equal answers', async () => {
    const { id } = await api.shop.sell();
    const key = { 'Idempotency-Key': newId('ps') };
    const customerId = newId('usr');
    const token = api.tokenOf('CUSTOMER', customerId);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.place(token, lines([id, 1]), key).expect(201)),
    );
    const orders = answers.map(({ body }) => body.data);
    expect(orders).toEqual(orders.map(() => orders[0]));
    expect(await api.shop.orders.list({ customerId }, { limit: 2 })).toHaveLength(1);
    expect(await runsOf(orders[0].workflowId)).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'])).toHaveLength(49);
    expect(await api.shop.stockOf(id)).toEqual({ available: 99, reserved: 1 });
  });

  it('answers 202 at once to Prefer: respond-async, and the order is placed', async () => {
    const { id } = await api.shop.sell();
    const headers = { 'Idempotency-Key': newId('ps'), Prefer: 'respond-async' };
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
    const rejected = { 'Idempotency-Key': newId('ps') };
    await api.place(alice, short, rejected).expect(409);
    await api.place(alice, short, { ...rejected, Prefer: 'respond-async' }).expect(409);
    const { Prefer: _, ...key } = headers;
    await api
      .place(alice, lines([id, 1]), key)
      .expect(201)
      .expect('Idempotent-Replayed', 'true');
  });

  it('never answers 202 for an order that nobody is at work on', async () => {
    const { id } = await api.shop.sell();
    const headers = { 'Idempotency-Key': newId('ps'), Prefer: 'respond-async' };
    const { Prefer: _, ...key } = headers;
    const { body } = await api.place(alice, lines([id, 1]), key).expect(201);
    await api.call('post', `/orders/${body.data.id}/cancel`, alice).send({}).expect(200);
    // Its workflow has ended, and MongoDB does not say how.
    await api.shop.db.connection.collection('orders').deleteOne({ _id: body.data.id });
    const answer = await api
      .place(alice, lines([id, 1]), headers)
      .expect(503)
      .expect('Retry-After', '5');
    expect(answer.body.code).toBe('service_unavailable');
  });

  it('lets an ADMIN order for a customer, who must exist', async () => {
    const { id } = await api.shop.sell();
    const account = { email: 'carol@example.com', password: 'correct horse battery', name: 'Carol' };
    const { body: registered } = await api.call('post', '/auth/register').send(account).expect(201);
    const customerId: string = registered.data.user.id;
    const { body } = await api.place(admin, { ...lines([id, 1]), customerId }).expect(201);
    expect(body.data).toMatchObject({
      customerId,
      temporalUrl: expect.stringContaining(body.data.workflowId),
    });
    await api.call('get', `/orders/${body.data.id}`, registered.data.accessToken).expect(200);
    await api.place(admin, { ...lines([id, 1]), customerId: newId('usr') }).expect(400);
  });
});

describe('GET /orders/:id', () => {
  it('answers 304 to the version that the client has', async () => {
    const { id } = await api.shop.sell();
    const { body } = await api.place(alice, lines([id, 1])).expect(201);
    const path = `/orders/${body.data.id}`;
    const read = await api.call('get', path, alice).expect(200).expect('ETag', '"2"');
    expect(read.body.data).toEqual(body.data);
    await api.call('get', path, alice).set('If-None-Match', '"2"').expect(304);
    await api.call('get', path, alice).set('If-None-Match', '"1"').expect(200);
  });

  it('answers 401 to nobody, and 404 alike to others and for orders that do not exist', async () => {
    const { id } = await api.shop.sell();
    const { body } = await api.place(alice, lines([id, 1])).expect(201);
    const path = `/orders/${body.data.id}`;
    await api.call('get', path).expect(401);
    await api.call('get', path, admin).expect(200);
    const missing = await Promise.all(
      [path, `/orders/ord_${'0'.repeat(32)}`, '/orders/nonsense'].map((other) =>
        api.call('get', other, bob).set('X-Request-Id', 'same').expect(404),
      ),
    );
    expect(missing.map(({ text }) => text)).toEqual(missing.map(() => missing[0]!.text));
  });
});

describe('GET /orders', () => {
  it('pages through the own orders, newest first, and filters them', async () => {
    const { id } = await api.shop.sell();
    const token = api.tokenOf('CUSTOMER');
    const placed: string[] = [];
    for (let n = 0; n < 5; n++)
      placed.push((await api.place(token, lines([id, 1])).expect(201)).body.data.id);
    await api.call('post', `/orders/${placed[0]}/cancel`, token).send().expect(200);

    const pages: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { body } = await api.call('get', `/orders?limit=2${query}`, token).expect(200);
      pages.push(body.data.map((order: { id: string }) => order.id));
      cursor = body.meta.page.nextCursor;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual([...placed].reverse());

    const idsOf = async (query: string, who = token): Promise<string[]> => {
      const { body } = await api.call('get', `/orders?${query}`, who).expect(200);
      return body.data.map((order: { id: string }) => order.id);
    };
    expect(await idsOf('status=cancelled')).toEqual([placed[0]]);
    expect(await idsOf('fulfillmentStatus=unfulfilled&paymentStatus=pending')).toHaveLength(4);
    const third = (await api.call('get', `/orders/${placed[2]}`, token)).body.data.createdAt;
    expect(await idsOf(`from=${third}`)).toEqual([placed[4], placed[3], placed[2]]);
    expect(await idsOf(`to=${third}`)).toEqual([placed[1], placed[0]]);
    const { body } = await api.call('get', `/orders/${placed[0]}`, token);
    expect(await idsOf(`customerId=${body.data.customerId}`, admin)).toHaveLength(5);
    const bobs = (await api.place(bob, lines([id, 1])).expect(201)).body.data.id;
    expect(await idsOf('limit=2', admin)).toEqual([bobs, placed[4]]);
    expect(await idsOf('limit=1', bob)).toEqual([bobs]);
  });

  it.each([
    ['limit=0'],
    ['limit=101'],
    ['cursor=nonsense'],
    [`cursor=${Buffer.from('[{"$gt":""},"ord_1"]').toString('base64url')}`],
    ['status=unknown'],
    ['from=yesterday'],
    ['customerId[$ne]=x'],
    [`customerId=${aliceId}`],
    ['unknown=1'],
  ])('answers 400 to ?%s', async (query) => {
    await api.call('get', `/orders?${query}`, bob).expect(400);
  });

  it('answers 401 to nobody', async () => {
    await api.call('get', '/orders').expect(401);
  });
});

describe('POST /orders/:id/cancel', () => {
  it('cancels once, with its reason, and releases the stock', async () => {
    const { id } = await api.shop.sell();
    const placed = await api.place(alice, lines([id, 3])).expect(201);
    const path = `/orders/${placed.body.data.id}/cancel`;
    await api.call('post', path).expect(401);
    await api.call('post', path, bob).send({}).expect(404);
    await api.call('post', path, alice).send({ status: 'cancelled' }).expect(400);
    const clicks = await Promise.all(
      Array.from({ length: 5 }, () => api.call('post', path, alice).send({ reason: 'Too late' })),
    );
    expect(clicks.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    const { body, headers } = clicks.find(({ status }) => status === 200)!;
    expect(body.data).toMatchObject({ status: 'cancelled', fulfillmentStatus: 'cancelled', version: 3 });
    expect(body.data.statusHistory.at(-1)).toMatchObject({ by: aliceId, reason: 'Too late' });
    expect(headers.etag).toBe('"3"');
    const late = await api.call('post', path, alice).expect(409);
    expect(late.body).toMatchObject({
      code: 'invalid_transition',
      detail: expect.stringContaining('cancelled'),
    });
    expect(await api.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });
});

describe('while no worker answers', () => {
  let idle: OrderApi;
  beforeEach(async () => void (idle = await openOrderApi({ PLACE_ORDER_TIMEOUT_MS: '500' })));
  afterEach(() => idle.close());

  it('a pending order may or may not be cancelled, the answer says so, and the stock is right either way', async () => {
    const { id } = await idle.shop.sell();
    const { body } = await idle.place(alice, lines([id, 1])).expect(202);
    const path = `/orders/${body.data.id}`;
    const answer = await idle.call('post', `${path}/cancel`, alice).send({}).expect(503);
    expect(answer.body).toMatchObject({ code: 'service_unavailable', orderId: body.data.id });
    await idle.call('get', path, bob).expect(404);
    await idle.shop.startWorker();
    await eventually(async () => {
      const { status } = (await idle.call('get', path, alice).expect(200)).body.data;
      expect(['confirmed', 'cancelled']).toContain(status); // Temporal may still have the cancellation, or not
      const held = status === 'confirmed' ? 1 : 0;
      expect(await idle.shop.stockOf(id)).toEqual({ available: 100 - held, reserved: held });
    });
  });

  it('an order that Temporal has forgotten is answered from MongoDB, to the same body only', async () => {
    const { id } = await idle.shop.sell();
    const key = { 'Idempotency-Key': newId('ps') };
    const worker = await idle.shop.startWorker();
    const first = await idle.place(alice, lines([id, 1]), key);
    const { workflowId, id: orderId } = first.body.data;
    await eventually(
      () =>
        idle.call('get', `/orders/${orderId}`, alice).expect(({ body }) => {
          expect(body.data.status).toBe('confirmed');
        }) as never,
    );
    await worker.stop();
    // Terminated, so that the next request starts a run that no worker takes: as after the retention.
    await idle.shop.temporal.client.workflow.getHandle(workflowId).terminate();
    const repeat = await idle
      .place(alice, lines([id, 1]), key)
      .expect(201)
      .expect('Idempotent-Replayed', 'true');
    expect(repeat.body.data).toMatchObject({ id: orderId, status: 'confirmed', version: 2 });
    const other = await idle.place(alice, lines([id, 2]), key).expect(422);
    expect(other.body.code).toBe('idempotency_key_reused');
  });

  it('an order whose workflow was terminated before it was saved is still there, and can be cancelled', async () => {
    const { id } = await idle.shop.sell();
    const { body } = await idle.place(alice, lines([id, 1])).expect(202);
    await idle.shop.temporal.client.workflow.getHandle(body.data.workflowId).terminate();
    const path = `/orders/${body.data.id}`;
    const read = await idle.call('get', path, alice).expect(200);
    expect(read.body.data).toMatchObject({ status: 'pending', version: 0 });
    await idle.shop.startWorker();
    await eventually(() => idle.call('post', `${path}/cancel`, alice).send({}).expect(200) as never);
    expect(await idle.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });
});

async function runsOf(workflowId: string): Promise<number> {
  const query = `WorkflowId = '${workflowId}'`;
  return (await api.shop.temporal.client.workflow.count(query)).count;
}

async function eventually(assertion: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await assertion();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
