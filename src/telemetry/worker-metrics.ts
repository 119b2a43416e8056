import type { Meter } from '@opentelemetry/api';
import type { OrderFigures } from '../domain/order-figures';
import { REJECTION_CODES } from '../domain/rejection';
import { PAYMENT_CALL_OUTCOMES, PAYMENT_OPERATIONS, type OnPaymentCall } from '../payments/measured-provider';
import type { AttemptReport } from '../webhooks/attempt';

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

const PLACING_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const SETTLING_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 1_800, 3_600];
const CALL_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
const DELAY_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

const DELIVERY_OUTCOMES = { succeeded: 'delivered', pending: 'failed', failed: 'given_up' } as const;

/** Makes the instruments of a worker process. What none of its queues does stays without values. */
export function createWorkerMetrics(meter: Meter) {
  const counter = (name: string, description: string) => meter.createCounter(name, { description });
  const histogram = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { description, advice: { explicitBucketBoundaries } });

  const placed = counter('orders_placed_total', 'Orders whose stock was reserved (event `order.placed`)');
  const confirmed = counter('orders_confirmed_total', 'Orders that were confirmed');
  const rejected = counter('orders_rejected_total', 'Orders that were rejected, by reason');
  const cancelled = counter('orders_cancelled_total', 'Orders that were cancelled as a whole');
  const completed = counter('orders_completed_total', 'Orders that were completed');
  const refunds = counter('orders_refunded_total', 'Refunds that were made; an order can have several');
  const amounts = counter(
    'orders_amount_minor_total',
    'Money by currency, in its minor unit: totals of orders when they were placed, what was captured, and refunded',
  );
  const placing = histogram(
    'orders_placing_duration_seconds',
    'Time from the request for an order until it was confirmed, without those whose customer was asked to act',
    PLACING_SECONDS,
  );
  const settling = histogram(
    'orders_settling_duration_seconds',
    'Time from the request for an order until it was confirmed, rejected or cancelled, or its customer was asked to act',
    SETTLING_SECONDS,
  );
  const calls = counter('payment_calls_total', 'Calls to the payment service');
  const callDuration = histogram(
    'payment_call_duration_seconds',
    'Time that such a call has taken',
    CALL_SECONDS,
  );
  const deliveries = counter(
    'webhook_deliveries_total',
    'Attempts to deliver an event: `delivered`, `failed` if another one follows, or `given_up`',
  );
  const firstDelay = histogram(
    'webhook_first_attempt_delay_seconds',
    'Time from an event until its first delivery was attempted',
    DELAY_SECONDS,
  );
  const conflicts = counter(
    'stock_conflicts_total',
    'Transactions on stock that were repeated, since another one has written the same products',
  );

  // A counter that appears with 1 has not increased for Prometheus.
  for (const one of [placed, confirmed, cancelled, completed, refunds, conflicts]) one.add(0);
  for (const reason of Object.values(REJECTION_CODES)) rejected.add(0, { reason });
  for (const operation of PAYMENT_OPERATIONS)
    for (const outcome of PAYMENT_CALL_OUTCOMES) calls.add(0, { operation, outcome });
  for (const outcome of Object.values(DELIVERY_OUTCOMES)) deliveries.add(0, { outcome });

  return {
    countOrder(figures: OrderFigures): void {
      const { currency, amounts: added, confirmedAfterMs, settledAfterMs } = figures;
      if (figures.isPlaced) placed.add(1);
      if (figures.isConfirmed) confirmed.add(1);
      if (figures.isCancelled) cancelled.add(1);
      if (figures.isCompleted) completed.add(1);
      if (figures.rejected) rejected.add(1, { reason: figures.rejected });
      if (figures.refunds > 0) refunds.add(figures.refunds);
      for (const [kind, amount] of Object.entries(added))
        if (currency && amount > 0) amounts.add(amount, { currency, kind });
      if (confirmedAfterMs !== null) placing.record(confirmedAfterMs / 1_000);
      if (settledAfterMs !== null) settling.record(settledAfterMs / 1_000);
    },

    countPaymentCall: ((operation, outcome, durationMs) => {
      calls.add(1, { operation, outcome });
      callDuration.record(durationMs / 1_000, { operation });
    }) satisfies OnPaymentCall,

    countDelivery({ status, firstAfterMs }: AttemptReport): void {
      deliveries.add(1, { outcome: DELIVERY_OUTCOMES[status] });
      if (firstAfterMs !== null) firstDelay.record(firstAfterMs / 1_000);
    },

    countStockConflict: () => conflicts.add(1),
  };
}
