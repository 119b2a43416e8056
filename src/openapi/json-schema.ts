import type { Schema } from 'joi';
import { descriptionOf } from './description';
import { completed, type JsonSchema } from './joi-rules';

export type { JsonSchema };

type StandardJsonSchema = {
  '~standard': {
    jsonSchema: { input(options: { target: string }): JsonSchema };
  };
};

/** The JSON Schema of a Joi schema, which is an OpenAPI 3.1 schema as it stands but for some corrections. */
export function jsonSchemaOf(schema: Schema): JsonSchema {
  const standard = (schema as unknown as StandardJsonSchema)['~standard'];
  const emitted = correct(standard.jsonSchema.input({ target: 'draft-2020-12' })) as JsonSchema;
  return completed(emitted, descriptionOf(schema));
}

/** The name under which a schema is a component: its id, or its label. */
export function componentNameOf(schema: Schema): string | undefined {
  const { id, label } = (descriptionOf(schema).flags ?? {}) as {
    id?: string;
    label?: string;
  };
  return id ?? label;
}

function correct(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(correct);
  if (typeof node !== 'object' || node === null) return node;
  const { $defs: _inlinedAnyway, ...rest } = node as JsonSchema;
  const corrected = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, correct(value)]));
  return allowNullInEnum(corrected);
}

/** Joi says that null is allowed in `type`, but `enum` would refuse it. */
function allowNullInEnum(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  const nullable =
    Array.isArray(type) && type.includes('null') && Array.isArray(values) && !values.includes(null);
  return nullable ? { ...schema, enum: [...values, null] } : schema;
}
