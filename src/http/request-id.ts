import { ulid } from 'ulid';
import type { Middleware } from './context';

const ACCEPTED = /^[A-Za-z0-9._-]{1,128}$/;

/** Gives every request an id, the caller's own if it is well-formed, and sends it with the response. */
export function requestId(): Middleware {
  return (ctx, next) => {
    const theirs = ctx.get('X-Request-Id');
    // The id is no secret, so it is not worth 16 calls of the system's random generator.
    ctx.state.requestId = ACCEPTED.test(theirs) ? theirs : ulid(undefined, Math.random);
    ctx.set('X-Request-Id', ctx.state.requestId);
    return next();
  };
}
