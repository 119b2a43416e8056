import { createHash } from 'node:crypto';

/** Returns the SHA-256 hash in hexadecimal. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
