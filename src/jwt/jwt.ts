import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import koaJwt from 'koa-jwt';
import type { Middleware } from '../common/context';
import { ID_PATTERNS } from '../common/ids';
import type { Config } from '../config/config';
import { USER_ROLES, type UserRole } from '../role/role';
import type { Principal } from './principal';

const ALGORITHM = 'HS256';

export interface Jwt {
  /** A new access token for that user, and how many seconds it is good for. */
  issue(principal: Principal): { accessToken: string; expiresIn: number };
  /** Sets ctx.state.principal when the request carries a valid token; the route's guard judges a missing one. */
  authenticate: Middleware;
}

export function createJwt(config: Config['jwt']): Jwt {
  // As a KeyObject the secret is prepared once instead of on every request.
  const key = createSecretKey(config.secret, 'utf8');
  const { issuer, audience, accessTokenTtlSeconds: expiresIn } = config;
  const verify = koaJwt({
    secret: key as never,
    algorithms: [ALGORITHM],
    issuer,
    audience,
    key: 'claims',
    passthrough: true,
  });
  return {
    issue({ id, role }) {
      const options = {
        algorithm: ALGORITHM,
        subject: id,
        issuer,
        audience,
        expiresIn,
      } as const;
      return { accessToken: jwt.sign({ role }, key, options), expiresIn };
    },
    authenticate: (ctx, next) =>
      verify(ctx, () => {
        ctx.state.principal = principalOf((ctx.state as { claims?: unknown }).claims);
        return next();
      }) as Promise<void>,
  };
}

function principalOf(claims: unknown): Principal | undefined {
  const { sub, role, exp } = (claims ?? {}) as {
    sub?: unknown;
    role?: unknown;
    exp?: unknown;
  };
  const known = typeof sub === 'string' && ID_PATTERNS.usr.test(sub) && typeof exp === 'number';
  return known && USER_ROLES.includes(role as UserRole) ? { id: sub, role: role as UserRole } : undefined;
}
