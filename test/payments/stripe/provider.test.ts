import { newPayment, errorOf, newKey, WHOLE } from '../fixtures';
import { CUSTOMER_ABSENT, refundedOf, type PaymentRef } from '../../../src/domain/payment';
import { DECLINED } from '../../../src/payments/declines/messages';
import type { PaymentProvider } from '../../../src/payments/payment-provider';
import { createStripeProvider } from '../../../src/payments/stripe/provider';
import { createStripePaymentRepository } from '../../../src/payments/stripe/repository';
import { type TestDatabase, openTestDatabase } from '../../support/database';
import { eventually } from '../../support/eventually';
import { startFakeStripe, type Fault, type FakeStripe } from './fake-stripe';

let db: TestDatabase;
let fake: FakeStripe;
let stripe: PaymentProvider;
beforeAll(async () => void (db = await openTestDatabase()));
beforeEach(async () => {
  fake = await startFakeStripe();
  stripe = providerWith({ multicapture: false });
});
afterEach(() => fake.close());
afterAll(() => db.drop());

function providerWith({ multicapture }: { multicapture: boolean }): PaymentProvider {
  const payments = createStripePaymentRepository(db.connection);
  return createStripeProvider({ stripe: fake.client, payments, multicapture });
}

async function authorized(changes: Partial<PaymentRef> = {}): Promise<PaymentRef> {
  const payment = newPayment(changes);
  const { reference } = await stripe.authorize(payment);
  return { ...payment, reference };
}

async function captured(changes: Partial<PaymentRef> = {}): Promise<PaymentRef> {
  const payment = await authorized(changes);
  await stripe.capture(`${payment.key}-capture`, payment, { amount: payment.amount, isFinal: true });
  return payment;
}

const onlyIntent = () => {
  expect(fake.intents.size).toBe(1);
  return [...fake.intents.values()][0]!;
};
const requestedRoutes = () => fake.requests.map(({ route }) => route.replace('/v1/payment_intents', ''));
const refused = { name: 'PaymentRefused' };
const keyReused = { name: 'PaymentKeyReused' };
/** The capture of a part of a payment of 100.00 EUR. */
const PART = { amount: 2_500, isFinal: false };

describe('a payment by Stripe', () => {
  it('is authorised by an intent that is confirmed after its id is stored, and captured', async () => {
    const payment = newPayment();
    const { key, orderId, amount, currency } = payment;
    const authorized = await stripe.authorize(payment);
    expect(authorized).toEqual({
      key,
      reference: onlyIntent().id,
      status: 'authorized',
      amount,
      currency,
      authorized: amount,
      captured: 0,
      captures: 'once',
      refunds: [],
      disputes: [],
    });
    expect(onlyIntent()).toMatchObject({ amount, currency: 'eur', metadata: { key, orderId } });
    expect(requestedRoutes()).toEqual(['POST ', 'POST /:id/confirm']);
    expect(await stripe.capture('c', payment, WHOLE)).toMatchObject({ status: 'captured', captured: amount });
  });

  it('is refunded in any number of parts, all of which are listed', async () => {
    const payment = await captured({ amount: 200 });
    for (let n = 0; n < 120; n++) await stripe.refund(`${payment.key}-${n}`, payment, 1);
    const found = await stripe.find(payment);
    expect(found!.refunds).toHaveLength(120);
    expect(found!.refunds).toContainEqual({ key: `${payment.key}-7`, amount: 1, status: 'succeeded' });
    await expect(stripe.refund(newKey(), payment, 81)).rejects.toMatchObject(refused);
    await stripe.refund(newKey(), payment, 80);
  });

  it('is voided, and the result tells whether anything was reserved', async () => {
    const payment = await authorized();
    const voided = { status: 'voided', authorized: payment.amount, captured: 0 };
    expect(await stripe.void('v', { ...payment, reference: null })).toMatchObject(voided);
    expect(await stripe.find(payment)).toMatchObject(voided);
    expect(onlyIntent()).toMatchObject({ status: 'canceled', cancellation_reason: 'requested_by_customer' });
  });

  it('is null without a request to Stripe if it is unknown', async () => {
    expect(await stripe.find(newPayment())).toBeNull();
    expect(fake.requests).toEqual([]);
  });

  it('is found by its key at any age', async () => {
    const payment = await captured();
    fake.forgetKeys();
    expect(await stripe.find({ ...payment, reference: null })).toMatchObject({
      status: 'captured',
      reference: payment.reference,
    });
  });
});

