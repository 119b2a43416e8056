import helmet from 'koa-helmet';
import type { Middleware } from './context';

/**
 * Sets Helmet's defaults, with a policy under which the self-hosted Swagger page also works on plain http.
 */
export function securityHeaders(): Middleware {
  return helmet({
    xFrameOptions: { action: 'deny' },
    contentSecurityPolicy: {
      directives: {
        'script-src': ["'self'"],
        'style-src': ["'self'", "'unsafe-inline'"],
        'font-src': ["'self'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
        'upgrade-insecure-requests': null,
      },
    },
  }) as Middleware;
}
