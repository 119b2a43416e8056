/**
 * JSON Schema as generators of clients read it well: what has properties or a set of values is a component with a name,
 * integers that may be large have 64 bits, and what no generator understands stands in `x-constraints`.
 */
import type { JsonSchema } from './joi-rules';

/** Adds a schema to the components, and returns the reference to it. */
type Refer = (name: string, schema: JsonSchema) => JsonSchema;

const INT32_MAX = 2 ** 31 - 1;

/** Where validators read what the schema says beyond its types; generators make classes without a meaning of it. */
export const CONSTRAINTS = 'x-constraints';

/** Returns the schema with references to its parts. It is not made a component itself. */
export function portable(schema: JsonSchema, name: string, refer: Refer): JsonSchema {
  const { title: _title, ...rest } = withSizes(withConstraints(asMap(schema)));
  const part = (one: unknown, of: string) => portablePart(one as JsonSchema, of, refer);
  const { properties, items, additionalProperties, anyOf } = rest as {
    properties?: Record<string, JsonSchema>;
    items?: JsonSchema;
    additionalProperties?: JsonSchema | boolean;
    anyOf?: JsonSchema[];
  };
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [key, part(value, name + pascal(key))]),
      ),
    }),
    ...(items && { items: part(items, singular(name)) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: part(additionalProperties, singular(name)),
    }),
    ...(anyOf && { anyOf: anyOf.map((one, n) => part(one, `${name}${n + 1}`)) }),
  };
}

function portablePart(schema: JsonSchema, name: string, refer: Refer): JsonSchema {
  if (!isComponent(schema)) return portable(schema, name, refer);
  const { description, title, ...content } = schema;
  const said = description === undefined ? {} : { description };
  const reference = refer((title as string | undefined) ?? name, withoutNull(content));
  return isNullable(schema) ? { anyOf: [reference, { type: 'null' }], ...said } : { ...reference, ...said };
}

/** Returns whether generators make a type of the schema, so that it needs a name. */
function isComponent({ title, type, properties, enum: values }: JsonSchema): boolean {
  if (title !== undefined) return true;
  const isText = [type].flat().includes('string');
  const texts = Array.isArray(values) ? values.filter((value) => value !== null) : [];
  return properties !== undefined || (isText && texts.length > 1);
}

function isNullable({ type }: JsonSchema): boolean {
  return Array.isArray(type) && type.includes('null');
}

function withoutNull(schema: JsonSchema): JsonSchema {
  if (!isNullable(schema)) return schema;
  const { enum: values } = schema as { enum?: unknown[] };
  return {
    ...schema,
    type: (schema.type as string[]).find((one) => one !== 'null'),
    ...(values && { enum: values.filter((value) => value !== null) }),
  };
}

/** Says of a map what its keys and its values are by the keywords that generators know. */
function asMap(schema: JsonSchema): JsonSchema {
  const { patternProperties, ...rest } = schema;
  const [[pattern, values] = [], ...others] = Object.entries(
    (patternProperties ?? {}) as Record<string, JsonSchema>,
  );
  if (pattern === undefined || others.length > 0) return schema;
  const isAnyKey = pattern === '.*';
  return { ...rest, ...(!isAnyKey && { propertyNames: { pattern } }), additionalProperties: values };
}

function withConstraints(schema: JsonSchema): JsonSchema {
  const { allOf, not, anyOf, enum: values, ...rest } = schema;
  const areRules = Array.isArray(anyOf) && anyOf.every((one: JsonSchema) => one.type === undefined);
  const isFlag = schema.type === 'boolean' && values !== undefined; // generators take its values for texts
  const constraints = {
    ...(allOf !== undefined && { allOf }),
    ...(not !== undefined && { not }),
    ...(areRules && { anyOf }),
    ...(isFlag && { enum: values }),
  };
  if (Object.keys(constraints).length === 0) return schema;
  return {
    ...rest,
    ...(anyOf !== undefined && !areRules && { anyOf }),
    ...(values !== undefined && !isFlag && { enum: values }),
    [CONSTRAINTS]: constraints,
  };
}

function withSizes(schema: JsonSchema): JsonSchema {
  const { type, maximum } = schema;
  const types = [type].flat();
  if (types.includes('integer') && Number(maximum ?? Infinity) > INT32_MAX)
    return { ...schema, format: 'int64' };
  return types.includes('number') && types.length <= 2 ? { ...schema, format: 'double' } : schema;
}

/** Returns a key or an operation's id as a part of a type's name: `shippingAddress`, `Cart-Token`. */
export function pascal(text: string): string {
  return text.replaceAll(/(?:^|[^a-zA-Z0-9]+)([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function singular(name: string): string {
  return name.endsWith('s') && !name.endsWith('ss') && !name.endsWith('us')
    ? name.slice(0, -1)
    : `${name}Item`;
}