describe('a key is closed permanently', () => {
  it('when it is voided before it is authorised', async () => {
    const payment = newPayment();
    const voided = { key: payment.key, status: 'voided', reference: '', authorized: 0 };
    expect(await stripe.void('v', payment)).toMatchObject(voided);
    expect(await stripe.find(payment)).toMatchObject(voided);
    await expect(stripe.authorize(payment)).rejects.toMatchObject(refused);
    await expect(stripe.capture('c', payment, WHOLE)).rejects.toMatchObject(refused);
    expect(fake.requests).toEqual([]);
  });

  it.each(['/v1/payment_intents', '/confirm'])(
    'when it is voided while the authorisation requests %s',
    async (route) => {
      const payment = newPayment();
      fake.on(route, () => stripe.void('v', payment));
      await expect(stripe.authorize(payment)).rejects.toMatchObject(refused);
      expect(['requires_confirmation', 'canceled']).toContain(onlyIntent().status);
      expect(onlyIntent().latest_charge).toBeNull();
      expect(await stripe.find(payment)).toMatchObject({ status: 'voided', authorized: 0 });
      await expect(stripe.authorize(payment)).rejects.toMatchObject(refused);
    },
  );

  it('when it is voided after the authorisation', async () => {
    const payment = await authorized();
    await stripe.void('v', payment);
    await expect(stripe.authorize(payment)).rejects.toMatchObject(refused);
    await expect(stripe.capture('c', payment, WHOLE)).rejects.toMatchObject(refused);
  });
});

describe('every operation takes effect once', () => {
  const operations: [string, string, (payment: PaymentRef) => Promise<unknown>, () => Promise<PaymentRef>][] =
    [
      ['create', '/v1/payment_intents', (payment) => stripe.authorize(payment), async () => newPayment()],
      ['confirm', '/confirm', (payment) => stripe.authorize(payment), async () => newPayment()],
      ['capture', '/capture', (payment) => stripe.capture(`${payment.key}-c`, payment, WHOLE), authorized],
      ['void', '/cancel', (payment) => stripe.void(`${payment.key}-v`, payment), authorized],
      ['refund', '/refunds', (payment) => stripe.refund(`${payment.key}-r`, payment, 60), captured],
    ];

  const balance = () =>
    [...fake.intents.values()].map(({ status, amount_received }) => ({ status, amount_received }));

  describe.each(operations)('%s', (_name, route, work, prepare) => {
    const isRefund = route === '/refunds';
    const broken = isRefund ? `POST /v1${route}` : route;

    it.each<[string, Fault, number]>([
      ['a lost reply, after which the SDK repeats the request', 'after', 1],
      ['a lost reply', 'after', 2],
      ['a lost request', 'before', 2],
      ['a conflict with a concurrent request', 'conflict', 1],
    ])('after %s', async (_what, fault, times) => {
      const payment = await prepare();
      fake.break(broken, fault, times);
      const first = await work(payment).catch((error: Error) => error);
      if (first instanceof Error) expect(first.name).not.toMatch(/^Payment/);
      else expect(times).toBe(1);
      const result = await work(payment);
      fake.forgetKeys();
      expect(await work(payment)).toEqual(result);
      expect(balance()).toHaveLength(1);
      expect(fake.refunds).toHaveLength(isRefund ? 1 : 0);
    });

    it('when it is requested many times concurrently', async () => {
      const payment = await prepare();
      const results = await Promise.all(Array.from({ length: 10 }, () => work(payment)));
      expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
      expect(fake.intents.size).toBe(1);
      expect(fake.refunds).toHaveLength(isRefund ? 1 : 0);
    });
  });

  it('and every changing request has its own idempotency key with our prefix', async () => {
    const payment = await captured();
    await stripe.refund('r', payment, 1);
    await stripe.void('v', await authorized());
    const keys = fake.requests
      .filter(({ route }) => route.startsWith('POST'))
      .map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(7);
    for (const key of keys) expect(key).toMatch(/^orders-management-system\//);
  });

  it.each([
    ['/capture', 'captured', (payment: PaymentRef) => stripe.capture('c', payment, WHOLE)],
    ['/cancel', 'voided', (payment: PaymentRef) => stripe.void('v', payment)],
  ] as const)(
    'although Stripe replays a failure of %s for a day: the request gets a new key',
    async (route, status, work) => {
      const payment = await authorized();
      fake.break(route, 'failure');
      expect(await errorOf(work(payment))).toMatchObject({ type: 'StripeAPIError' });
      expect(await work(payment)).toMatchObject({ status });
    },
  );

  it('and a refund keeps its key when Stripe replays its failure, since a new key could refund twice', async () => {
    const payment = await captured();
    fake.break('POST /v1/refunds', 'failure');
    for (let time = 0; time < 2; time++)
      expect(await errorOf(stripe.refund('r', payment, 5))).toMatchObject({ type: 'StripeAPIError' });
    fake.forgetKeys();
    expect(refundedOf(await stripe.refund('r', payment, 5))).toBe(5);
  });

  it('and ten of 100 concurrent refunds of a tenth succeed', async () => {
    const payment = await captured();
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, n) => stripe.refund(`${payment.key}-${n}`, payment, 1_000)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject(refused);
    expect(refundedOf((await stripe.find(payment))!)).toBe(10_000);
  });
});

