import Joi, { type ArraySchema, type Schema } from 'joi';

/** Some values in a query, separated by commas: at least one of them. */
export function listOf<T>(value: Schema<T>, max: number): ArraySchema<T[]> {
  const joi = Joi.extend({
    type: 'array',
    base: Joi.array(),
    coerce: { from: 'string', method: (text: string) => ({ value: text.split(',', max + 1) }) },
  }) as { array(): ArraySchema<T[]> };
  return joi.array().items(value).min(1).max(max);
}
