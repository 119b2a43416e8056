import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { bodyParser } from '@koa/bodyparser';
import { AppError, fieldError } from '../errors/app-error';
import type { Context, Middleware } from './context';
import { duplicateKey } from './duplicate-keys';

/** Our own bodies are nested at most 4 deep; Stripe's are nested somewhat deeper. */
const MAX_DEPTH = 32;
/** Our own bodies have at most 500 values. A schema that finds a mistake in each of too many takes long to say so. */
const MAX_VALUES = 2_000;
const BODY_REJECTED = Symbol('body rejected');
const MALFORMED =
  'The request body is not valid JSON: send one JSON object in UTF-8, with double-quoted keys and no "__proto__".';

/** Bytes that are not UTF-8 are decoded to this character, so that the original text is lost. */
const REPLACEMENT = '\uFFFD';

/**
 * Reads a JSON body into ctx.request.body; no body counts as `{}`. Any other type is 415, a body over the
 * limit or with too many values 413.
 */
export function jsonBody(limit: string, maxValues = MAX_VALUES): Middleware {
  const parse = bodyParser({
    enableTypes: ['json'],
    parsedMethods: ['POST', 'PUT', 'PATCH', 'DELETE'],
    detectJSON: () => true, // the content type is checked below
    jsonLimit: limit,
    jsonStrict: false, // the schema says what is wrong with a number, a text or null
    onError: (error, ctx) => {
      ctx.req.emit(BODY_REJECTED);
      ctx.req.read(0); // Node reads a body to its end unless reading has begun and stopped
      throw bodyError(error, limit);
    },
  });
  return (ctx, next) => {
    if (!hasBody(ctx)) {
      ctx.request.body = {};
      return next();
    }
    if (!ctx.request.is('application/json'))
      throw unsupportedType('The Content-Type is not JSON: send "Content-Type: application/json".');
    if (!['', 'utf-8'].includes(ctx.request.charset.toLowerCase()))
      throw unsupportedType('The charset of the body is not UTF-8: send JSON in UTF-8.');
    normaliseCoding(ctx.req);
    destroyDecompressorOfRejectedBody(ctx.req);
    return parse(ctx, () => {
      if (ctx.request.rawBody?.includes(REPLACEMENT)) throw new AppError('validation_failed', MALFORMED);
      requireSmall(ctx.request.body, maxValues);
      const duplicate = duplicateKey(ctx.request.rawBody ?? '');
      if (duplicate !== undefined) throw namedTwice(duplicate);
      if (ctx.request.rawBody === '') ctx.request.body = {};
      return next();
    });
  };
}

/** Walks level by level, since a deep enough body would overflow the stack of a recursive function. */
function requireSmall(body: unknown, maxValues: number): void {
  let level = [body];
  for (let depth = 0, values = 1; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const node of level.filter(isObject)) {
      if (depth === MAX_DEPTH) throw tooDeep();
      const inside = Object.values(node);
      values += inside.length;
      if (values > maxValues) throw tooMany(maxValues);
      next.push(...inside);
    }
    level = next;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function namedTwice(path: string): AppError {
  return new AppError('validation_failed', 'The body names a key twice: send it once.', {
    errors: [fieldError(path, `${path} is named twice`)],
  });
}

function tooDeep(): AppError {
  return new AppError(
    'validation_failed',
    `The body is nested more than ${MAX_DEPTH} levels deep: send a flatter one.`,
  );
}

function tooMany(maxValues: number): AppError {
  return new AppError(
    'payload_too_large',
    `The body has more than ${maxValues} values: send less at a time.`,
  );
}

/**
 * Node keeps the stream that decompresses a body until it is garbage-collected, along with native memory that
 * the garbage collector does not see. The body parser hands it to `pipe`, the only place where we can get
 * hold of it.
 */
function destroyDecompressorOfRejectedBody(req: IncomingMessage): void {
  const { pipe } = req;
  req.pipe = (decompressor, options) => {
    req.once(BODY_REJECTED, () => (decompressor as unknown as Writable).destroy());
    return pipe.call(req, decompressor, options) as typeof decompressor;
  };
}

/** Names of codings are case-insensitive, and x-gzip is gzip (RFC 9110, 8.4.1); the body parser knows neither. */
function normaliseCoding({ headers }: IncomingMessage): void {
  const coding = headers['content-encoding']?.trim().toLowerCase();
  if (coding !== undefined) headers['content-encoding'] = coding === 'x-gzip' ? 'gzip' : coding || 'identity';
}

function hasBody(ctx: Context): boolean {
  return ctx.request.length !== 0 && ctx.request.is() !== null;
}

function bodyError(error: Error & { status?: number }, limit: string): AppError {
  if (error.status === 413) {
    return new AppError(
      'payload_too_large',
      `The request body is larger than ${limit}: send less at a time.`,
      { headers: { Connection: 'close' } }, // the rest of the body is not read, so no request can follow it
    );
  }
  if (error.status === 415) {
    return new AppError(
      'unsupported_media_type',
      'The Content-Encoding of the body is not supported: use gzip, deflate, br or none.',
      { headers: { 'Accept-Encoding': 'gzip, deflate, br, identity' } },
    );
  }
  // All other errors are the client's as well: invalid JSON or compression, a wrong length, an aborted
  // upload.
  return new AppError('validation_failed', MALFORMED, { cause: error });
}

function unsupportedType(detail: string): AppError {
  return new AppError('unsupported_media_type', detail, {
    headers: { Accept: 'application/json', 'Accept-Patch': 'application/json' },
  });
}
