import type { Description } from 'joi';

export type JsonSchema = Record<string, unknown>;

/** `when('kind', { is: 'service', then: Joi.forbidden() })`, as Joi describes it. */
interface When {
  ref?: { path?: string[] };
  is?: { allow?: unknown[]; flags?: { presence?: string } };
  then?: { flags?: { presence?: string } };
}

type Described = Description & {
  keys?: Record<string, Described>;
  items?: Described[];
  invalid?: unknown[];
  whens?: When[];
  /** `.meta({ jsonSchema: … })` says what a custom rule checks. */
  metas?: { jsonSchema?: JsonSchema }[];
};

/** Adds what Joi checks but leaves out of its JSON Schema: safe integers, excluded values, keys that hang together. */
export function completed(schema: JsonSchema, description: Description): JsonSchema {
  const { type, keys, items, invalid, metas = [] } = description as Described;
  const inner = metas.reduce((said, { jsonSchema }) => ({ ...said, ...jsonSchema }), single(schema));
  if (type === 'object' && keys) return withKeys(inner, keys);
  if (type === 'array' && items?.length === 1 && inner.items) {
    return { ...inner, items: completed(inner.items as JsonSchema, items[0]!) };
  }
  return withoutInvalid(type === 'number' ? withSafeLimits(inner) : inner, invalid);
}

/** A schema with conditions comes wrapped in an `anyOf` of one. */
function single(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  return Array.isArray(anyOf) && anyOf.length === 1 ? { ...rest, ...(anyOf[0] as JsonSchema) } : schema;
}

function withKeys(schema: JsonSchema, keys: Record<string, Described>): JsonSchema {
  const { properties } = schema as { properties?: Record<string, JsonSchema> };
  if (!properties) return schema;
  const entries = Object.entries(properties).map(([name, property]) => {
    const key = keys[name];
    return [name, key ? completed(property, key) : property];
  });
  const conditions = Object.entries(keys).flatMap(([name, { whens = [] }]) =>
    whens.map((when) => conditionOf(name, when)),
  );
  return {
    ...schema,
    properties: Object.fromEntries(entries) as Record<string, JsonSchema>,
    ...(conditions.length > 0 ? { allOf: conditions } : {}),
  };
}

/** @throws for a condition that the document would not tell: better at boot than a document that is not true. */
function conditionOf(name: string, { ref, is, then }: When): JsonSchema {
  const [other, ...deeper] = ref?.path ?? [];
  const values = is?.allow?.filter((value) => typeof value !== 'object');
  const presence = then?.flags?.presence;
  const isKnown = presence === 'forbidden' || presence === 'required';
  const isPresence = is?.flags?.presence === 'required' && !values?.length; // `is: Joi.exist()`
  if (other === undefined || deeper.length > 0 || !(values?.length || isPresence) || !isKnown) {
    throw new Error(
      `The OpenAPI document cannot say the condition on ${name}: teach src/openapi/joi-rules.ts.`,
    );
  }
  return {
    if: { ...(!isPresence && { properties: { [other]: { enum: values } } }), required: [other] },
    then: presence === 'forbidden' ? { properties: { [name]: false } } : { required: [name] },
  };
}

function withSafeLimits(schema: JsonSchema): JsonSchema {
  if (schema.type !== 'integer') return schema;
  return { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER, ...schema };
}

function withoutInvalid(schema: JsonSchema, invalid: unknown[] = []): JsonSchema {
  const values = invalid.filter((value) => typeof value !== 'object');
  return values.length === 0 ? schema : { ...schema, not: { enum: values } };
}
