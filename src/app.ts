import Koa from 'koa';
import type { Logger } from 'pino';
import { codecCors } from './temporal/codec-server/cors';
import { compression } from './http/compression';
import type { Middleware, State } from './http/context';
import { cors } from './http/cors';
import { rateLimit } from './rate-limit/rate-limit';
import type { Windows } from './rate-limit/store';
import { requestId } from './http/request-id';
import { requestLog } from './http/request-log';
import type { Route } from './http/route';
import { createRouter, otherMethods } from './http/router';
import { securityHeaders } from './http/security-headers';
import type { Config } from './config';
import { jwks } from './jwt/jwks';
import type { Authentication } from './authentication/authentication';
import type { Jwt } from './jwt/jwt';
import { errorMiddleware } from './http/error-middleware';
import { docsPath, registerDocs } from './openapi/docs';

export interface AppDeps {
  config: Config;
  logger: Logger;
  routes: Route[];
  jwt: Pick<Jwt, 'publicKeys'>;
  authentication: Authentication;
  /** Whether an error means that a server we depend on cannot be reached. */
  isUnavailable(error: unknown): boolean;
  /** Counts of the rate limit that all API processes share. */
  windows?: Windows;
}

/** The order of the middleware, and nothing else: what comes first is on every answer, errors included. */
export function createApp({
  config,
  logger,
  routes,
  jwt,
  authentication,
  isUnavailable,
  windows,
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
    authentication,
  });
  registerDocs(router, { prefix: http.prefix, env: config.env, routes });

  // Errors become answers below; what is left is a client that went away in the middle of one.
  app.on('error', (err: unknown) => logger.warn({ err }, 'an answer was cut off'));
  app
    .use(requestId())
    .use(requestLog(logger))
    .use(securityHeaders())
    .use(codecCors(config, cors(http.corsOrigins)))
    .use(compression())
    .use(errorMiddleware({ isUnavailable, docsPath: docsPath(http.prefix) }))
    .use(jwks(jwt, http.prefix))
    .use(authentication.recognise)
    .use(rateLimit({ config: http, windows }))
    .use(otherMethods(router))
    .use(router.routes() as unknown as Middleware);
  return app;
}
