import { randomUUID } from 'node:crypto';
import { eventually } from '../../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';
import type { TestWorker } from '../../support/worker';

/** No worker runs unless a test starts one, and the API does not wait for long. */
let api: OrderApi;
let alice: string;
let bob: string;
let admin: string;
beforeEach(async () => {
  api = await openOrderApi({ PLACE_ORDER_TIMEOUT_MS: '1500', ORDER_COMMAND_TIMEOUT_MS: '1500' });
  [alice, bob, admin] = [api.tokenOf('CUSTOMER'), api.tokenOf('CUSTOMER'), api.tokenOf('ADMIN')];
});
afterEach(() => api.close());

it('returns 503 for a cancellation of a pending order, whose stock is right whether it is cancelled or not', async () => {
  const { id } = await api.shop.sell();
  const { body } = await api.place(alice, lines([id, 1])).expect(202);
  const path = `/orders/${body.data.id}`;
  const answer = await api.call('post', `${path}/cancel`, alice).send({}).expect(503);
  expect(answer.body).toMatchObject({ code: 'service_unavailable', orderId: body.data.id });
  await api.call('get', path, bob).expect(404);
  await api.shop.startWorker();
  await eventually(async () => {
    const { status } = (await api.call('get', path, alice).expect(200)).body.data;
    expect(['confirmed', 'cancelled']).toContain(status); // Temporal may still have the cancellation, or not
    const held = status === 'confirmed' ? 1 : 0;
    expect(await api.shop.stockOf(id)).toEqual({ available: 100 - held, reserved: held });
  });
});

it('replays an order that Temporal has forgotten from MongoDB, but rejects another body', async () => {
  const { id } = await api.shop.sell();
  const key = { 'Idempotency-Key': randomUUID() };
  const worker = await api.shop.startWorker();
  const first = await api.place(alice, lines([id, 1]), key);
  const { workflowId, id: orderId } = first.body.data;
  await eventually(() =>
    api.call('get', `/orders/${orderId}`, alice).expect(({ body }) => {
      expect(body.data.status).toBe('confirmed');
    }),
  );
  await worker.stop();
  // The next request starts a run that no worker takes, as it would after the retention.
  await api.shop.temporal.client.workflow.getHandle(workflowId).terminate();
  const repeat = await api
    .place(alice, lines([id, 1]), key)
    .expect(201)
    .expect('Idempotent-Replayed', 'true');
  expect(repeat.body.data).toMatchObject({ id: orderId, status: 'confirmed', version: 2 });
  const other = await api.place(alice, lines([id, 2]), key).expect(422);
  expect(other.body.code).toBe('idempotency_key_reused');
});

it('reads and cancels an order whose workflow was terminated before it was saved', async () => {
  const { id } = await api.shop.sell();
  const { body } = await api.place(alice, lines([id, 1])).expect(202);
  await api.shop.temporal.client.workflow.getHandle(body.data.workflowId).terminate();
  const path = `/orders/${body.data.id}`;
  const read = await api.call('get', path, alice).expect(200);
  expect(read.body.data).toMatchObject({ status: 'pending', version: 0 });
  await api.shop.startWorker();
  await eventually(async () => {
    // On a slow machine the cancellation is late: a repeat is then answered 409.
    await api.call('post', `${path}/cancel`, alice).send({});
    const { body: cancelled } = await api.call('get', path, alice).expect(200);
    expect(cancelled.data).toMatchObject({ status: 'cancelled' });
  });
  expect(await api.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
});

/** Places an order and waits until it is confirmed, however long the worker takes. */
async function confirmed(productId: string): Promise<OrderBody> {
  const { body } = await api.place(alice, lines([productId, 2]));
  let order: OrderBody;
  await eventually(async () => {
    order = (await api.call('get', `/orders/${body.data.id}`, alice).expect(200)).body.data;
    expect(order.status).toBe('confirmed');
  });
  return order;
}

describe('a command that no worker handles in time', () => {
  let worker: TestWorker;
  let order: OrderBody;
  let productId: string;
  beforeEach(async () => {
    worker = await api.shop.startWorker();
    productId = (await api.shop.sell()).id;
    order = await confirmed(productId);
    await worker.stop();
  });

  it.each([
    ['an amendment', 'patch', '', { note: 'New' }, 'read the order before repeating'],
    ['a fulfillment without a key', 'post', '/fulfillments', undefined, 'read the order before repeating'],
    ['an archiving', 'delete', '', undefined, 'read the order before repeating'],
    [
      'a resolution',
      'post',
      '/compensations/voidPayment-1/resolve',
      { note: 'x' },
      'read the order before repeating',
    ],
  ] as const)('returns 503 and says that it may still complete: %s', async (_, method, path, body, what) => {
    const items = lines([productId, 1]).items;
    const sent = path === '/fulfillments' ? { items } : body;
    const answer = await api
      .call(method, `/orders/${order.id}${path}`, admin)
      .set('If-Match', '*')
      .send(sent)
      .expect(503)
      .expect('Retry-After', '5');
    expect(answer.body).toMatchObject({ code: 'service_unavailable', orderId: order.id });
    expect(answer.body.detail).toContain(what);
  });

  it('is carried out once if it is repeated with its key', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const answer = await api.fulfill(order.id, [[productId, 1]], key).expect(503);
    expect(answer.body.detail).toContain('with the same Idempotency-Key');
    await api.shop.startWorker();
    await eventually(async () => {
      const { body } = await api.fulfill(order.id, [[productId, 1]], key).expect(201);
      expect(body.data.fulfillments).toHaveLength(1);
    });
    expect(await api.shop.stockOf(productId)).toEqual({ available: 98, reserved: 1 });
  });
});

