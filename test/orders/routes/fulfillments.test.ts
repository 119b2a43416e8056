import { randomUUID } from 'node:crypto';
import { newId } from '../../../src/common/ids';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';

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
    ['more units than are left', (id: string) => [[id, 3]], 'left to fulfill'],
    [
      'more units than are left, in two lines',
      (id: string) => [
        [id, 2],
        [id, 1],
      ],
      'left to fulfill',
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

describe('DELETE and PATCH /orders/:id/fulfillments/:fulfillmentId', () => {
  const at = (order: OrderBody, n = 0) => `/orders/${order.id}/fulfillments/${order.fulfillments[n].id}`;
  const shipped = async (goods: string, ordered: number, ...units: number[]): Promise<OrderBody> => {
    let order = await api.placed(alice, [goods, ordered]);
    for (const one of units) order = (await api.fulfill(order.id, [[goods, one]]).expect(201)).body.data;
    return order;
  };

  it('opens the units of what came back again, and charges nothing when they are sent anew', async () => {
    const { id } = await api.shop.sell();
    const order = await shipped(id, 2, 2);
    const undo = { reason: 'Returned to sender', restock: true };
    const { body } = await api.call('delete', at(order), admin).send(undo).expect(200);
    expect(body.data).toMatchObject({
      status: 'confirmed',
      fulfillmentStatus: 'unfulfilled',
      paymentStatus: 'captured',
      items: [{ fulfilledQuantity: 0, cancelledQuantity: 0 }],
      captured: order.total,
      fulfillments: [],
    });
    const change = { from: 'fulfilled', to: 'unfulfilled', by: adminId, reason: undo.reason };
    expect(body.data.statusHistory).toContainEqual(expect.objectContaining(change));
    expect(await api.shop.stockOf(id)).toEqual({ available: 98, reserved: 2 });
    const again = await api.call('delete', at(order), admin).send(undo).expect(409);
    expect(again.body.detail).toContain('already undone');
    const resent = await api.fulfill(order.id, [[id, 2]]).expect(201);
    expect(resent.body.data).toMatchObject({ fulfillmentStatus: 'fulfilled', captured: order.total });
    expect(await api.shop.stockOf(id)).toEqual({ available: 98, reserved: 0 });
  });

  it('replaces what is lost as far as the stock has it, and cancels the rest with the money back', async () => {
    const { id } = await api.shop.sell({ available: 4 });
    const order = await shipped(id, 3, 3);
    const { body } = await api
      .call('delete', at(order), admin)
      .send({ reason: 'Lost', restock: false })
      .expect(200);
    expect(body.data).toMatchObject({
      fulfillmentStatus: 'unfulfilled',
      paymentStatus: 'partially_refunded',
      items: [{ quantity: 3, fulfilledQuantity: 0, cancelledQuantity: 2 }],
      due: 2_379,
      captured: 7_136,
      refunded: 4_757,
      refunds: [{ by: 'system', reason: 'Lost', status: 'succeeded' }],
    });
    expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: 1 });
    await api.fulfill(order.id, [[id, 1]]).expect(201);
    expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: 0 });
  });

  it('cancels the order if nothing of what is lost can be replaced', async () => {
    const { id } = await api.shop.sell({ available: 2 });
    const order = await shipped(id, 2, 2);
    const { body } = await api
      .call('delete', at(order), admin)
      .send({ reason: 'Lost', restock: false })
      .expect(200);
    expect(body.data).toMatchObject({
      status: 'cancelled',
      fulfillmentStatus: 'cancelled',
      paymentStatus: 'refunded',
      due: 0,
      refunded: order.total,
    });
    expect(await api.shop.stockOf(id)).toEqual({ available: 0, reserved: 0 });
  });

  it('returns 409 for what is delivered, and for units that were refunded', async () => {
    const { id } = await api.shop.sell();
    const order = await shipped(id, 3, 1, 2);
    await api.call('post', `${at(order)}/deliver`, admin).expect(200);
    const undo = { reason: 'Lost', restock: true };
    const delivered = await api.call('delete', at(order), admin).send(undo).expect(409);
    expect(delivered.body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
    const items = [{ productServiceId: id, quantity: 3, restock: false }];
    await api.refund(order.id, { items, reason: 'Broken' }).expect(201);
    const refunded = await api.call('delete', at(order, 1), admin).send(undo).expect(409);
    expect(refunded.body.detail).toContain('mark it as delivered');
    const done = await api.call('post', `${at(order, 1)}/deliver`, admin).expect(200);
    expect(done.body.data).toMatchObject({ status: 'completed', paymentStatus: 'refunded' });
  });

  it('corrects the carrier and the tracking number until it is delivered', async () => {
    const { id } = await api.shop.sell();
    const order = await shipped(id, 1, 1);
    const patch = (body: object) => api.call('patch', at(order), admin).send(body);
    const { body, headers } = await patch({ carrier: 'DHL', trackingNumber: '42' }).expect(200);
    expect(body.data.fulfillments).toMatchObject([{ carrier: 'DHL', trackingNumber: '42' }]);
    expect(headers.etag).toBe(`"${order.version + 1}"`);
    const part = await patch({ trackingNumber: '43' }).expect(200);
    expect(part.body.data.fulfillments).toMatchObject([{ carrier: 'DHL', trackingNumber: '43' }]);
    const without = await patch({ carrier: null }).expect(200);
    expect(without.body.data.fulfillments).toMatchObject([{ carrier: null, trackingNumber: '43' }]);
    await patch({}).expect(400);
    await patch({ items: [] }).expect(400);
    await api.call('post', `${at(order)}/deliver`, admin).expect(200);
    await patch({ carrier: 'UPS' }).expect(409);
  });

  it('returns 404 for another order, 403 to customers, and 400 without a reason', async () => {
    const { id } = await api.shop.sell();
    const [order, other] = [await shipped(id, 1, 1), await shipped(id, 1, 1)];
    const path = `/orders/${order.id}/fulfillments/${other.fulfillments[0].id}`;
    const undo = { reason: 'Lost', restock: true };
    await api.call('delete', path, admin).send(undo).expect(404);
    await api.call('patch', path, admin).send({ carrier: 'DHL' }).expect(404);
    await api.call('delete', at(order), alice).send(undo).expect(403);
    await api.call('delete', at(order), admin).send({ restock: true }).expect(400);
    await api.call('delete', at(order), admin).send({ reason: 'Lost' }).expect(400);
  });
});

