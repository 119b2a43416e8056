import Joi, { type Schema, type ValidationOptions } from 'joi';
import { AppError, fieldError, type FieldError } from '../errors/app-error';
import { invalid } from '../errors/invalid';
import type { Context } from './context';
import { acceptedHeaders } from './request-headers';
import type { Route } from './route';

type Part = 'params' | 'query' | 'headers' | 'body';

/** A route without query parameters rejects all of them, so that a misspelt one is not ignored. */
const NO_QUERY = Joi.object({});
/** The one key that Joi loses when it copies an object, so that Joi cannot reject it as unknown. */
const UNSEEN = '__proto__';
/** Names of a query, counting repeated ones. The most that a route has are 20, and 20 more of a map. */
const MAX_QUERY_NAMES = 50;

const COMMON: ValidationOptions = {
  abortEarly: false,
  errors: { wrap: { label: false }, label: 'key' },
  // Joi's own messages repeat the value, which may be personal, or a secret in the wrong field.
  messages: {
    'string.pattern.base': '{#label} does not match the required pattern: {#regex}',
    'string.pattern.name': '{#label} does not match the required pattern: {#name}',
  },
};
const OPTIONS: Readonly<Record<Part, ValidationOptions>> = {
  params: COMMON,
  query: COMMON,
  headers: { ...COMMON, allowUnknown: true, stripUnknown: true },
  body: { ...COMMON, convert: false },
};

/**
 * Creates the check of everything that a route reads from a request; it reports all mistakes of all parts at
 * once.
 * @param keyed the names of the routes that support an Idempotency-Key
 */
export function inputValidator(
  route: Route,
  keyed: readonly string[] = [],
): (ctx: Context) => Record<Part, unknown> {
  const schemas = {
    ...route,
    query: route.query ?? (route.ignoresOtherQuery ? undefined : NO_QUERY),
    headers: acceptedHeaders(route, keyed),
  };
  const parts = (Object.keys(OPTIONS) as Part[]).map((part) => [part, prepare(schemas[part], part)] as const);
  const maps = mapsOf(route.query);
  return (ctx) => {
    if (ctx.querystring.split('&', MAX_QUERY_NAMES + 1).length > MAX_QUERY_NAMES) throw tooManyNames();
    const errors: FieldError[] = [];
    const input = { params: {}, query: {}, headers: {}, body: {} } as Record<Part, unknown>;
    for (const [part, schema] of parts) {
      if (!schema) continue;
      const given = part === 'query' ? withMaps(ctx.query, maps) : readPart(ctx, part);
      const { value, error } = schema.validate(given);
      input[part] = value;
      if (error) errors.push(...fieldErrors(error.details));
      if (given !== null && Object.hasOwn(given, UNSEEN))
        errors.push({ path: UNSEEN, message: `${UNSEEN} is not allowed` });
    }
    if (errors.length > 0) throw invalid(errors);
    return input;
  };
}

/** Adds the options to the schema, since options passed to `validate` are compiled on every call. */
function prepare(schema: Schema | undefined, part: Part): Schema | undefined {
  return schema?.required().label(part).prefs(OPTIONS[part]);
}

/** A JSON body may also be null, a number or a text, which the schema rejects. */
function readPart(ctx: Context, part: Exclude<Part, 'query'>): object | null {
  if (part === 'params') return ctx.params;
  return part === 'body' ? (ctx.request.body as object | null) : ctx.headers;
}

/** Returns the names of the query parameters that are maps. */
function mapsOf(query: Schema | undefined): ReadonlySet<string> {
  const keys = (query?.describe().keys ?? {}) as Record<string, { type?: string }>;
  return new Set(Object.keys(keys).filter((name) => keys[name]!.type === 'object'));
}

const IN_MAP = /^(\w+)\[([^[\]]*)\]$/;

/** Returns the query with each `name[key]=value` as an entry of the map of that name. */
function withMaps(query: Context['query'], maps: ReadonlySet<string>): object {
  const read: Record<string, Record<string, unknown>> = {};
  const others = Object.entries(query).filter(([parameter, value]) => {
    const [, name = '', key = UNSEEN] = IN_MAP.exec(parameter) ?? [];
    const isEntry = maps.has(name) && query[name] === undefined && key !== UNSEEN;
    if (isEntry) read[name] = { ...read[name], [key]: value };
    return !isEntry;
  });
  return { ...Object.fromEntries(others), ...read };
}

/** Returns one error for each field: the first rule that it breaks. */
function fieldErrors(details: { path: (string | number)[]; message: string }[]): FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const { path: keys, message } of details) {
    const path = keys.join('.');
    if (!errors.has(path)) errors.set(path, fieldError(path, message));
  }
  return [...errors.values()];
}

function tooManyNames(): AppError {
  return new AppError(
    'validation_failed',
    `The query has more than ${MAX_QUERY_NAMES} parameters: send fewer.`,
  );
}
