import type { Description, Schema } from 'joi';

const descriptions = new WeakMap<Schema, Description>();

/**
 * Returns Joi's description of a schema. It is computed once per schema: that takes milliseconds for a large
 * one, and the document needs it in many places.
 */
export function descriptionOf(schema: Schema): Description {
  const known = descriptions.get(schema);
  if (known) return known;
  const description = schema.describe();
  descriptions.set(schema, description);
  return description;
}
