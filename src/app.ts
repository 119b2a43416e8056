import Koa from 'koa';
import type { Logger } from 'pino';
import { codecCors } from './temporal/codec-server/cors';
import { compression } from './http/compression';
import type { Middleware, State } from './http/context';
import { cors } from './http/cors';
import { rateLimit } from './rate-limit/rate-limit';
import type { Store } from './rate-limit/store';
import { loggablePath } from './http/loggable-path';
import { proxyWarning } from './http/proxy-warning';
import { requestId } from './http/request-id';
import { requestLog } from './http/request-log';
import { serverSpan } from './http/server-span';
import type { Route } from './http/route';
import { createRouter, otherMethods, type AppRouter } from './http/router';
import { securityHeaders } from './http/security-headers';
import type { Config } from './config';
import type { ApiMetrics } from './telemetry/api-metrics';
import { jwks, JWKS_PATH } from './jwt/jwks';
import type { Authentication } from './authentication/authentication';
import type { Jwt } from './jwt/jwt';
import { errorMiddleware } from './http/error-middleware';
import { EVENT_WEBHOOKS } from './events/event-webhooks';
import { PING_WEBHOOK } from './webhooks/webhooks.schema';
import { registerBoard } from './board/board';
import { isTracing } from './tracing/spans';
import { docsPath, registerDocs } from './openapi/docs';

export interface AppDeps {
  config: Config;
  logger: Logger;
  routes: Route[];
  jwt: Pick<Jwt, 'publicKeys'>;
  authentication: Authentication;
  /** Returns whether the error means that MongoDB cannot be reached. */
  isUnavailable(error: unknown): boolean;
  /** Counts requests for the rate limit of all API processes. Defaults to counting in this process. */
  rateLimitStore?: Store;
  /** Without them, nothing is measured. */
  metrics?: Pick<ApiMetrics, 'measureRequests' | 'countLimited'>;
}

/**
 * Puts the middleware in order, and nothing else: what comes first applies to every response, errors
 * included.
 */
export function createApp({
  config,
  logger,
  routes,
  jwt,
  authentication,
  isUnavailable,
  rateLimitStore,
  metrics,
}: AppDeps): Koa<State> {
  const { http } = config;
  const app = new Koa<State>({
    proxy: http.trustedProxies > 0,
    maxIpsCount: http.trustedProxies,
  });
  const router = createRouter({
    prefix: http.prefix,
    bodyLimit: http.bodyLimit,
    routes,
    recognise: authentication.recognise,
    guardsOf: authentication.guardsOf,
  });
  if (http.docs)
    registerDocs(router, {
      prefix: http.prefix,
      env: config.env,
      routes,
      webhooks: [...EVENT_WEBHOOKS, PING_WEBHOOK],
    });

  if (http.board) registerBoard(router, http.prefix);

  const errors = errorMiddleware({
    isUnavailable,
    ...(http.docs && { docsPath: docsPath(http.prefix) }),
  });

  // The error middleware handles all other errors: here a client went away in the middle of a response.
  app.on('error', (err: unknown) => logger.warn({ err }, 'response aborted by the client'));
  if (metrics) app.use(metrics.measureRequests);
  const loggable = loggablePath(pathsOf(router));
  app.use(requestId());
  if (isTracing()) app.use(serverSpan(http.prefix, loggable));
  app
    .use(requestLog(logger, loggable))
    .use(errors) // for what fails between here and the other one
    .use(proxyWarning(http, logger))
    .use(securityHeaders())
    .use(codecCors(config, cors(http.corsOrigins)))
    .use(compression())
    .use(errors) // here, so that problems are compressed and may be read by other origins
    .use(jwks(jwt, http.prefix))
    .use(authentication.recognise)
    .use(
      rateLimit({
        config: http,
        signIn: config.signIn,
        store: rateLimitStore,
        onLimited: metrics?.countLimited,
      }),
    )
    .use(otherMethods(router))
    .use(router.routes() as unknown as Middleware);
  return app;
}

function pathsOf(router: AppRouter): string[] {
  return [JWKS_PATH, ...router.stack.map(({ path }) => String(path))];
}
