import { isApiKey } from '../api-keys/api-key';
import type { ApiKeyAuthentication } from '../api-keys/api-key-cache';
import { AppError } from '../errors/app-error';
import type { Context, Middleware } from '../http/context';
import type { Route } from '../http/route';
import type { Jwt } from '../jwt/jwt';
import { Role, type UserRole } from '../role/role';
import type { RevokedTokens } from '../users/sessions/revoked-tokens';
import { guard, optionalGuard } from './guard';

export interface AuthenticationDeps {
  jwt: Pick<Jwt, 'authenticate'>;
  revokedTokens: Pick<RevokedTokens, 'has'>;
  apiKeys: ApiKeyAuthentication;
  /** Tells whether the revoked tokens and API keys have been loaded. */
  isLoaded(): boolean;
}

/** Identifies the caller in steps, so that only what costs nothing comes before the rate limit. */
export interface Authentication {
  /**
   * Sets ctx.state.principal from memory alone: for access tokens, and for API keys that were used here. It
   * clears the principal of everyone else, whom the guards judge.
   */
  recognise: Middleware;
  /** Returns what a caller of the route has to pass: on a public one nothing, or that credentials are valid. */
  guardsOf(route: Pick<Route, 'role' | 'scope' | 'identify' | 'optionalSignIn'>): Middleware[];
}

const BEARER = /^Bearer +(\S+)$/i;

export function createAuthentication({
  jwt,
  revokedTokens,
  apiKeys,
  isLoaded,
}: AuthenticationDeps): Authentication {
  const authenticate = jwt.authenticate({ getToken: bearerToken, isRevoked: revokedTokens.has });

  /** Reads an API key that memory does not know. */
  const lookUp: Middleware = async (ctx, next) => {
    const token = bearerToken(ctx);
    if (!ctx.state.principal && token !== undefined && isApiKey(token))
      ctx.state.principal = await apiKeys.principalOf(token, ctx.ip);
    return next();
  };

  /** Rejects ADMINs until it is known whose tokens are revoked. */
  const confirm: Middleware = (ctx, next) => {
    const { role, scopes } = ctx.state.principal!;
    if (role === Role.ADMIN && !scopes && !isLoaded()) throw notLoaded();
    return next();
  };

  return {
    recognise(ctx, next) {
      const token = bearerToken(ctx);
      if (token === undefined || !isApiKey(token)) return authenticate(ctx, next);
      ctx.state.principal = apiKeys.recognise(token);
      return next();
    },

    guardsOf({ role, scope, identify, optionalSignIn }) {
      if (role === Role.PUBLIC) return optionalSignIn ? [lookUp, optionalGuard(confirm)] : [];
      return [lookUp, ...(identify ? [identify.by] : []), guard(role as UserRole, scope), confirm];
    },
  };
}

function bearerToken(ctx: Context): string | undefined {
  return BEARER.exec(ctx.get('Authorization'))?.[1];
}

function notLoaded(): AppError {
  return new AppError(
    'service_unavailable',
    'This process has just started and has not loaded the revoked tokens yet: try again shortly.',
  );
}
