import { ulid } from 'ulid';
import type { Middleware } from './context';

const SANE = /^[A-Za-z0-9._-]{1,128}$/;

/** Gives every request an id, the caller's own when it is a sane one, and every response the same. */
export function requestId(): Middleware {
  return (ctx, next) => {
    const theirs = ctx.get('X-Request-Id');
    // No secret: it need not cost 16 calls of the system's generator.
    ctx.state.requestId = SANE.test(theirs) ? theirs : ulid(undefined, Math.random);
    ctx.set('X-Request-Id', ctx.state.requestId);
    return next();
  };
}