describe('with one capture, as Stripe has it without multicapture', () => {
  it('a part is captured, and the rest is released', async () => {
    const payment = await authorized();
    const captured = await stripe.capture('c', payment, { amount: 6_000, isFinal: true });
    expect(captured).toMatchObject({ status: 'captured', authorized: 10_000, captured: 6_000 });
    expect(onlyIntent()).toMatchObject({ status: 'succeeded', amount_received: 6_000, amount_capturable: 0 });
    expect(await stripe.release('release', payment)).toEqual(captured);
    expect(onlyIntent().payment_method_options).toEqual({});
    await stripe.refund('r', payment, 6_000);
    expect(await errorOf(stripe.refund('r2', payment, 1))).toMatchObject(refused);
  });

  it('a capture that is not final is refused before it is requested', async () => {
    const payment = await authorized();
    expect(await errorOf(stripe.capture('c', payment, PART))).toMatchObject({
      name: 'PaymentRefused',
      message: `The payment ${payment.reference} can be captured only once: make its capture final.`,
    });
    expect(requestedRoutes().at(-1)).toBe('GET /:id');
  });
});

describe('with multicapture', () => {
  beforeEach(() => void (stripe = providerWith({ multicapture: true })));

  it('a payment is captured in parts, refunded meanwhile, and the last capture releases the rest', async () => {
    const payment = await authorized();
    expect(await stripe.find(payment)).toMatchObject({ captures: 'many' });
    expect(await stripe.capture('c1', payment, PART)).toMatchObject({
      status: 'authorized',
      captured: 2_500,
    });
    expect(onlyIntent()).toMatchObject({ status: 'requires_capture', amount_capturable: 7_500 });
    const refunded = await stripe.refund('r', payment, 1_000);
    expect(refunded).toMatchObject({
      status: 'authorized',
      refunds: [{ key: 'r', amount: 1_000, status: 'succeeded' }],
    });
    expect(await errorOf(stripe.refund('r2', payment, 1_501))).toMatchObject(refused);
    const last = await stripe.capture('c2', payment, { amount: 3_000, isFinal: true });
    expect(last).toMatchObject({ status: 'captured', authorized: 10_000, captured: 5_500 });
    expect(await stripe.find(payment)).toEqual(last);
  });

  it('a capture of all that is left ends the payment, though it is not called final', async () => {
    const payment = await authorized();
    await stripe.capture('c1', payment, PART);
    const rest = { amount: 7_500, isFinal: false };
    const all = await stripe.capture('c2', payment, rest);
    expect(all).toMatchObject({ status: 'captured', captured: 10_000 });
    expect(await stripe.capture('c2', payment, rest)).toEqual(all);
  });

  it('what is left after a part is released, however often', async () => {
    const payment = await authorized();
    expect(await errorOf(stripe.release('early', payment))).toMatchObject(refused);
    await stripe.capture('c', payment, PART);
    const released = await stripe.release('release-1', payment);
    expect(released).toMatchObject({ status: 'captured', captured: 2_500 });
    for (const key of ['release-1', 'release-2'])
      expect(await stripe.release(key, payment)).toEqual(released);
    expect(onlyIntent()).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 2_500 });
  });

  it('a card that does not support it is captured once, and the payment says so', async () => {
    const payment = await authorized({ paymentMethod: 'pm_card_credit_disableEnterpriseCardFeatures' });
    expect(await stripe.find(payment)).toMatchObject({ captures: 'once' });
    expect(await errorOf(stripe.capture('c', payment, PART))).toMatchObject(refused);
    const captured = { status: 'captured', captured: 2_500 };
    expect(await stripe.capture('c', payment, { ...PART, isFinal: true })).toMatchObject(captured);
  });

  it('a capture is recorded under its key permanently, also after others', async () => {
    const payment = await authorized();
    await stripe.capture('c1', payment, PART);
    await stripe.capture('c2', payment, PART);
    fake.forgetKeys();
    const now = await stripe.find(payment);
    for (const key of ['c1', 'c2']) expect(await stripe.capture(key, payment, PART)).toEqual(now);
    for (const other of [
      { ...PART, amount: 2_501 },
      { ...PART, isFinal: true },
    ])
      expect(await errorOf(stripe.capture('c1', payment, other))).toMatchObject(keyReused);
    expect(onlyIntent()).toMatchObject({ amount_received: 5_000 });
  });

  describe.each([
    ['a part', '/capture', (payment: PaymentRef) => stripe.capture(`${payment.key}-c`, payment, PART), 2_500],
    [
      'the last part',
      '/capture',
      (payment: PaymentRef) => stripe.capture(`${payment.key}-c`, payment, { ...PART, isFinal: true }),
      2_500,
    ],
  ])('%s is captured once', (_which, route, work, received) => {
    it.each<[string, Fault, number]>([
      ['a lost reply, after which the SDK repeats the request', 'after', 1],
      ['a lost reply', 'after', 2],
      ['a lost request', 'before', 2],
      ['a failure of Stripe, which it replays', 'failure', 1],
      ['two failures of Stripe, which it replays', 'failure', 2],
      ['a conflict with a concurrent request', 'conflict', 1],
    ])('after %s', async (_what, fault, times) => {
      const payment = await authorized();
      fake.break(route, fault, times);
      await eventually(() => work(payment));
      fake.forgetKeys();
      const result = await work(payment);
      expect(result).toMatchObject({ captured: received });
      expect(onlyIntent()).toMatchObject({ amount_received: received });
    });

    it('when it is requested many times concurrently, after a failure that Stripe replays', async () => {
      const payment = await authorized();
      fake.break(route, 'failure');
      await errorOf(work(payment));
      const results = await Promise.all(Array.from({ length: 10 }, () => work(payment)));
      expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
      expect(onlyIntent()).toMatchObject({ amount_received: received });
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'the void of a payment that is captured in part',
      async () => {
        const payment = await authorized();
        await stripe.capture('c', payment, PART);
        await stripe.void('v', payment);
      },
    ],
    [
      'a void that a capture of a part overtakes',
      async () => {
        const payment = await authorized();
        fake.on('/cancel', () => stripe.capture('c', payment, PART));
        await stripe.void('v', payment);
      },
    ],
    [
      'a capture of more than is left',
      async () => {
        const payment = await authorized();
        await stripe.capture('c', payment, PART);
        await stripe.capture('c2', payment, { amount: 7_501, isFinal: false });
      },
    ],
    [
      'a capture after the rest of the authorisation has expired',
      async () => {
        const payment = await authorized();
        await stripe.capture('c', payment, PART);
        Object.assign(onlyIntent(), { status: 'succeeded', amount_capturable: 0 });
        await stripe.capture('c2', payment, PART);
      },
    ],
  ])('Stripe rejects %s', async (_what, work) => {
    expect(await errorOf(work())).toMatchObject(refused);
  });

  it('a payment that was cancelled after a part was captured can be refunded as far as that', async () => {
    const payment = await authorized();
    fake.on('/cancel', () => stripe.capture('c', payment, PART));
    await errorOf(stripe.void('v', payment));
    expect(await stripe.find(payment)).toMatchObject({ status: 'captured', captured: 2_500 });
    expect(refundedOf(await stripe.refund('r', payment, 2_500))).toBe(2_500);
  });

  it('the last of 47 captures has to be final, which the error says', async () => {
    const payment = await authorized();
    const one = { amount: 1, isFinal: false };
    for (let n = 1; n <= 46; n++) await stripe.capture(`${payment.key}-${n}`, payment, one);
    expect(await errorOf(stripe.capture('47', payment, one))).toMatchObject({
      name: 'PaymentRefused',
      message: expect.stringContaining('fulfill all that is left of the order at once') as string,
    });
    expect(await stripe.capture('47', payment, { amount: 1, isFinal: true })).toMatchObject({ captured: 47 });
  });

  it('has keys of its own to create intents, since Stripe rejects other parameters under the same key', async () => {
    const payment = newPayment();
    fake.break('/v1/payment_intents', 'after', 2);
    await errorOf(providerWith({ multicapture: false }).authorize(payment));
    expect(await stripe.authorize(payment)).toMatchObject({ status: 'authorized', captures: 'many' });
  });
});

