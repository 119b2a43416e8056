import { randomUUID } from 'node:crypto';
import { newId } from '../../../src/common/ids';
import { openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';

let api: OrderApi;
let alice: string;
let admin: string;
const adminId = newId('usr');
beforeAll(async () => {
  api = await openOrderApi();
  [alice, admin] = [api.tokenOf('CUSTOMER'), api.tokenOf('ADMIN', adminId)];
});
afterAll(() => api.close());

const deliver = (id: string, fulfillmentId: string) =>
  api.call('post', `/orders/${id}/fulfillments/${fulfillmentId}/deliver`, admin);

describe('POST /orders/:id/fulfillments', () => {
  it('captures the payment with the first fulfillment, and takes the goods of each out of the stock', async () => {
    const { id: goods } = await api.shop.sell();
    const { id: service } = await api.shop.sell({ kind: 'service', stock: null });
    const order = await api.placed(alice, [goods, 3], [service, 1]);
    const path = `/orders/${order.id}/fulfillments`;
    const sent = {
      items: [{ productServiceId: goods, quantity: 2 }],
      carrier: 'DHL',
      trackingNumber: '0034',
    };
    const first = await api
      .call('post', path, admin)
      .set('Idempotency-Key', randomUUID())
      .send(sent)
      .expect(201);
    expect(first.headers).toMatchObject({ etag: `"${first.body.data.version}"` });
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    expect(first.body.data).toMatchObject({
      status: 'confirmed',
      paymentStatus: 'captured',
      fulfillmentStatus: 'partially_fulfilled',
      items: [{ fulfilledQuantity: 2 }, { fulfilledQuantity: 0 }],
      fulfillments: [
        {
          id: expect.stringMatching(/^ful_[0-9a-f]{32}$/),
          ...sent,
          by: adminId,
          createdAt: expect.any(String),
          deliveredAt: null,
        },
      ],
    });
    expect(await api.shop.stockOf(goods)).toEqual({ available: 97, reserved: 1 });

    const rest = await api
      .fulfill(order.id, [
        [goods, 1],
        [service, 1],
      ])
      .expect(201);
    expect(rest.body.data).toMatchObject({ fulfillmentStatus: 'fulfilled', paymentStatus: 'captured' });
    expect(rest.body.data.fulfillments[1]).toMatchObject({ carrier: null, trackingNumber: null });
    expect(await api.shop.stockOf(goods)).toEqual({ available: 97, reserved: 0 });
  });

  it('shows who shipped it to ADMINs only', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    const { body } = await api.fulfill(order.id, [[id, 1]]).expect(201);
    const { by: _, ...shown } = body.data.fulfillments[0];
    const { body: read } = await api.call('get', `/orders/${order.id}`, alice).expect(200);
    expect(read.data.fulfillments).toEqual([shown]);
  });

  it('makes one fulfillment per key, and another one for each request without a key', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 10]);
    const key = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => api.fulfill(order.id, [[id, 3]], key).expect(201)),
    );
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(3);
    await api
      .fulfill(order.id, [[id, 3]], key)
      .expect(201)
      .expect('Idempotent-Replayed', 'true');
    const other = await api.fulfill(order.id, [[id, 4]], key).expect(422);
    expect(other.body).toMatchObject({ code: 'idempotency_key_reused', orderId: order.id });
    await api.fulfill(order.id, [[id, 3]]).expect(201);
    await api.fulfill(order.id, [[id, 3]]).expect(201);
    const { body } = await api.call('get', `/orders/${order.id}`, alice);
    expect(body.data.fulfillments).toHaveLength(3);
    expect(await api.shop.stockOf(id)).toEqual({ available: 90, reserved: 1 });
  });

  it('replays a fulfillment after the order was completed', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    const key = { 'Idempotency-Key': randomUUID() };
    const { body } = await api.fulfill(order.id, [[id, 1]], key).expect(201);
    await deliver(order.id, body.data.fulfillments[0].id).expect(200);
    const repeat = await api.fulfill(order.id, [[id, 1]], key).expect(201);
    expect(repeat.headers).toMatchObject({ 'idempotent-replayed': 'true' });
    expect(repeat.body.data).toMatchObject({ status: 'completed', fulfillments: [{}] });
    const other = await api.fulfill(order.id, [[id, 2]], key).expect(422);
    expect(other.body.code).toBe('idempotency_key_reused');
  });

  it.each([
    ['more units than are left', (id: string) => [[id, 3]], 'left to fulfil'],
    [
      'more units than are left, in two lines',
      (id: string) => [
        [id, 2],
        [id, 1],
      ],
      'left to fulfil',
    ],
    ['a product that is not part of the order', () => [['ps_other', 1]], 'not part of this order'],
  ] as [string, (id: string) => [string, number][], string][])(
    'returns 409 to %s and changes nothing',
    async (_, items, detail) => {
      const { id } = await api.shop.sell();
      const order = await api.placed(alice, [id, 2]);
      const { body } = await api.fulfill(order.id, items(id)).expect(409);
      expect(body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
      expect(body.detail).toContain(detail);
      const { body: now } = await api.call('get', `/orders/${order.id}`, alice);
      expect(now.data).toEqual(order);
    },
  );

  it('returns 409 for a closed order', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    await api.call('post', `/orders/${order.id}/cancel`, alice).send({}).expect(200);
    const { body } = await api.fulfill(order.id, [[id, 1]]).expect(409);
    expect(body).toMatchObject({ code: 'invalid_transition', detail: expect.stringContaining('cancelled') });
  });

  it.each([
    ['an empty body', {}, 'items'],
    ['no lines', { items: [] }, 'items'],
    ['too many lines', { items: Array(101).fill({ productServiceId: 'ps_x', quantity: 1 }) }, 'items'],
    ['quantity 0', { items: [{ productServiceId: 'ps_x', quantity: 0 }] }, 'items.0.quantity'],
    [
      'a carrier with a line break',
      { items: [{ productServiceId: 'ps_x', quantity: 1 }], carrier: 'a\nb' },
      'carrier',
    ],
    ['a price', { items: [{ productServiceId: 'ps_x', quantity: 1, unitPrice: 1 }] }, 'items.0.unitPrice'],
  ])('returns 400 to %s', async (_, body, path) => {
    const response = await api
      .call('post', `/orders/ord_${'0'.repeat(32)}/fulfillments`, admin)
      .set('Idempotency-Key', 'x')
      .send(body)
      .expect(400);
    expect(response.body.errors).toEqual([{ path, message: expect.any(String) }]);
  });
});

