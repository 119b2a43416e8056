import { AppError } from '../errors/app-error';
import { totpMissing } from '../errors/totp-missing';
import { unauthorized } from '../errors/unauthorized';
import type { Middleware } from '../http/context';
import type { Principal } from '../role/principal';
import { allows, type UserRole } from '../role/role';
import type { Scope } from '../role/scope';

/**
 * Lets callers with the role pass: 401 for an unauthenticated one, 403 for another role.
 * @param scope what an API key needs; without one, no API key passes
 */
export function guard(required: UserRole, scope?: Scope): Middleware {
  return (ctx, next) => {
    const { principal } = ctx.state;
    if (!principal) throw unauthorized(ctx.get('Authorization'));
    if (!allows(required, principal.role))
      throw principal.mustSetUpTotp ? totpMissing() : forbidden(required);
    requireScope(principal, scope);
    ctx.set('Cache-Control', 'no-store');
    return next();
  };
}

/** Lets those pass who do not sign in, and those who do so as users, whom the next guard judges. */
export function optionalGuard(confirm: Middleware): Middleware {
  return (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    const { principal } = ctx.state;
    const authorization = ctx.get('Authorization');
    if (!principal && authorization !== '') throw unauthorized(authorization);
    if (!principal) return next();
    requireScope(principal, undefined);
    return confirm(ctx, next);
  };
}

function requireScope({ scopes }: Principal, scope: Scope | undefined): void {
  if (!scopes || (scope && scopes.includes(scope))) return;
  throw new AppError(
    'forbidden',
    scope
      ? `This API key lacks the scope ${scope}: use one that has it.`
      : 'API keys cannot do this: sign in as a user.',
  );
}

function forbidden(required: UserRole): AppError {
  return new AppError('forbidden', `This needs the role ${required}: sign in as a user who has it.`);
}
