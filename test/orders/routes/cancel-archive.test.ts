import { newId } from '../../../src/common/ids';
import { lines, openOrderApi, type OrderApi } from '../../support/order-api';

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

describe('POST /orders/:id/cancel', () => {
  it('cancels an order once, with its reason, and releases the stock', async () => {
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
    expect(body.data).toMatchObject({
      status: 'cancelled',
      paymentStatus: 'voided',
      fulfillmentStatus: 'cancelled',
    });
    expect(headers.etag).toBe(`"${body.data.version}"`);
    const change = { axis: 'status', to: 'cancelled', by: aliceId, reason: 'Too late' };
    expect(body.data.statusHistory).toContainEqual(expect.objectContaining(change));
    const late = await api.call('post', path, alice).expect(409);
    expect(late.body).toMatchObject({
      code: 'invalid_transition',
      detail: expect.stringContaining('cancelled'),
    });
    expect(await api.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });

  it('gives up the rest of an order of which a part is shipped, which then ends as ever', async () => {
    const { id } = await api.shop.sell(); // 23.79 EUR each, 71.36 EUR for three
    const order = await api.placed(alice, [id, 3]);
    const { body: shipped } = await api.fulfill(order.id, [[id, 1]]).expect(201);
    expect(shipped.data).toMatchObject({ captures: 'many', captured: 2_379, due: 7_136, cancelled: 0 });
    const path = `/orders/${order.id}/cancel`;
    const { body } = await api.call('post', path, alice).send({ reason: 'Two are broken' }).expect(200);
    expect(body.data).toMatchObject({
      status: 'confirmed',
      fulfillmentStatus: 'fulfilled',
      paymentStatus: 'captured',
      items: [{ quantity: 3, fulfilledQuantity: 1, cancelledQuantity: 2, refundedQuantity: 0 }],
      total: 7_136,
      cancelled: 4_757,
      due: 2_379,
      captured: 2_379,
      refunded: 0,
      refunds: [],
    });
    const change = { axis: 'fulfillmentStatus', to: 'fulfilled', by: aliceId, reason: 'Two are broken' };
    expect(body.data.statusHistory).toContainEqual(expect.objectContaining(change));
    expect(await api.shop.stockOf(id)).toEqual({ available: 99, reserved: 0 });
    const again = await api.call('post', path, alice).send({}).expect(409);
    expect(again.body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
    expect(again.body.detail).toContain('Mark its fulfillments as delivered');
    const [{ id: fulfillmentId }] = body.data.fulfillments;
    const delivered = await api
      .call('post', `/orders/${order.id}/fulfillments/${fulfillmentId}/deliver`, admin)
      .expect(200);
    expect(delivered.body.data).toMatchObject({ status: 'completed', fulfillmentStatus: 'delivered' });
    await api.call('delete', `/orders/${order.id}`, admin).expect(204);
  });

  it('pays back what is captured of units that are cancelled, and completes an order that is delivered', async () => {
    const { id } = await api.shop.sell();
    const once = { ...lines([id, 3]), paymentMethod: 'pm_card_credit_disableEnterpriseCardFeatures' };
    const order = (await api.place(alice, once).expect(201)).body.data;
    const { body: shipped } = await api.fulfill(order.id, [[id, 2]]).expect(201);
    expect(shipped.data).toMatchObject({ captures: 'once', captured: 7_136 });
    const [{ id: fulfillmentId }] = shipped.data.fulfillments;
    await api.call('post', `/orders/${order.id}/fulfillments/${fulfillmentId}/deliver`, admin).expect(200);
    const { body } = await api.call('post', `/orders/${order.id}/cancel`, admin).send({}).expect(200);
    const refund = { amount: 2_379, status: 'succeeded', items: [], by: 'system', reason: 'cancelled' };
    expect(body.data).toMatchObject({
      status: 'completed',
      fulfillmentStatus: 'delivered',
      paymentStatus: 'partially_refunded',
      due: 4_757,
      captured: 7_136,
      refunded: 2_379,
      refunds: [{ ...refund, id: expect.stringMatching(/^ref_[0-9a-f]{32}$/) }],
      compensations: [],
    });
  });

  it('cancels units for ADMINs, whose shares sum to the whole line', async () => {
    const { id } = await api.shop.sell({ unitPrice: 333, taxRateBps: 1_000 }); // 10.99 EUR for three
    const order = await api.placed(alice, [id, 3]);
    const path = `/orders/${order.id}/cancel`;
    const items = [{ productServiceId: id, quantity: 1 }];
    const refused = await api.call('post', path, alice).send({ items }).expect(400);
    expect(refused.body.errors).toEqual([{ path: 'items', message: expect.stringContaining('ADMINs only') }]);
    const cancelled: number[] = [];
    for (let units = 1; units <= 3; units++) {
      const { body } = await api.call('post', path, admin).send({ items, reason: 'Broken' }).expect(200);
      cancelled.push(body.data.cancelled);
      expect(body.data.due).toBe(order.total - body.data.cancelled);
    }
    expect(cancelled).toEqual([366, 733, 1_099]);
    const { body } = await api.call('get', `/orders/${order.id}`, alice).expect(200);
    expect(body.data).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', due: 0 });
    const told = body.data.statusHistory.filter(({ reason }: { reason: string }) => reason === 'Broken');
    expect(told.map(({ from, to }: { from: string; to: string }) => [from, to])).toEqual([
      ['unfulfilled', 'unfulfilled'],
      ['unfulfilled', 'unfulfilled'],
      ['confirmed', 'cancelled'],
      ['unfulfilled', 'cancelled'],
    ]);
    expect(await api.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });

  it('returns 409 for more units than are open, and 400 for none', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 3]);
    await api.fulfill(order.id, [[id, 1]]).expect(201);
    const cancelling = (quantity: number) =>
      api
        .call('post', `/orders/${order.id}/cancel`, admin)
        .send({ items: [{ productServiceId: id, quantity }] });
    const { body } = await cancelling(3).expect(409);
    expect(body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
    expect(body.detail).toMatch(/Only 2 of .* are open/);
    await cancelling(0).expect(400);
    await api.call('post', `/orders/${order.id}/cancel`, admin).send({ items: [] }).expect(400);
  });
});

describe('DELETE /orders/:id', () => {
  const idsOf = async (token: string): Promise<string[]> => {
    const { body } = await api.call('get', '/orders', token).expect(200);
    return body.data.map(({ id }: { id: string }) => id);
  };

  it('removes a closed order from the lists permanently and leaves it readable', async () => {
    const carol = api.tokenOf('CUSTOMER');
    const [archived, kept] = [await api.completed(carol, 1), await api.completed(carol, 1)];
    const path = `/orders/${archived.id}`;
    await api.call('delete', path, admin).expect(204);
    await api.call('delete', path, admin).expect(204);
    expect(await idsOf(carol)).toEqual([kept.id]);
    expect(await idsOf(admin)).not.toContain(archived.id);
    const { body } = await api.call('get', path, carol).expect(200);
    expect(body.data).toEqual({ ...archived, version: archived.version + 1, updatedAt: expect.any(String) });
    const { body: shown } = await api.call('get', path, admin).expect(200);
    expect(shown.data.archivedAt).toBe(body.data.updatedAt);
  });

  it('archives cancelled and rejected orders', async () => {
    const { id } = await api.shop.sell({ available: 1 });
    const cancelled = await api.placed(alice, [id, 1]);
    await api.call('post', `/orders/${cancelled.id}/cancel`, alice).send({}).expect(200);
    const { body: rejected } = await api.place(alice, lines([id, 2])).expect(409);
    for (const orderId of [cancelled.id, rejected.orderId]) {
      await api.call('delete', `/orders/${orderId}`, admin).expect(204);
    }
  });

  it('returns 409 for an open order', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 1]);
    const { body } = await api.call('delete', `/orders/${order.id}`, admin).expect(409);
    expect(body).toMatchObject({ code: 'invalid_transition', orderId: order.id });
    expect(body.detail).toContain('only a closed order');
  });
});
