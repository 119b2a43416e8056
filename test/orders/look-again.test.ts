import type { AppError } from '../../src/errors/app-error';
import { requestOf } from '../../src/domain/placing';
import { createSandboxDashboard, type DashboardRequest } from '../../src/payments/sandbox/dashboard';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { COMMANDS } from '../../workflows/contract';
import { newCommand } from '../support/commands';
import { ledgerOf } from '../support/consistency';
import { eventually } from '../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';

/** Things that happen at the payment service without the system's doing. */
let api: OrderApi;
let alice: string;
let admin: string;
let productId: string;
beforeAll(async () => {
  api = await openOrderApi();
  alice = api.tokenOf('CUSTOMER');
  admin = api.tokenOf('ADMIN');
  productId = (await api.shop.sell()).id;
});
afterAll(() => api.close());

const TOTAL = 2_379;

const read = async ({ id }: OrderBody): Promise<OrderBody> =>
  (await api.call('get', `/orders/${id}`, admin).expect(200)).body.data;
const storedKeyOf = async ({ id }: OrderBody) => (await api.shop.orders.findById(id))!.payment!.key;

async function happen(order: OrderBody, request: DashboardRequest): Promise<void> {
  const dashboard = createSandboxDashboard(createSandboxRepository(api.shop.db.connection));
  await dashboard.operate(await storedKeyOf(order), request);
}

/** Tells the order of an event, and returns it as it is then. */
async function look(order: OrderBody, paymentKey?: string): Promise<OrderBody> {
  const event = {
    eventId: 'evt_1',
    type: 'x',
    orderId: order.id,
    paymentKey: paymentKey ?? (await storedKeyOf(order)),
  };
  expect(await api.service.lookAgain(event)).toBe('done');
  const now = await read(order);
  expect(await api.service.lookAgain(event)).toBe('done');
  expect(await read(order)).toEqual(now); // the same event once more
  return now;
}

const fulfilled = async (): Promise<OrderBody> => {
  const order = await api.placed(alice, [productId, 1]);
  return (await api.fulfill(order.id, [[productId, 1]]).expect(201)).body.data;
};

it('an authorisation that has lapsed can be replaced by another card, and the order be sent then', async () => {
  const order = await api.placed(alice, [productId, 1]);
  await happen(order, { operation: 'expire' });
  const lapsed = await look(order);
  expect(lapsed).toMatchObject({ status: 'confirmed', paymentStatus: 'voided' });
  expect(lapsed.statusHistory.at(-1)).toMatchObject({ by: 'provider', reason: 'authorization_lapsed' });
  const { body } = await api.fulfill(order.id, [[productId, 1]]).expect(409);
  expect(body.detail).toContain('another card');
  const path = `/orders/${order.id}`;
  await api
    .call('patch', path, alice)
    .set('If-Match', '*')
    .send({ items: [{ productServiceId: productId, quantity: 2 }] })
    .expect(409);
  const pay = { paymentMethod: 'pm_card_mastercard' };
  const paid = await api
    .call('post', `${path}/payment`, alice)
    .set('Idempotency-Key', 'a')
    .send(pay)
    .expect(201);
  expect(paid.body.data).toMatchObject({
    status: 'confirmed',
    paymentStatus: 'authorized',
    attempts: [
      { paymentMethod: 'pm_card_visa', outcome: 'lapsed' },
      { paymentMethod: 'pm_card_mastercard', outcome: 'authorized' },
    ],
  });
  const sent = await api.fulfill(order.id, [[productId, 1]]).expect(201);
  expect(sent.body.data).toMatchObject({ paymentStatus: 'captured', captured: TOTAL });
});

it('a payment that was captured elsewhere is, and the order can be sent', async () => {
  const order = await api.placed(alice, [productId, 1]);
  await happen(order, { operation: 'capture' });
  const captured = await look(order);
  expect(captured).toMatchObject({ paymentStatus: 'captured', captured: TOTAL, status: 'confirmed' });
  expect(captured.statusHistory.at(-1)).toMatchObject({ by: 'provider', reason: 'captured_elsewhere' });
  const sent = await api.fulfill(order.id, [[productId, 1]]).expect(201);
  expect(sent.body.data).toMatchObject({ captured: TOTAL, fulfillmentStatus: 'fulfilled' });
});

