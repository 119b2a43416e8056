import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import type { LookAgain, PaymentProvider } from '../../src/payments/payment-provider';
import { paymentRoutes, type PaymentRoutesDeps } from '../../src/payments/payments.routes';
import { createPaymentEventRepository } from '../../src/payments/stripe/events.repository';
import { createStripeWebhookService } from '../../src/payments/stripe/webhook';
import { createSandboxProvider } from '../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { createStripeProvider } from '../../src/payments/stripe/provider';
import { createStripePaymentRepository } from '../../src/payments/stripe/repository';
import { openTestApi, type TestApi } from '../support/api';
import { type TestDatabase, openTestDatabase } from '../support/database';
import { newPayment, WHOLE } from './fixtures';
import { ledgerOf } from './sandbox/checked-ledger';
import { startFakeStripe } from './stripe/fake-stripe';

const SECRET = 'whsec_test';
const SWITCH = '/payments/sandbox';
const WEBHOOK = '/payments/stripe/webhook';

let db: TestDatabase;
let api: TestApi;
let sandbox: PaymentProvider;
const lookAgain = jest.fn<ReturnType<LookAgain>, Parameters<LookAgain>>();
beforeAll(async () => {
  db = await openTestDatabase();
  const { connection } = db;
  const webhook = createStripeWebhookService({
    secret: SECRET,
    events: createPaymentEventRepository(connection),
    payments: createStripePaymentRepository(connection),
    lookAgain,
  });
  sandbox = createSandboxProvider({ repository: createSandboxRepository(connection) });
  const repository = createSandboxRepository(connection);
  const routes = paymentRoutes({ sandbox: { repository, lookAgain }, webhook });
  api = await openTestApi({ db, routes, env: { BODY_LIMIT: '10kb' } });
});
beforeEach(async () => {
  await api.clear();
  lookAgain.mockReset().mockResolvedValue('done');
  await createStripePaymentRepository(db.connection).claim({ key: 'ord_1-1', orderId: 'ord_1' }, 'pi_1');
});
afterAll(async () => {
  await api.close();
  await db.drop();
});

describe('paymentRoutes', () => {
  const pathsOf = (deps: PaymentRoutesDeps) =>
    paymentRoutes(deps).map(({ method, path }) => `${method} ${path}`);

  it('returns only the routes of the configured payment service', () => {
    expect(pathsOf({})).toEqual([]);
    const repository = createSandboxRepository(db.connection);
    expect(pathsOf({ sandbox: { repository, lookAgain } })).toEqual([
      `get ${SWITCH}`,
      `put ${SWITCH}`,
      `get ${SWITCH}/actions/:actionId`,
      `post ${SWITCH}/actions/:actionId`,
      `get ${SWITCH}/payments`,
      `post ${SWITCH}/payments/:key/operations`,
    ]);
    expect(pathsOf({ webhook: { receive: async () => undefined } })).toEqual([`post ${WEBHOOK}`]);
  });
});

describe(SWITCH, () => {
  it.each(['get', 'put'] as const)('%s returns 401 without a token and 403 to a CUSTOMER', async (method) => {
    await api.call(method, SWITCH).expect(401);
    await api.call(method, SWITCH, api.tokenOf('CUSTOMER')).expect(403);
  });

  it('is off initially, and keeps the state that an ADMIN sets', async () => {
    const admin = api.tokenOf('ADMIN');
    const read = async () =>
      (await api.call('get', SWITCH, admin).expect(200)).body as { data: { available: boolean } };
    expect((await read()).data).toEqual({ available: false });
    for (const available of [true, true, false]) {
      const { body } = await api.call('put', SWITCH, admin).send({ available }).expect(200);
      expect((body as { data: unknown }).data).toEqual({ available });
      expect((await read()).data).toEqual({ available });
    }
  });

  it.each([{}, { available: 'yes' }, { available: true, more: 1 }])('rejects the body %j', async (body) => {
    await api.call('put', SWITCH, api.tokenOf('ADMIN')).send(body).expect(400);
  });
});

