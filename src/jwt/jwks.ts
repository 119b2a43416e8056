import type { Middleware } from '../http/context';
import type { Jwt } from './jwt';

/**
 * RFC 8615 puts it at the root of the host. It is below our prefix as well, for proxies that pass only that.
 */
export const JWKS_PATH = '/.well-known/jwks.json';

const MAX_AGE_SECONDS = 300;

/** Serves the public keys as a JWK Set, without our envelope: its readers are JWT libraries. */
export function jwks({ publicKeys }: Pick<Jwt, 'publicKeys'>, prefix: string): Middleware {
  const body = JSON.stringify(publicKeys());
  const paths = new Set([JWKS_PATH, `${prefix}${JWKS_PATH}`]);
  return (ctx, next) => {
    if (!paths.has(ctx.path) || !['GET', 'HEAD'].includes(ctx.method)) return next();
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
    ctx.type = 'application/jwk-set+json';
    ctx.body = body;
  };
}