describe('a command that was carried out too late for its answer', () => {
  let release: () => void;
  /** Starts a worker that does not report the end of the activity, which has had its effect. */
  const startSilent = (name: 'cancelOrder' | 'fulfillOrder' | 'deliverFulfillment' | 'archiveOrder') => {
    const released = new Promise<void>((resolve) => (release = resolve));
    return api.shop.startWorker({
      activities(activities) {
        const run = activities[name] as (...args: unknown[]) => Promise<unknown>;
        const silent = async (...args: unknown[]) => {
          const result = await run(...args);
          await released;
          return result;
        };
        return { ...activities, [name]: silent };
      },
    });
  };
  afterEach(() => release());

  it('succeeds if the stored order shows it: a fulfillment', async () => {
    await startSilent('fulfillOrder');
    const { id: productId } = await api.shop.sell();
    const { id } = await confirmed(productId);
    const { body, headers } = await api.fulfill(id, [[productId, 2]]).expect(201);
    expect(body.data).toMatchObject({ paymentStatus: 'captured', fulfillmentStatus: 'fulfilled' });
    expect(headers).not.toHaveProperty('idempotent-replayed');
  });

  it('succeeds if the stored order shows it: a cancellation', async () => {
    await startSilent('cancelOrder');
    const { id: productId } = await api.shop.sell();
    const { id } = await confirmed(productId);
    const { body } = await api.call('post', `/orders/${id}/cancel`, alice).send({}).expect(200);
    expect(body.data).toMatchObject({ status: 'cancelled' });
  });

  it('succeeds if the stored order shows it: a delivery', async () => {
    await startSilent('deliverFulfillment');
    const { id: productId } = await api.shop.sell();
    const { id } = await confirmed(productId);
    await eventually(() => api.fulfill(id, [[productId, 1]], { 'Idempotency-Key': 'f' }).expect(201));
    const { fulfillments } = (await api.call('get', `/orders/${id}`, admin).expect(200)).body.data;
    const path = `/orders/${id}/fulfillments/${fulfillments[0].id}/deliver`;
    const { body } = await api.call('post', path, admin).expect(200);
    expect(body.data.fulfillments).toMatchObject([{ deliveredAt: expect.any(String) }]);
    // The fulfillment was delivered before this request was sent.
    await api.call('post', path, admin).expect(503);
  });

  it('succeeds if the stored order shows it: an archiving', async () => {
    await startSilent('archiveOrder');
    const { id: productId } = await api.shop.sell();
    const { id } = await confirmed(productId);
    await eventually(async () => {
      await api.call('post', `/orders/${id}/cancel`, alice).send({});
      const { paymentStatus } = (await api.call('get', `/orders/${id}`, admin).expect(200)).body.data;
      expect(paymentStatus).toBe('voided');
    });
    await api.call('delete', `/orders/${id}`, admin).expect(204);
  });
});
