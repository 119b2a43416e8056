import koaCors from '@koa/cors';
import type { Middleware } from '../../http/context';
import type { Config } from '../../config';

/**
 * Lets pages of the Temporal UI, and no others, call the codec routes with a cookie. `others` handles all
 * other routes.
 */
export function codecCors(config: Pick<Config, 'http' | 'temporal'>, others: Middleware): Middleware {
  const folder = `${config.http.prefix}/codec/`;
  const allowed = temporalUiOrigin(config);
  const own = koaCors({
    origin: (ctx) => (ctx.get('Origin') === allowed ? allowed : ''),
    credentials: true,
    allowMethods: ['POST'],
    allowHeaders: ['Authorization', 'Content-Type', 'X-Namespace', 'X-Request-Id'],
    maxAge: 600,
  }) as Middleware;
  return (ctx, next) => (ctx.path.startsWith(folder) ? own : others)(ctx, next);
}

/** Returns the origin that browsers send with requests from pages of the Temporal UI. */
export function temporalUiOrigin({ temporal }: Pick<Config, 'temporal'>): string {
  return new URL(temporal.uiUrl).origin;
}
