import { createHash, randomBytes } from 'node:crypto';

const SESSION_ID_BYTES = 16;
const SECRET_BYTES = 32;

export interface RefreshToken {
  sessionId: string;
  secret: Buffer;
}

export function newSessionId(): string {
  return randomBytes(SESSION_ID_BYTES).toString('hex');
}

export function newSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

/** What is stored of the secret. It is random and long, so that no slow hash is needed. */
export function hashSecret(secret: Buffer): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The token as the client keeps it: which session, and 256 random bits. */
export function encodeRefreshToken({ sessionId, secret }: RefreshToken): string {
  return Buffer.concat([Buffer.from(sessionId, 'hex'), secret]).toString('base64url');
}

/** Null for what was never one. */
export function decodeRefreshToken(token: string): RefreshToken | null {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== SESSION_ID_BYTES + SECRET_BYTES) return null;
  return {
    sessionId: bytes.subarray(0, SESSION_ID_BYTES).toString('hex'),
    secret: bytes.subarray(SESSION_ID_BYTES),
  };
}