describe('a payment is declined', () => {
  const NOT_ACCEPTED = 'The payment service does not accept this payment method. Use another payment method.';
  it.each([
    ['pm_card_chargeDeclined', DECLINED],
    ['pm_card_chargeDeclinedInsufficientFunds', DECLINED],
    ['pm_card_chargeDeclinedExpiredCard', 'The card has expired: use another payment method.'],
    ['pm_card_authenticationRequired', CUSTOMER_ABSENT],
    ['pm_requires_action', CUSTOMER_ABSENT],
    ['pm_blocked', DECLINED],
    ['pm_used_before', NOT_ACCEPTED],
    ['pm_missing', NOT_ACCEPTED],
  ])('with %s, permanently', async (paymentMethod, message) => {
    const payment = newPayment({ paymentMethod });
    const declined = { name: 'PaymentDeclined', message };
    expect(await errorOf(stripe.authorize(payment))).toMatchObject(declined);
    for (const { status } of fake.intents.values()) expect(status).toBe('canceled');
    fake.forgetKeys();
    expect(await errorOf(stripe.authorize(payment))).toMatchObject(declined);
    const found = { status: 'declined', declineReason: message, authorized: 0 };
    expect(await stripe.find(payment)).toMatchObject(found);
    expect(await stripe.void('v', payment)).toMatchObject(found);
    await expect(stripe.capture('c', payment, WHOLE)).rejects.toMatchObject(refused);
    expect(fake.intents.size).toBe(paymentMethod === 'pm_missing' ? 0 : 1);
  });

  it.each<[string, string]>([
    ['before it reads the reason', 'GET /v1/payment_intents/:id'],
    ['before it cancels the intent', '/cancel'],
  ])('when the process dies %s, too', async (_when, route) => {
    const payment = newPayment({ paymentMethod: 'pm_card_chargeDeclined' });
    const message = DECLINED;
    fake.break(route, 'before', 2);
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ type: 'StripeConnectionError' });
    expect(await stripe.find(payment)).toMatchObject({ status: 'declined', declineReason: message });
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ name: 'PaymentDeclined', message });
    expect(onlyIntent()).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
  });

  it('and its customer cannot try another card after that', async () => {
    const payment = newPayment({ paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true });
    const { reference } = await stripe.authorize(payment);
    fake.elsewhere.answer(reference, 'fail');
    await stripe.find(payment);
    expect(() => fake.elsewhere.tryAgain(reference, 'pm_card_visa')).toThrow(
      'This PaymentIntent is canceled.',
    );
  });

  it('nor was anything reserved if the customer was faster with another card', async () => {
    const payment = newPayment({ paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true });
    const { reference } = await stripe.authorize(payment);
    fake.elsewhere.answer(reference, 'fail');
    fake.on('/cancel', async () => fake.elsewhere.tryAgain(reference, 'pm_card_visa'));
    expect(await stripe.find(payment)).toMatchObject({ status: 'declined' });
    expect(onlyIntent()).toMatchObject({ status: 'canceled', amount_capturable: 0 });
  });

  it('when Stripe does not accept the amount', async () => {
    const payment = newPayment({ amount: 49 });
    const message =
      'The payment service does not accept a payment of 0.49 EUR: the minimum is 0.50 EUR, so order more.';
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ name: 'PaymentDeclined', message });
  });

  it('when the amount is too small for the currency in which the account settles', async () => {
    const payment = newPayment({ amount: 40, currency: 'BBD' });
    const message =
      'The payment service does not accept a payment of 0.40 BBD: it is too little, so order more.';
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ name: 'PaymentDeclined', message });
  });

  it('when Stripe cannot represent the amount', async () => {
    const payment = newPayment({ amount: 5_124, currency: 'KWD' });
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ name: 'PaymentDeclined' });
    expect(fake.requests).toEqual([]);
  });

  it('only once Stripe has decided', async () => {
    const payment = newPayment({ paymentMethod: 'pm_processing' });
    for (const work of [() => stripe.authorize(payment), () => stripe.find(payment)])
      expect(await errorOf(work())).toMatchObject({ name: 'Error' });
    onlyIntent().status = 'requires_capture';
    expect(await stripe.authorize(payment)).toMatchObject({ status: 'authorized' });
  });
});

