import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Middleware } from '../common/context';
import { ID_PATTERNS } from '../common/ids';
import type { Config } from '../config/config';
import type { PayloadKey } from '../config/payload-keys';
import { Role } from '../role/role';
import { temporalUiOrigin } from './codec.cors';

export const SESSION_COOKIE = 'oms_codec';
/** Keeps the keys apart from those that encrypt, and the cookie from being good for anything else. */
const PURPOSE = 'orders-management-system codec session';

/**
 * What an ADMIN's browser shows instead of an access token when a page of the Temporal UI calls the codec routes. It is
 * no token: its signature comes from the payload keys, which nothing else that knows users looks at.
 */
export function createCodecSessions(keys: readonly PayloadKey[]) {
  const secrets = keys.map(({ key }) => Buffer.from(hkdfSync('sha256', key, '', PURPOSE, 32)));
  return {
    /** @param expiresAt seconds since the epoch */
    mint(userId: string, expiresAt: number): string {
      const claims = `${userId}.${expiresAt}`;
      return `${claims}.${sign(claims, secrets[0]!).toString('base64url')}`;
    },

    /** The id of the ADMIN whose session it is; undefined for one that is forged or over. */
    verify(value: string): string | undefined {
      const [, userId, expiresAt, signature] = /^(\w+)\.(\d{1,12})\.([\w-]{43})$/.exec(value) ?? [];
      if (!userId || !ID_PATTERNS.usr.test(userId) || Number(expiresAt) * 1000 <= Date.now())
        return undefined;
      const given = Buffer.from(signature!, 'base64url');
      const claims = `${userId}.${expiresAt}`;
      return secrets.some((secret) => timingSafeEqual(sign(claims, secret), given)) ? userId : undefined;
    },
  };
}

export type CodecSessions = ReturnType<typeof createCodecSessions>;

function sign(claims: string, secret: Buffer): Buffer {
  return createHmac('sha256', secret).update(claims).digest();
}

/** Takes the cookie for an ADMIN's word, from pages of the Temporal UI alone: other pages could send it along too. */
export function identifyByCookie(config: Pick<Config, 'temporal'>, sessions: CodecSessions): Middleware {
  const origin = temporalUiOrigin(config);
  return (ctx, next) => {
    const cookie = ctx.cookies.get(SESSION_COOKIE);
    if (!ctx.state.principal && cookie && ctx.get('Origin') === origin) {
      const id = sessions.verify(cookie);
      if (id) ctx.state.principal = { id, role: Role.ADMIN };
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
