import { createHmac, type KeyObject } from 'node:crypto';
import { derivedKey } from './derived-key';

/** 132 bits: no two texts have the same. */
const HASH_CHARACTERS = 22;

/** Hashes texts that can be guessed, such as e-mail and network addresses, so that the hash does not give them away. */
export type KeyedHash = (...parts: string[]) => string;

/**
 * @param secret the same for all API processes, so that their hashes are
 * @param purpose what is hashed for one purpose cannot be found among the hashes for another
 */
export function createKeyedHash(secret: KeyObject, purpose: string): KeyedHash {
  const key = derivedKey(
    secret.type === 'secret' ? secret : secret.export({ format: 'der', type: 'pkcs8' }),
    purpose,
  );
  return (...parts) =>
    createHmac('sha256', key).update(parts.join('\n')).digest('base64url').slice(0, HASH_CHARACTERS);
}
