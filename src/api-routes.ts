import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { createAuditRepository } from './audit/audit.repository';
import { auditRoutes } from './audit/audit.routes';
import { codecRoutes } from './temporal/codec-server/codec.routes';
import type { Route } from './http/route';
import type { Outbox } from './mail/outbox';
import type { Config } from './config';
import type { Health } from './health/health';
import { healthRoutes } from './health/health.routes';
import type { Jwt } from './jwt/jwt';
import type { MongoDb } from './mongodb/mongodb';
import { createTransact } from './mongodb/transaction';
import { createAdmission, type Admission } from './orders/admission';
import { createOrderRepository } from './orders/orders.repository';
import { createOrderService, type OrderService } from './orders/orders.service';
import { createPaymentActionRepository } from './payments/actions.repository';
import { createDeclineLimit, type DeclineLimit } from './payments/declines/decline-limit';
import { createDeclineRepository } from './payments/declines/declines.repository';
import { createPaymentEventRepository } from './payments/stripe/events.repository';
import { paymentRoutes, type PaymentRoutesDeps } from './payments/payments.routes';
import { createStripeWebhookService } from './payments/stripe/webhook';
import { createSandboxRepository } from './payments/sandbox/repository';
import { createStripePaymentRepository } from './payments/stripe/repository';
import type { ReportSecurityEvent } from './security/security-events';
import { createProductServiceRepository } from './product-service/product-service.repository';
import { productServiceRoutes } from './product-service/product-service.routes';
import { createCatalogueService } from './product-service/product-service.service';
import { createStockAdjustmentRepository } from './product-service/stock-adjustments.repository';
import { stockAdjustmentRoutes } from './product-service/stock-adjustments.routes';
import { createStockAdjustmentService } from './product-service/stock-adjustments.service';
import { createStockQueue } from './product-service/stock-queue';
import type { ApiMetrics } from './telemetry/api-metrics';
import type { TemporalClient } from './temporal/client';
import { describeTaskQueue } from './temporal/task-queue';
import type { CustomerKeys } from './temporal/payload-codec';
import { createOrderWorkflows } from './orders/temporal/order-workflows';
import { startOptionsOf } from './orders/temporal/start-options';
import type { RevokedTokens } from './users/sessions/revoked-tokens';
import { feedRoutes, outgoingRoutes } from './api-events';
import { createPasswordChecks, identityRoutes } from './api-identity';
import { privacyRoutes } from './api-privacy';
import { shoppingRoutes } from './api-shopping';

export interface RouteDeps {
  config: Config;
  mongodb: MongoDb;
  temporal: TemporalClient;
  health: Health;
  jwt: Jwt;
  revokedTokens: Pick<RevokedTokens, 'has'>;
  declines: Pick<DeclineLimit, 'requireBelow' | 'track'>;
  admission: Pick<Admission, 'admit'>;
  outbox: Pick<Outbox, 'post'>;
  dataKeys: CustomerKeys;
  report: ReportSecurityEvent;
  /** Without them, nothing is measured. */
  metrics?: Pick<ApiMetrics, 'countAccepted'>;
  logger: Logger;
  /** Aborts when the process is about to stop. */
  draining: AbortSignal;
}

/** Creates every route of the API. */
export function createRoutes({
  config,
  mongodb,
  temporal,
  health,
  jwt,
  revokedTokens,
  declines,
  admission,
  outbox,
  dataKeys,
  report,
  metrics,
  logger,
  draining,
}: RouteDeps): Route[] {
  const { connection } = mongodb;
  const passwordChecks = createPasswordChecks({ config, connection, report });
  const { requireRecentSignIn } = passwordChecks;
  const orders = createOrderService({
    orders: createOrderRepository(connection),
    actions: createPaymentActionRepository(connection),
    workflows: createOrderWorkflows(temporal, {
      ...startOptionsOf(config),
      timeoutMs: config.orders.placeTimeoutMs,
      commandTimeoutMs: config.orders.commandTimeoutMs,
    }),
  });
  return [
    ...healthRoutes(health),
    ...identityRoutes({ config, jwt, connection, outbox, passwordChecks, report, logger }),
    ...catalogueRoutes(connection),
    ...shoppingRoutes(connection, {
      service: orders,
      config,
      declines,
      admission,
      outbox,
      onAccepted: metrics?.countAccepted,
    }),
    ...feedRoutes({ config, mongodb, logger, draining, orders }),
    ...outgoingRoutes(config, { connection, temporal, requireRecentSignIn, report }),
    ...paymentRoutes(paymentRoutesDeps(config, connection, orders)),
    ...codecRoutes(config, revokedTokens, report, dataKeys),
    ...auditRoutes(createAuditRepository(connection, createTransact(connection))),
    ...privacyRoutes({ config, connection, temporal, requireRecentSignIn }),
  ];
}

/** How long an adjustment waits for others, and collides with orders, before it gives up: a person waits for it. */
const ADJUSTMENT_MS = 15_000;

/** Creates the routes of the catalogue and its stock. */
export function catalogueRoutes(connection: Connection): Route[] {
  const catalogue = createCatalogueService(createProductServiceRepository(connection));
  const adjustments = createStockAdjustmentRepository({
    connection,
    stockQueue: createStockQueue(ADJUSTMENT_MS),
    transact: createTransact(connection, ADJUSTMENT_MS),
  });
  return [
    ...productServiceRoutes(catalogue),
    ...stockAdjustmentRoutes(createStockAdjustmentService(adjustments, catalogue)),
  ];
}

function paymentRoutesDeps(
  { payments: { provider, stripe } }: Config,
  connection: Connection,
  { lookAgain }: OrderService,
): PaymentRoutesDeps {
  if (provider === 'sandbox')
    return { sandbox: { repository: createSandboxRepository(connection), lookAgain } };
  const webhook = createStripeWebhookService({
    secret: stripe!.webhookSecret!,
    events: createPaymentEventRepository(connection),
    payments: createStripePaymentRepository(connection),
    lookAgain,
  });
  return { webhook };
}

/** Follows which payments were declined, to turn down more after too many. */
export function followDeclineLimit(
  config: Pick<Config, 'payments' | 'jwt'>,
  mongodb: MongoDb,
  logger: Logger,
): DeclineLimit {
  return createDeclineLimit({
    repository: createDeclineRepository(mongodb.connection),
    limits: config.payments.maxDeclines,
    secret: config.jwt.keys[0]!.signingKey!,
    mongodb,
    logger,
  });
}

/** Admits as many new orders as can be placed in time. */
export function admitOrders(
  {
    http,
    orders,
    temporal: { namespace, taskQueue, paymentsTaskQueue },
  }: Pick<Config, 'http' | 'orders' | 'temporal'>,
  temporal: Pick<TemporalClient, 'ask'>,
  onRefused?: ApiMetrics['countRefused'],
): Admission {
  return createAdmission({
    max: orders.maxInFlight,
    patienceMs: orders.placeTimeoutMs,
    processes: http.webConcurrency,
    describeQueues: [
      () => describeTaskQueue(temporal, { namespace, queue: taskQueue, type: 'workflow' }),
      () => describeTaskQueue(temporal, { namespace, queue: paymentsTaskQueue, type: 'activity' }),
    ],
    onRefused,
  });
}
