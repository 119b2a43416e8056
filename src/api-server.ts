import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { followCredentials, securityEvents } from './api-identity';
import { admitOrders, createRoutes, followDeclineLimit } from './api-routes';
import { startApiTelemetry } from './api-telemetry';
import { createApp } from './app';
import { createAuthentication } from './authentication/authentication';
import { createPrimaryStore } from './cluster/primary-store';
import type { Config } from './config';
import { checksOf } from './health/checks';
import { createDemoUsersCheck } from './health/demo-users';
import { createHealth } from './health/health';
import { listen } from './http/server';
import { createJwt } from './jwt/jwt';
import { createMailer } from './mail/mailer';
import { createOutbox } from './mail/outbox';
import { openMongoDb } from './mongodb/mongodb';
import { createRedisStore, type RedisStore } from './rate-limit/redis-store';
import type { Store } from './rate-limit/store';
import { createTemporalClient } from './temporal/client';
import { createDataConverter } from './temporal/data-converter';
import { followDataKeys } from './temporal/data-keys/data-keys';
import { createDataKeyRepository } from './temporal/data-keys/repository';
import { createUsersRepository } from './users/users.repository';

/** Shorter than in workers, because a caller is waiting: two attempts end within 4 s. */
const DATABASE_RESPONSE_TIMEOUT_MS = 2_000;
/**
 * How long to wait for the revoked tokens and the declined payments before listening, in milliseconds. A listening server
 * receives requests even when it is not ready, so it should know them first, but it does not wait indefinitely.
 */
const CREDENTIALS_TIMEOUT_MS = 3_000;

export interface ServerOptions {
  /**
   * How long a request waits to be counted before it passes uncounted, in milliseconds. Defaults to what the store of the
   * rate limit finds reasonable.
   */
  countTimeoutMs?: number;
}

export interface RunningServer {
  url: string;
  /** Lets the requests in flight finish, then closes everything. */
  close(): Promise<void>;
}

/** Starts the API. After some seconds it listens even while MongoDB or Temporal is down; readiness reports that. */
export async function startServer(
  config: Config,
  logger: Logger,
  { countTimeoutMs }: ServerOptions = {},
): Promise<RunningServer> {
  const telemetry = await startApiTelemetry(config, logger);
  const mongodb = openMongoDb({ ...config.mongodb, responseTimeoutMs: DATABASE_RESPONSE_TIMEOUT_MS }, logger);
  const { payloadKeys } = config;
  const dataKeys = followDataKeys(
    { repository: createDataKeyRepository(mongodb.connection), payloadKeys },
    mongodb,
    logger,
  );
  const temporal = createTemporalClient(config.temporal, createDataConverter(payloadKeys, dataKeys));
  const admission = admitOrders(config, temporal, telemetry?.metrics.countRefused);
  telemetry?.measure({ connection: mongodb.connection, temporal, admission });
  const rateLimitStore = sharedStore(config, logger, countTimeoutMs);
  const jwt = createJwt(config.jwt);
  const report = securityEvents(config, logger, telemetry?.metrics.countSecurityEvent);
  const credentials = followCredentials(mongodb, logger, report);
  const declines = followDeclineLimit(config, mongodb, logger);
  const users = createUsersRepository(mongodb.connection);
  const checks = {
    ...checksOf({ mongodb, temporal, credentials, users }),
    ...(config.env === 'production' && { demoUsers: createDemoUsersCheck(users) }),
  };
  const health = createHealth(checks, logger);
  const { revokedTokens } = credentials;
  const mailer = createMailer(config, logger);
  const outbox = createOutbox(mailer, logger);
  const stopping = new AbortController();
  const routes = createRoutes({
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
    metrics: telemetry?.metrics,
    logger,
    draining: stopping.signal,
  });
  const app = createApp({
    config,
    logger,
    routes,
    jwt,
    authentication: createAuthentication({ jwt, ...credentials }),
    isUnavailable: mongodb.isUnavailable,
    rateLimitStore,
    metrics: telemetry?.metrics,
  });

  const closeClients = async () => {
    rateLimitStore?.close?.();
    await Promise.race([outbox.drain(), delay(config.shutdownTimeoutMs, undefined, { ref: false })]);
    mailer.close();
    await Promise.all([credentials.close(), declines.close(), dataKeys.close()]);
    await Promise.all([temporal.close(), mongodb.close()]);
    await telemetry?.close();
  };
  await Promise.race([Promise.all([credentials.ready, declines.ready]), delay(CREDENTIALS_TIMEOUT_MS)]);
  const handle = app.callback();
  const http = await listen((req, res) => void handle(req, res), {
    ...config.http,
    maxResponseMs: Math.max(config.orders.placeTimeoutMs, config.orders.commandTimeoutMs),
    onEarlyError: (error) => logger.info(error, 'request rejected'),
  }).catch(async (error: unknown) => {
    await closeClients();
    throw error;
  });
  const url = `${http.url}${config.http.prefix}`;
  logger.info({ url }, 'API listening');
  const firstReadiness = health.readiness(); // logs what is not ready, even if nobody probes
  return {
    url,
    async close() {
      health.drain();
      stopping.abort(); // what waits for events is answered now
      await http.close(config.shutdownTimeoutMs);
      await firstReadiness;
      await closeClients();
    },
  };
}

/** Returns the store in Redis, else in the primary of this cluster, else none: a single process counts for itself. */
function sharedStore(
  { http }: Config,
  logger: Logger,
  timeoutMs?: number,
): (Store & Partial<RedisStore>) | undefined {
  const { redisUrl } = http.rateLimit;
  if (redisUrl !== undefined) return createRedisStore(redisUrl, logger, timeoutMs);
  return cluster.isWorker ? createPrimaryStore(process, logger, timeoutMs) : undefined;
}