it('a refund that was made elsewhere counts, and only the rest can be refunded', async () => {
  const order = await fulfilled();
  await happen(order, { operation: 'refund', amount: 600 });
  const refunded = await look(order);
  expect(refunded).toMatchObject({ paymentStatus: 'partially_refunded', refunded: 600 });
  expect(refunded.refunds).toMatchObject([{ amount: 600, status: 'succeeded', by: 'provider' }]);
  await api.refund(order.id, { amount: TOTAL, reason: 'All' }).expect(409);
  const { body } = await api.refund(order.id, { reason: 'The rest' }).expect(201);
  expect(body.data).toMatchObject({ paymentStatus: 'refunded', refunded: TOTAL });
});

it('a refund that fails at the bank later counts no more, and can be made again, even when the order is completed', async () => {
  const order = await api.completed(alice, 1);
  await api.refund(order.id, { reason: 'Broken' }).expect(201);
  await happen(order, { operation: 'fail_refund' });
  const failed = await look(order);
  expect(failed).toMatchObject({ paymentStatus: 'captured', refunded: 0, refunds: [{ status: 'failed' }] });
  const { body } = await api.refund(order.id, { reason: 'Again' }).expect(201);
  expect(body.data).toMatchObject({ paymentStatus: 'refunded', refunded: TOTAL });
});

it('a dispute is shown to ADMINs, and what the bank has taken back cannot be refunded', async () => {
  const order = await fulfilled();
  await happen(order, { operation: 'dispute', reason: 'fraudulent' });
  const disputed = await look(order);
  expect(disputed.disputes).toMatchObject([{ status: 'opened', amount: TOTAL, reason: 'fraudulent' }]);
  const { body } = await api.call('get', `/orders/${order.id}`, alice).expect(200);
  expect(body.data).not.toHaveProperty('disputes');
  await api.refund(order.id, { reason: 'x' }).expect(409);
  await happen(order, { operation: 'win_dispute' });
  expect((await look(order)).disputes).toMatchObject([{ status: 'won' }]);
  await api.refund(order.id, { reason: 'x' }).expect(201);
});

it.each([
  { outcome: 'won', operation: 'win_dispute' as const, refunded: TOTAL, status: 'succeeded' },
  { outcome: 'lost', operation: 'lose_dispute' as const, refunded: 0, status: 'failed' },
])(
  'what is cancelled during a dispute is owed until the bank decides: $refunded is paid back when it is $outcome',
  async ({ operation, refunded, status }) => {
    const card = { paymentMethod: 'pm_card_credit_disableEnterpriseCardFeatures' }; // all of it is captured at once
    const placed = await api.place(alice, { ...lines([productId, 2]), ...card }).expect(201);
    const order: OrderBody = placed.body.data;
    await api.fulfill(order.id, [[productId, 1]]).expect(201);
    await happen(order, { operation: 'dispute' });
    await api.call('post', `/orders/${order.id}/cancel`, alice).expect(200);
    const [{ step }] = (await read(order)).compensations;
    expect(await look(order)).toMatchObject({ compensations: [{ step }], refunds: [{ status: 'pending' }] });
    await happen(order, { operation });
    const event = { eventId: 'evt_2', type: 'x', orderId: order.id, paymentKey: await storedKeyOf(order) };
    expect(await api.service.lookAgain(event)).toBe('done');
    const request = requestOf((await api.shop.orders.findById(order.id))!);
    const retry = () =>
      api.shop.workflows.execute(request, COMMANDS.retryCompensation, { ...newCommand(), step });
    await retry().catch((error: AppError) => expect(error.code).toBe('not_found')); // it is settled already
    const settled = { compensations: [], refunds: [{ status }] };
    await eventually(async () => expect(await read(order)).toMatchObject({ refunded, ...settled }));
    // It is tried no more.
    await expect(retry()).rejects.toMatchObject({ code: 'not_found' });
    expect(await ledgerOf(api.shop, order.id)).toMatchObject({ refunded });
  },
);

it('a payment that was replaced, an order that has ended, and an unknown one are left alone', async () => {
  const order = await api.placed(alice, [productId, 1]);
  const key = await storedKeyOf(order);
  const path = `/orders/${order.id}`;
  const items = [{ productServiceId: productId, quantity: 2 }];
  await api.call('patch', path, alice).set('If-Match', '*').send({ items }).expect(200);
  await eventually(async () => expect(await read(order)).toMatchObject({ compensations: [] }));
  expect(await look(order, key)).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
  await api.call('post', `${path}/cancel`, alice).expect(200);
  const cancelled = await read(order);
  expect(await look(order)).toEqual(cancelled);
  const unknown = { eventId: 'evt_1', type: 'x', paymentKey: key };
  expect(await api.service.lookAgain({ ...unknown, orderId: `ord_${'0'.repeat(32)}` })).toBe('done');
  expect(await api.service.lookAgain({ ...unknown, orderId: 'nonsense' })).toBe('done');
});
