import type Stripe from 'stripe';
import { createStripeClient } from '../../../src/payments/stripe/provider';
import { createStripeRequests, type StripeRequests } from '../../../src/payments/stripe/requests';
import { newPayment } from '../fixtures';
import { findStripeMock, startStripeMock, type StripeMock } from './stripe-mock';

const CAPTURE = { amount: 100, record: { name: 'capture_1', value: '100 key' } };

const PERIOD = { created: { gte: 1_795_384_800, lt: 1_795_471_200 }, starting_after: 'x_1' };

const found = findStripeMock();
if ('reason' in found)
  console.warn(
    `The contract with Stripe is not tested, because stripe-mock is missing: ${found.reason}. Install it or Go.`,
  );

/**
 * stripe-mock checks every request against Stripe's OpenAPI document. It is stateless, so its responses prove
 * little.
 */
('executable' in found ? describe : describe.skip)('the contract with Stripe', () => {
  const { executable } = found as { executable: string };
  let mock: StripeMock;
  let client: Stripe;
  let requests: StripeRequests;
  let withMulticapture: StripeRequests;
  let returning: StripeRequests;
  beforeAll(async () => {
    mock = await startStripeMock(executable);
    client = createStripeClient('sk_test_mock', { host: '127.0.0.1', port: mock.port, protocol: 'http' });
    requests = createStripeRequests(client);
    returning = createStripeRequests(client, { returnUrl: 'https://shop.example/paid?lang=en' });
    withMulticapture = createStripeRequests(client, { multicapture: true });
  });
  afterAll(() => mock.stop());

  it.each<[string, () => Promise<{ object: string }>, string]>([
    ['create', () => requests.create(newPayment(), 10_000), 'payment_intent'],
    ['retrieve', () => requests.retrieve('pi_1'), 'payment_intent'],
    ['confirm without the customer', () => requests.confirm('pi_1', newPayment()), 'payment_intent'],
    [
      'confirm with the customer',
      () => requests.confirm('pi_1', newPayment({ isOnSession: true })),
      'payment_intent',
    ],
    ['create to return to the shop', () => returning.create(newPayment(), 10_000), 'payment_intent'],
    [
      'confirm to return to the shop',
      () => returning.confirm('pi_1', newPayment({ isOnSession: true })),
      'payment_intent',
    ],
    ['create with multicapture', () => withMulticapture.create(newPayment(), 10_000), 'payment_intent'],
    ['capture', () => requests.capture('pi_1', 'key', { ...CAPTURE, isFinal: true }), 'payment_intent'],
    [
      'capture a part',
      () => requests.capture('pi_1', 'key', { ...CAPTURE, isFinal: false }),
      'payment_intent',
    ],
    ['release', () => requests.release('pi_1', 'key'), 'payment_intent'],
    ['cancel', () => requests.cancel('pi_1', 'key', 'requested_by_customer'), 'payment_intent'],
    ['cancel after a decline', () => requests.cancel('pi_1', 'key', 'abandoned'), 'payment_intent'],
    ['refund', () => requests.refund('pi_1', 'key', 100), 'refund'],
    ['list disputes', async () => (await requests.disputes('pi_1'))[0]!, 'dispute'],
    ['list intents', async () => (await requests.listIntents(PERIOD)).data[0]!, 'payment_intent'],
    ['list the refunds of a period', async () => (await requests.listRefunds(PERIOD)).data[0]!, 'refund'],
    ['list the disputes of a period', async () => (await requests.listDisputes(PERIOD)).data[0]!, 'dispute'],
    ['list refunds', async () => (await requests.refunds('pi_1'))[0]!, 'refund'],
  ])('accepts the request: %s', async (_name, work, object) => {
    expect(await work()).toMatchObject({ object });
  });

  it('returns the charge of an intent, which tells whether it was authorised', async () => {
    const { latest_charge: charge } = await requests.retrieve('pi_1');
    expect(charge).toMatchObject({ object: 'charge', status: expect.any(String) as string });
  });

  it('rejects an invalid request', async () => {
    const wrong = { amount: 1, currency: 'eur', capture_methods: 'manual' };
    await expect(client.paymentIntents.create(wrong as never)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
    });
  });
});
