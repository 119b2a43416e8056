import { randomUUID } from 'node:crypto';
import { createSandboxActions } from '../../../src/payments/sandbox/actions';
import { createSandboxDashboard } from '../../../src/payments/sandbox/dashboard';
import { createSandboxRepository } from '../../../src/payments/sandbox/repository';
import { expectConsistency } from '../../support/consistency';
import { currentDetailsOf } from '../../support/current-details';
import { eventually } from '../../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';
import { confirmAddress } from '../../support/signed-in-users';

/** Cards that their owner has to confirm, and orders that are paid with another card. */
let api: OrderApi;
let alice: string;
let admin: string;
let productId: string;
beforeAll(async () => {
  api = await openOrderApi({ own: true });
  await api.shop.startWorker({}, undefined, { PAYMENT_RETRY_WINDOW: '15m' });
  alice = api.tokenOf('CUSTOMER');
  admin = api.tokenOf('ADMIN');
  productId = (await api.shop.sell({ available: STOCK })).id;
});
afterAll(() => api.close());

const STOCK = 100;
const CHALLENGED = 'pm_card_threeDSecure2Required';
const DECLINED = 'pm_card_chargeDeclined';
/** The query to which a workflow answers what it shows in Temporal. */

const place = (paymentMethod: string, headers = {}, token = alice) =>
  api.place(token, { ...lines([productId, 1]), paymentMethod }, headers);
const read = async (id: string, token = alice): Promise<OrderBody> =>
  (await api.call('get', `/orders/${id}`, token).expect(200)).body.data;
const confirm = (id: string, token = alice) => api.call('post', `/orders/${id}/payment/confirm`, token);
const pay = (id: string, paymentMethod: string, key: string = randomUUID()) =>
  api.call('post', `/orders/${id}/payment`, alice).set('Idempotency-Key', key).send({ paymentMethod });

/** Does what the customer does on the sandbox's page. */
async function answer({ paymentAction }: OrderBody, what: 'authorise' | 'fail'): Promise<void> {
  const actions = createSandboxActions(createSandboxRepository(api.shop.db.connection));
  const id = new URL(paymentAction.redirectUrl).pathname.split('/').at(-1)!;
  await actions.answer((await actions.find(id))!, what);
}

async function expectBalance(): Promise<void> {
  await eventually(async () => {
    const orders = await Promise.all(
      (await api.shop.db.connection.collection('orders').distinct('_id')).map((id) =>
        api.shop.orders.findById(id as unknown as string),
      ),
    );
    await expectConsistency(api.shop, { productId, initial: STOCK, orders: orders.map((order) => order!) });
  });
}
afterEach(expectBalance);

