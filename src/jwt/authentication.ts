import type { Context, Middleware } from '../common/context';
import type { ApiKeyAuthentication } from '../api-keys/api-key-cache';
import { API_KEY_PREFIX } from '../api-keys/api-key';
import type { EndedTokens } from '../users/ended-tokens';
import type { Jwt } from './jwt';
import type { Principal } from './principal';

export interface AuthenticationDeps {
  jwt: Pick<Jwt, 'verify'>;
  /** Of users who were disabled, or changed their role or password, since their tokens were issued. */
  endedTokens: Pick<EndedTokens, 'has'>;
  apiKeys: ApiKeyAuthentication;
}

const BEARER = /^Bearer +(\S+)$/i;

/** Sets ctx.state.principal when the request carries a valid token or API key; the route's guard judges a missing one. */
export function authentication(deps: AuthenticationDeps): Middleware {
  return async (ctx, next) => {
    ctx.state.principal = await principalOf(ctx, deps);
    return next();
  };
}

async function principalOf(ctx: Context, deps: AuthenticationDeps): Promise<Principal | undefined> {
  const token = BEARER.exec(ctx.get('Authorization'))?.[1];
  if (token === undefined) return undefined;
  if (token.startsWith(API_KEY_PREFIX)) return deps.apiKeys.principalOf(token);
  const claims = deps.jwt.verify(token);
  if (!claims || deps.endedTokens.has(claims)) return undefined;
  return claims;
}
