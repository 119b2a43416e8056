import Joi, { type ObjectSchema } from 'joi';
import {
  ifMatchSchema,
  isWeak,
  matchesIfMatch,
  matchesIfNoneMatch,
  preconditionFailed,
  versionsOf,
} from '../common/etag';
import { idempotencyKeyOf, idempotencyKeyRequired, idempotencyKeySchema } from '../common/idempotency-key';
import { AppError } from '../errors/app-error';
import type { Context } from './context';
import type { Need, Route } from './route';

interface Declared extends Pick<Route, 'method' | 'headers' | 'ifMatch' | 'responses'> {
  idempotency?: Need;
}

/** What the headers of a request tell every route that declares them. */
export interface Conditions {
  idempotencyKey?: string;
  /** The versions one of which must be the current one; null for any version. */
  ifMatch: number[] | null;
}

const KEY = {
  required:
    'Required. A new random value, such as a UUID, for each new request. A repeat with the same key and content has no ' +
    'further effect and gets the outcome of the first one, with `Idempotent-Replayed: true`. It is a String of RFC 8941, ' +
    'whose quotes may be left out.',
  optional:
    'With a key, a repeat of the request after a lost response gets the outcome of the first one, with ' +
    '`Idempotent-Replayed: true`. It is a String of RFC 8941, whose quotes may be left out.',
};

const IF_MATCH = {
  required: 'Required. The ETag of the version that you have read, such as `"2"`, or `*` for any version',
  optional:
    'The ETag of the version that you have read, such as `"2"`: the response is 412 if it is not current',
};

/** Returns the headers that a route reads: those of its schema, and those that its declarations imply. */
export function headersOf(route: Declared): ObjectSchema | undefined {
  const { idempotency, ifMatch = sendsETag(route) ? 'optional' : undefined } = route;
  const implied = {
    ...(idempotency && {
      'idempotency-key': mark(idempotencyKeySchema(), idempotency).description(KEY[idempotency]),
    }),
    ...(ifMatch && { 'if-match': mark(ifMatchSchema(), ifMatch).description(IF_MATCH[ifMatch]) }),
    ...(304 in route.responses && { 'if-none-match': IF_NONE_MATCH }),
  };
  if (Object.keys(implied).length === 0) return route.headers;
  return (route.headers ?? Joi.object({})).keys(implied);
}

/** A missing header has a problem of its own, so the schema has it as optional and only the document as required. */
function mark(schema: Joi.StringSchema, need: Need): Joi.StringSchema {
  return need === 'required' ? schema.meta({ required: true }) : schema;
}

const IF_NONE_MATCH = Joi.string()
  .max(1_000)
  .description('The ETag that you have. The response is 304 while it is still current');

/** Returns whether the route reads something that has an ETag. */
export function sendsETag({ method, responses }: Pick<Route, 'method' | 'responses'>): boolean {
  return method === 'get' && responses[200]?.headers?.ETag !== undefined;
}

/**
 * Returns the schema of the headers of a request, in which those that would change the meaning of the request, and that
 * the route does not support, are mistakes: ignoring them would break a promise.
 * @param keyed the routes that support an Idempotency-Key, such as `POST /orders`
 */
export function acceptedHeaders(route: Route, keyed: readonly string[]): ObjectSchema {
  const accepted = headersOf(route);
  const supported = new Set(Object.keys(accepted?.describe().keys ?? {}));
  const isRead = route.method === 'get';
  const rejected = {
    'idempotency-key': `is not supported here but only by ${keyed.join(', ')}: leave it out`,
    'if-match': 'is not supported here: leave it out',
    ...(!isRead && {
      'if-none-match': 'is supported by GET and HEAD only: leave it out',
      'content-range': 'is not supported: send all of the content',
    }),
  };
  const unsupported = Object.entries(rejected).filter(([name]) => !supported.has(name));
  return (accepted ?? Joi.object({})).keys(
    Object.fromEntries(
      unsupported.map(([name, message]) => [
        name,
        Joi.forbidden().messages({ 'any.unknown': `{#label} ${message}` }),
      ]),
    ),
  );
}

/**
 * Reads what valid headers tell the route.
 * @throws {AppError} idempotency_key_required, precondition_required
 */
export function conditionsOf(
  { idempotency, ifMatch: need }: Declared,
  headers: Record<string, string | undefined>,
): Conditions {
  const key = headers['idempotency-key'];
  const ifMatch = headers['if-match'];
  if (idempotency === 'required' && key === undefined) throw idempotencyKeyRequired();
  if (need === 'required' && ifMatch === undefined) throw preconditionRequired();
  return {
    idempotencyKey: key === undefined ? undefined : idempotencyKeyOf(key),
    ifMatch: ifMatch === undefined ? null : versionsOf(ifMatch),
  };
}

function preconditionRequired(): AppError {
  return new AppError(
    'precondition_required',
    'This change needs an If-Match header: send the ETag of the version you have read.',
  );
}

/** Judges the representation that a handler is about to send by the conditions of the request (RFC 9110, 13.2.2). */
export function judgeRepresentation(ctx: Context, route: Declared): void {
  const etag = ctx.response.get('ETag');
  if (!etag || ctx.status !== 200) return;
  const ifMatch = ctx.get('If-Match');
  if (ifMatch && !matchesIfMatch(ifMatch, etag)) {
    throw preconditionFailed(`The current ETag is ${etag}, which If-Match does not name.`, etag);
  }
  if (
    !(304 in route.responses) ||
    ctx.state.hasUnversionedParts ||
    !matchesIfNoneMatch(ctx.get('If-None-Match'), etag)
  )
    return;
  ctx.status = 304;
  ctx.body = null;
}

/** Explains a 412 whose If-Match could never have matched. */
export function explained(error: unknown, ifMatch: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'precondition_failed' || !isWeak(ifMatch)) return error;
  const detail =
    'If-Match names only weak ETags (W/"…"), which never match. The API sends strong ones: a proxy between you and the ' +
    'API has weakened it, as some do when they compress responses. Send the ETag without W/, or have the proxy leave it.';
  return new AppError(error.code, detail, { headers: error.headers, orderId: error.orderId });
}
