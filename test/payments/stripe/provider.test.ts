import { newPayment, errorOf, newKey, refundedOf } from '../fixtures';
import type { PaymentRef } from '../../../src/domain/payment';
import type { PaymentProvider } from '../../../src/payments/payment-provider';
import { createStripeProvider } from '../../../src/payments/stripe/provider';
import { createStripePaymentRepository } from '../../../src/payments/stripe/repository';
import { type TestDatabase, openTestDatabase } from '../../support/database';
import { startFakeStripe, type Fault, type FakeStripe } from './fake-stripe';

let db: TestDatabase;
let fake: FakeStripe;
let stripe: PaymentProvider;
beforeAll(async () => void (db = await openTestDatabase()));
beforeEach(async () => {
  fake = await startFakeStripe();
  const payments = createStripePaymentRepository(db.connection);
  stripe = createStripeProvider({ stripe: fake.client, payments });
});
afterEach(() => fake.close());
afterAll(() => db.drop());

async function authorized(changes: Partial<PaymentRef> = {}): Promise<PaymentRef> {
  const payment = newPayment(changes);
  const { reference } = await stripe.authorize(payment);
  return { ...payment, reference };
}

async function captured(changes: Partial<PaymentRef> = {}): Promise<PaymentRef> {
  const payment = await authorized(changes);
  await stripe.capture(`${payment.key}-capture`, payment);
  return payment;
}

const onlyIntent = () => {
  expect(fake.intents.size).toBe(1);
  return [...fake.intents.values()][0]!;
};
const routesAsked = () => fake.requests.map(({ route }) => route.replace('/v1/payment_intents', ''));
const refused = { name: 'PaymentRefused' };
const keyReused = { name: 'PaymentKeyReused' };

describe('a payment', () => {
  it('is authorised by an intent that is confirmed once its id is known, and captured', async () => {
    const payment = newPayment();
    const { key, orderId, amount, currency } = payment;
    const answer = await stripe.authorize(payment);
    expect(answer).toEqual({
      key,
      reference: onlyIntent().id,
      status: 'authorized',
      amount,
      currency,
      authorized: amount,
      captured: 0,
      refunds: [],
    });
    expect(onlyIntent()).toMatchObject({ amount, currency: 'eur', metadata: { key, orderId } });
    expect(routesAsked()).toEqual(['POST ', 'POST /:id/confirm']);
    expect(await stripe.capture('c', payment)).toMatchObject({ status: 'captured', captured: amount });
  });

  it('is refunded in parts, each of which is listed, however many', async () => {
    const payment = await captured({ amount: 200 });
    for (let n = 0; n < 120; n++) await stripe.refund(`${payment.key}-${n}`, payment, 1);
    const found = await stripe.find(payment);
    expect(found!.refunds).toHaveLength(120);
    expect(found!.refunds).toContainEqual({ key: `${payment.key}-7`, amount: 1 });
    await expect(stripe.refund(newKey(), payment, 81)).rejects.toMatchObject(refused);
    await stripe.refund(newKey(), payment, 80);
  });

  it('is voided, which says whether there was anything to give back', async () => {
    const payment = await authorized();
    const voided = { status: 'voided', authorized: payment.amount, captured: 0 };
    expect(await stripe.void('v', { ...payment, reference: null })).toMatchObject(voided);
    expect(await stripe.find(payment)).toMatchObject(voided);
    expect(onlyIntent()).toMatchObject({ status: 'canceled', cancellation_reason: 'requested_by_customer' });
  });

  it('that was never heard of is null, and Stripe is not asked', async () => {
    expect(await stripe.find(newPayment())).toBeNull();
    expect(fake.requests).toEqual([]);
  });

  it('is found by its key however old it is', async () => {
    const payment = await captured();
    fake.forgetKeys();
    expect(await stripe.find({ ...payment, reference: null })).toMatchObject({
      status: 'captured',
      reference: payment.reference,
    });
  });
});

