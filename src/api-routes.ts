import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { createApiKeyCache } from './api-keys/api-key-cache';
import { createApiKeyRepository } from './api-keys/api-keys.repository';
import { apiKeyRoutes } from './api-keys/api-keys.routes';
import { createApiKeyService } from './api-keys/api-keys.service';
import { createAuditRecorder } from './audit/recorder';
import { createAuditRepository } from './audit/audit.repository';
import { auditRoutes } from './audit/audit.routes';
import { authRoutes } from './auth/auth.routes';
import { createAuthService } from './auth/auth.service';
import { recoveryRoutes } from './auth/recovery.routes';
import { createRecoveryService } from './auth/recovery.service';
import { createAddressLimit } from './auth/address-limit';
import { createAttemptKeys } from './users/passwords/attempt-keys';
import { createAttemptRepository } from './users/passwords/attempts.repository';
import { createDemoPasswordGuard } from './users/passwords/demo-password';
import { createPasswordRules } from './users/passwords/password-rules';
import { createPasswordCheck } from './users/passwords/password-check';
import { createSessionRepository } from './users/sessions/sessions.repository';
import { createCartRepository } from './carts/carts.repository';
import { cartRoutes } from './carts/carts.routes';
import { createCartService } from './carts/carts.service';
import { checkoutRoute } from './carts/checkout.routes';
import { createCheckoutService } from './carts/checkout.service';
import { codecRoutes } from './temporal/codec-server/codec.routes';
import type { Route } from './http/route';
import type { Outbox } from './mail/outbox';
import type { Config } from './config';
import type { Health } from './health/health';
import { healthRoutes } from './health/health.routes';
import type { Jwt } from './jwt/jwt';
import type { MongoDb } from './mongodb/mongodb';
import { createTransact } from './mongodb/transaction';
import { createOrderPresenter } from './orders/orders.presenter';
import { allOrdersOf } from './orders/order-pages';
import { createOrderRepository } from './orders/orders.repository';
import { orderRoutes } from './orders/routes';
import { identifyByOrderToken } from './orders/routes/order-token';
import { createOrderService, type OrderService } from './orders/orders.service';
import { createErasures } from './personal-data/erasures';
import { createPersonalDataRepository } from './personal-data/personal-data.repository';
import { personalDataRoutes } from './personal-data/personal-data.routes';
import { createPersonalDataService } from './personal-data/personal-data.service';
import { createPaymentActionRepository } from './payments/actions.repository';
import { createEventPresenter } from './events/events.presenter';
import { createEventRepository } from './events/events.repository';
import { eventRoutes } from './events/events.routes';
import { createEventService } from './events/events.service';
import { createEventWatch } from './events/event-watch';
import { createDeclineLimit, type DeclineLimit } from './payments/declines/decline-limit';
import { createDeclineRepository } from './payments/declines/declines.repository';
import { createPaymentEventRepository } from './payments/stripe/events.repository';
import { paymentRoutes, type PaymentRoutesDeps } from './payments/payments.routes';
import { createStripeWebhookService } from './payments/stripe/webhook';
import { createSandboxRepository } from './payments/sandbox/repository';
import { createStripePaymentRepository } from './payments/stripe/repository';
import { createSecurityEvents, type ReportSecurityEvent } from './security/security-events';
import { reportedCheck } from './users/passwords/reported-check';
import { createProductServiceRepository } from './product-service/product-service.repository';
import { productServiceRoutes } from './product-service/product-service.routes';
import { createCatalogueService } from './product-service/product-service.service';
import { createStockAdjustmentRepository } from './product-service/stock-adjustments.repository';
import { stockAdjustmentRoutes } from './product-service/stock-adjustments.routes';
import { createStockAdjustmentService } from './product-service/stock-adjustments.service';
import { createStockQueue } from './product-service/stock-queue';
import { createStockRepository } from './product-service/stock.repository';
import type { TemporalClient } from './temporal/client';
import type { CustomerKeys } from './temporal/payload-codec';
import { createOrderWorkflows } from './orders/temporal/order-workflows';
import { startOptionsOf } from './orders/temporal/start-options';
import { createAccountMails, type AccountMails } from './users/account/account-mails';
import { createAccountRepository } from './users/account/accounts.repository';
import { createCodeCheck } from './users/second-factor/code-check';
import { secondFactorRoutes } from './users/second-factor/second-factor.routes';
import { createSecondFactorService } from './users/second-factor/second-factor.service';
import { createSecondFactorRepository } from './users/second-factor/second-factors.repository';
import { createIssueTokens } from './users/sessions/issued-tokens';
import { createSecretBox } from './common/secret-box';
import { createReauthentication } from './users/reauthentication';
import { createEndedSessionsRepository } from './users/sessions/ended-sessions.repository';
import { followRevokedTokens, type RevokedTokens } from './users/sessions/revoked-tokens';
import { createRevokedTokensRepository } from './users/sessions/revoked-tokens.repository';
import { createGuestRepository } from './users/guests.repository';
import { createUsersRepository } from './users/users.repository';
import { userRoutes } from './users/users.routes';
import { createUsersService } from './users/users.service';
import { createAddressFilter } from './webhooks/addresses';
import { createDeliveryRepository } from './webhooks/deliveries.repository';
import { createEndpointRepository } from './webhooks/endpoints.repository';
import { SECRETS_PURPOSE } from './webhooks/signing';
import { createDeliveryStarts } from './webhooks/starts';
import { webhookRoutes } from './webhooks/webhooks.routes';
import { createWebhookService } from './webhooks/webhooks.service';

