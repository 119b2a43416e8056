import type { Connection } from 'mongoose';
import { createOrderActivities } from '../../activities/orders.activities';
import { createPaymentActivities } from '../../activities/payments.activities';
import { createPricingActivities } from '../../activities/pricing.activities';
import type { WorkerConfig } from '../config';
import type { Queue } from '../config/worker';
import { createTransact } from '../mongodb/transaction';
import { createOrderRepository } from '../orders/orders.repository';
import type { PaymentProvider } from '../payments/payment-provider';
import { createSandboxProvider } from '../payments/sandbox/provider';
import { createSandboxRepository } from '../payments/sandbox/repository';
import { createStripeClient, createStripeProvider } from '../payments/stripe/provider';
import { createStripePaymentRepository } from '../payments/stripe/repository';
import { createProductServiceRepository } from '../product-service/product-service.repository';
import { createStockQueue } from '../product-service/stock-queue';
import { createStockRepository } from '../product-service/stock.repository';

export type Activities = ReturnType<typeof createOrderQueueActivities> &
  ReturnType<typeof createPaymentQueueActivities>;

/** The activities of one queue; only those of the payments queue need the secrets of the payment service. */
export function createActivities(
  queue: Queue,
  config: WorkerConfig,
  connection: Connection,
): Partial<Activities> {
  return queue === 'orders'
    ? createOrderQueueActivities(connection)
    : createPaymentQueueActivities(config, connection);
}

/** These use nothing but our own database. */
export function createOrderQueueActivities(connection: Connection) {
  const products = createProductServiceRepository(connection);
  return {
    ...createPricingActivities({ products }),
    ...createOrderActivities({
      orders: createOrderRepository(connection),
      stock: createStockRepository(connection),
      stockQueue: createStockQueue(),
      transact: createTransact(connection),
    }),
  };
}

export function createPaymentQueueActivities(config: WorkerConfig, connection: Connection) {
  return createPaymentActivities({ provider: createPaymentProvider(config, connection) });
}

export function createPaymentProvider({ payments }: WorkerConfig, connection: Connection): PaymentProvider {
  if (payments.provider === 'sandbox') {
    return createSandboxProvider({ repository: createSandboxRepository(connection) });
  }
  return createStripeProvider({
    stripe: createStripeClient(payments.stripe!.secretKey!),
    payments: createStripePaymentRepository(connection),
  });
}