describe('a key is closed for good', () => {
  it('when it is voided before it was ever authorised', async () => {
    const payment = newPayment();
    const voided = { key: payment.key, status: 'voided', reference: '', authorized: 0 };
    expect(await stripe.void('v', payment)).toMatchObject(voided);
    expect(await stripe.find(payment)).toMatchObject(voided);
    await expect(stripe.authorize(payment)).rejects.toMatchObject(refused);
    await expect(stripe.capture('c', payment)).rejects.toMatchObject(refused);
    expect(fake.requests).toEqual([]);
  });

  it.each(['/v1/payment_intents', '/confirm'])(
    'when it is voided while the authorisation is at %s',
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

  it('when the authorisation is voided right after it', async () => {
    const payment = await authorized();
    await stripe.void('v', payment);
    await expect(stripe.authorize(payment)).rejects.toMatchObject(refused);
    await expect(stripe.capture('c', payment)).rejects.toMatchObject(refused);
  });
});

describe('every operation happens once', () => {
  const operations: [string, string, (payment: PaymentRef) => Promise<unknown>, () => Promise<PaymentRef>][] =
    [
      ['create', '/v1/payment_intents', (payment) => stripe.authorize(payment), async () => newPayment()],
      ['confirm', '/confirm', (payment) => stripe.authorize(payment), async () => newPayment()],
      ['capture', '/capture', (payment) => stripe.capture(`${payment.key}-c`, payment), authorized],
      ['void', '/cancel', (payment) => stripe.void(`${payment.key}-v`, payment), authorized],
      ['refund', '/refunds', (payment) => stripe.refund(`${payment.key}-r`, payment, 60), captured],
    ];

  const balance = () =>
    [...fake.intents.values()].map(({ status, amount_received }) => ({ status, amount_received }));

  describe.each(operations)('%s', (_name, route, work, prepare) => {
    const isRefund = route === '/refunds';
    const broken = isRefund ? `POST /v1${route}` : route;

    it.each<[string, Fault, number]>([
      ['a lost reply, which the SDK repeats', 'after', 1],
      ['a lost reply', 'after', 2],
      ['a lost request', 'before', 2],
      ['a repeat that is under way elsewhere', 'conflict', 1],
    ])('after %s', async (_what, fault, times) => {
      const payment = await prepare();
      fake.break(broken, fault, times);
      const first = await work(payment).catch((error: Error) => error);
      if (first instanceof Error) expect(first.name).not.toMatch(/^Payment/);
      else expect(times).toBe(1);
      const answer = await work(payment);
      fake.forgetKeys();
      expect(await work(payment)).toEqual(answer);
      expect(balance()).toHaveLength(1);
      expect(fake.refunds).toHaveLength(isRefund ? 1 : 0);
    });

    it('when it is asked for many times at once', async () => {
      const payment = await prepare();
      const answers = await Promise.all(Array.from({ length: 10 }, () => work(payment)));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(fake.intents.size).toBe(1);
      expect(fake.refunds).toHaveLength(isRefund ? 1 : 0);
    });
  });

  it('every request that changes something has an idempotency key of ours, no two the same', async () => {
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
    ['/capture', 'captured', (payment: PaymentRef) => stripe.capture('c', payment)],
    ['/cancel', 'voided', (payment: PaymentRef) => stripe.void('v', payment)],
  ] as const)(
    'a failure that Stripe replays for a day does not keep %s from being done',
    async (route, status, work) => {
      const payment = await authorized();
      fake.break(route, 'failure');
      expect(await errorOf(work(payment))).toMatchObject({ type: 'StripeAPIError' });
      expect(await work(payment)).toMatchObject({ status });
    },
  );

  it('a refund whose failure is replayed is not made under another key: it could be made twice', async () => {
    const payment = await captured();
    fake.break('POST /v1/refunds', 'failure');
    for (let time = 0; time < 2; time++)
      expect(await errorOf(stripe.refund('r', payment, 5))).toMatchObject({ type: 'StripeAPIError' });
    fake.forgetKeys();
    expect(refundedOf(await stripe.refund('r', payment, 5))).toBe(5);
  });

  it('100 refunds of a tenth at once: ten succeed', async () => {
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

describe('a payment is declined', () => {
  const NOT_ACCEPTED = 'The payment service does not accept this payment method. Use another payment method.';
  it.each([
    ['pm_card_chargeDeclined', 'Your card was declined. Use another payment method.'],
    [
      'pm_card_authenticationRequired',
      'Your card was declined. This transaction requires authentication. Use another payment method.',
    ],
    [
      'pm_requires_action',
      'The bank requires the customer to confirm the payment, which is not supported. Use another payment method.',
    ],
    ['pm_blocked', 'It is blocked. Use another payment method.'],
    ['pm_used_before', NOT_ACCEPTED],
    ['pm_missing', NOT_ACCEPTED],
  ])('by %s, for good', async (paymentMethod, message) => {
    const payment = newPayment({ paymentMethod });
    const declined = { name: 'PaymentDeclined', message };
    expect(await errorOf(stripe.authorize(payment))).toMatchObject(declined);
    for (const { status } of fake.intents.values()) expect(status).toBe('canceled');
    fake.forgetKeys();
    expect(await errorOf(stripe.authorize(payment))).toMatchObject(declined);
    const found = { status: 'declined', declineReason: message, authorized: 0 };
    expect(await stripe.find(payment)).toMatchObject(found);
    expect(await stripe.void('v', payment)).toMatchObject(found);
    await expect(stripe.capture('c', payment)).rejects.toMatchObject(refused);
    expect(fake.intents.size).toBe(paymentMethod === 'pm_missing' ? 0 : 1);
  });

  it.each<[string, string]>([
    ['before it has looked why', 'GET /v1/payment_intents/:id'],
    ['before it has closed the intent', '/cancel'],
  ])('also when the process dies %s', async (_when, route) => {
    const payment = newPayment({ paymentMethod: 'pm_card_chargeDeclined' });
    const message = 'Your card was declined. Use another payment method.';
    fake.break(route, 'before', 2);
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ type: 'StripeConnectionError' });
    expect(await stripe.find(payment)).toMatchObject({ status: 'declined', declineReason: message });
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ name: 'PaymentDeclined', message });
    expect(onlyIntent()).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
  });

  it('when Stripe does not take the amount', async () => {
    const payment = newPayment({ amount: 49 });
    const message =
      'The payment service does not accept a payment of 0.49 EUR: change the items or their quantities.';
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ name: 'PaymentDeclined', message });
  });

  it('when Stripe could only take another amount', async () => {
    const payment = newPayment({ amount: 5_124, currency: 'KWD' });
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ name: 'PaymentDeclined' });
    expect(fake.requests).toEqual([]);
  });

  it('not while Stripe has not decided', async () => {
    const payment = newPayment({ paymentMethod: 'pm_processing' });
    for (const work of [() => stripe.authorize(payment), () => stripe.find(payment)])
      expect(await errorOf(work())).toMatchObject({ name: 'Error' });
    onlyIntent().status = 'requires_capture';
    expect(await stripe.authorize(payment)).toMatchObject({ status: 'authorized' });
  });
});