describe('the customer confirms a payment', () => {
  const asking = { paymentMethod: 'pm_card_threeDSecure2Required', isOnSession: true };

  it("in the shop's page, with Stripe's SDK", async () => {
    const { action } = await stripe.authorize(newPayment(asking));
    expect(action).toEqual({ type: 'use_sdk', clientSecret: onlyIntent().client_secret });
  });

  it("in the bank's page, which returns to the shop with the order, and the intent is for cards only", async () => {
    const returnUrl = 'https://shop.example/paid?lang=en';
    const payments = createStripePaymentRepository(db.connection);
    const returning = createStripeProvider({ stripe: fake.client, payments, returnUrl });
    const payment = newPayment(asking);
    const { action } = await returning.authorize(payment);
    const { client_secret: clientSecret, next_action } = onlyIntent();
    const redirectUrl = `https://hooks.stripe.com/3d_secure_2/hosted?payment_intent=${onlyIntent().id}`;
    expect(action).toEqual({ type: 'redirect', clientSecret, redirectUrl });
    const return_url = `${returnUrl}&orderId=${payment.orderId}`;
    expect(next_action).toMatchObject({ redirect_to_url: { return_url } });
  });
});

it('converts amounts between ISO 4217 and Stripe', async () => {
  const payment = await captured({ amount: 5_000, currency: 'ISK' });
  expect(onlyIntent()).toMatchObject({ amount: 500_000, currency: 'isk' });
  expect(await stripe.refund('r', payment, 70)).toMatchObject({
    amount: 5_000,
    currency: 'ISK',
    authorized: 5_000,
    captured: 5_000,
    refunds: [{ key: 'r', amount: 70, status: 'succeeded' }],
  });
  expect(fake.refunds).toMatchObject([{ amount: 7_000 }]);
});

