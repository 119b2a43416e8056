import Joi, { type StringSchema } from 'joi';
import { ulid } from 'ulid';

export type IdPrefix = 'usr' | 'ps' | 'key' | 'aud' | 'cart' | 'whe' | 'whd';

/** Creates an identifier; identifiers with the same prefix sort by creation time. @param at now, if it is stored as well */
export function newId(prefix: IdPrefix, at?: Date): string {
  return `${prefix}_${ulid(at?.getTime())}`;
}

export const ID_PATTERNS: Readonly<Record<IdPrefix, RegExp>> = {
  usr: /^usr_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  key: /^key_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  aud: /^aud_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  ps: /^ps_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  cart: /^cart_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  whe: /^whe_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
  whd: /^whd_[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
};

/** The schema of an identifier with that prefix. */
export function idSchema(prefix: IdPrefix): StringSchema {
  return Joi.string()
    .pattern(ID_PATTERNS[prefix])
    .messages({ 'string.pattern.base': `{#label} must be an id, for example ${prefix}_01HZX3…` });
}
