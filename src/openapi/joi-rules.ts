import type { Description } from 'joi';

export type JsonSchema = Record<string, unknown>;

/** Joi's description of a condition such as `when('kind', { is: 'service', then: Joi.forbidden() })`. */
interface When {
  ref?: { path?: string[] };
  is?: { allow?: unknown[]; flags?: { presence?: string } };
  then?: { flags?: { presence?: string } };
}

type Described = Description & {
  keys?: Record<string, Described>;
  items?: Described[];
  /** The rules of keys that match a pattern. */
  patterns?: { rule: Described }[];
  invalid?: unknown[];
  whens?: When[];
  dependencies?: { rel: string; peers: string[] }[];
  /** The schemas of alternatives. */
  matches?: { schema: Described }[];
  flags?: { presence?: string; id?: string; label?: string };
  /** The JSON Schema of a custom rule, and the name among the components of the document. */
  metas?: { jsonSchema?: JsonSchema; component?: string }[];
};

/**
 * Adds what Joi omits from its JSON Schema: safe integers, excluded values, conditions between keys, and as the `title`
 * the name among the components.
 */
export function completed(schema: JsonSchema, description: Description): JsonSchema {
  const title = componentNameIn(description);
  const rules = completedRules(schema, description);
  return title === undefined ? rules : { ...rules, title };
}

/** Returns the name among the components: that of `.meta({ component: … })`; of an object also its id or its label. */
export function componentNameIn(description: Description): string | undefined {
  const { type, flags = {}, metas = [] } = description as Described;
  const declared = metas.findLast(({ component }) => component !== undefined)?.component;
  const isObject = type === 'object' || type === 'alternatives';
  return declared ?? (isObject ? (flags.id ?? flags.label) : undefined);
}

function completedRules(schema: JsonSchema, description: Description): JsonSchema {
  const { type, keys, items, patterns, invalid, dependencies, metas = [] } = description as Described;
  const inner = metas.reduce(
    (declared, { jsonSchema }) => ({ ...declared, ...jsonSchema }),
    unwrapped(schema),
  );
  if (type === 'object' && keys) return { ...withKeys(inner, keys), ...exclusionsOf(dependencies) };
  if (type === 'object' && patterns) return withPatterns(inner, patterns);
  if (type === 'array' && items?.length === 1 && inner.items) {
    return { ...inner, items: completed(inner.items as JsonSchema, items[0]!) };
  }
  if (type === 'alternatives' && Array.isArray(inner.anyOf)) return withVariants(inner, description);
  return withoutInvalid(type === 'number' ? withSafeLimits(inner) : inner, invalid);
}

/** Unwraps a schema with conditions, which Joi wraps into an `anyOf` with one entry. */
function unwrapped(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  return Array.isArray(anyOf) && anyOf.length === 1 ? { ...rest, ...(anyOf[0] as JsonSchema) } : schema;
}

function withKeys(schema: JsonSchema, keys: Record<string, Described>): JsonSchema {
  const { properties } = schema as { properties: Record<string, JsonSchema> };
  // A key that is forbidden has a better message than one that is unknown; for the document, there is none of them.
  const entries = Object.entries(properties)
    .filter(([name]) => keys[name]!.flags?.presence !== 'forbidden')
    .map(([name, property]) => [name, completed(property, keys[name]!)]);
  const conditions = Object.entries(keys).flatMap(([name, { whens = [] }]) =>
    whens.map((when) => conditionOf(name, when)),
  );
  return {
    ...schema,
    properties: Object.fromEntries(entries) as Record<string, JsonSchema>,
    ...(conditions.length > 0 ? { allOf: conditions } : {}),
  };
}

/** Expresses that an object has at most one of two keys. @throws for any other dependency between keys */
function exclusionsOf(dependencies: Described['dependencies'] = []): JsonSchema {
  const [one, ...others] = dependencies.filter(({ rel }) => rel !== 'or');
  if (!one) return {};
  if (one.rel !== 'oxor' || one.peers.length !== 2 || others.length > 0) {
    throw new Error(
      `The OpenAPI document cannot express that ${one.peers.join(' and ')} depend on each other: extend src/openapi/joi-rules.ts.`,
    );
  }
  return { not: { required: one.peers } };
}

function withVariants(schema: JsonSchema, { matches }: Described): JsonSchema {
  const variants = (schema.anyOf as JsonSchema[]).map((one, n) => completed(one, matches![n]!.schema));
  return { ...schema, anyOf: variants };
}

function withPatterns(schema: JsonSchema, patterns: { rule: Described }[]): JsonSchema {
  const emitted = Object.entries(schema.patternProperties as Record<string, JsonSchema>);
  const patternProperties = Object.fromEntries(
    emitted.map(([pattern, part], n) => [pattern, completed(part, patterns[n]!.rule)]),
  );
  return { ...schema, patternProperties };
}

/**
 * @throws for a condition that cannot be translated, so that the process does not serve an incorrect document
 */
function conditionOf(name: string, { ref, is, then }: When): JsonSchema {
  const [other, ...deeper] = ref?.path ?? [];
  const values = is?.allow?.filter((value) => typeof value !== 'object');
  const presence = then?.flags?.presence;
  const isKnown = presence === 'forbidden' || presence === 'required';
  const isPresence = is?.flags?.presence === 'required' && !values?.length; // `is: Joi.exist()`
  if (other === undefined || deeper.length > 0 || !(values?.length || isPresence) || !isKnown) {
    throw new Error(
      `The OpenAPI document cannot express the condition on ${name}: extend src/openapi/joi-rules.ts.`,
    );
  }
  return {
    if: { ...(!isPresence && { properties: { [other]: { enum: values } } }), required: [other] },
    then: presence === 'forbidden' ? { properties: { [name]: false } } : { required: [name] },
  };
}

function withSafeLimits(schema: JsonSchema): JsonSchema {
  if (![schema.type].flat().includes('integer')) return schema;
  return { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER, ...schema };
}

function withoutInvalid(schema: JsonSchema, invalid: unknown[] = []): JsonSchema {
  const values = invalid.filter((value) => typeof value !== 'object');
  return values.length === 0 ? schema : { ...schema, not: { enum: values } };
}