describe('a card whose owner has to confirm the payment', () => {
  it('lets the order wait with its stock held, and confirms it when that is done', async () => {
    const key = randomUUID();
    const { body, headers } = await place(CHALLENGED, { 'Idempotency-Key': key }).expect(202);
    const order: OrderBody = body.data;
    expect(order).toMatchObject({ status: 'pending', paymentStatus: 'action_required' });
    expect(order.paymentAction).toMatchObject({ type: 'redirect', redirectUrl: expect.any(String) });
    expect(headers.location).toMatch(`/orders/${order.id}`);
    expect((await read(order.id)).paymentAction).toEqual(order.paymentAction);
    expect(await read(order.id, admin)).not.toHaveProperty('paymentAction');
    const list = await api.call('get', '/orders', alice).expect(200);
    expect(JSON.stringify(list.body)).not.toContain('paymentAction');
    expect(JSON.stringify(await api.shop.orders.findById(order.id))).not.toContain(
      order.paymentAction.redirectUrl,
    );
    const again = await place(CHALLENGED, { 'Idempotency-Key': key }).expect(202);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body.data.paymentAction).toEqual(order.paymentAction);
    expect((await confirm(order.id).expect(202)).body.data).toEqual(order); // too early
    const waits = await api.fulfill(order.id, [[productId, 1]]).expect(409);
    expect(waits.body.detail).toContain('pending');
    await pay(order.id, 'pm_card_visa').expect(409);
    await answer(order, 'authorise');
    const { body: confirmed } = await confirm(order.id).expect(201);
    expect(confirmed.data).toMatchObject({
      status: 'confirmed',
      paymentStatus: 'authorized',
      attempts: [{ paymentMethod: CHALLENGED, outcome: 'authorized' }],
    });
    expect(confirmed.data).not.toHaveProperty('paymentAction');
    expect((await confirm(order.id).expect(201)).body.data).toEqual(confirmed.data);
    await place(CHALLENGED, { 'Idempotency-Key': key }).expect(201);
    await api.fulfill(order.id, [[productId, 1]]).expect(201);
  });

  it('is asked about by the workflow itself, without webhook or confirm', async () => {
    const { body } = await place(CHALLENGED).expect(202);
    await answer(body.data, 'authorise');
    await eventually(async () => expect(await read(body.data.id)).toMatchObject({ status: 'confirmed' }));
  });

  it('can be replaced by another one if that fails', async () => {
    const { body } = await place(CHALLENGED).expect(202);
    const { id } = body.data;
    await answer(body.data, 'fail');
    const failed = await confirm(id).expect(402);
    expect(failed.body).toMatchObject({
      code: 'payment_action_failed',
      orderId: id,
      retryUntil: expect.any(String),
    });
    expect(await read(id)).toMatchObject({ status: 'pending', paymentStatus: 'declined' });
    const { body: waiting } = await pay(id, CHALLENGED).expect(202);
    expect(waiting.data.paymentAction.redirectUrl).not.toBe(body.data.paymentAction.redirectUrl);
    await answer(waiting.data, 'authorise');
    const paid = await confirm(id).expect(201);
    expect(paid.body.data.attempts).toMatchObject([{ outcome: 'failed' }, { outcome: 'authorized' }]);
  });

  it('voids the payment if the order is cancelled meanwhile', async () => {
    const { body } = await place(CHALLENGED).expect(202);
    await api.call('post', `/orders/${body.data.id}/cancel`, alice).expect(200);
    await eventually(async () =>
      expect(await read(body.data.id)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' }),
    );
    expect((await confirm(body.data.id).expect(409)).body).toMatchObject({ code: 'invalid_transition' });
    await answer(body.data, 'authorise'); // too late
  });

  it('is declined if the order is placed for a customer who is not there', async () => {
    const account = { email: 'grace@example.com', password: 'correct horse battery', name: 'Grace' };
    const registered = await api.call('post', '/auth/register').send(account).expect(201);
    await confirmAddress(api, account.email);
    const customerId = registered.body.data.user.id;
    const body = { ...lines([productId, 1]), paymentMethod: CHALLENGED, customerId };
    const declined = await api.place(admin, body).expect(402);
    expect(declined.body).toMatchObject({ code: 'payment_declined' });
    expect(declined.body.detail).toMatch(/confirm/);
  });
});

it('a confirmed order whose authorisation has lapsed is not paid before another card is', async () => {
  const key = randomUUID();
  const { body } = await place('pm_card_visa', { 'Idempotency-Key': key }).expect(201);
  const { id } = body.data;
  const sandbox = createSandboxRepository(api.shop.db.connection);
  const [payment] = await sandbox.ofOrder(id);
  await createSandboxDashboard(sandbox).operate(payment!.key, { operation: 'expire' });
  await api.service.lookAgain({ eventId: randomUUID(), type: 'x', orderId: id, paymentKey: payment!.key });
  expect((await confirm(id).expect(402)).body).toMatchObject({ code: 'payment_declined', orderId: id });
  expect((await pay(id, DECLINED).expect(402)).body).toMatchObject({ code: 'payment_declined', orderId: id });
  const { body: asked } = await pay(id, CHALLENGED).expect(202);
  await answer(asked.data, 'fail');
  expect((await confirm(id).expect(402)).body).toMatchObject({ code: 'payment_action_failed' });
  await place('pm_card_visa', { 'Idempotency-Key': key }).expect(201); // it was placed, and says how it is now
  const { body: paid } = await pay(id, 'pm_card_visa').expect(201);
  expect(paid.data).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
  expect((await confirm(id).expect(201)).body.data).toEqual(paid.data);
  await api.call('post', `/orders/${id}/cancel`, alice).expect(200);
});

it('a look at the payment of an order that never had one tells why it was rejected', async () => {
  const { body } = await api.place(alice, lines([productId, STOCK + 1])).expect(409);
  expect((await confirm(body.orderId).expect(409)).body).toMatchObject({
    code: 'out_of_stock',
    orderId: body.orderId,
  });
});

