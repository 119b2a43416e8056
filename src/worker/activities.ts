import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { createAuditActivities, type AuditActivities } from '../../activities/audit.activities';
import { createCartActivities, type CartActivities } from '../../activities/carts.activities';
import { createCommandActivities } from '../../activities/command.activities';
import { createErasureActivities } from '../../activities/erasure.activities';
import { createJanitorActivities, type JanitorActivities } from '../../activities/janitor.activities';
import { createOrderChanges } from '../../activities/order-changes';
import { createOrderEraser } from '../../activities/order-eraser';
import { createOrderWriter, type OrderWriter } from '../../activities/order-writer';
import {
  createOrdersAuditActivities,
  type OrdersAuditActivities,
} from '../../activities/orders-audit.activities';
import { createAuditRepairs } from '../../activities/orders-audit.repairs';
import { createPaymentActivities } from '../../activities/payments.activities';
import {
  createReconciliationActivities,
  type ReconciliationActivities,
} from '../../activities/reconciliation.activities';
import { createPlacingActivities } from '../../activities/placing.activities';
import { createRelayActivities, type RelayActivities } from '../../activities/relay.activities';
import { createRetentionActivities, type RetentionActivities } from '../../activities/retention.activities';
import { createWebhookActivities, type WebhookActivities } from '../../activities/webhooks.activities';
import { createAuditRepository } from '../audit/audit.repository';
import { createAuditRecorder } from '../audit/recorder';
import { createCartRepository, type CartRepository } from '../carts/carts.repository';
import type { WorkerConfig } from '../config';
import type { Queue } from '../config/worker';
import type { PaymentPolicy } from '../domain/paying';
import { createEventPresenter } from '../events/events.presenter';
import { createEventRepository, createRelayRepository } from '../events/events.repository';
import type { Draft } from '../events/event-source';
import { createRelay } from '../events/relay';
import { eventSources } from '../events/sources';
import { createTransact } from '../mongodb/transaction';
import { figuresOf } from '../domain/order-figures';
import type { UnpaidLimits } from '../domain/unpaid';
import { allOrdersOf } from '../orders/order-pages';
import { ownerOf } from '../orders/order-request';
import { createOrderPresenter, orderLinksOf } from '../orders/orders.presenter';
import { createOrderRepository } from '../orders/orders.repository';
import { createOrderWorkflows } from '../orders/temporal/order-workflows';
import { startOptionsOf } from '../orders/temporal/start-options';
import { createAuditFindingRepository } from '../orders-audit/findings.repository';
import { createAuditRecords } from '../orders-audit/records.repository';
import { createRepairRepository } from '../orders-audit/repairs.repository';
import { createSeenWorkflows } from '../orders-audit/seen-workflows';
import { createStockUnits } from '../orders-audit/stock-units.repository';
import { createUnpaidOrdersRepository } from '../orders/unpaid-orders.repository';
import { createPaymentActionRepository } from '../payments/actions.repository';
import { keepingActions } from '../payments/keeping-actions';
import { createEndedErasures } from '../personal-data/erasures';
import {
  createPersonalDataRepository,
  type PersonalDataRepository,
} from '../personal-data/personal-data.repository';
import { createDeclineRepository } from '../payments/declines/declines.repository';
import type { FollowedDeclines } from '../payments/declines/follow-declines';
import { createPaymentDeclines, type PaymentDeclines } from '../payments/declines/payment-declines';
import { createFindingRepository } from '../payments/findings/findings.repository';
import { measuredProvider } from '../payments/measured-provider';
import type { PaymentProvider } from '../payments/payment-provider';
import { createSandboxProvider } from '../payments/sandbox/provider';
import { createSandboxRepository } from '../payments/sandbox/repository';
import { createStripeClient, createStripeProvider } from '../payments/stripe/provider';
import { createStripePaymentRepository } from '../payments/stripe/repository';
import { tracedProvider } from '../payments/traced-provider';
import { createProductServiceRepository } from '../product-service/product-service.repository';
import { createStockQueue } from '../product-service/stock-queue';
import { createStockRepository } from '../product-service/stock.repository';
import type { WorkerMetrics } from '../telemetry/worker-metrics';
import type { TemporalClient } from '../temporal/client';
import { isTracing } from '../tracing/spans';
import { createSecretBox } from '../common/secret-box';
import { createInTurn } from './in-turn';
import { createDataKeyRepository } from '../temporal/data-keys/repository';
import { createAccounts } from '../users/accounts';
import { createGuestRepository } from '../users/guests.repository';
import { createUsersRepository } from '../users/users.repository';
import type { Upkeep } from '../upkeep/upkeep.model';
import { createUpkeepRepository, type UpkeepRepository } from '../upkeep/upkeep.repository';
import { createAddressFilter } from '../webhooks/addresses';
import { createAttempt } from '../webhooks/attempt';
import { createDeliveryRepository } from '../webhooks/deliveries.repository';
import { createDispatch } from '../webhooks/dispatch';
import { createEndpointRepository } from '../webhooks/endpoints.repository';
import { createFairShare } from '../webhooks/fair-share';
import { createPost } from '../webhooks/post';
import { SECRETS_PURPOSE } from '../webhooks/signing';
import { createDeliveryStarts } from '../webhooks/starts';