export interface RouteDeps {
  config: Config;
  mongodb: MongoDb;
  temporal: TemporalClient;
  health: Health;
  jwt: Jwt;
  revokedTokens: Pick<RevokedTokens, 'has'>;
  declines: Pick<DeclineLimit, 'requireBelow' | 'track'>;
  outbox: Pick<Outbox, 'post'>;
  dataKeys: CustomerKeys;
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
  outbox,
  dataKeys,
  logger,
  draining,
}: RouteDeps): Route[] {
  const { connection } = mongodb;
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
    ...identityRoutes({ config, jwt, connection, outbox, logger }),
    ...catalogueRoutes(connection),
    ...shoppingRoutes(connection, { service: orders, config, declines, outbox }),
    ...feedRoutes({ config, mongodb, logger, draining, orders }),
    ...outgoingRoutes(config, connection, temporal),
    ...paymentRoutes(paymentRoutesDeps(config, connection, orders)),
    ...codecRoutes(config, revokedTokens, securityEvents(config, logger), dataKeys),
    ...auditRoutes(createAuditRepository(connection, createTransact(connection))),
    ...privacyRoutes({ config, connection, temporal, logger }),
  ];
}

/** Creates the routes of what happens in the shop. */
export function feedRoutes({
  config,
  mongodb: { connection, connected },
  logger,
  draining,
  orders,
}: Pick<RouteDeps, 'config' | 'logger' | 'draining'> & {
  mongodb: Pick<MongoDb, 'connection' | 'connected'>;
  orders: OrderService;
}): Route[] {
  const feed = createEventRepository(connection);
  const watch = createEventWatch({ feed, connected, logger, draining });
  return eventRoutes({
    service: createEventService({ feed, watch, draining }),
    orders,
    present: createEventPresenter(createOrderPresenter(config.temporal)),
    guests: identifyByOrderToken(createGuestRepository(connection)),
  });
}

/** Creates the routes of those to whom events are sent. */
export function outgoingRoutes(
  { temporal: { eventsTaskQueue }, webhooks, payloadKeys, env }: Config,
  connection: Connection,
  temporal: TemporalClient,
): Route[] {
  const service = createWebhookService({
    endpoints: createEndpointRepository(connection),
    deliveries: createDeliveryRepository(connection),
    feed: createEventRepository(connection),
    starts: createDeliveryStarts(temporal, eventsTaskQueue),
    secrets: createSecretBox(payloadKeys, SECRETS_PURPOSE),
    isAllowed: createAddressFilter(webhooks.allowedNetworks),
    isSecure: env === 'production',
  });
  return webhookRoutes(service);
}

