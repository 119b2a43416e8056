import Joi, { type CustomHelpers } from 'joi';
import { createSecretKey, type KeyObject } from 'node:crypto';

/** A key that payloads in Temporal are encrypted with (AES-256). As a KeyObject it does not show when it is logged. */
export interface PayloadKey {
  id: string;
  key: KeyObject;
}

const KEY_BYTES = 32;
/** Random bytes have about 30 different ones. */
const MIN_DISTINCT_BYTES = 10;
const ID = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Reads `keyId:key, keyId:key`; the first one encrypts.
 * @throws Error that says which entry is wrong by its place: what stands there may be a key, wherever it stands
 */
export function parsePayloadKeys(text: string): PayloadKey[] {
  const keys = text.split(',').map((entry, index) => parseEntry(entry.trim(), `entry ${index + 1}`));
  const repeated = keys.findIndex(({ id }, index) => keys.findIndex((other) => other.id === id) < index);
  if (repeated !== -1) throw new Error(`entry ${repeated + 1} has the key id of another one`);
  return keys;
}

function parseEntry(entry: string, name: string): PayloadKey {
  const [id, text, ...rest] = entry.split(':');
  if (text === undefined || rest.length > 0) throw new Error(`${name} is not "keyId:key"`);
  if (!ID.test(id!)) throw new Error(`${name} has a key id that is not 1 to 64 of A-Z a-z 0-9 . _ -`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== text)
    throw new Error(`${name} has a key that is not the base64 of exactly ${KEY_BYTES} bytes`);
  if (new Set(bytes).size < MIN_DISTINCT_BYTES) throw new Error(`${name} has a key that is not random`);
  return { id: id!, key: createSecretKey(bytes) };
}

const HOW =
  'write keyId:key, comma-separated, the one that encrypts first; "openssl rand -base64 32" makes a key';

/** None unless told, but in production payloads are not to be readable in Temporal. */
export const payloadKeys = Joi.string()
  .custom((value: string, helpers: CustomHelpers) => {
    try {
      return parsePayloadKeys(value);
    } catch (error) {
      return helpers.error('payloadKeys.invalid', { problem: (error as Error).message });
    }
  })
  .when('NODE_ENV', {
    is: 'production',
    then: Joi.required(),
    otherwise: Joi.optional().default([]),
  })
  .messages({
    'payloadKeys.invalid': `{#label}: {#problem}; ${HOW}`,
    'any.required': `{#label} must be set in production, where it encrypts what Temporal stores: ${HOW}`,
  }) as unknown as Joi.ArraySchema<PayloadKey[]>;
