import type { Connection } from 'mongoose';
import { createCommandActivities } from '../../activities/command.activities';
import { createErasureActivities } from '../../activities/erasure.activities';
import { createOrderChanges } from '../../activities/order-changes';
import { createOrderEraser, type OrderEraser } from '../../activities/order-eraser';
import { createOrderWriter, type OrderWriter } from '../../activities/order-writer';
import { createPaymentActivities } from '../../activities/payments.activities';
import { createPlacingActivities } from '../../activities/placing.activities';
import { createAuditRepository } from '../audit/audit.repository';
import { createAuditRecorder } from '../audit/recorder';
import type { WorkerConfig } from '../config';
import type { Queue } from '../config/worker';
import type { PaymentPolicy } from '../domain/paying';
import { createTransact } from '../mongodb/transaction';
import type { UnpaidLimits } from '../domain/unpaid';
import { allOrdersOf } from '../orders/order-pages';
import { ownerOf } from '../orders/order-request';
import { createOrderRepository } from '../orders/orders.repository';
import { createUnpaidOrdersRepository } from '../orders/unpaid-orders.repository';
import { createPaymentActionRepository } from '../payments/actions.repository';
import { keepingActions } from '../payments/keeping-actions';
import {
  createPersonalDataRepository,
  type PersonalDataRepository,
} from '../personal-data/personal-data.repository';
import { createDeclineRepository } from '../payments/declines/declines.repository';
import type { FollowedDeclines } from '../payments/declines/follow-declines';
import { createPaymentDeclines, type PaymentDeclines } from '../payments/declines/payment-declines';
import type { PaymentProvider } from '../payments/payment-provider';
import { createSandboxProvider } from '../payments/sandbox/provider';
import { createSandboxRepository } from '../payments/sandbox/repository';
import { createStripeClient, createStripeProvider } from '../payments/stripe/provider';
import { createStripePaymentRepository } from '../payments/stripe/repository';
import { createProductServiceRepository } from '../product-service/product-service.repository';
import { createStockQueue } from '../product-service/stock-queue';
import { createStockRepository } from '../product-service/stock.repository';
import { createDataKeyRepository } from '../temporal/data-keys/repository';
import { createAccounts } from '../users/accounts';
import { createUsersRepository } from '../users/users.repository';

export type Activities = ReturnType<typeof createOrderQueueActivities> &
  ReturnType<typeof createPaymentActivities>;

/**
 * The activities of one queue. Orders leave payments to the queue for them without the secrets of the payment service,
 * or where inline payments are off: also those orders that were placed when they were on.
 */
export function createActivities(
  queue: Queue,
  config: WorkerConfig,
  connection: Connection,
  declines: Pick<FollowedDeclines, 'msAtLimit'> = { msAtLimit: () => 0 },
): Partial<Activities> {
  if (queue === 'payments') {
    return createPaymentActivities({ provider: createPaymentProvider(config, connection)! });
  }
  const { inline, policy, maxDeclines, maxUnpaid } = config.payments;
  return createOrderQueueActivities(
    connection,
    { ...policy, maxUnpaid },
    inline ? createPaymentProvider(config, connection) : undefined,
    createPaymentDeclines(createDeclineRepository(connection), declines, maxDeclines),
  );
}

export function createOrderQueueActivities(
  connection: Connection,
  { maxUnpaid, ...policy }: PaymentPolicy & { maxUnpaid: UnpaidLimits },
  provider: PaymentProvider | undefined,
  declines: PaymentDeclines,
) {
  const orders = createOrderRepository(connection);
  const writer = createWriter(connection, maxUnpaid);
  const changes = createOrderChanges({ writer, policy, declines, provider });
  const deps = { orders, writer, changes, products: createProductServiceRepository(connection) };
  const { eraseTraces, eraseRest } = personalDataOf(connection);
  return {
    ...createPlacingActivities(deps),
    ...createCommandActivities(deps),
    ...createErasureActivities({
      ordersOf: (customerId) => allOrdersOf(orders, customerId),
      eraseOrder: createOrderEraser({ writer, eraseTraces }),
      accounts: createAccounts(createUsersRepository(connection)),
      eraseRest,
      destroyDataKey: (customerId) => createDataKeyRepository(connection).destroy(ownerOf(customerId)),
    }),
  };
}

function createWriter(connection: Connection, maxUnpaid: UnpaidLimits): OrderWriter {
  return createOrderWriter({
    orders: createOrderRepository(connection),
    stock: createStockRepository(connection),
    stockQueue: createStockQueue(),
    transact: createTransact(connection),
    recordAudit: createAuditRecorder(connection),
    unpaid: createUnpaidOrdersRepository(connection),
    maxUnpaid,
  });
}

function personalDataOf(connection: Connection): PersonalDataRepository {
  return createPersonalDataRepository(
    connection,
    createAuditRepository(connection, createTransact(connection)),
  );
}

/** Returns what erases an order apart from the data of its customer. */
export function createEraser(connection: Connection, { payments }: WorkerConfig): OrderEraser {
  const writer = createWriter(connection, payments.maxUnpaid);
  return createOrderEraser({ writer, eraseTraces: personalDataOf(connection).eraseTraces });
}

/** Returns undefined if this process has not been given the secrets of the payment service. */
export function createPaymentProvider(
  config: WorkerConfig,
  connection: Connection,
): PaymentProvider | undefined {
  const provider = createConfiguredProvider(config, connection);
  return provider && keepingActions(provider, createPaymentActionRepository(connection));
}

function createConfiguredProvider(
  { payments }: WorkerConfig,
  connection: Connection,
): PaymentProvider | undefined {
  if (payments.provider === 'sandbox') {
    return createSandboxProvider({
      repository: createSandboxRepository(connection),
      url: payments.sandboxUrl,
    });
  }
  const { secretKey, multicapture, returnUrl } = payments.stripe!;
  if (!secretKey) return undefined;
  return createStripeProvider({
    stripe: createStripeClient(secretKey),
    payments: createStripePaymentRepository(connection),
    multicapture,
    returnUrl,
  });
}
