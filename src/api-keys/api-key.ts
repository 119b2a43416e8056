import { randomBytes } from 'node:crypto';
import { sha256 } from '../common/hash';

/** By it a key is told from an access token, and found by those who scan for secrets that leaked. */
const API_KEY_PREFIX = 'oms_';

const SECRET_BYTES = 32;
const SHOWN_CHARACTERS = 8;
const API_KEY = new RegExp(`^${API_KEY_PREFIX}[\\w-]{${Math.ceil((SECRET_BYTES * 4) / 3)}}$`);

/** A new key. It is shown once: only its hash is kept. */
export function newApiKey(): string {
  return `${API_KEY_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** Whether it looks like one: there is no use in looking for anything else. */
export function isApiKey(token: string): boolean {
  return API_KEY.test(token);
}

/** What is stored. The key is random and long, so that no slow hash is needed. */
export function hashApiKey(key: string): string {
  return sha256(key);
}

/** Enough of a key for people to tell it from others. */
export function startOf(key: string): string {
  return key.slice(0, SHOWN_CHARACTERS);
}
