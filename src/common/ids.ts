import Joi, { type StringSchema } from 'joi';
import { ulid } from 'ulid';

export type IdPrefix = 'usr' | 'ps' | 'key';

/** A new identifier; identifiers of one kind sort by the time they were made. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${ulid()}`;
}

export const ID_PATTERNS: Readonly<Record<IdPrefix, RegExp>> = {
  usr: /^usr_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  key: /^key_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  ps: /^ps_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
};

/** The Joi schema of an identifier of that kind. */
export function idSchema(prefix: IdPrefix): StringSchema {
  return Joi.string()
    .pattern(ID_PATTERNS[prefix])
    .messages({
      'string.pattern.base': `{#label} must be an id such as ${prefix}_01HZX3…`,
    });
}
