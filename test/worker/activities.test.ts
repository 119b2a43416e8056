import { trace } from '@opentelemetry/api';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { createCartModel } from '../../src/carts/carts.model';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createMetrics } from '../../src/telemetry/metrics';
import { createWorkerMetrics } from '../../src/telemetry/worker-metrics';
import { inSpan } from '../../src/tracing/spans';
import type { UpkeepDocument } from '../../src/upkeep/upkeep.model';
import { createUpkeepRepository } from '../../src/upkeep/upkeep.repository';
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

it('keeps when regular work has ended last, and not when it has failed', async () => {
  const upkeep = db.connection.collection<UpkeepDocument>('upkeep');
  const { sweepCarts } = createActivities('orders', testWorkerConfig(), { connection: db.connection });
  const run = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(sweepCarts!);
  const failing = jest.spyOn(createCartModel(db.connection), 'find').mockImplementationOnce(() => {
    throw new Error('MongoDB is away');
  });
  await expect(run()).rejects.toThrow('MongoDB is away');
  failing.mockRestore();
  expect(await upkeep.countDocuments()).toBe(0);
  const before = new Date();
  await run();
  const ended = (await upkeep.findOne({ _id: 'carts' }))!.endedAt!;
  expect(ended.getTime()).toBeGreaterThanOrEqual(before.getTime());
  // What was done is not forgotten when it is set up again.
  await createUpkeepRepository(db.connection).expectAll();
  expect((await upkeep.find().sort({ _id: 1 }).toArray()).map(({ _id, endedAt }) => [_id, endedAt])).toEqual([
    ['audit', null],
    ['carts', ended],
    ['janitor', null],
    ['reconciliation', null],
    ['retention', null],
  ]);
});

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
