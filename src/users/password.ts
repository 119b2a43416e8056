import { randomBytes } from 'node:crypto';
import type { Algorithm } from '@node-rs/argon2';
import { hash, verify } from '@node-rs/argon2';

/** OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. */
const OPTIONS = {
  algorithm: 2 satisfies Algorithm.Argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};

let decoy: Promise<string> | undefined;

export function hashPassword(password: string): Promise<string> {
  return hash(canonical(password), OPTIONS);
}

/** Checks a password. Without a hash, for a user who does not exist, it costs as much and is never right. */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  decoy ??= hash(randomBytes(32), OPTIONS);
  const right = await verify(passwordHash ?? (await decoy), canonical(password));
  return right && passwordHash !== undefined;
}

/** The same password typed on another keyboard may come as other code points. */
function canonical(password: string): string {
  return password.normalize('NFKC');
}
