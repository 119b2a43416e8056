import Joi, { type StringSchema } from 'joi';
import { AppError } from '../errors/app-error';
import { sha256 } from './hash';

const MAX_LENGTH = 255;

export interface IdempotencyKeyHeaders {
  'idempotency-key'?: string;
}

/**
 * The schema of an Idempotency-Key header. It is optional, since a missing one has a problem code of its own.
 */
export function idempotencyKeySchema(): StringSchema {
  return Joi.string()
    .pattern(new RegExp(`^[\\x21-\\x7e]{1,${MAX_LENGTH}}$`))
    .messages({
      'string.pattern.base': `{#label} must be 1 to ${MAX_LENGTH} printable ASCII characters without spaces`,
    })
    .example('demo-1');
}

/**
 * Returns the key of a request that must have one.
 * @param thing the noun for what one key names, such as `order`
 * @throws {AppError} idempotency_key_required
 */
export function requireIdempotencyKey(key: string | undefined, thing: string): string {
  if (key) return key;
  throw new AppError(
    'idempotency_key_required',
    `Send an Idempotency-Key header: a new random value, such as a UUID, for each ${thing}. ` +
      'Repeat a request with the key it had.',
  );
}

/** Returns the 32 hexadecimal digits that always stand for the same key of the same owner. */
export function hashOfKey(owner: string, key: string): string {
  return sha256(`${owner}\n${key}`).slice(0, 32);
}
