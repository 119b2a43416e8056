import koaCors from '@koa/cors';
import type { Middleware } from '../../http/context';
import type { Config } from '../../config';

/** CORS of the codec routes, which the pages of the Temporal UI call with a cookie, and nobody else's pages; and of all others. */
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

/** As a browser sends it with requests of its pages. */
export function temporalUiOrigin({ temporal }: Pick<Config, 'temporal'>): string {
  return new URL(temporal.uiUrl).origin;
}
