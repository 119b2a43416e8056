import type { OrderFigures } from '../../src/domain/order-figures';
import { REJECTION_CODES } from '../../src/domain/rejection';
import { createMetrics } from '../../src/telemetry/metrics';
import { createWorkerMetrics, type WorkerMetrics } from '../../src/telemetry/worker-metrics';
import { parseExposition, type Exposition } from '../support/exposition';

let metrics: WorkerMetrics;
let told: () => Promise<Exposition>;
beforeEach(async () => {
  const { meter, text } = await createMetrics();
  metrics = createWorkerMetrics(meter);
  told = async () => parseExposition(await text());
});

const NOTHING: OrderFigures = {
  isPlaced: false,
  isConfirmed: false,
  isCancelled: false,
  isCompleted: false,
  rejected: null,
  refunds: 0,
  currency: 'EUR',
  amounts: { placed: 0, captured: 0, refunded: 0 },
  settledAfterMs: null,
  confirmedAfterMs: null,
};

/** Returns all that is above 0, with its labels. */
async function counted(): Promise<Record<string, number>> {
  const { samples } = await told();
  const isTold = (name: string, value: number) => value > 0 && !name.endsWith('_bucket');
  return Object.fromEntries(
    samples
      .filter(({ name, value }) => isTold(name, value))
      .map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
  );
}

it('begins every counter at 0, by each value of its labels that is known before', async () => {
  const { samples, all, value } = await told();
  expect(samples.every((one) => one.value === 0)).toBe(true);
  for (const name of ['placed', 'confirmed', 'cancelled', 'completed', 'refunded'])
    expect([name, value(`orders_${name}_total`)]).toEqual([name, 0]);
  expect(value('stock_conflicts_total')).toBe(0);
  const labelsOf = (name: string, label: string) => [
    ...new Set(all(name).map(({ labels }) => labels[label])),
  ];
  expect(labelsOf('orders_rejected_total', 'reason')).toEqual([...new Set(Object.values(REJECTION_CODES))]);
  expect(all('payment_calls_total')).toHaveLength(7 * 3);
  expect(labelsOf('webhook_deliveries_total', 'outcome')).toEqual(['delivered', 'failed', 'given_up']);
});

it('counts what becomes of orders, and money by currency and kind', async () => {
  metrics.countOrder(NOTHING);
  expect(await counted()).toEqual({});
  metrics.countOrder({
    ...NOTHING,
    isPlaced: true,
    isConfirmed: true,
    amounts: { placed: 5_997, captured: 0, refunded: 0 },
    settledAfterMs: 300,
    confirmedAfterMs: 300,
  });
  metrics.countOrder({
    ...NOTHING,
    isPlaced: true,
    currency: 'JPY',
    amounts: { placed: 700, captured: 0, refunded: 0 },
    settledAfterMs: 90_000, // its customer was asked to act
  });
  metrics.countOrder({
    ...NOTHING,
    isCompleted: true,
    refunds: 2,
    amounts: { placed: 0, captured: 5_997, refunded: 1_234 },
  });
  metrics.countOrder({ ...NOTHING, isCancelled: true, currency: 'JPY' });
  metrics.countOrder({ ...NOTHING, rejected: 'out_of_stock', currency: null });
  metrics.countOrder({ ...NOTHING, rejected: 'payment_declined' });
  metrics.countOrder({ ...NOTHING, rejected: 'payment_declined' });
  expect(await counted()).toEqual({
    orders_placed_total: 2,
    orders_confirmed_total: 1,
    orders_cancelled_total: 1,
    orders_completed_total: 1,
    orders_refunded_total: 2,
    'orders_rejected_total out_of_stock': 1,
    'orders_rejected_total payment_declined': 2,
    'orders_amount_minor_total EUR placed': 5_997,
    'orders_amount_minor_total JPY placed': 700,
    'orders_amount_minor_total EUR captured': 5_997,
    'orders_amount_minor_total EUR refunded': 1_234,
    orders_placing_duration_seconds_count: 1,
    orders_placing_duration_seconds_sum: 0.3,
    orders_settling_duration_seconds_count: 2,
    orders_settling_duration_seconds_sum: 90.3,
  });
});

it('has buckets at what is promised: confirmed within 0.5 s, settled within 60 s, first delivered within 30 s', async () => {
  for (const ms of [500, 501])
    metrics.countOrder({ ...NOTHING, isConfirmed: true, settledAfterMs: ms * 120, confirmedAfterMs: ms });
  for (const firstAfterMs of [30_000, 30_001, null])
    metrics.countDelivery({ status: 'succeeded', firstAfterMs });
  const { value } = await told();
  const within = (name: string, le: string) => [value(`${name}_bucket`, { le }), value(`${name}_count`)];
  expect(within('orders_placing_duration_seconds', '0.5')).toEqual([1, 2]);
  expect(within('orders_settling_duration_seconds', '60')).toEqual([1, 2]);
  expect(within('webhook_first_attempt_delay_seconds', '30')).toEqual([1, 2]); // a repeat is no first attempt
});

it('counts calls to the payment service, deliveries and conflicts about stock', async () => {
  metrics.countPaymentCall('authorize', 'ok', 250);
  metrics.countPaymentCall('authorize', 'declined', 250);
  metrics.countPaymentCall('refund', 'failed', 15_000);
  metrics.countDelivery({ status: 'pending', firstAfterMs: 2_000 });
  metrics.countDelivery({ status: 'pending', firstAfterMs: null });
  metrics.countDelivery({ status: 'failed', firstAfterMs: null });
  metrics.countDelivery({ status: 'succeeded', firstAfterMs: null });
  metrics.countStockConflict();
  expect(await counted()).toEqual({
    'payment_calls_total authorize ok': 1,
    'payment_calls_total authorize declined': 1,
    'payment_calls_total refund failed': 1,
    'payment_call_duration_seconds_count authorize': 2,
    'payment_call_duration_seconds_sum authorize': 0.5,
    'payment_call_duration_seconds_count refund': 1,
    'payment_call_duration_seconds_sum refund': 15,
    'webhook_deliveries_total failed': 2, // another one follows
    'webhook_deliveries_total given_up': 1,
    'webhook_deliveries_total delivered': 1,
    webhook_first_attempt_delay_seconds_count: 1,
    webhook_first_attempt_delay_seconds_sum: 2,
    stock_conflicts_total: 1,
  });
});
