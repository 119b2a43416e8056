import { randomBytes } from 'node:crypto';
import { sha256 } from '../../common/hash';

const FAMILY_BYTES = 16;
const SECRET_BYTES = 32;

export interface RefreshToken {
  /** The same in all refresh tokens of a session: whoever has it can end the session. */
  family: Buffer;
  /** Another one in each of them: whoever has the newest can go on with the session. */
  secret: Buffer;
}

export function newFamily(): Buffer {
  return randomBytes(FAMILY_BYTES);
}

export function newSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

/** The session's id. Access tokens say it, to people and programs that must not be able to end the session. */
export function sessionIdOf({ family }: Pick<RefreshToken, 'family'>): string {
  return sha256(family).slice(0, 2 * FAMILY_BYTES);
}

/** What is stored of the secret. It is random and long, so that no slow hash is needed. */
export function hashSecret(secret: Buffer): string {
  return sha256(secret);
}

/** The token as the client keeps it. */
export function encodeRefreshToken({ family, secret }: RefreshToken): string {
  return Buffer.concat([family, secret]).toString('base64url');
}

/** Null for what was never one. */
export function decodeRefreshToken(token: string): RefreshToken | null {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== FAMILY_BYTES + SECRET_BYTES) return null;
  return { family: bytes.subarray(0, FAMILY_BYTES), secret: bytes.subarray(FAMILY_BYTES) };
}