export type Activities = ReturnType<typeof createOrderQueueActivities> &
  ReturnType<typeof createPaymentActivities> &
  AuditActivities &
  CartActivities &
  RetentionActivities &
  JanitorActivities &
  OrdersAuditActivities &
  ReconciliationActivities;

/** Those of one queue. */
export type QueueActivities = Partial<Activities & RelayActivities & WebhookActivities>;

export interface ActivityDeps {
  connection: Connection;
  /** For what is done regularly, and webhooks. */
  temporal?: TemporalClient;
  /** By default, nothing is logged but by the SDK. */
  logger?: Pick<Logger, 'warn'>;
  /** By default, none are known. */
  declines?: Pick<FollowedDeclines, 'msAtLimit'>;
  /** Aborts when the worker stops. */
  stopping?: AbortSignal;
  /** By default, nothing is measured. */
  metrics?: WorkerMetrics;
}

/**
 * The activities of one queue. Orders leave payments to the queue for them without the secrets of the payment service,
 * or where inline payments are off: also those orders that were placed when they were on.
 */
export function createActivities(queue: Queue, config: WorkerConfig, deps: ActivityDeps): QueueActivities {
  return tellingEnds(activitiesOf(queue, config, deps), createUpkeepRepository(deps.connection));
}

/** The activities with which runs of regular work end. */
const LAST: Partial<Record<keyof QueueActivities, Upkeep>> = {
  countFindings: 'reconciliation',
  countAuditFindings: 'audit',
  eraseOldOrders: 'retention',
  sweepCarts: 'carts',
  finishStuckOrders: 'janitor',
};

/** Has it known when regular work has ended. */
function tellingEnds(
  activities: QueueActivities,
  { ended }: Pick<UpkeepRepository, 'ended'>,
): QueueActivities {
  const telling = Object.entries(LAST).flatMap(([name, work]) => {
    const activity = activities[name as keyof QueueActivities] as
      ((...args: unknown[]) => unknown) | undefined;
    if (!activity) return [];
    const told = async (...args: unknown[]) => {
      const result = await activity(...args);
      await ended(work);
      return result;
    };
    return [[name, told]];
  });
  return { ...activities, ...(Object.fromEntries(telling) as QueueActivities) };
}

function activitiesOf(
  queue: Queue,
  config: WorkerConfig,
  {
    connection,
    temporal,
    logger,
    declines = { msAtLimit: () => 0 },
    stopping = NEVER,
    metrics,
  }: ActivityDeps,
): QueueActivities {
  if (queue === 'events') {
    return {
      ...createRelayActivities({ relay: createEventRelay(config, connection, metrics), stopping }),
      ...(temporal && createWebhooks(config, { connection, temporal, logger, stopping, metrics })),
    };
  }
  if (queue === 'payments') {
    const provider = createPaymentProvider(config, connection, metrics)!;
    return {
      ...createPaymentActivities({ provider }),
      ...(temporal && createReconciliation(config, { connection, temporal, provider })),
    };
  }
  const { inline, policy, maxDeclines, maxUnpaid } = config.payments;
  const provider = inline ? createPaymentProvider(config, connection, metrics) : undefined;
  const paymentDeclines = createPaymentDeclines(createDeclineRepository(connection), declines, maxDeclines);
  return {
    ...createOrderQueueActivities(connection, { ...policy, maxUnpaid }, provider, paymentDeclines, metrics),
    ...createCartSweep(config, connection),
    ...(temporal && createUpkeep(config, connection, temporal)),
    ...(temporal && createJanitor(config, connection, temporal)),
    ...(temporal && createOrdersAudit(config, { connection, temporal })),
  };
}

export function createCartSweep({ carts: { abandonedAfterMs } }: WorkerConfig, connection: Connection) {
  return createCartActivities({ carts: createCarts(connection), abandonedAfterMs });
}

const NEVER = new AbortController().signal;

/** How long a transaction of the relay is repeated: nobody waits for it. */
const RELAY_MS = 10_000;