describe(`${SWITCH}/actions/:actionId`, () => {
  const asking = (paymentMethod = 'pm_card_threeDSecure2Required') =>
    newPayment({ paymentMethod, isOnSession: true });

  /** Opens the page of a payment that waits for its customer. */
  async function open(payment = asking()) {
    const { action } = await sandbox.authorize(payment);
    const path = new URL(action!.redirectUrl!).pathname.replace('/orders-management-system', '');
    const page = await api.call('get', path).expect(200);
    const answers = [...page.text.matchAll(/action="([^"]+)"/g)].map((found) =>
      found[1]!.replaceAll('&amp;', '&').replace(/^[^?]+/, ''),
    );
    return { payment, path, page, answers: { authorise: answers[0]!, fail: answers[1]! } };
  }

  it.each([
    ['authorise', 'authorized', 'You have authorised this payment.'],
    ['fail', 'declined', 'This payment has failed.'],
  ] as const)('%s: the payment is %s, and its order is looked at again', async (answer, status, shown) => {
    const { payment, path, page, answers } = await open();
    expect(page.text).toContain('Authorise 100.00 EUR?');
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    });
    for (let time = 0; time < 2; time++) {
      const { headers, text } = await api.call('post', path + answers[answer]).expect(303);
      expect([headers.location, text]).toEqual([path.split('/').at(-1), '']);
    }
    expect(await sandbox.find(payment)).toMatchObject({ status });
    expect(lookAgain).toHaveBeenCalledWith(
      expect.objectContaining({ paymentKey: payment.key, orderId: payment.orderId }),
    );
    const { text } = await api.call('get', path).expect(200);
    expect(text).toContain(shown);
    expect(text).not.toContain('<form');
    expect(JSON.stringify(api.logs)).not.toContain(path.split('/').at(-1));
  });

  it('keeps the first answer', async () => {
    const { payment, path, answers } = await open();
    await api.call('post', path + answers.fail).expect(303);
    await api.call('post', path + answers.authorise).expect(303);
    expect(await sandbox.find(payment)).toMatchObject({ status: 'declined' });
  });

  it('answers also if the order cannot be looked at', async () => {
    const { payment, path, answers } = await open();
    lookAgain.mockRejectedValueOnce(new Error('Temporal is unreachable.'));
    await api.call('post', path + answers.authorise).expect(303);
    expect(await sandbox.find(payment)).toMatchObject({ status: 'authorized' });
  });

  it('shows what the customer has to know, escaped', async () => {
    const { path, answers } = await open({ ...asking(), orderId: '<b>"ord" & co</b>' });
    const { text } = await api.call('get', path);
    expect(text).toContain('&lt;b&gt;&quot;ord&quot; &amp; co&lt;/b&gt;');
    await api.call('post', path + answers.fail);
    expect((await api.call('get', path)).text).toContain('The customer did not confirm the payment');
  });

  it('rejects another nonce, other answers and other addresses', async () => {
    const { payment, path, answers } = await open();
    const other = '0'.repeat(48);
    const { body } = await api.call('post', `${path}?answer=authorise&nonce=${other}`).expect(403);
    expect(body).toMatchObject({ code: 'forbidden' });
    await api.call('post', path).expect(400);
    await api.call('post', path + answers.fail.replace('fail', 'maybe')).expect(400);
    await api.call('get', `${SWITCH}/actions/${other}`).expect(404);
    await api.call('get', `${SWITCH}/actions/1`).expect(400);
    expect(await sandbox.find(payment)).toMatchObject({ status: 'action_required' });
  });
});

