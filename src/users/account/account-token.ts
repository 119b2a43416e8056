import { randomBytes } from 'node:crypto';
import { sha256 } from '../../common/hash';

const BYTES = 32;

/** What a token looks like: 256 random bits. */
export const ACCOUNT_TOKEN = /^[\w-]{43}$/;

/** How long a token in a mail can be used, in milliseconds. */
export const ACCOUNT_TOKEN_MS = 30 * 60_000;

/** How long a user may take to show a code after the password, in milliseconds. */
export const CHALLENGE_MS = 5 * 60_000;

export function newAccountToken(): string {
  return randomBytes(BYTES).toString('base64url');
}

/** Returns the hash that is stored. A token is random and long, so no slow hash is needed. */
export function hashAccountToken(token: string): string {
  return sha256(token);
}
