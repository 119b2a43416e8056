import type { Middleware } from '../common/context';
import { AppError } from '../errors/app-error';
import { challengeTo } from '../jwt/challenge';
import { Role, allows } from './role';

/** Lets a request through to a route of that role: 401 for nobody, 403 for the wrong one. */
export function guard(required: Role): Middleware {
  if (required === Role.PUBLIC) return (_ctx, next) => next();
  return (ctx, next) => {
    const { principal } = ctx.state;
    if (!principal) throw unauthorized(ctx.get('Authorization'));
    if (!allows(required, principal.role)) throw forbidden(required);
    ctx.set('Cache-Control', 'private, no-cache');
    return next();
  };
}

/** The same problem for a token that is missing, malformed, expired or forged: the reason would only help a forger. */
function unauthorized(authorization: string): AppError {
  return new AppError(
    'unauthorized',
    'This needs a valid access token: log in, then send "Authorization: Bearer <accessToken>".',
    { headers: challengeTo(authorization) },
  );
}

function forbidden(required: Role): AppError {
  return new AppError('forbidden', `This needs the role ${required}: sign in as a user who has it.`);
}