function createEventRelay(
  { events: { retentionMs } }: WorkerConfig,
  connection: Connection,
  metrics?: WorkerMetrics,
) {
  const feed = createEventRepository(connection);
  const transact = createTransact(connection, RELAY_MS);
  const repository = createRelayRepository({ connection, transact, retentionMs });
  const createSources = () => eventSources(connection, feed, repository);
  return createRelay({
    connection,
    repository,
    createSources,
    retentionMs,
    ...(metrics && { onAppended: countOrders(metrics) }),
  });
}

function countOrders({ countOrder }: WorkerMetrics) {
  return (drafts: readonly Draft[]): void => {
    for (const { order } of drafts) if (order) countOrder(figuresOf(order.before, order.after));
  };
}

/** Returns what delivers events to webhook endpoints. */
function createWebhooks(
  config: WorkerConfig,
  {
    connection,
    temporal,
    logger = SILENT,
    stopping = NEVER,
    metrics,
  }: Omit<ActivityDeps, 'declines'> & { temporal: TemporalClient },
) {
  const {
    temporal: { eventsTaskQueue },
    webhooks,
    payloadKeys,
    env,
  } = config;
  const feed = createEventRepository(connection);
  const endpoints = createEndpointRepository(connection);
  const deliveries = createDeliveryRepository(connection);
  const starts = createDeliveryStarts(temporal, eventsTaskQueue);
  return createWebhookActivities({
    attempt: createAttempt({
      endpoints,
      deliveries,
      feed,
      present: createEventPresenter(createOrderPresenter(orderLinksOf(config))),
      secrets: createSecretBox(payloadKeys, SECRETS_PURPOSE),
      post: createPost({ isAllowed: createAddressFilter(webhooks.allowedNetworks) }),
      isSecure: env === 'production',
      logger,
      onAttempt: metrics?.countDelivery,
    }),
    share: createFairShare(),
    replays: createFairShare({ atATime: REPLAYS_AT_A_TIME, own: REPLAYS_AT_A_TIME, shared: 0 }),
    dispatch: createDispatch({ feed, endpoints, deliveries, starts }),
    stopping,
  });
}

const REPLAYS_AT_A_TIME = 5;

const SILENT = { warn: () => undefined };

export function createJanitor(config: WorkerConfig, connection: Connection, temporal: TemporalClient) {
  const orders = createOrderRepository(connection);
  const workflows = createPatientWorkflows(config, temporal);
  return createJanitorActivities({ orders, workflows, afterMs: config.orders.janitorAfterMs });
}

export function createReconciliation(
  config: WorkerConfig,
  deps: { connection: Connection; temporal: TemporalClient; provider: PaymentProvider; settlingMs?: number },
) {
  const { connection, temporal, provider, settlingMs } = deps;
  return createReconciliationActivities({
    provider,
    orders: createOrderRepository(connection),
    findings: createFindingRepository(connection),
    workflows: createPatientWorkflows(config, temporal),
    inTurn: createInTurn(config.payments.maxPerSecond),
    settlingMs,
  });
}

/** How long after a change of an order other records may differ from it, in milliseconds. */
const SETTLING_MS = 300_000;
/** How long an order that has to be moved may be left as it is, in milliseconds: a day. */
const STUCK_MS = 86_400_000;
/** How long an accepted order may wait to be stored, in milliseconds: an hour, as orders may be pending. */
const STORED_WITHIN_MS = 3_600_000;

export function createOrdersAudit(
  config: WorkerConfig,
  deps: {
    connection: Connection;
    temporal: TemporalClient;
    settlingMs?: number;
    stuckMs?: number;
    storedWithinMs?: number;
    partMs?: number;
  },
) {
  const { connection, temporal, settlingMs = SETTLING_MS, stuckMs = STUCK_MS, partMs } = deps;
  const { storedWithinMs = STORED_WITHIN_MS } = deps;
  const findings = createAuditFindingRepository(connection);
  const orders = createOrderRepository(connection);
  const stock = createStockUnits(connection);
  const transact = createTransact(connection);
  const unpaid = createUnpaidOrdersRepository(connection);
  const records = createAuditRecords(connection);
  const carts = createCarts(connection);
  return createOrdersAuditActivities({
    records,
    stock,
    workflows: createSeenWorkflows(temporal, config.temporal.taskQueue),
    findings,
    paymentFindings: createFindingRepository(connection),
    repairs: createAuditRepairs({
      stock,
      orders,
      workflows: createPatientWorkflows(config, temporal),
      carts,
      records,
      findings,
      repairs: createRepairRepository({ connection, transact, orders, carts, unpaid }),
    }),
    settlingMs,
    stuckMs,
    storedWithinMs,
    partMs,
  });
}