/** Until every process knows that an account is closed, and Temporal lists an order that it has taken, with time to spare. */
const HEARD_MS = 5_000;

export type PrivacyRoutesDeps = Pick<RouteDeps, 'config' | 'temporal' | 'logger'> & {
  connection: Connection;
  /** For how long orders may arrive from an account that was closed, in milliseconds. */
  lateMs?: number;
};

/** Creates the routes by which people get and erase what is kept of them. */
export function privacyRoutes({
  config,
  connection,
  temporal,
  logger,
  lateMs = config.orders.placeTimeoutMs + HEARD_MS,
}: PrivacyRoutesDeps): Route[] {
  const { taskQueue } = config.temporal;
  const orders = createOrderRepository(connection);
  const transact = createTransact(connection);
  const audit = createAuditRepository(connection, transact);
  const recordAudit = createAuditRecorder(connection);
  const service = createPersonalDataService({
    record: (change) => transact((session) => recordAudit(change, session)),
    users: createUsersRepository(connection),
    requireRecentSignIn: passwordChecks(config, connection, securityEvents(config, logger))
      .requireRecentSignIn,
    erasures: createErasures(temporal, { taskQueue, timeoutMs: config.orders.commandTimeoutMs, lateMs }),
    data: createPersonalDataRepository(connection, audit),
    keys: createApiKeyRepository(connection),
    audit,
    ordersOf: (customerId) => allOrdersOf(orders, customerId),
    guestsOf: createGuestRepository(connection).takenOverBy,
    present: createOrderPresenter(config.temporal),
  });
  return personalDataRoutes(service);
}

function passwordChecks(config: Config, connection: Connection, report: ReportSecurityEvent) {
  const users = createUsersRepository(connection);
  const attempts = createAttemptRepository(connection);
  const attemptKeys = createAttemptKeys(config.jwt.keys[0]!.signingKey!);
  const check = createPasswordCheck({
    attempts,
    keys: attemptKeys,
    maxFailuresPerAddress: config.signIn.maxFailuresPerAddress,
    isSignedInAt: createSessionRepository(connection).isUsedFrom,
  });
  const checkPassword = reportedCheck(check, report);
  const requireRecentSignIn = createReauthentication({ users, checkPassword });
  return { attempts, attemptKeys, checkPassword, requireRecentSignIn };
}

/** Creates the routes of signing in, users and API keys. */
export function identityRoutes({
  config,
  jwt,
  connection,
  outbox,
  logger,
}: Pick<RouteDeps, 'config' | 'jwt' | 'outbox' | 'logger'> & { connection: Connection }): Route[] {
  const report = securityEvents(config, logger);
  const users = createUsersRepository(connection);
  const sessions = createSessionRepository(connection);
  const { attempts, attemptKeys, checkPassword, requireRecentSignIn } = passwordChecks(
    config,
    connection,
    report,
  );
  const { maxRegistrationsPerAddress } = config.signIn;
  const limit = (what: string, keyOf: (address: string) => string) =>
    createAddressLimit(attempts, { keyOf, max: maxRegistrationsPerAddress, what });
  const limitRegistrations = limit('registrations', attemptKeys.ofRegistrations);
  const limitForgotten = limit('requests for a new password', attemptKeys.ofForgotten);
  const { accessTokenTtlSeconds, refreshTokenTtlSeconds, apiKeyTtlDays: ttlDays } = config.jwt;
  const passwordRules = createPasswordRules(config.signIn.shopName);
  const shared = {
    users,
    sessions,
    guests: createGuestRepository(connection),
    checkPassword,
    passwordRules,
    issueTokens: createIssueTokens(jwt, config.signIn.isSecondFactorRequired),
    accessTokenTtlSeconds,
    refreshTokenTtlSeconds,
  };
  const demoPassword = createDemoPasswordGuard(config.env, logger);
  const keys = createApiKeyRepository(connection);
  const accounts = createAccountRepository(connection);
  const mails = accountMails({ config, connection, outbox });
  const factors = createSecondFactorRepository(connection);
  const secrets = createSecretBox(config.payloadKeys, 'secrets of authenticator apps');
  const codes = createCodeCheck({ factors, secrets, attempts, attemptKeys });
  const account = { ...shared, accounts, factors, codes, attemptKeys, mails };
  const issuer = config.signIn.shopName ?? 'Orders';
  return [
    ...authRoutes(createAuthService({ ...account, demoPassword, limitRegistrations, report })),
    ...recoveryRoutes(createRecoveryService({ ...account, attempts, limitForgotten })),
    ...secondFactorRoutes(
      createSecondFactorService({ ...account, secrets, requireRecentSignIn, report, issuer }),
    ),
    ...userRoutes(createUsersService({ ...account, requireRecentSignIn, report })),
    ...apiKeyRoutes(createApiKeyService({ keys, requireRecentSignIn, ttlDays, report })),
  ];
}

