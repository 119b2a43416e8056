import Stripe from 'stripe';
import type { LookAgain } from '../../src/payments/payment-provider';
import { paymentRoutes, type PaymentRoutesDeps } from '../../src/payments/payments.routes';
import { createPaymentEventRepository } from '../../src/payments/stripe/events.repository';
import { createStripeWebhookService } from '../../src/payments/stripe/webhook';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { createStripePaymentRepository } from '../../src/payments/stripe/repository';
import { openTestApi, type TestApi } from '../support/api';
import { type TestDatabase, openTestDatabase } from '../support/database';

const SECRET = 'whsec_test';
const SWITCH = '/payments/sandbox';
const WEBHOOK = '/payments/stripe/webhook';

let db: TestDatabase;
let api: TestApi;
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
  const routes = paymentRoutes({ sandbox: createSandboxRepository(connection), webhook });
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
    expect(pathsOf({ sandbox: createSandboxRepository(db.connection) })).toEqual([
      `get ${SWITCH}`,
      `put ${SWITCH}`,
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