/** How long maintenance waits for what becomes of one order. */
const MAINTENANCE_PATIENCE_MS = 10_000;

function createPatientWorkflows(config: WorkerConfig, temporal: TemporalClient) {
  return createOrderWorkflows(temporal, {
    ...startOptionsOf(config),
    timeoutMs: MAINTENANCE_PATIENCE_MS,
    commandTimeoutMs: MAINTENANCE_PATIENCE_MS,
  });
}

export function createOrderQueueActivities(
  connection: Connection,
  { maxUnpaid, ...policy }: PaymentPolicy & { maxUnpaid: UnpaidLimits },
  provider: PaymentProvider | undefined,
  declines: PaymentDeclines,
  metrics?: WorkerMetrics,
) {
  const orders = createOrderRepository(connection);
  const writer = createWriter(connection, maxUnpaid, metrics);
  const changes = createOrderChanges({ writer, policy, declines, provider });
  const deps = { orders, writer, changes, products: createProductServiceRepository(connection) };
  const { eraseTraces, eraseRest } = personalDataOf(connection);
  const dataKeys = createDataKeyRepository(connection);
  const users = createUsersRepository(connection);
  const guests = createGuestRepository(connection);
  return {
    ...createPlacingActivities(deps),
    ...createCommandActivities(deps),
    ...createErasureActivities({
      ordersOf: (customerId) => allOrdersOf(orders, customerId),
      eraseOrder: createOrderEraser({ writer, eraseTraces }),
      accounts: createAccounts(users),
      guestsOf: guests.takenOverBy,
      async takeOverGuests(userId) {
        const user = await users.findById(userId);
        if (user) await guests.takeOver(user);
      },
      removeCarts: createCarts(connection).removeAllOf,
      eraseRest,
      retireDataKey: (customerId) => dataKeys.retire(ownerOf(customerId)),
      destroyDataKey: (customerId) => dataKeys.destroy(ownerOf(customerId)),
    }),
  };
}

function createCarts(connection: Connection): CartRepository {
  return createCartRepository(connection, {
    stock: createStockRepository(connection),
    stockQueue: createStockQueue(),
  });
}

function createWriter(connection: Connection, maxUnpaid: UnpaidLimits, metrics?: WorkerMetrics): OrderWriter {
  const stock = createStockRepository(connection);
  const stockQueue = createStockQueue();
  return createOrderWriter({
    orders: createOrderRepository(connection),
    stock,
    stockQueue,
    transact: createTransact(connection, undefined, metrics?.countStockConflict),
    recordAudit: createAuditRecorder(connection),
    unpaid: createUnpaidOrdersRepository(connection),
    maxUnpaid,
    carts: createCartRepository(connection, { stock, stockQueue }),
  });
}

function personalDataOf(connection: Connection): PersonalDataRepository {
  return createPersonalDataRepository(
    connection,
    createAuditRepository(connection, createTransact(connection)),
  );
}

/** Returns what is done regularly with what is kept. */
export function createUpkeep(config: WorkerConfig, connection: Connection, temporal: TemporalClient) {
  const { audit, payments, personalData } = config;
  const repository = createAuditRepository(connection, createTransact(connection));
  const orders = createOrderRepository(connection);
  const writer = createWriter(connection, payments.maxUnpaid);
  const { eraseTraces } = personalDataOf(connection);
  return {
    ...createAuditActivities({ audit: repository }),
    ...createRetentionActivities({
      audit: repository,
      orders,
      users: createUsersRepository(connection),
      ordersOf: (customerId) => allOrdersOf(orders, customerId),
      guestsOf: createGuestRepository(connection).takenOverBy,
      erasures: createEndedErasures(temporal, config.temporal.taskQueue),
      eraseOrder: createOrderEraser({ writer, eraseTraces }),
      auditRetentionMs: audit.retentionMs,
      orderRetentionMs: personalData.orderRetentionMs,
    }),
  };
}

/** Returns undefined if this process has not been given the secrets of the payment service. */
export function createPaymentProvider(
  config: WorkerConfig,
  connection: Connection,
  metrics?: WorkerMetrics,
): PaymentProvider | undefined {
  const provider = createConfiguredProvider(config, connection);
  if (!provider) return undefined;
  const traced = isTracing() ? tracedProvider(provider) : provider;
  const measured = metrics ? measuredProvider(traced, metrics.countPaymentCall) : traced;
  return keepingActions(measured, createPaymentActionRepository(connection));
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
