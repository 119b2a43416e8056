import { isApiKey } from '../api-keys/api-key';
import type { ApiKeyAuthentication } from '../api-keys/api-key-cache';
import type { Context, Middleware } from '../http/context';
import { AppError } from '../errors/app-error';
import { Role } from '../role/role';
import type { EndedTokens } from '../users/sessions/revoked-tokens';
import type { Jwt } from '../jwt/jwt';
import type { Principal } from '../role/principal';

export interface AuthenticationDeps {
  jwt: Pick<Jwt, 'verify'>;
  /** Of users who were disabled, or changed their role or password, since their tokens were issued. */
  endedTokens: Pick<EndedTokens, 'has'>;
  apiKeys: ApiKeyAuthentication;
  /** Whether it is known which tokens and keys are ended. */
  isLoaded(): boolean;
}

/** Who calls, in steps: only what costs nothing comes before the rate limit. They set ctx.state.principal, or leave it. */
export interface Authentication {
  /** What memory knows: access tokens, and API keys that were used here. A route's guard judges whoever is not known. */
  recognise: Middleware;
  /** Reads an API key that memory does not know. */
  lookUp: Middleware;
  /** Turns away ADMINs while nobody knows whether they still are. */
  confirm: Middleware;
}

const BEARER = /^Bearer +(\S+)$/i;

export function createAuthentication({
  jwt,
  endedTokens,
  apiKeys,
  isLoaded,
}: AuthenticationDeps): Authentication {
  function ownerOf(token: string): Principal | undefined {
    if (isApiKey(token)) return apiKeys.recognise(token);
    const claims = jwt.verify(token);
    return claims && !endedTokens.has(claims) ? claims : undefined;
  }

  return {
    recognise(ctx, next) {
      const token = tokenOf(ctx);
      ctx.state.principal = token === undefined ? undefined : ownerOf(token);
      return next();
    },

    async lookUp(ctx, next) {
      const token = tokenOf(ctx);
      if (!ctx.state.principal && token !== undefined && isApiKey(token))
        ctx.state.principal = await apiKeys.principalOf(token);
      return next();
    },

    confirm(ctx, next) {
      const { role, scopes } = ctx.state.principal!;
      if (role === Role.ADMIN && !scopes && !isLoaded()) throw notLoaded();
      return next();
    },
  };
}

function tokenOf(ctx: Context): string | undefined {
  return BEARER.exec(ctx.get('Authorization'))?.[1];
}

function notLoaded(): AppError {
  return new AppError(
    'service_unavailable',
    'This process has just started and does not know yet which sessions of ADMINs are over: try again shortly.',
  );
}
