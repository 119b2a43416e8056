import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createMetrics } from '../../src/telemetry/metrics';
import { createWorkerMetrics } from '../../src/telemetry/worker-metrics';
import { inSpan } from '../../src/tracing/spans';
import { createActivities, createPaymentProvider } from '../../src/worker/activities';
import { newPayment } from '../payments/fixtures';
import { testWorkerConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { parseExposition } from '../support/exposition';

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

const STRIPE = { PAYMENT_PROVIDER: 'stripe', STRIPE_TEST_MODE: 'true' };
const withSecret = testWorkerConfig({ ...STRIPE, STRIPE_SECRET_KEY: 'sk_test_1' });
const namesOf = (activities: object) => Object.keys(activities).sort();

async function metricsOf() {
  const { meter, text } = await createMetrics();
  const metrics = createWorkerMetrics(meter);
  return { metrics, told: async () => parseExposition(await text()) };
}

it('pays at Stripe with its secret, and not at all without', () => {
  expect(createPaymentProvider(withSecret, db.connection)).toMatchObject({
    name: 'stripe',
    captures: 'once',
  });
  const without = testWorkerConfig({ ...STRIPE, WORKER_QUEUES: 'orders' });
  expect(createPaymentProvider(without, db.connection)).toBeUndefined();
});

it.each(['orders', 'payments', 'events'] as const)(
  'has the same activities for the queue of %s wherever the payment secrets are',
  (queue) => {
    const activities = createActivities(queue, withSecret, { connection: db.connection });
    const sandbox = createActivities(queue, testWorkerConfig(), { connection: db.connection });
    expect(namesOf(activities)).toEqual(namesOf(sandbox));
    expect(namesOf(activities)).not.toEqual([]);
  },
);

it('counts the calls of the payment service by how they ended', async () => {
  const { metrics, told } = await metricsOf();
  const provider = createPaymentProvider(testWorkerConfig(), db.connection, metrics)!;
  const payment = newPayment();
  await provider.authorize(payment);
  await expect(provider.authorize(newPayment({ paymentMethod: 'pm_card_chargeDeclined' }))).rejects.toThrow();
  await expect(provider.refund('r', payment, 1)).rejects.toThrow();
  const counted = (await told()).all('payment_calls_total').filter(({ value }) => value > 0);
  expect(counted.map(({ labels, value }) => [...Object.values(labels), value].join(' ')).sort()).toEqual([
    'authorize declined 1',
    'authorize ok 1',
    'refund declined 1',
  ]);
});

describe('in a trace', () => {
  const exporter = new InMemorySpanExporter();
  const tracing = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  beforeAll(() => tracing.register({ propagator: null }));
  afterAll(async () => {
    await tracing.shutdown();
    trace.disable();
  });

  it('a call of the payment service is a span', async () => {
    const provider: PaymentProvider = createPaymentProvider(testWorkerConfig(), db.connection)!;
    await inSpan('work', {}, () => provider.authorize(newPayment()));
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toContain('payment authorize');
  });
});