describe(`${SWITCH}/payments`, () => {
  const operate = (key: string, body: object) =>
    api.call('post', `${SWITCH}/payments/${key}/operations`, api.tokenOf('ADMIN')).send(body);

  it('lists the payments of an order, without what is a secret of its customer', async () => {
    const payment = newPayment({ paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true });
    const { action } = await sandbox.authorize(payment);
    const { key, orderId, amount } = payment;
    const path = `${SWITCH}/payments?orderId=${orderId}`;
    const { body, text } = await api.call('get', path, api.tokenOf('ADMIN')).expect(200);
    expect(body).toMatchObject({ data: [{ key, orderId, amount, status: 'action_required' }] });
    expect(text).not.toContain(action!.redirectUrl!.split('/').at(-1));
  });

  it('does what happens at a payment service, and has the order looked at again', async () => {
    const payment = newPayment();
    await sandbox.authorize(payment);
    const steps: [object, object][] = [
      [
        { operation: 'capture', amount: 6_000, isFinal: false },
        { status: 'authorized', captured: 6_000 },
      ],
      [{ operation: 'expire' }, { status: 'captured', captured: 6_000 }],
      [{ operation: 'refund', amount: 600 }, { refunds: [{ amount: 600, status: 'succeeded' }] }],
      [{ operation: 'fail_refund' }, { refunds: [{ amount: 600, status: 'failed' }] }],
      [
        { operation: 'dispute', reason: 'fraudulent' },
        { disputes: [{ amount: 6_000, status: 'opened', reason: 'fraudulent' }] },
      ],
      [{ operation: 'lose_dispute' }, { disputes: [{ status: 'lost' }] }],
    ];
    for (const [request, expected] of steps) {
      lookAgain.mockClear();
      const { body } = await operate(payment.key, request).expect(200);
      expect(body).toMatchObject({ data: { key: payment.key, ...expected } });
      expect(lookAgain.mock.calls).toMatchObject([[{ paymentKey: payment.key, orderId: payment.orderId }]]);
    }
    await ledgerOf(db, payment.key);
  });

  it('ends the wait for a customer', async () => {
    const payment = newPayment({ paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true });
    await sandbox.authorize(payment);
    const { body } = await operate(payment.key, { operation: 'expire' }).expect(200);
    expect(body).toMatchObject({ data: { status: 'declined' } });
  });

  it.each([
    { operation: 'refund' },
    { operation: 'fail_refund' },
    { operation: 'settle_refund' },
    { operation: 'win_dispute' },
    { operation: 'dispute' },
    { operation: 'capture', amount: 10_001 },
  ])('refuses what is not possible: %j', async (body) => {
    const payment = newPayment();
    await sandbox.authorize(payment);
    expect((await operate(payment.key, body).expect(409)).body).toMatchObject({ code: 'invalid_transition' });
    expect(lookAgain).not.toHaveBeenCalled();
  });

  it('refuses to dispute what was refunded', async () => {
    const payment = newPayment();
    await sandbox.authorize(payment);
    await sandbox.capture(`${payment.key}-c`, payment, WHOLE);
    await sandbox.refund(`${payment.key}-r`, payment, 1);
    await operate(payment.key, { operation: 'dispute' }).expect(409);
    await operate(payment.key, { operation: 'dispute', amount: 9_999 }).expect(200);
  });

  it('knows no other payments', async () => {
    await operate('ord_other-1', { operation: 'refund' }).expect(404);
  });
});

interface EventFields {
  id?: string;
  type?: string;
  object?: object;
  idempotencyKey?: string | null;
}

const canceled = { id: 'pi_1', object: 'payment_intent', metadata: { orderId: 'ord_1', key: 'ord_1-1' } };

let lastEvent = 0;
const eventOf = ({
  id = `evt_${++lastEvent}`,
  type = 'payment_intent.canceled',
  object = canceled,
  idempotencyKey = null,
}: EventFields = {}) => ({
  id,
  object: 'event',
  type,
  livemode: false,
  data: { object },
  request: { id: null, idempotency_key: idempotencyKey },
});

const sign = (payload: string, options: { secret?: string; timestamp?: number } = {}) =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET, ...options });

/** Sends an event pretty-printed, as Stripe does: the signature depends on the bytes. */
function deliver(event: unknown, signature?: string) {
  const payload = JSON.stringify(event, null, 2);
  const call = api.call('post', WEBHOOK).set('Content-Type', 'application/json; charset=utf-8');
  return call.set('Stripe-Signature', signature ?? sign(payload)).send(payload);
}

