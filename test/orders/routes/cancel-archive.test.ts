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

  it('returns 409 for an order that is partly fulfilled', async () => {
    const { id } = await api.shop.sell();
    const order = await api.placed(alice, [id, 2]);
    await api.fulfill(order.id, [[id, 1]]).expect(201);
    const { body } = await api.call('post', `/orders/${order.id}/cancel`, alice).send({}).expect(409);
    expect(body).toMatchObject({
      code: 'invalid_transition',
      detail: expect.stringContaining('partially fulfilled'),
      orderId: order.id,
    });
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
