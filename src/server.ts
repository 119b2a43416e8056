import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createRoutes, followCredentials } from './api-routes';
import { createApp } from './app';
import { isMessage, type Stop } from './cluster/messages';
import { runPrimary } from './cluster/primary';
import { createPrimaryStore } from './cluster/primary-store';
import { listen } from './http/server';
import { runEntry } from './common/entry';
import { createRedisStore, type RedisStore } from './rate-limit/redis-store';
import type { Store } from './rate-limit/store';
import { loadConfig, type Config } from './config';
import { checksOf } from './health/checks';
import { createHealth } from './health/health';
import { createAuthentication } from './authentication/authentication';
import { createJwt } from './jwt/jwt';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createTemporalClient } from './temporal/client';
import { createUsersRepository } from './users/users.repository';
import { createDataConverter } from './temporal/data-converter';

/** Shorter than the worker's: someone waits, and is told after two attempts, so within 4 s, that it hangs. */
const DATABASE_ANSWER_TIMEOUT_MS = 2_000;
/** Who listens gets requests, readiness or not, so it had better know which tokens are ended; but it does not wait for ever. */
const CREDENTIALS_MS = 3_000;

export interface RunningServer {
  url: string;
  /** Drains and closes everything; requests in flight get their answer. */
  close(): Promise<void>;
}

/** Starts the API. It listens, after some seconds, even while MongoDB or Temporal are down: readiness tells. */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const mongodb = openMongoDb({ ...config.mongodb, responseTimeoutMs: DATABASE_ANSWER_TIMEOUT_MS }, logger);
  const temporal = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys));
  const rateLimitStore = sharedStore(config, logger);
  const jwt = createJwt(config.jwt);
  const credentials = followCredentials(mongodb, logger);
  const health = createHealth(
    checksOf({ mongodb, temporal, credentials, users: createUsersRepository(mongodb.connection) }),
    logger,
  );
  const { revokedTokens } = credentials;
  const routes = createRoutes({ config, mongodb, temporal, health, jwt, revokedTokens });
  const app = createApp({
    config,
    logger,
    routes,
    jwt,
    authentication: createAuthentication({ jwt, ...credentials }),
    isUnavailable: mongodb.isUnavailable,
    rateLimitStore,
  });

  const closeClients = async () => {
    rateLimitStore?.close?.();
    await credentials.close();
    await Promise.all([temporal.close(), mongodb.close()]);
  };
  await Promise.race([credentials.ready, delay(CREDENTIALS_MS)]);
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
  return {
    url,
    async close() {
      health.drain();
      await http.close(config.shutdownTimeoutMs);
      await closeClients();
    },
  };
}

/** Returns the store in Redis, else in the primary of this cluster, else none: a single process counts for itself. */
function sharedStore({ http }: Config, logger: Logger): (Store & Partial<RedisStore>) | undefined {
  const { redisUrl } = http.rateLimit;
  if (redisUrl !== undefined) return createRedisStore(redisUrl, logger);
  return cluster.isWorker ? createPrimaryStore(process, logger) : undefined;
}

/**
 * Runs until SIGTERM or SIGINT, then drains; a second signal ends the process at once. With WEB_CONCURRENCY above 1 this
 * process only starts so many others of its kind and looks after them.
 */
export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('api', env);
  const logger = createLogger(config).child({ process: 'api' });
  const stop = stopRequest();
  const { shutdownTimeoutMs } = config;
  const { webConcurrency: count } = config.http;
  if (cluster.isPrimary && count > 1) return runPrimary({ count, shutdownTimeoutMs, stop, logger });
  const server = await startServer(config, logger);
  logger.info({ signal: await stop }, 'draining');
  await server.close();
  logger.info('API stopped');
  cluster.worker?.disconnect(); // the channel to the primary would keep this process alive
}

/** A signal, or the word of the primary, which sends no signal: a terminal may have sent one to this process already. */
function stopRequest(): Promise<string> {
  return new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, resolve);
    process.on('message', (message) => {
      if (isMessage<Stop>(message, 'stop')) resolve('stop');
    });
  });
}

runEntry(require.main === module, main);
