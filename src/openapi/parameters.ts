import type { ObjectSchema, Schema } from 'joi';
import { headersOf } from '../http/request-headers';
import type { Route } from '../http/route';
import { exampleOf } from './example';
import { jsonSchemaOf, type JsonSchema } from './json-schema';

type In = 'path' | 'query' | 'header';

/** Returns the parameters of a route in its path, query and headers. */
export function parametersOf(route: Route): Record<string, unknown>[] {
  return [
    ...parametersIn('path', route.params),
    ...parametersIn('query', route.query),
    ...parametersIn('header', headersOf(route)),
  ];
}

function parametersIn(place: In, schema: ObjectSchema | undefined): Record<string, unknown>[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchemaOf(schema) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => {
    const part = schema.extract(name) as Schema;
    const example = exampleOf(part);
    return {
      name: place === 'header' ? headerName(name) : name,
      in: place,
      required: place === 'path' || required.includes(name) || isMarkedRequired(part),
      ...(description === undefined ? {} : { description }),
      ...serializationOf(place, rest),
      schema: rest,
      ...(example === undefined ? {} : { example }),
    };
  });
}

/** Returns how lists (`status=a,b`) and maps (`metadata[key]=value`) are written in a query. */
function serializationOf(place: In, { type }: JsonSchema): { style?: string; explode?: boolean } {
  if (place !== 'query') return {};
  if (type === 'array') return { style: 'form', explode: false };
  return type === 'object' ? { style: 'deepObject', explode: true } : {};
}

/**
 * Tells whether a header is required although Joi sees it as optional: `.meta({ required: true })` marks
 * those whose absence has its own problem code.
 */
function isMarkedRequired(part: Schema): boolean {
  const metas = (part.describe().metas ?? []) as { required?: boolean }[];
  return metas.some(({ required }) => required === true);
}

/** Returns the usual spelling of a header, for example `If-Match`. */
function headerName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
