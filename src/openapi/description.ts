import type { Description, Schema } from 'joi';

const descriptions = new WeakMap<Schema, Description>();

/** Describes a schema once: Joi takes milliseconds for a large one, and a document asks for it in many places. */
export function descriptionOf(schema: Schema): Description {
  const known = descriptions.get(schema);
  if (known) return known;
  const description = schema.describe();
  descriptions.set(schema, description);
  return description;
}
