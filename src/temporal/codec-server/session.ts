import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Middleware } from '../../http/context';
import { ID_PATTERNS } from '../../common/ids';
import type { Config } from '../../config';
import type { PayloadKey } from '../../config/payload-keys';
import { Role } from '../../role/role';
import type { EndedTokens } from '../../users/sessions/revoked-tokens';
import { temporalUiOrigin } from './cors';

export const SESSION_COOKIE = 'oms_codec';
/** Keeps the keys apart from those that encrypt, and the cookie from being good for anything else. */
const PURPOSE = 'orders-management-system codec session';

/** Whose session it is, and the version of the access token that it was opened with: what ends that ends this. */
export interface CodecSession {
  id: string;
  tokenVersion: number;
}

const COOKIE = /^((\w+)\.(\d{1,15})\.(\d{1,12}))\.([\w-]{43})$/;

/**
 * What an ADMIN's browser shows instead of an access token when a page of the Temporal UI calls the codec routes. It is
 * no token: its signature comes from the payload keys, which nothing else that knows users looks at.
 */
export function createCodecSessions(keys: readonly PayloadKey[]) {
  const secrets = keys.map(({ key }) => Buffer.from(hkdfSync('sha256', key, '', PURPOSE, 32)));
  return {
    /** @param expiresAt seconds since the epoch */
    mint({ id, tokenVersion }: CodecSession, expiresAt: number): string {
      const claims = `${id}.${tokenVersion}.${expiresAt}`;
      return `${claims}.${sign(claims, secrets[0]!).toString('base64url')}`;
    },

    /** Undefined for one that is forged or over. */
    verify(value: string): CodecSession | undefined {
      const [, claims, id, version, expiresAt, signature] = COOKIE.exec(value) ?? [];
      if (!id || !ID_PATTERNS.usr.test(id) || Number(expiresAt) * 1_000 <= Date.now()) return undefined;
      const given = Buffer.from(signature!, 'base64url');
      const isOurs = secrets.some((secret) => timingSafeEqual(sign(claims!, secret), given));
      return isOurs ? { id, tokenVersion: Number(version) } : undefined;
    },
  };
}

export type CodecSessions = ReturnType<typeof createCodecSessions>;

function sign(claims: string, secret: Buffer): Buffer {
  return createHmac('sha256', secret).update(claims).digest();
}

/** Takes the cookie for an ADMIN's word, from pages of the Temporal UI alone: other pages could send it along too. */
export function identifyByCookie(
  config: Pick<Config, 'temporal'>,
  sessions: CodecSessions,
  endedTokens: Pick<EndedTokens, 'has'>,
): Middleware {
  const origin = temporalUiOrigin(config);
  return (ctx, next) => {
    const cookie = ctx.cookies.get(SESSION_COOKIE);
    if (!ctx.state.principal && cookie && ctx.get('Origin') === origin) {
      const session = sessions.verify(cookie);
      const principal = session && { ...session, role: Role.ADMIN };
      if (principal && !endedTokens.has(principal)) ctx.state.principal = principal;
    }
    return next();
  };
}

/** By hand: Koa refuses to set a `Secure` cookie when a proxy has taken TLS off, unless it trusts that proxy. */
export function sessionCookie(
  value: string,
  { http, env }: Pick<Config, 'http' | 'env'>,
  seconds: number,
): string {
  const secure = env === 'production' ? '; Secure' : '';
  return `${SESSION_COOKIE}=${value}; Path=${http.prefix}/codec; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
