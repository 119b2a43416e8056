import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SECRET_BYTES = 48;

/** Returns the secret that signs access tokens, which is kept so that tokens survive a restart. */
export async function jwtSecret(dataFolder: string): Promise<string> {
  const file = join(dataFolder, 'jwt-secret');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  try {
    await writeFile(file, secret, { mode: 0o600, flag: 'wx' });
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFile(file, 'utf8');
  }
}
