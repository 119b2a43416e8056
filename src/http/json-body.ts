import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { bodyParser } from '@koa/bodyparser';
import { AppError } from '../errors/app-error';
import type { Context, Middleware } from './context';

/** Of what we take, nothing is nested more than 4 deep; what Stripe sends is some more. */
const MAX_DEPTH = 32;
const REFUSED = Symbol('the body is refused');
const MALFORMED =
  'The request body is not usable JSON: send one JSON object in UTF-8, with double-quoted keys and no "__proto__".';

/** What bytes that are no UTF-8 are decoded to: what was meant is lost. */
const REPLACEMENT = '\uFFFD';

/** Reads a JSON body into ctx.request.body; no body counts as `{}`. Anything but JSON is 415, too much of it 413. */
export function jsonBody(limit: string): Middleware {
  const parse = bodyParser({
    enableTypes: ['json'],
    parsedMethods: ['POST', 'PUT', 'PATCH', 'DELETE'],
    detectJSON: () => true, // the content type has been checked by then
    jsonLimit: limit,
    onError: (error, ctx) => {
      ctx.req.emit(REFUSED);
      ctx.req.read(0); // begun and not gone on with; what nobody has begun to read, Node reads to its end and drops
      throw bodyError(error, limit);
    },
  });
  return (ctx, next) => {
    if (!hasBody(ctx)) {
      ctx.request.body = {};
      return next();
    }
    if (!ctx.request.is('application/json'))
      throw unsupported('The body is not JSON by its type: send "Content-Type: application/json".');
    if (!['', 'utf-8'].includes(ctx.request.charset.toLowerCase()))
      throw unsupported('The body is not in UTF-8 by its charset: send JSON in UTF-8.');
    freeUnzipper(ctx.req);
    return parse(ctx, () => {
      if (ctx.request.rawBody?.includes(REPLACEMENT)) throw new AppError('validation_failed', MALFORMED);
      if (isDeeperThan(MAX_DEPTH, ctx.request.body)) throw tooDeep();
      return next();
    });
  };
}

/** Level by level: a recursion could be sent over the end of the stack. */
function isDeeperThan(max: number, body: unknown): boolean {
  let level = [body].filter(isObject);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === max) return true;
    level = level.flatMap((node) => Object.values(node).filter(isObject));
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function tooDeep(): AppError {
  return new AppError(
    'validation_failed',
    `The body is nested more than ${MAX_DEPTH} deep: send a flatter one.`,
  );
}

/** What a body is unzipped by keeps memory that the garbage collector does not see: give it back at once. */
function freeUnzipper(req: IncomingMessage): void {
  const { pipe } = req;
  req.pipe = (unzipper, options) => {
    req.once(REFUSED, () => (unzipper as unknown as Writable).destroy());
    return pipe.call(req, unzipper, options) as typeof unzipper;
  };
}

function hasBody(ctx: Context): boolean {
  return ctx.request.length !== 0 && ctx.request.is() !== null;
}

function bodyError(error: Error & { status?: number }, limit: string): AppError {
  if (error.status === 413) {
    return new AppError(
      'payload_too_large',
      `The request body is larger than ${limit}: send less at a time.`,
      { headers: { Connection: 'close' } }, // the rest of it is not read, so that nothing can follow it
    );
  }
  if (error.status === 415) {
    return unsupported(
      'The body is compressed in a way that is not supported: use gzip, deflate, br or none.',
    );
  }
  // Everything else is the client's doing as well: broken JSON, broken compression, a wrong length, a cut upload.
  return new AppError('validation_failed', MALFORMED, { cause: error });
}

function unsupported(detail: string): AppError {
  return new AppError('unsupported_media_type', detail);
}
