import helmet from 'koa-helmet';
import type { Middleware } from './context';

/** Helmet's defaults, with a policy under which the self-hosted Swagger page works on plain http, too. */
export function securityHeaders(): Middleware {
  return helmet({
    xFrameOptions: { action: 'deny' },
    contentSecurityPolicy: {
      directives: {
        'script-src': ["'self'"],
        'style-src': ["'self'", "'unsafe-inline'"],
        'font-src': ["'self'"],
        'frame-ancestors': ["'none'"],
        'upgrade-insecure-requests': null,
      },
    },
  }) as Middleware;
}