it('amounts are those of ISO 4217 to us and those of Stripe to Stripe', async () => {
  const payment = await captured({ amount: 5_000, currency: 'ISK' });
  expect(onlyIntent()).toMatchObject({ amount: 500_000, currency: 'isk' });
  expect(await stripe.refund('r', payment, 70)).toMatchObject({
    amount: 5_000,
    currency: 'ISK',
    authorized: 5_000,
    captured: 5_000,
    refunds: [{ key: 'r', amount: 70 }],
  });
  expect(fake.refunds).toMatchObject([{ amount: 7_000 }]);
});

describe('is refused', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['to capture what was never authorised', () => stripe.capture('c', newPayment())],
    ['to refund what was never authorised', () => stripe.refund('r', newPayment(), 1)],
    ['to capture again under another key', async () => stripe.capture('c2', await captured())],
    [
      'to capture what somebody else has captured',
      async () => {
        const payment = await authorized();
        await fake.client.paymentIntents.capture(payment.reference!);
        await stripe.capture('c', payment);
      },
    ],
    [
      'to capture what has lapsed',
      async () => stripe.capture('c', await authorized({ paymentMethod: 'pm_lapses' })),
    ],
    [
      'to capture what the bank does not pay after all',
      async () => stripe.capture('c', await authorized({ paymentMethod: 'pm_capture_fails' })),
    ],
    ['to void what is captured', async () => stripe.void('v', await captured())],
    ['to refund what is not captured', async () => stripe.refund('r', await authorized(), 1)],
    ['to refund more than was captured', async () => stripe.refund('r', await captured(), 10_001)],
    [
      'to refund what is disputed',
      async () => stripe.refund('r', await captured({ paymentMethod: 'pm_disputed' }), 1),
    ],
    [
      'to refund what Stripe cannot pay back exactly',
      async () => stripe.refund('r', await captured({ amount: 5_120, currency: 'KWD' }), 5),
    ],
  ])('%s', async (_what, work) => {
    expect(await errorOf(work())).toMatchObject(refused);
  });

  it('more than is left, also when somebody else refunds at the same moment', async () => {
    const payment = await captured();
    fake.on('POST /v1/refunds', () =>
      fake.client.refunds.create({ payment_intent: payment.reference!, amount: 9_999 }),
    );
    expect(await errorOf(stripe.refund('r', payment, 2))).toMatchObject(refused);
    expect(refundedOf(await stripe.refund('r2', payment, 1))).toBe(10_000);
  });

  it.each([{ amount: 9_999 }, { currency: 'USD' }, { orderId: 'ord_x' }, { paymentMethod: 'pm_card_amex' }])(
    'a key that was used with other parameters, %j, now and later',
    async (changes) => {
      const payment = await authorized();
      const other = { ...payment, ...changes };
      expect(await errorOf(stripe.authorize(other))).toMatchObject(keyReused);
      fake.forgetKeys();
      expect(await errorOf(stripe.authorize(other))).toMatchObject(keyReused);
    },
  );

  it('a key that was used with other parameters by a process that died before it could note it', async () => {
    const payment = newPayment();
    fake.break('/v1/payment_intents', 'after', 2);
    expect(await errorOf(stripe.authorize(payment))).toMatchObject({ type: 'StripeConnectionError' });
    expect(await errorOf(stripe.authorize({ ...payment, amount: 1_000 }))).toMatchObject(keyReused);
  });

  it('the key of a refund for another amount or another payment', async () => {
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
  'a refund that is %s later does not count, and is not repeated',
  async (status) => {
    const payment = await captured({ paymentMethod: 'pm_refund_pending' });
    expect(refundedOf(await stripe.refund('r', payment, 10_000))).toBe(10_000);
    fake.refunds[0]!.status = status;
    expect(await stripe.find(payment)).toMatchObject({ refunds: [] });
    expect(await errorOf(stripe.refund('r', payment, 10_000))).toMatchObject(refused);
    expect(refundedOf(await stripe.refund('again', payment, 10_000))).toBe(10_000);
  },
);

it('what is wrong with our account or our program is thrown as it is', async () => {
  const ourFault = { type: 'StripeInvalidRequestError' };
  const payment = { ...newPayment(), reference: 'pi_of_another_account' };
  expect(await errorOf(stripe.find(payment))).toMatchObject(ourFault);
  const unusable = newPayment({ paymentMethod: 'pm_misconfigured' });
  expect(await errorOf(stripe.authorize(unusable))).toMatchObject(ourFault);
});

it('the client leaves repeats to the workflow', async () => {
  fake.break('GET /v1/payment_intents/:id', 'failure');
  await errorOf(stripe.find({ ...newPayment(), reference: 'pi_1' }));
  expect(fake.requests).toHaveLength(1);
});