describe('POST /orders/:id/fulfillments/:fulfillmentId/deliver', () => {
  const fulfillmentsOf = async (order: OrderBody, ...quantities: number[]): Promise<string[]> => {
    const [{ productServiceId: id }] = order.items;
    let body: OrderBody;
    for (const quantity of quantities) {
      ({ body } = await api.fulfill(order.id, [[id, quantity]]).expect(201));
    }
    return body.data.fulfillments.map((fulfillment: { id: string }) => fulfillment.id);
  };

  it('completes the order with the last delivery', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 3]);
    const [first, second] = await fulfillmentsOf(order, 1, 2);
    const { body } = await deliver(order.id, second!).expect(200);
    expect(body.data).toMatchObject({ status: 'confirmed', fulfillmentStatus: 'fulfilled' });
    expect(body.data.fulfillments).toMatchObject([
      { deliveredAt: null },
      { deliveredAt: body.data.updatedAt },
    ]);
    const last = await deliver(order.id, first!).expect(200);
    expect(last.body.data).toMatchObject({ status: 'completed', fulfillmentStatus: 'delivered' });
    expect(last.headers.etag).toBe(`"${last.body.data.version}"`);
  });

  it('returns 409 for a delivered fulfillment, before and after the order is completed', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 2]);
    const [first, second] = await fulfillmentsOf(order, 1, 1);
    for (const one of [first!, second!]) {
      await deliver(order.id, one).expect(200);
      const { body } = await deliver(order.id, one).expect(409);
      expect(body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
    }
  });

  it('returns 404 for a fulfillment that is not part of this order', async () => {
    const { id } = await api.shop.sell();
    const [order, other] = [await api.placed(alice, [id, 1]), await api.placed(alice, [id, 1])];
    const [others] = await fulfillmentsOf(other, 1);
    for (const fulfillmentId of [others!, 'nonsense']) {
      const { body } = await deliver(order.id, fulfillmentId).expect(404);
      expect(body.code).toBe('not_found');
    }
    await deliver(order.id, 'x'.repeat(101)).expect(400);
  });
});