const warnings = () => api.logs.filter(({ level }) => level === 'warn');
const handledEvents = () => db.connection.collection('payment_events').countDocuments();

describe(`POST ${WEBHOOK}`, () => {
  const charge = { id: 'ch_1', payment_intent: 'pi_1' };
  const intent = { id: 'pi_1' };
  it.each([
    ['payment_intent.succeeded', intent],
    ['payment_intent.amount_capturable_updated', intent],
    ['payment_intent.payment_failed', intent],
    ['payment_intent.requires_action', intent],
    ['payment_intent.canceled', intent],
    ['payment_intent.partially_funded', intent],
    ['charge.captured', charge],
    ['charge.expired', charge],
    ['charge.refunded', charge],
    ['refund.created', { id: 're_1', payment_intent: { id: 'pi_1' } }],
    ['refund.updated', { id: 're_1', payment_intent: 'pi_1' }],
    ['refund.failed', { id: 're_1', payment_intent: 'pi_1' }],
    ['charge.dispute.created', { id: 'dp_1', payment_intent: 'pi_1' }],
    ['charge.dispute.closed', { id: 'dp_1', payment_intent: 'pi_1' }],
  ])('has the order of the payment looked at again after %s', async (type, object) => {
    const event = eventOf({ type, object });
    const { body } = await deliver(event).expect(200);
    expect((body as { data: unknown }).data).toEqual({ received: true });
    expect(lookAgain.mock.calls).toEqual([
      [{ eventId: event.id, type, paymentKey: 'ord_1-1', orderId: 'ord_1' }],
    ]);
    expect(await handledEvents()).toBe(1);
  });

  it.each<[string, EventFields]>([
    ['our own cancellations', { idempotencyKey: 'orders-management-system/v/cancel' }],
    ['our own refunds', { type: 'refund.created', idempotencyKey: 'orders-management-system/r/refund' }],
    ['another program on the same account', { object: { ...canceled, id: 'pi_other' } }],
    ['refunds of other payments', { type: 'refund.created', object: { id: 're_1', payment_intent: 'pi_2' } }],
    ['refunds without an intent', { type: 'refund.created', object: { id: 're_1', payment_intent: null } }],
    ['no object', { object: {} }],
    ['unknown types', { type: 'toString' }],
    ['types of a later API version', { type: 'v2.something.happened' }],
  ])('looks at no order after an event of %s', async (_which, fields) => {
    await deliver(eventOf(fields)).expect(200);
    expect(lookAgain).not.toHaveBeenCalled();
    expect(warnings()).toEqual([]);
  });

  it('has an event sent again while its order is being placed or changed', async () => {
    const event = eventOf();
    lookAgain.mockResolvedValueOnce('busy');
    const { body, headers } = await deliver(event).expect(503);
    expect(body).toMatchObject({ code: 'service_unavailable' });
    expect(headers['retry-after']).toBe('5');
    expect(await handledEvents()).toBe(0);
    await deliver(event).expect(200);
    expect(lookAgain).toHaveBeenCalledTimes(2);
    expect(await handledEvents()).toBe(1);
  });

  it('handles an event once, however often it is delivered', async () => {
    const event = eventOf();
    for (let time = 0; time < 3; time++) await deliver(event).expect(200);
    expect(lookAgain).toHaveBeenCalledTimes(1);
    await Promise.all(Array.from({ length: 5 }, () => deliver(event).expect(200)));
    expect(lookAgain).toHaveBeenCalledTimes(1);
  });

  it('accepts two concurrent deliveries of an event', async () => {
    const event = eventOf();
    await Promise.all([deliver(event).expect(200), deliver(event).expect(200)]);
    expect(await handledEvents()).toBe(1);
  });

  it('handles an event again if the first attempt failed', async () => {
    const event = eventOf();
    lookAgain.mockRejectedValueOnce(new Error('Temporal is unreachable.'));
    await deliver(event).expect(500);
    expect(await handledEvents()).toBe(0);
    await deliver(event).expect(200);
    expect(lookAgain).toHaveBeenCalledTimes(2);
    expect(await handledEvents()).toBe(1);
  });

  const email = 'alice@example.com';
  it.each([
    ['charge.dispute.created', { id: 'dp_1', charge: 'ch_1', payment_intent: 'pi_1', evidence: { email } }],
    ['refund.failed', { id: 're_1', payment_intent: 'pi_1', instructions_email: email }],
  ])('logs a warning for %s, after which a person has to act, with ids only', async (type, object) => {
    const event = eventOf({ type, object });
    for (let time = 0; time < 2; time++) await deliver(event).expect(200);
    const ids = { eventId: event.id, objectId: object.id, paymentIntent: 'pi_1', paymentKey: 'ord_1-1' };
    expect(warnings()).toEqual([expect.objectContaining(ids)]);
    expect(JSON.stringify(api.logs)).not.toContain(email);
  });

  it('takes the events of a server that responds and signs as Stripe documents: no order is looked at for our own', async () => {
    const fake = await startFakeStripe();
    const handle = api.app.callback();
    const server = createServer((req, res) => void handle(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}${api.config.http.prefix}${WEBHOOK}`;
    const payments = createStripePaymentRepository(db.connection);
    const stripe = createStripeProvider({ stripe: fake.client, payments });
    const payment = newPayment({ paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true });
    const { reference } = await stripe.authorize(payment);
    fake.elsewhere.answer(reference, 'authorise');
    await stripe.capture('c', payment, WHOLE);
    fake.elsewhere.dispute(reference);
    for (const event of fake.events.toReversed())
      expect((await fake.send(event, { url, secret: SECRET })).status).toBe(200);
    expect(lookAgain.mock.calls.map(([{ type, paymentKey }]) => [type, paymentKey])).toEqual([
      ['charge.dispute.funds_withdrawn', payment.key],
      ['charge.dispute.created', payment.key],
      ['payment_intent.amount_capturable_updated', payment.key],
    ]);
    expect((await fake.send(fake.events[0]!, { url, secret: 'whsec_other' })).status).toBe(400);
    await new Promise((resolve) => server.close(resolve));
    await fake.close();
  });

  it('accepts an event without data, as API version 2 sends', async () => {
    const thin = { id: 'evt_thin', object: 'v2.core.event', type: 'payment_intent.canceled' };
    await deliver(thin).expect(200);
  });

  const payload = JSON.stringify(eventOf(), null, 2);
  const now = Math.floor(Date.now() / 1_000);
  it.each<[string, string]>([
    ['with another secret', sign(payload, { secret: 'whsec_other' })],
    ['of another body', sign(`${payload} `)],
    ['that is six minutes old', sign(payload, { timestamp: now - 360 })],
    ['that is empty', 't=1,v1='],
    ['without a scheme', 't=1'],
    ['without a valid time', sign(payload).replace(/t=\d+/, 't=never')],
    ['that is nonsense', 'nonsense'],
  ])('rejects a signature %s', async (_what, signature) => {
    const { body } = await deliver(JSON.parse(payload), signature).expect(400);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ path: 'stripe-signature' }] });
    expect(lookAgain).not.toHaveBeenCalled();
  });

  it('accepts a signature that is four minutes old', async () => {
    const timestamp = Math.floor(Date.now() / 1_000) - 240;
    await deliver(JSON.parse(payload), sign(payload, { timestamp })).expect(200);
  });

  it('rejects a missing signature and a missing body', async () => {
    const { body } = await api.call('post', WEBHOOK).send(eventOf()).expect(400);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ path: 'stripe-signature' }] });
    await api.call('post', WEBHOOK).set('Stripe-Signature', sign('')).expect(400);
  });

  it('rejects a body that is too large or not JSON', async () => {
    await deliver(eventOf({ object: { id: 'x'.repeat(11_000) } })).expect(413);
    await api.call('post', WEBHOOK).type('xml').send('<a/>').expect(415);
  });
});
