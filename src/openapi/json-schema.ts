import type { Schema } from 'joi';
import { descriptionOf } from './description';
import { completed, componentNameIn, type JsonSchema } from './joi-rules';

export type { JsonSchema };

type StandardJsonSchema = {
  '~standard': { jsonSchema: { input(options: { target: string }): JsonSchema } };
};

/** Returns the JSON Schema of a Joi schema with corrections. OpenAPI 3.1 takes it unchanged. */
export function jsonSchemaOf(schema: Schema): JsonSchema {
  const standard = (schema as unknown as StandardJsonSchema)['~standard'];
  const emitted = correct(standard.jsonSchema.input({ target: 'draft-2020-12' })) as JsonSchema;
  return completed(emitted, descriptionOf(schema));
}

/** Returns the name of a schema among the components, if it has one. */
export function componentNameOf(schema: Schema): string | undefined {
  return componentNameIn(descriptionOf(schema));
}

function correct(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(correct);
  if (typeof node !== 'object' || node === null) return node;
  const { $defs: _inlinedAnyway, ...rest } = node as JsonSchema;
  const corrected = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, correct(value)]));
  return allowNullInEnum(corrected);
}

/** Adds null to the `enum` of a nullable schema: Joi allows it in `type` only. */
function allowNullInEnum(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  const nullable =
    Array.isArray(type) && type.includes('null') && Array.isArray(values) && !values.includes(null);
  return nullable ? { ...schema, enum: [...values, null] } : schema;
}
