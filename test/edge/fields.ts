import type { JsonSchema } from '../../src/openapi/json-schema';
import { itemsOf, propertiesOf, type Json } from './operations';

/** A place in a body, for example `items.0.quantity`. */
export interface Field {
  path: string[];
  schema: JsonSchema;
}

/** Returns all fields of a body, including nested ones but not the body itself. */
export function fieldsOf(schema: JsonSchema, path: string[] = []): Field[] {
  const own: Field[] = path.length === 0 ? [] : [{ path, schema }];
  const properties = Object.entries(propertiesOf(schema) ?? {});
  const items = itemsOf(schema);
  return [
    ...own,
    ...properties.flatMap(([key, part]) => fieldsOf(part, [...path, key])),
    ...(items ? fieldsOf(items, [...path, '0']) : []),
  ];
}

/** Returns all objects of a body that allow no unknown keys, including the body itself. */
export function closedObjectsOf(schema: JsonSchema): Field[] {
  return [{ path: [], schema }, ...fieldsOf(schema)].filter(
    (field) => propertiesOf(field.schema) && field.schema.additionalProperties === false,
  );
}

/** Returns a copy of the body with another value at the place. */
export function replaced(body: Json, [key, ...rest]: string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(body)) {
    return body.map((item, index) => (String(index) === key ? replaced(item, rest, value) : item));
  }
  const object = body as Record<string, Json>;
  return { ...object, [key]: replaced(object[key] ?? {}, rest, value) };
}

export function valueAt(body: Json, path: string[]): Json {
  return path.reduce((at, key) => (at as Record<string, Json>)[key]!, body);
}