describe('Stripe rejects', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['the capture of a payment that was never authorised', () => stripe.capture('c', newPayment(), WHOLE)],
    ['the refund of a payment that was never authorised', () => stripe.refund('r', newPayment(), 1)],
    ['a second capture with another key', async () => stripe.capture('c2', await captured(), WHOLE)],
    [
      'the capture of a payment that another program has captured',
      async () => {
        const payment = await authorized();
        await fake.client.paymentIntents.capture(payment.reference!);
        await stripe.capture('c', payment, WHOLE);
      },
    ],
    [
      'the capture of an expired authorisation',
      async () => stripe.capture('c', await authorized({ paymentMethod: 'pm_lapses' }), WHOLE),
    ],
    [
      'a capture that the bank declines',
      async () => stripe.capture('c', await authorized({ paymentMethod: 'pm_capture_fails' }), WHOLE),
    ],
    ['the void of a captured payment', async () => stripe.void('v', await captured())],
    ['the refund of an uncaptured payment', async () => stripe.refund('r', await authorized(), 1)],
    ['a refund of more than was captured', async () => stripe.refund('r', await captured(), 10_001)],
    [
      'the refund of a disputed payment',
      async () => {
        const payment = await captured();
        fake.elsewhere.dispute(payment.reference!);
        await stripe.refund('r', payment, 1);
      },
    ],
    [
      'a capture that Stripe cannot make exactly',
      async () =>
        stripe.capture('c', await authorized({ amount: 5_120, currency: 'KWD' }), {
          amount: 5,
          isFinal: true,
        }),
    ],
    [
      'a refund of more than Stripe can count',
      async () => stripe.refund('r', await captured({ currency: 'ISK' }), Number.MAX_SAFE_INTEGER),
    ],
    [
      'a refund that Stripe cannot make exactly',
      async () => stripe.refund('r', await captured({ amount: 5_120, currency: 'KWD' }), 5),
    ],
  ])('%s', async (_what, work) => {
    expect(await errorOf(work())).toMatchObject(refused);
  });

  it('a refund of more than is left, also when another program refunds concurrently', async () => {
    const payment = await captured();
    fake.on('POST /v1/refunds', () =>
      fake.client.refunds.create({ payment_intent: payment.reference!, amount: 9_999 }),
    );
    expect(await errorOf(stripe.refund('r', payment, 2))).toMatchObject(refused);
    expect(refundedOf(await stripe.refund('r2', payment, 1))).toBe(10_000);
  });

  it.each([{ amount: 9_999 }, { currency: 'USD' }, { orderId: 'ord_x' }, { paymentMethod: 'pm_card_amex' }])(
    'a key that was used before, for an authorisation with %j, now and a day later',
    async (changes) => {
      const payment = await authorized();
      const other = { ...payment, ...changes };
      expect(await errorOf(stripe.authorize(other))).toMatchObject(keyReused);
      fake.forgetKeys();
      expect(await errorOf(stripe.authorize(other))).toMatchObject(keyReused);
    },
  );

  it('a key that was used with other parameters by a process that died before it recorded them', async () => {
    const payment = newPayment();
    fake.break('/v1/payment_intents', 'after', 2);
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ type: 'StripeConnectionError' });
    expect(await errorOf(stripe.authorize({ ...payment, amount: 1_000 }))).toMatchObject(keyReused);
  });

  it('the key of a refund for another amount or payment', async () => {
    const payment = await captured();
    await stripe.refund('r', payment, 10);
    expect(await errorOf(stripe.refund('r', payment, 11))).toMatchObject(keyReused);
    expect(await errorOf(stripe.refund('r', await captured(), 10))).toMatchObject(keyReused);
    fake.forgetKeys();
    expect(await errorOf(stripe.refund('r', payment, 11))).toMatchObject(keyReused);
    expect(fake.refunds).toHaveLength(1);
  });
});

