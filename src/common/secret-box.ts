import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { PayloadKey } from '../config/payload-keys';
import { derivedKey } from './derived-key';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Stands where the id of a key would, which has no such character. */
const UNSEALED = '!';

export interface SecretBox {
  /** @param whose cannot be opened for anybody else */
  seal(text: string, whose: string): string;
  /** @throws {Error} if the keys do not open it */
  open(sealed: string, whose: string): string;
  /** Whether it was sealed as a text would be now. */
  isCurrent(sealed: string): boolean;
}

/**
 * Creates what encrypts texts that the database keeps but must not tell. The first key seals, all open, with a key derived
 * for the purpose. Without keys, in development, nothing is encrypted.
 */
export function createSecretBox(keys: readonly PayloadKey[], purpose: string): SecretBox {
  const derived = keys.map(({ id, key }) => ({ id, key: derivedKey(key, purpose) }));
  const [first] = derived;
  return {
    seal(text, whose) {
      if (!first) return `${UNSEALED}:${text}`;
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, first.key, iv).setAAD(Buffer.from(whose));
      const parts = [iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return `${first.id}:${Buffer.concat(parts).toString('base64url')}`;
    },

    open(sealed, whose) {
      const end = sealed.indexOf(':');
      const [id, text] = [sealed.slice(0, end), sealed.slice(end + 1)];
      if (id === UNSEALED) return text;
      const found = derived.find((one) => one.id === id);
      if (!found) throw new Error(`A secret is sealed with the key ${id}: add it to PAYLOAD_KEYS again.`);
      const data = Buffer.from(text, 'base64url');
      const decipher = createDecipheriv(ALGORITHM, found.key, data.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(whose)).setAuthTag(data.subarray(-TAG_BYTES));
      return decipher.update(data.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },

    isCurrent: (sealed) => sealed.startsWith(`${first?.id ?? UNSEALED}:`),
  };
}
