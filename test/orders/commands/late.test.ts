import { randomUUID } from 'node:crypto';
import type { TestApi } from '../../support/api';
import { eventually } from '../../support/eventually';
import { lines, openApiOf, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';
import { replaceDeadlines } from '../../support/patience';
import type { Sabotage, TestWorker } from '../../support/worker';

/** Ends before any result where it is used: no worker runs then, or the step does not end. */
const BRIEF = { PLACE_ORDER_TIMEOUT_MS: '300', ORDER_COMMAND_TIMEOUT_MS: '300' };

let api: OrderApi;
/** Another process of the API, which waits for workers only briefly. */
let impatient: TestApi;
let alice: string;
let bob: string;
let admin: string;
let worker: TestWorker | undefined;
beforeAll(async () => {
  api = await openOrderApi({ own: true });
  impatient = (await openApiOf(api.shop, BRIEF)).api;
  [alice, bob, admin] = [api.tokenOf('CUSTOMER'), api.tokenOf('CUSTOMER'), api.tokenOf('ADMIN')];
});
afterAll(async () => {
  await impatient.close();
  await api.close();
});

async function startWorker(sabotage?: Sabotage): Promise<void> {
  worker = await api.shop.startWorker(sabotage);
}

const keyed = () => ({ 'Idempotency-Key': randomUUID() });

const placeBriefly = (body: object, key: Record<string, string>) =>
  impatient.call('post', '/orders', alice).set(key).send(body);

/** Places an order that no worker takes. Until Temporal has it, which may take longer, the API returns 503. */
async function pending(productId: string): Promise<OrderBody> {
  const key = keyed();
  let order: OrderBody;
  await eventually(async () => {
    order = (await placeBriefly(lines([productId, 1]), key).expect(202)).body.data;
  });
  return order;
}

const orderAt = async (id: string, token = admin): Promise<OrderBody> =>
  (await api.call('get', `/orders/${id}`, token).expect(200)).body.data;

describe('an order that no worker has taken', () => {
  afterEach(() => worker?.stop());

  it('cannot be cancelled yet, and its stock is right whether it is cancelled or not', async () => {
    const { id } = await api.shop.sell();
    const { id: orderId } = await pending(id);
    const answer = await impatient.call('post', `/orders/${orderId}/cancel`, alice).send({}).expect(503);
    expect(answer.body).toMatchObject({ code: 'service_unavailable', orderId });
    await api.call('get', `/orders/${orderId}`, bob).expect(404);
    await startWorker();
    await eventually(async () => {
      const { status } = await orderAt(orderId, alice);
      expect(['confirmed', 'cancelled']).toContain(status); // Temporal may still have the cancellation, or not
      const held = status === 'confirmed' ? 1 : 0;
      expect(await api.shop.stockOf(id)).toEqual({ available: 100 - held, reserved: held });
    });
  });

  it('says that nobody is working on it after its workflow was terminated, and can be cancelled', async () => {
    const { id } = await api.shop.sell();
    const { id: orderId, workflowId } = await pending(id);
    await api.shop.temporal.client.workflow.getHandle(workflowId).terminate();
    const abandoned = await api.call('get', `/orders/${orderId}`, alice).expect(503);
    expect(abandoned.body).toMatchObject({
      orderId,
      detail: expect.stringContaining('nobody is working on it'),
    });
    await startWorker();
    const { body } = await api.call('post', `/orders/${orderId}/cancel`, alice).send({}).expect(200);
    expect(body.data).toMatchObject({ status: 'cancelled' });
    expect(await api.shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });
});

describe('while no worker runs', () => {
  const key = keyed();
  let productIds: string[];
  /** Orders of two units of each product. The first one was placed with the key. */
  let orders: OrderBody[];
  beforeAll(async () => {
    await startWorker();
    productIds = await Promise.all([1, 2, 3].map(async () => (await api.shop.sell()).id));
    const placing = productIds.map((id, n) =>
      api.place(alice, lines([id, 2]), n === 0 ? key : {}).expect(201),
    );
    orders = (await Promise.all(placing)).map(({ body }) => body.data);
    await worker!.stop();
  });

  it('replays an order that Temporal has forgotten from MongoDB, but rejects another body', async () => {
    const [productId, order] = [productIds[0]!, orders[0]];
    // The next request starts a run that no worker takes, as it would after the retention.
    await api.shop.temporal.client.workflow.getHandle(order.workflowId).terminate();
    await eventually(async () => {
      const again = placeBriefly(lines([productId, 2]), key);
      const { body } = await again.expect(201).expect('Idempotent-Replayed', 'true');
      expect(body.data).toMatchObject({ id: order.id, status: 'confirmed', version: 2 });
    });
    await eventually(async () => {
      const { body } = await placeBriefly(lines([productId, 1]), key).expect(422);
      expect(body.code).toBe('idempotency_key_reused');
    });
  });

  it.each([
    ['an amendment', 'patch', '', { note: 'New' }],
    ['a cancellation', 'post', '/cancel', {}],
  ] as const)('returns 503 and says that a command may still complete: %s', async (_, method, path, body) => {
    const answer = await impatient
      .call(method, `/orders/${orders[1].id}${path}`, admin)
      .set('If-Match', '*')
      .send(body)
      .expect(503)
      .expect('Retry-After', '5');
    expect(answer.body).toMatchObject({ code: 'service_unavailable', orderId: orders[1].id });
    expect(answer.body.detail).toContain('read the order before repeating');
  });

  it.each([
    ['an archiving', 409, 'delete', '', undefined],
    ['a resolution', 404, 'post', '/compensations/voidPayment-1/resolve', { note: 'x' }],
  ] as const)(
    'rejects at once what the stored order does not allow: %s',
    async (_, status, method, path, body) => {
      await impatient.call(method, `/orders/${orders[1].id}${path}`, admin).send(body).expect(status);
    },
  );

  it('returns 503 for a command that is carried out once if it is repeated with its key', async () => {
    const [productId, order] = [productIds[2]!, orders[2]];
    const same = keyed();
    const answer = await impatient
      .call('post', `/orders/${order.id}/fulfillments`, admin)
      .set(same)
      .send({ items: lines([productId, 1]).items })
      .expect(503);
    expect(answer.body.detail).toContain('with the same Idempotency-Key');
    await startWorker();
    const { body } = await api.fulfill(order.id, [[productId, 1]], same).expect(201);
    expect(body.data.fulfillments).toHaveLength(1);
    expect(await api.shop.stockOf(productId)).toEqual({ available: 98, reserved: 1 });
    await worker!.stop();
  });
});

describe('a command that was carried out too late for its answer', () => {
  type Step = 'cancelOrder' | 'fulfillOrder' | 'deliverFulfillment' | 'archiveOrder';
  let silent: Step;
  /** Ends the wait of the API, as its time-out does: when the silent step has had its effect. */
  let patience: AbortController;
  let release: () => void;
  let released: Promise<void>;

  /** Makes the worker report the end of the silent step only after the test. */
  const silently: Sabotage = {
    activities(activities) {
      const steps = ['cancelOrder', 'fulfillOrder', 'deliverFulfillment', 'archiveOrder'] as const;
      const entries = steps.map((name) => {
        const run = activities[name] as (...args: unknown[]) => Promise<unknown>;
        const replaced = async (...args: unknown[]) => {
          const result = await run(...args);
          if (name !== silent) return result;
          patience.abort();
          await released;
          return result;
        };
        return [name, replaced];
      });
      return { ...activities, ...Object.fromEntries(entries) };
    },
  };

  beforeAll(() => startWorker(silently));
  beforeEach(() => {
    patience = replaceDeadlines(api.shop.temporal);
    released = new Promise((resolve) => (release = resolve));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    release();
  });
  afterAll(() => worker?.stop());

  /** Places an order of two units. */
  async function placed(): Promise<{ id: string; productId: string }> {
    const { id: productId } = await api.shop.sell();
    return { id: (await api.placed(alice, [productId, 2])).id, productId };
  }

  it('succeeds if the stored order shows it: a fulfillment', async () => {
    silent = 'fulfillOrder';
    const { id, productId } = await placed();
    const { body, headers } = await api.fulfill(id, [[productId, 2]]).expect(201);
    expect(body.data).toMatchObject({ paymentStatus: 'captured', fulfillmentStatus: 'fulfilled' });
    expect(headers).not.toHaveProperty('idempotent-replayed');
  });

  it('succeeds if the stored order shows it: a cancellation', async () => {
    silent = 'cancelOrder';
    const { id } = await placed();
    const { body } = await api.call('post', `/orders/${id}/cancel`, alice).send({}).expect(200);
    expect(body.data).toMatchObject({ status: 'cancelled' });
  });

  it('succeeds if the stored order shows it: a delivery', async () => {
    silent = 'deliverFulfillment';
    const { id, productId } = await placed();
    const { body: shipped } = await api.fulfill(id, [[productId, 1]]).expect(201);
    const path = `/orders/${id}/fulfillments/${shipped.data.fulfillments[0].id}/deliver`;
    const { body } = await api.call('post', path, admin).expect(200);
    expect(body.data.fulfillments).toMatchObject([{ deliveredAt: expect.any(String) }]);
    // The fulfillment was delivered before this request was sent.
    jest.restoreAllMocks();
    await impatient.call('post', path, admin).expect(409);
  });

  it('succeeds if the stored order shows it: an archiving', async () => {
    silent = 'archiveOrder';
    const { id } = await placed();
    await api.call('post', `/orders/${id}/cancel`, alice).send({}).expect(200);
    await eventually(async () => expect((await orderAt(id)).paymentStatus).toBe('voided'));
    await api.call('delete', `/orders/${id}`, admin).expect(204);
  });
});
