import Joi, { type Schema, type ValidationOptions } from 'joi';
import { AppError, type FieldError } from '../errors/app-error';
import type { Context } from './context';
import type { Route } from './route';

type Part = 'params' | 'query' | 'headers' | 'body';

/** What takes no parameters refuses all: one that was misspelt, or meant for somebody else, is not ignored. */
const NO_QUERY = Joi.object({});
/** The one key that gets lost in Joi's copy of an object, so that it cannot be found to be unknown. */
const UNSEEN = '__proto__';

const COMMON: ValidationOptions = {
  abortEarly: false,
  errors: { wrap: { label: false }, label: 'key' },
  // Joi's own would repeat the value, which may be personal, or a secret in the wrong field.
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

/** A check of everything a route takes from the request; it reports all mistakes of all parts at once. */
export function inputValidator(route: Route): (ctx: Context) => Record<Part, unknown> {
  const schemas = { ...route, query: route.query ?? (route.ignoresOtherQuery ? undefined : NO_QUERY) };
  const parts = (Object.keys(OPTIONS) as Part[]).map((part) => [part, prepare(schemas[part], part)] as const);
  return (ctx) => {
    const errors: FieldError[] = [];
    const input = { params: {}, query: {}, headers: {}, body: {} } as Record<Part, unknown>;
    for (const [part, schema] of parts) {
      if (!schema) continue;
      const given = read(ctx, part);
      const { value, error } = schema.validate(given);
      input[part] = value;
      if (error) errors.push(...fieldErrors(error.details));
      if (Object.hasOwn(given, UNSEEN)) errors.push({ path: UNSEEN, message: `${UNSEEN} is not allowed` });
    }
    if (errors.length > 0) throw invalid(errors);
    return input;
  };
}

/** With its options: as those of each call they would be compiled each time. */
function prepare(schema: Schema | undefined, part: Part): Schema | undefined {
  return schema?.required().label(part).prefs(OPTIONS[part]);
}

function read(ctx: Context, part: Part): object {
  if (part === 'params') return ctx.params;
  if (part === 'body') return ctx.request.body as object;
  return part === 'query' ? { ...ctx.query } : ctx.headers;
}

function fieldErrors(details: { path: (string | number)[]; message: string }[]): FieldError[] {
  return details.map(({ path, message }) => ({
    path: path.join('.'),
    message,
  }));
}

/** Every mistake in the input, whether a schema saw it or a handler. */
export function invalid(errors: FieldError[]): AppError {
  const count = errors.length === 1 ? 'One value is' : `${errors.length} values are`;
  return new AppError('validation_failed', `${count} not as required; "errors" names each.`, { errors });
}
