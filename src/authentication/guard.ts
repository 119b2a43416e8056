import type { Middleware } from '../http/context';
import { AppError } from '../errors/app-error';
import { unauthorized } from '../errors/unauthorized';
import type { Principal } from '../role/principal';
import { allows, type Role, type UserRole } from '../role/role';
import type { Scope } from '../role/scope';

/**
 * Lets a request through to a route of that role: 401 for nobody, 403 for the wrong one.
 * @param scope what an API key needs for it; without one, API keys are not let through
 */
export function guard(required: UserRole, scope?: Scope): Middleware {
  return (ctx, next) => {
    const { principal } = ctx.state;
    if (!principal) throw unauthorized(ctx.get('Authorization'));
    if (!allows(required, principal.role)) throw forbidden(required);
    requireScope(principal, scope);
    ctx.set('Cache-Control', 'private, no-cache');
    return next();
  };
}

function requireScope({ scopes }: Principal, scope: Scope | undefined): void {
  if (!scopes || (scope && scopes.includes(scope))) return;
  throw new AppError(
    'forbidden',
    scope
      ? `This API key lacks the scope ${scope}: use one that has it.`
      : 'This is for people: sign in as a user, since API keys cannot do it.',
  );
}

function forbidden(required: Role): AppError {
  return new AppError('forbidden', `This needs the role ${required}: sign in as a user who has it.`);
}
