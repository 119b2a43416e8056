import koaCors from '@koa/cors';
import type { Middleware } from './context';

/**
 * Allows the whitelisted origins. Others get no CORS header, so that browsers withhold the response from
 * their pages.
 */
export function cors(origins: string[]): Middleware {
  const any = origins.includes('*');
  const allowed = new Set(origins);
  return koaCors({
    origin: (ctx) => (any ? '*' : allowed.has(ctx.get('Origin')) ? ctx.get('Origin') : ''),
    allowMethods: ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'],
    allowHeaders: [
      'Authorization',
      'Cart-Token',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Order-Token',
      'Prefer',
      'Traceparent',
      'X-Request-Id',
    ],
    exposeHeaders: [
      'ETag',
      'Idempotent-Replayed',
      'Location',
      'Order-Token',
      'Preference-Applied',
      'Retry-After',
      'Traceresponse',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'X-Request-Id',
    ],
    maxAge: 600,
  }) as Middleware;
}
