import { randomBytes } from 'node:crypto';
import { sha256 } from '../common/hash';

/** Distinguishes keys from access tokens, and lets scanners find leaked ones. */
const API_KEY_PREFIX = 'oms_';

/** How many valid keys a user can have: one transaction ends them all with their maker. */
export const MAX_VALID_KEYS = 100;

const SECRET_BYTES = 32;
const SHOWN_CHARACTERS = 8;
const API_KEY = new RegExp(`^${API_KEY_PREFIX}[\\w-]{${Math.ceil((SECRET_BYTES * 4) / 3)}}$`);

/** Creates a key. It is shown once, and only its hash is stored. */
export function newApiKey(): string {
  return `${API_KEY_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** Returns whether the token has the form of a key; any other need not be looked up. */
export function isApiKey(token: string): boolean {
  return API_KEY.test(token);
}

/** Returns the hash that is stored. The key is random and long, so no slow hash is needed. */
export function hashApiKey(key: string): string {
  return sha256(key);
}

/** Returns enough of a key for people to recognise it. */
export function startOf(key: string): string {
  return key.slice(0, SHOWN_CHARACTERS);
}
