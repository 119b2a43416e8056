import { hkdfSync, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;

/**
 * Derives a key from a secret (HKDF, RFC 5869).
 * @param purpose what is made with the key of one purpose is good for no other
 */
export function derivedKey(secret: KeyObject | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES));
}