function accountMails({
  config,
  connection,
  outbox,
}: Pick<RouteDeps, 'config' | 'outbox'> & { connection: Connection }): AccountMails {
  return createAccountMails({
    users: createUsersRepository(connection),
    accounts: createAccountRepository(connection),
    outbox,
    attempts: createAttemptRepository(connection),
    attemptKeys: createAttemptKeys(config.jwt.keys[0]!.signingKey!),
    accountPageUrl: config.mail.accountPageUrl,
    shopName: config.signIn.shopName,
  });
}

/** Reports security events, with hashes that are the same in all API processes. */
export function securityEvents({ jwt }: Pick<Config, 'jwt'>, logger: Logger): ReportSecurityEvent {
  return createSecurityEvents({ logger, secret: jwt.keys[0]!.signingKey! });
}

/** Creates the routes of orders and of the carts that become some. */
export function shoppingRoutes(
  connection: Connection,
  {
    service,
    config,
    declines,
    outbox,
  }: Pick<RouteDeps, 'config' | 'declines' | 'outbox'> & { service: OrderService },
): Route[] {
  const guests = createGuestRepository(connection);
  const deps = {
    service,
    present: createOrderPresenter(config.temporal),
    users: { ...createUsersRepository(connection), guestsOf: guests.findByEmail },
    guests: identifyByOrderToken(guests),
    declines,
    prefix: config.http.prefix,
  };
  const carts = createCartRepository(connection, {
    stock: createStockRepository(connection),
    stockQueue: createStockQueue(),
  });
  const catalogue = createProductServiceRepository(connection);
  const orders = createOrderRepository(connection);
  const limitGuests = createAddressLimit(createAttemptRepository(connection), {
    keyOf: createAttemptKeys(config.jwt.keys[0]!.signingKey!).ofGuestCarts,
    max: config.carts.maxGuestCartsPerAddress,
    what: 'carts',
  });
  const { holdMs } = config.carts;
  const cartService = createCartService({ carts, orders, catalogue, holdMs, limitGuests });
  const mails = accountMails({ config, connection, outbox });
  const checkout = createCheckoutService({ service: cartService, guests });
  return [...orderRoutes(deps), ...cartRoutes(cartService), checkoutRoute(checkout, { ...deps, mails })];
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

export type Credentials = ReturnType<typeof followCredentials>;

/** Follows the revocation of access tokens and API keys. */
export function followCredentials(mongodb: MongoDb, logger: Logger, report?: ReportSecurityEvent) {
  const { connection } = mongodb;
  const revokedTokens = followRevokedTokens(
    createRevokedTokensRepository(connection),
    createEndedSessionsRepository(connection),
    mongodb,
    logger,
  );
  const apiKeys = createApiKeyCache(createApiKeyRepository(connection), mongodb, logger, report);
  const both = [revokedTokens, apiKeys];
  let loaded = false;
  const ready = Promise.all(both.map((follower) => follower.ready)).then(() => void (loaded = true));
  return {
    revokedTokens,
    apiKeys,
    ready,
    isLoaded: () => loaded,
    close: () => Promise.all(both.map((follower) => follower.close())),
  };
}