it('staff find the orders that wait for their customers, and Temporal says until when', async () => {
  const { body: asked } = await place(CHALLENGED).expect(202);
  const { body: declined } = await place(DECLINED).expect(402);
  const { body: placed } = await place('pm_card_visa').expect(201);
  const { customerId } = asked.data;
  const listed = async (paymentStatus: string): Promise<OrderBody[]> => {
    const query = `customerId=${customerId}&status=pending&paymentStatus=${paymentStatus}&limit=100`;
    return (await api.call('get', `/orders?${query}`, admin).expect(200)).body.data;
  };
  const waiting = await listed('action_required,declined');
  expect(waiting).toEqual(
    expect.arrayContaining([await read(asked.data.id, admin), await read(declined.orderId, admin)]),
  );
  expect(waiting.map(({ id }) => id)).not.toContain(placed.data.id);
  expect((await listed('declined')).map(({ id }) => id)).not.toContain(asked.data.id);
  for (const [id, doing, until] of [
    [
      asked.data.id,
      'to confirm the payment at the bank',
      (await api.shop.orders.findById(asked.data.id))!.payBy,
    ],
    [declined.orderId, 'to try another card', declined.retryUntil],
  ] as const) {
    const workflow = api.shop.temporal.client.workflow.getHandle(`order-${id}`);
    expect(await currentDetailsOf(workflow)).toMatch(
      new RegExp(`\\*\\*Waits for\\*\\* the customer ${doing}, since [^,]+Z, until ${until}\\.`),
    );
    await api.call('post', `/orders/${id}/cancel`, alice).expect(200);
    expect((await listed('action_required,declined')).map((order) => order.id)).not.toContain(id);
  }
});

describe('an order whose card is declined', () => {
  it('can be paid with another one, each under a key of its own', async () => {
    const key = randomUUID();
    const { body } = await place(DECLINED, { 'Idempotency-Key': key }).expect(402);
    const { orderId: id, retryUntil } = body;
    expect(body).toMatchObject({ code: 'payment_declined', retryUntil: expect.any(String) });
    expect((await place(DECLINED, { 'Idempotency-Key': key }).expect(402)).body.retryUntil).toBe(retryUntil);
    expect(await read(id)).toMatchObject({ status: 'pending', paymentStatus: 'declined', retryUntil });
    const again = await pay(id, DECLINED, 'second').expect(402);
    expect(again.body).toMatchObject({ code: 'payment_declined', orderId: id, retryUntil });
    const repeat = await pay(id, DECLINED, 'second').expect(402);
    expect(repeat.body.retryUntil).toBe(retryUntil);
    expect(repeat.headers['idempotent-replayed']).toBe('true');
    await pay(id, 'pm_card_visa', 'second').expect(422);
    const paid = await pay(id, 'pm_card_visa', 'third').expect(201);
    expect(paid.body.data).toMatchObject({ status: 'confirmed', retryUntil: null });
    expect(paid.body.data.attempts).toMatchObject([
      { outcome: 'declined' },
      { outcome: 'declined' },
      { outcome: 'authorized' },
    ]);
    await pay(id, 'pm_card_visa', 'fourth').expect(409);
    expect((await pay(id, 'pm_card_visa', 'third').expect(201)).headers['idempotent-replayed']).toBe('true');
    const { attempts, payment } = (await api.shop.orders.findById(id))!;
    expect(new Set(attempts.map((one) => one.key)).size).toBe(3);
    expect(payment!.key).toBe(attempts[2]!.key);
    const sent = await api.fulfill(id, [[productId, 1]]).expect(201);
    expect(sent.body.data).toMatchObject({ paymentStatus: 'captured' });
  });

  it('can be paid by the staff, which the audit log tells', async () => {
    const { orderId: id } = (await place(DECLINED).expect(402)).body;
    await api
      .call('post', `/orders/${id}/payment`, admin)
      .set({ 'Idempotency-Key': randomUUID(), 'X-Request-Id': 'paid-by-staff' })
      .send({ paymentMethod: 'pm_card_visa' })
      .expect(201);
    const entries = await api.shop.db.connection.collection('audit').find({ object: id }).toArray();
    expect(entries).toMatchObject([
      {
        action: 'order.pay',
        requestId: 'paid-by-staff',
        changes: expect.arrayContaining([
          { field: 'paymentStatus', before: 'declined', after: 'authorized' },
        ]) as unknown[],
      },
    ]);
  });

  it('can be cancelled instead', async () => {
    const { body } = await place(DECLINED).expect(402);
    const { body: cancelled } = await api.call('post', `/orders/${body.orderId}/cancel`, alice).expect(200);
    expect(cancelled.data).toMatchObject({ status: 'cancelled', paymentStatus: 'declined' });
    await pay(body.orderId, 'pm_card_visa').expect(409);
  });

  it('is paid once, however many cards are tried at once', async () => {
    const { body } = await place(DECLINED).expect(402);
    const tried = await Promise.all(
      ['pm_card_visa', 'pm_card_mastercard', CHALLENGED].map((card) => pay(body.orderId, card)),
    );
    const statuses = tried.map(({ status }) => status).sort();
    expect([
      [201, 409, 409],
      [202, 409, 409],
    ]).toContainEqual(statuses);
    await api.call('post', `/orders/${body.orderId}/cancel`, alice).expect(200);
  });
});
