import type { JsonWebKey } from 'node:crypto';
import jwt, { type JwtHeader } from 'jsonwebtoken';
import koaJwt from 'koa-jwt';
import { ID_PATTERNS } from '../common/ids';
import type { Config } from '../config';
import type { JwtKey } from '../config/jwt-keys';
import type { Context, Middleware } from '../http/context';
import type { AccessTokenClaims, UserPrincipal } from '../role/principal';
import { USER_ROLES, type UserRole } from '../role/role';

/** What the claim `totp` says of an ADMIN who has to set up an authenticator app. */
const MISSING = 'missing';

export interface Jwt {
  /** Issues an access token that is valid for `expiresIn` seconds. */
  issue(claims: AccessTokenClaims): { accessToken: string; expiresIn: number };
  /**
   * Creates the middleware that sets ctx.state.principal for a valid access token, and clears it otherwise.
   */
  authenticate(options: AuthenticateOptions): Middleware;
  /** Returns the public keys as a JWK Set (RFC 7517). Secrets have none. */
  publicKeys(): { keys: JsonWebKey[] };
}

export interface AuthenticateOptions {
  getToken(ctx: Context): string | undefined;
  isRevoked(user: UserPrincipal): boolean;
}

export function createJwt({ keys, issuer, audience, accessTokenTtlSeconds: expiresIn }: Config['jwt']): Jwt {
  const [signer] = keys as [JwtKey];
  const byKid = new Map(keys.map((key) => [key.kid, key]));

  /** The key decides on the algorithm, never the token. */
  async function keyFor({ kid, alg, crit }: JwtHeader): Promise<JwtKey['verificationKey']> {
    const key = byKid.get(String(kid));
    if (key?.algorithm !== alg) throw new Error('No key has this kid and algorithm.');
    if (crit !== undefined) throw new Error('No critical extension is supported (RFC 7515, 4.1.11).');
    return key.verificationKey;
  }

  return {
    issue({ id, role, tokenVersion, sessionId, authenticatedAt, mustSetUpTotp, guests = [] }) {
      const claims = {
        role,
        ver: tokenVersion,
        sid: sessionId,
        auth_time: authenticatedAt,
        ...(mustSetUpTotp && { totp: MISSING }),
        ...(guests.length > 0 && { guests }),
      };
      const options = { keyid: signer.kid, algorithm: signer.algorithm, subject: id } as const;
      const accessToken = jwt.sign(claims, signer.signingKey!, { ...options, issuer, audience, expiresIn });
      return { accessToken, expiresIn };
    },

    authenticate({ getToken, isRevoked }) {
      const verify = koaJwt({
        secret: keyFor as never, // its types know no KeyObject, which is verified in a tenth of the time
        algorithms: [...new Set(keys.map(({ algorithm }) => algorithm))],
        issuer,
        audience,
        getToken: getToken as never,
        isRevoked: async (_ctx, payload) => {
          const user = principalOf(payload);
          return user !== undefined && isRevoked(user);
        },
        key: 'accessToken',
        passthrough: true, // the guard of a route judges requests without a valid token
      }) as unknown as Middleware;
      return (ctx, next) => {
        // Only a valid token overwrites what an earlier look at the same request has left.
        ctx.state.accessToken = undefined;
        ctx.state.principal = undefined;
        // koa-jwt reads the header in its own way where `getToken` finds nothing, and prefers this to our keys.
        ctx.state.secret = undefined;
        if (getToken(ctx) === undefined) return next();
        return verify(ctx, () => {
          ctx.state.principal = principalOf(ctx.state.accessToken);
          return next();
        });
      };
    },

    publicKeys: () => ({ keys: keys.flatMap(publicKeyOf) }),
  };
}

/** Returns undefined for claims that we do not issue. */
function principalOf(payload: object | undefined): UserPrincipal | undefined {
  const {
    sub,
    role,
    ver,
    sid,
    auth_time: authenticatedAt,
    exp,
    totp,
    guests,
  } = (payload ?? {}) as Record<string, unknown>;
  if (typeof sub !== 'string' || !ID_PATTERNS.usr.test(sub) || !USER_ROLES.includes(role as UserRole))
    return undefined;
  if (!Number.isSafeInteger(ver) || typeof sid !== 'string') return undefined;
  if (typeof authenticatedAt !== 'number' || typeof exp !== 'number') return undefined;
  return {
    id: sub,
    role: role as UserRole,
    tokenVersion: ver as number,
    sessionId: sid,
    authenticatedAt,
    expiresAt: exp,
    ...(totp === MISSING && { mustSetUpTotp: true }),
    ...(Array.isArray(guests) && { guests: guests as string[] }),
  };
}

function publicKeyOf({ kid, algorithm, verificationKey }: JwtKey): JsonWebKey[] {
  if (verificationKey.type === 'secret') return [];
  const jwk = verificationKey.export({ format: 'jwk' });
  return [{ ...jwk, kid, alg: algorithm, use: 'sig' }];
}
