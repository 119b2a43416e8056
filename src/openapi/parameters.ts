import type { ObjectSchema, Schema } from 'joi';
import { headersOf } from '../http/request-headers';
import type { Route } from '../http/route';
import { exampleOf } from './example';
import type { ComponentRegistry } from './components';
import { jsonSchemaOf, type JsonSchema } from './json-schema';
import { pascal } from './portable-schema';

type In = 'path' | 'query' | 'header';

/** Returns the parameters of a route in its path, query and headers. */
export function parametersOf(route: Route, { inline }: ComponentRegistry): Record<string, unknown>[] {
  const named = (name: string, schema: JsonSchema) =>
    inlineOf(inline, pascal(route.operationId), name, schema);
  return [
    ...parametersIn('path', route.params, named),
    ...parametersIn('query', route.query, named),
    ...parametersIn('header', headersOf(route), named),
  ];
}

/** Makes a component of what has a name or is a set of values, as a part of an object does. */
function inlineOf(
  inline: ComponentRegistry['inline'],
  operation: string,
  name: string,
  schema: JsonSchema,
): JsonSchema {
  const { properties } = inline(operation, { type: 'object', properties: { [name]: schema } });
  return (properties as Record<string, JsonSchema>)[name]!;
}

function parametersIn(
  place: In,
  schema: ObjectSchema | undefined,
  named: (name: string, schema: JsonSchema) => JsonSchema,
): Record<string, unknown>[] {
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
      schema: named(name, rest),
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
