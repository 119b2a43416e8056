import Joi, { type CustomHelpers } from 'joi';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { entriesOf } from './rules';
import { section } from './section';
import { isWeakSecret } from './weak-secret';

/** A key that encrypts payloads in Temporal (AES-256). A KeyObject does not show its bytes when it is logged. */
export interface PayloadKey {
  id: string;
  key: KeyObject;
}

const KEY_BYTES = 32;
const ID = /^[A-Za-z0-9._-]{1,64}$/;
const HOW =
  'write keyId:key, comma-separated, the one that encrypts first; "openssl rand -base64 32" makes a key';

const variables = {
  PAYLOAD_KEYS: Joi.string<PayloadKey[]>()
    .custom(readKeys)
    .when('NODE_ENV', {
      is: 'production',
      then: Joi.required(),
      otherwise: Joi.optional().default([]),
    })
    .note('required in production')
    .description(
      'Keys that encrypt what Temporal stores, `keyId:base64-of-32-bytes`, comma-separated: the first one encrypts, ' +
        'all of them decrypt. The same for every API and worker process, and for no other. Make one: ' +
        '`echo "$(date +%Y-%m):$(openssl rand -base64 32)"`',
    )
    .messages({
      'payloadKeys.invalid': `{#label}: {#problem}; ${HOW}`,
      'any.required': `{#label} must be set in production, where it encrypts what Temporal stores: ${HOW}`,
    }),
};

export const payloadKeys = section({
  title: 'Encryption of payloads',
  readBy: ['api', 'worker'],
  variables,
  /** The first one encrypts, all decrypt. Without any, Temporal stores payloads unencrypted. */
  config: (env) => env.PAYLOAD_KEYS,
});

function readKeys(value: string, helpers: CustomHelpers) {
  try {
    return parsePayloadKeys(value);
  } catch (error) {
    return helpers.error('payloadKeys.invalid', { problem: (error as Error).message });
  }
}

/**
 * Reads `keyId:key, keyId:key`; the first one encrypts.
 * @throws {Error} that names the invalid entry by its position, since any part of its text may be a key
 */
export function parsePayloadKeys(text: string): PayloadKey[] {
  const keys = entriesOf(text).map((entry, index) => parseEntry(entry, `entry ${index + 1}`));
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
  if (isWeakSecret(bytes.toString('latin1'))) throw new Error(`${name} has a key that is not random`);
  return { id: id!, key: createSecretKey(bytes) };
}