it.each(['failed', 'canceled'])(
  'does not count a refund that is %s later, and does not repeat it',
  async (status) => {
    const payment = await captured({ paymentMethod: 'pm_refund_pending' });
    expect(refundedOf(await stripe.refund('r', payment, 10_000))).toBe(10_000);
    fake.refunds[0]!.status = status;
    expect(await stripe.find(payment)).toMatchObject({ refunds: [{ key: 'r', status: 'failed' }] });
    expect(await errorOf(stripe.refund('r', payment, 10_000))).toMatchObject(refused);
    expect(refundedOf(await stripe.refund('again', payment, 10_000))).toBe(10_000);
  },
);

it('knows nothing of a payment of which the bank has not been asked', async () => {
  const payment = newPayment();
  fake.break('/confirm', 'failure');
  await errorOf(stripe.authorize(payment));
  expect(onlyIntent().status).toBe('requires_confirmation');
  expect(await stripe.find(payment)).toBeNull();
});

it('throws errors of our account or our program unchanged', async () => {
  const ourFault = { type: 'StripeInvalidRequestError' };
  const payment = { ...newPayment(), reference: 'pi_of_another_account' };
  expect(await errorOf(stripe.void('v', payment))).toMatchObject(ourFault);
  expect(await errorOf(stripe.refund('r', payment, 1))).toMatchObject(ourFault);
  const unusable = newPayment({ paymentMethod: 'pm_misconfigured' });
  expect(await errorOf(stripe.authorize(unusable))).toMatchObject(ourFault);
});

it('does not know a payment of another account', async () => {
  expect(await stripe.find({ ...newPayment(), reference: 'pi_of_another_account' })).toBeNull();
});

it('leaves retries to the workflow', async () => {
  fake.break('GET /v1/payment_intents/:id', 'failure');
  await errorOf(stripe.find({ ...newPayment(), reference: 'pi_1' }));
  expect(fake.requests).toHaveLength(1);
});