describe('captures in part', () => {
  it('captures the share of each fulfillment, and the rest with the last', async () => {
    const { id } = await api.shop.sell({ unitPrice: 333, taxRateBps: 1_000 }); // 10.99 EUR for three
    const order = await api.placed(alice, [id, 3]);
    const captured: number[] = [];
    for (let units = 1; units <= 3; units++) {
      const { body } = await api.fulfill(order.id, [[id, 1]]).expect(201);
      captured.push(body.data.captured);
    }
    expect(captured).toEqual([366, 733, 1_099]);
  });

  it('sends nothing more of an order of which all that was paid is refunded', async () => {
    const { id } = await api.shop.sell();
    const once = { ...lines([id, 2]), paymentMethod: 'pm_card_credit_disableEnterpriseCardFeatures' };
    const order = (await api.place(alice, once).expect(201)).body.data;
    await api.fulfill(order.id, [[id, 1]]).expect(201);
    await api.refund(order.id, { reason: 'Sorry' }).expect(201);
    const { body } = await api.fulfill(order.id, [[id, 1]]).expect(409);
    expect(body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
    expect(body.detail).toContain('All that was paid for this order is refunded');
    const closed = await api.call('post', `/orders/${order.id}/cancel`, admin).send({}).expect(200);
    expect(closed.body.data).toMatchObject({ fulfillmentStatus: 'fulfilled', refunded: order.total });
  });
});
