import { newId } from '../../../src/common/ids';
import { eventually } from '../../support/eventually';
import { openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';

let api: OrderApi;
let alice: string;
let admin: string;
/** The ids of orders whose payments cannot be voided. */
const down = new Set<string>();
/** The number of failed attempts of each order. */
const failures = new Map<string, number>();
const adminId = newId('usr');
beforeAll(async () => {
  api = await openOrderApi({ own: true });
  await api.shop.startWorker({
    provider: (provider) => ({
      ...provider,
      async void(key, payment) {
        if (down.has(payment.orderId)) {
          failures.set(payment.orderId, (failures.get(payment.orderId) ?? 0) + 1);
          throw new Error('The bank is on fire.');
        }
        return provider.void(key, payment);
      },
    }),
  });
  [alice, admin] = [api.tokenOf('CUSTOMER'), api.tokenOf('ADMIN', adminId)];
});
afterAll(() => api.close());

async function read(id: string, token = admin): Promise<OrderBody> {
  return (await api.call('get', `/orders/${id}`, token).expect(200)).body.data;
}

/** Cancels an order whose payment cannot be voided; the path is that of the failing compensation. */
async function cancelledOwing(): Promise<{ id: string; path: string }> {
  const product = await api.shop.sell();
  const { id } = await api.placed(alice, [product.id, 1]);
  down.add(id);
  await api.call('post', `/orders/${id}/cancel`, alice).send({}).expect(200);
  await eventually(async () => expect(await read(id)).toMatchObject({ compensationPending: true }));
  // This is the first attempt without limit: the next one is seconds away.
  await eventually(async () => expect(failures.get(id)).toBeGreaterThanOrEqual(5));
  const [{ step }] = (await read(id)).compensations;
  return { id, path: `/orders/${id}/compensations/${step}` };
}

it.concurrent('shows a failing compensation to an ADMIN, but not to the customer', async () => {
  const { id } = await cancelledOwing();
  const order = await read(id);
  expect(order).toMatchObject({
    status: 'cancelled',
    paymentStatus: 'authorized',
    compensationPending: true,
    compensations: [
      {
        step: expect.stringMatching(/^voidPayment-/),
        state: 'pending',
        amount: 2_379,
        currency: 'EUR',
        since: expect.any(String),
        failure: 'The bank is on fire.',
        resolution: null,
      },
    ],
    archivedAt: null,
  });
  const shown = await read(id, alice);
  expect(JSON.stringify(shown)).not.toMatch(/compensation|fire|archivedAt/);
  const { body } = await api.call('delete', `/orders/${id}`, admin).expect(409);
  expect(body).toMatchObject({ code: 'invalid_transition', detail: expect.stringContaining('compensation') });
});

it.concurrent('retries at once, fails again, and succeeds when the payment service is back', async () => {
  const { id, path } = await cancelledOwing();
  const before = failures.get(id)!;
  const { body } = await api.call('post', `${path}/retry`, admin).expect(200);
  expect(body.data).toMatchObject({ compensationPending: true, paymentStatus: 'authorized' });
  expect(failures.get(id)).toBeGreaterThan(before); // the attempt for the operator
  // Another one continues the retries: the next one is seconds away.
  await eventually(async () => expect(failures.get(id)).toBeGreaterThanOrEqual(before + 2));
  down.delete(id);
  const done = await api.call('post', `${path}/retry`, admin).expect(200);
  expect(done.body.data).toMatchObject({
    compensationPending: false,
    compensations: [],
    paymentStatus: 'voided',
  });
  expect(done.headers.etag).toBe(`"${done.body.data.version}"`);
  await api.call('post', `${path}/retry`, admin).expect(404);
  await api.call('delete', `/orders/${id}`, admin).expect(204);
});

it.concurrent('marks a compensation as resolved, with a note', async () => {
  const { id, path } = await cancelledOwing();
  await api.call('post', `${path}/resolve`, admin).send({}).expect(400);
  await api.call('post', `${path}/resolve`, admin).send({ note: ' ' }).expect(400);
  await api.call('post', `${path}/resolve`, admin).send({ note: 'x', step: 'y' }).expect(400);
  const { body } = await api.call('post', `${path}/resolve`, admin).send({ note: 'By phone' }).expect(200);
  expect(body.data).toMatchObject({
    compensationPending: false,
    compensations: [{ state: 'resolved', resolution: { note: 'By phone', by: adminId } }],
  });
  const { body: again } = await api
    .call('post', `${path}/resolve`, admin)
    .send({ note: 'Twice' })
    .expect(404);
  expect(again).toMatchObject({ code: 'not_found', orderId: id });
});

it.concurrent('returns 404 for a compensation that the order does not owe', async () => {
  const product = await api.shop.sell();
  const { id } = await api.placed(alice, [product.id, 1]);
  const { body } = await api
    .call('post', `/orders/${id}/compensations/voidPayment-1/retry`, admin)
    .expect(404);
  expect(body).toMatchObject({ code: 'not_found', orderId: id });
});
