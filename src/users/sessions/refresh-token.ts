import { randomBytes } from 'node:crypto';
import { sha256 } from '../../common/hash';

const FAMILY_BYTES = 16;
const SECRET_BYTES = 32;

export interface RefreshToken {
  /** Identical in all refresh tokens of a session: its owner can end the session. */
  family: Buffer;
  /** Different in each refresh token: the owner of the newest can continue the session. */
  secret: Buffer;
}

export function newFamily(): Buffer {
  return randomBytes(FAMILY_BYTES);
}

export function newSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

/**
 * Returns the id of the session. Access tokens carry it to programs that must not be able to end the session.
 */
export function sessionIdOf({ family }: Pick<RefreshToken, 'family'>): string {
  return sha256(family).slice(0, 2 * FAMILY_BYTES);
}

/** Returns the hash that is stored. The secret is random and long, so no slow hash is needed. */
export function hashSecret(secret: Buffer): string {
  return sha256(secret);
}

/** Encodes the token as the client keeps it. */
export function encodeRefreshToken({ family, secret }: RefreshToken): string {
  return Buffer.concat([family, secret]).toString('base64url');
}

/** Returns null for a text that is not a refresh token. */
export function decodeRefreshToken(token: string): RefreshToken | null {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== FAMILY_BYTES + SECRET_BYTES) return null;
  return { family: bytes.subarray(0, FAMILY_BYTES), secret: bytes.subarray(FAMILY_BYTES) };
}
