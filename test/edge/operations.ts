import { TEXT_PATTERNS, type TextFormat } from '../../src/common/text-patterns';
import type { JsonSchema } from '../../src/openapi/json-schema';
import { CONSTRAINTS } from '../../src/openapi/portable-schema';

/** An operation of the OpenAPI document with all references resolved. */
export interface Operation {
  id: string;
  method: string;
  /** The path below the prefix, for example `/orders/{id}`. */
  path: string;
  /** The role that the description names: PUBLIC, CUSTOMER or ADMIN. */
  role: string;
  parameters: { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: JsonSchema }[];
  body?: JsonSchema;
  /** A valid body with every field of the schema. */
  example?: Json;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface DocumentOperation {
  operationId: string;
  description: string;
  parameters: (Operation['parameters'][number] & { example?: Json })[];
  requestBody?: {
    required?: boolean;
    content: { 'application/json': { schema: JsonSchema; example?: Json } };
  };
}

export interface Document {
  paths: Record<string, Record<string, DocumentOperation>>;
}

export function operationsOf(document: Document): Operation[] {
  const resolve = resolver(document);
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]): Operation[] => {
      const { schema, example } = operation.requestBody?.content['application/json'] ?? {};
      const body = schema && (resolve(schema) as JsonSchema);
      return variantsOf({
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        role: /Needs the role (\w+)/.exec(operation.description)?.[1] ?? 'PUBLIC',
        parameters: operation.parameters.map(({ schema: type, example: value, ...parameter }) => ({
          ...parameter,
          schema: { ...(resolve(type) as JsonSchema), ...(value === undefined ? {} : { examples: [value] }) },
        })),
        ...(body ? { body, example: completed(body, example) } : {}),
      });
    }),
  );
}

/** Returns the operation once for each of the keys of its body that exclude each other. */
function variantsOf(operation: Operation): Operation[] {
  const { body, example } = operation;
  const rivals = (body?.not as { required?: string[] } | undefined)?.required;
  if (!body || !rivals) return [operation];
  return rivals.map((chosen) => {
    const isKept = ([key]: [string, unknown]) => key === chosen || !rivals.includes(key);
    const only = <T>(fields: Record<string, T>) => Object.fromEntries(Object.entries(fields).filter(isKept));
    return {
      ...operation,
      id: `${operation.id} with ${chosen}`,
      body: { ...body, properties: only(propertiesOf(body)!) },
      example: only(example as Record<string, Json>),
    };
  });
}

function resolver(document: Document): (node: unknown) => unknown {
  const resolve = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolve);
    if (typeof node !== 'object' || node === null) return node;
    const { $ref } = node as { $ref?: string };
    if ($ref === undefined) {
      const entries = Object.entries(node).map(([key, value]) => [key, resolve(value)] as const);
      return strict(Object.fromEntries(entries));
    }
    const { $ref: _reference, ...said } = node as JsonSchema;
    const keys = $ref.slice(2).split('/');
    const target = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
    return { ...(resolve(target) as JsonSchema), ...said };
  };
  return resolve;
}

/** Says by keywords of JSON Schema what the document says by formats, constraints and references that may be null. */
function strict({ [CONSTRAINTS]: constraints, ...schema }: JsonSchema): JsonSchema {
  const pattern = TEXT_PATTERNS[schema.format as TextFormat] as string | undefined;
  const [first, second] = Array.isArray(schema.anyOf) ? (schema.anyOf as JsonSchema[]) : [];
  const isNullable = second?.type === 'null' && first?.type !== undefined;
  const { anyOf: _anyOf, ...said } = schema;
  return {
    ...(isNullable ? { ...first, ...said, type: [first.type, 'null'].flat() } : schema),
    ...(pattern !== undefined && { format: undefined, pattern }),
    ...(constraints as JsonSchema | undefined),
  };
}

/** Returns the example, with samples of the fields that it omits. */
function completed(schema: JsonSchema, example: Json | undefined): Json {
  const properties = propertiesOf(schema);
  if (!properties) return example ?? sampleOf(schema);
  const given = (example ?? {}) as Record<string, Json>;
  const entries = Object.entries(properties).map(([key, part]) => [key, completed(part, given[key])]);
  return { ...given, ...(Object.fromEntries(entries) as Record<string, Json>) };
}

/** Returns a value that the schema accepts. */
export function sampleOf(schema: JsonSchema): Json {
  const [example] = (schema.examples ?? schema.enum ?? []) as Json[];
  if (example !== undefined) return example;
  const properties = propertiesOf(schema);
  if (properties) return mapValues(properties, sampleOf);
  switch ([schema.type].flat().find((type) => type !== 'null')) {
    case 'array':
      return [sampleOf(itemsOf(schema) ?? {})];
    case 'integer':
    case 'number':
      return Math.max(1, Number(schema.minimum ?? 1));
    case 'boolean':
      return true;
    case 'object':
      return {}; // a map
    default:
      return textFor(schema);
  }
}

function textFor({ pattern, format, minLength }: JsonSchema): string {
  if (format === 'idn-email') return 'carol@example.com';
  if (format === 'date-time' || format === 'date') return '2026-01-15T09:00:00.000Z';
  const candidates = [
    'sample',
    'DE',
    'usr_01HZX000000000000000A11CE0',
    'ps_01HZX0000000000000TSHRTM00',
    'pm_card_visa',
    'https://hooks.example.com/orders',
  ];
  const found = candidates.find(
    (text) => pattern === undefined || new RegExp(pattern as string, 'u').test(text),
  );
  if (found === undefined)
    throw new Error(`The field with the pattern ${String(pattern)} needs an .example().`);
  return found.padEnd(Number(minLength ?? 0), '-');
}

export function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> | undefined {
  const variants = [schema, ...((schema.anyOf ?? schema.oneOf ?? []) as JsonSchema[])];
  return variants.find(({ properties }) => properties)?.properties as Record<string, JsonSchema> | undefined;
}

export function itemsOf(schema: JsonSchema): JsonSchema | undefined {
  const { items } = schema as { items?: JsonSchema | JsonSchema[] };
  return Array.isArray(items) ? items[0] : items;
}

function mapValues<T, U>(object: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}
