import { createHmac, timingSafeEqual } from 'node:crypto';
import { derivedKey } from '../../common/derived-key';
import { ID_PATTERNS } from '../../common/ids';
import type { Config } from '../../config';
import type { PayloadKey } from '../../config/payload-keys';
import type { Middleware } from '../../http/context';
import type { UserPrincipal } from '../../role/principal';
import { Role } from '../../role/role';
import type { RevokedTokens } from '../../users/sessions/revoked-tokens';
import { temporalUiOrigin } from './cors';

/**
 * Returns the name of the cookie. Browsers accept the one of production only with `Secure` and over TLS, so that no page
 * of plain http of the domain can plant it.
 */
export function cookieName(env: Config['env']): string {
  return env === 'production' ? '__Secure-oms_codec' : 'oms_codec';
}

/** Separates these keys from those that encrypt, so that the cookie is good for nothing else. */
const PURPOSE = 'orders-management-system codec session';

/** Says the same as the access token that opened it, so that whatever revokes the token ends the session. */
export type CodecSession = Omit<UserPrincipal, 'role' | 'scopes' | 'authenticatedAt'>;

const COOKIE = /^((\w+)\.(\d{1,15})\.(\w{1,64})\.(\d{1,12}))\.([\w-]{43})$/;

/**
 * Creates and reads the cookie that an ADMIN's browser sends instead of an access token when a page of the
 * Temporal UI calls the codec routes. No other route accepts it: its signature comes from the payload keys.
 */
export function createCodecSessions(keys: readonly PayloadKey[]) {
  const secrets = keys.map(({ key }) => derivedKey(key, PURPOSE));
  return {
    mint({ id, tokenVersion, sessionId, expiresAt }: CodecSession): string {
      const claims = `${id}.${tokenVersion}.${sessionId}.${expiresAt}`;
      return `${claims}.${sign(claims, secrets[0]!).toString('base64url')}`;
    },

    /** Returns undefined for a session that is forged or has expired. */
    verify(value: string): CodecSession | undefined {
      const [, claims, id, version, sessionId, expiry, signature] = COOKIE.exec(value) ?? [];
      const expiresAt = Number(expiry);
      if (!id || !ID_PATTERNS.usr.test(id) || expiresAt * 1_000 <= Date.now()) return undefined;
      const given = Buffer.from(signature!, 'base64url');
      const isOurs = secrets.some((secret) => timingSafeEqual(sign(claims!, secret), given));
      return isOurs ? { id, tokenVersion: Number(version), sessionId: sessionId!, expiresAt } : undefined;
    },
  };
}

export type CodecSessions = ReturnType<typeof createCodecSessions>;

function sign(claims: string, secret: Buffer): Buffer {
  return createHmac('sha256', secret).update(claims).digest();
}

/**
 * Identifies an ADMIN by the cookie, on requests from pages of the Temporal UI only: others could send it as
 * well.
 */
export function identifyByCookie(
  config: Pick<Config, 'env' | 'temporal'>,
  sessions: CodecSessions,
  revokedTokens: Pick<RevokedTokens, 'has'>,
): Middleware {
  const origin = temporalUiOrigin(config);
  const name = cookieName(config.env);
  return (ctx, next) => {
    const cookie = ctx.cookies.get(name);
    if (!ctx.state.principal && cookie && ctx.get('Origin') === origin) {
      const session = sessions.verify(cookie);
      if (session && !revokedTokens.has(session))
        ctx.state.principal = { ...session, role: Role.ADMIN, authenticatedAt: 0 } as UserPrincipal;
    }
    return next();
  };
}

/**
 * Writes the header by hand: Koa sets no `Secure` cookie behind a proxy that ends TLS, unless it trusts the
 * proxy.
 */
export function sessionCookie(
  value: string,
  { http, env }: Pick<Config, 'http' | 'env'>,
  seconds: number,
): string {
  const secure = env === 'production' ? '; Secure' : '';
  return `${cookieName(env)}=${value}; Path=${http.prefix}/codec; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
