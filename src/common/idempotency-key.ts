import Joi, { type StringSchema } from 'joi';
import { AppError } from '../errors/app-error';
import { sha256 } from './hash';

const MAX_LENGTH = 255;
/** A String of RFC 8941: printable ASCII in double quotes, in which a backslash precedes a quote or a backslash. */
const QUOTED = `"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\]){1,${MAX_LENGTH}}"`;
/** What needs no quotes, since nothing in it has a meaning in a structured field. */
const BARE = `[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]{1,${MAX_LENGTH}}`;

/**
 * The schema of an Idempotency-Key header as the IETF draft has it, a String of RFC 8941; its quotes may be left out.
 */
export function idempotencyKeySchema(): StringSchema {
  return Joi.string()
    .pattern(new RegExp(`^(?:${QUOTED}|${BARE})$`))
    .messages({
      'string.pattern.base':
        `{#label} must be 1 to ${MAX_LENGTH} printable ASCII characters, in double quotes if a space, comma, semicolon, ` +
        'quote or backslash is among them, and the last two of these after a backslash (RFC 8941)',
    })
    .example('demo-1');
}

/** Returns the key that a valid header names: `k` and `"k"` are one. */
export function idempotencyKeyOf(header: string): string {
  return header.startsWith('"') ? header.slice(1, -1).replace(/\\(.)/g, '$1') : header;
}

/** The error for a request without the key that its route requires. */
export function idempotencyKeyRequired(): AppError {
  return new AppError(
    'idempotency_key_required',
    'Send an Idempotency-Key header: a new random value, such as a UUID, for each new request. ' +
      'Repeat a request with the key it had.',
  );
}

/** Returns the 32 hexadecimal digits that always stand for the same key of the same owner. */
export function hashOfKey(owner: string, key: string): string {
  return sha256(`${owner}\n${key}`).slice(0, 32);
}
