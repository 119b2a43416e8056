import { randomBytes } from 'node:crypto';
import { type Algorithm, hash, verify } from '@node-rs/argon2';
import pLimit from 'p-limit';
import { AppError } from '../../errors/app-error';

/** OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. */
const OPTIONS = {
  algorithm: 2 satisfies Algorithm.Argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};

/** Of Node's four threads, which files, compression and name lookups need too. */
const MAX_AT_ONCE = 2;
/** Each takes some 20 to 50 ms: whoever would wait longer than a second or two is told to come back. */
const MAX_WAITING = 64;

const atOnce = pLimit(MAX_AT_ONCE);
let decoy: Promise<string> | undefined;

/** @throws {AppError} service_unavailable while too many wait */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(canonical(password), OPTIONS));
}

/**
 * Checks a password. Without a hash, for a user who does not exist, it costs as much and is never right.
 * @throws {AppError} service_unavailable while too many wait
 */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  decoy ??= hash(randomBytes(32), OPTIONS);
  const expected = passwordHash ?? (await decoy);
  const right = await inTurn(() => verify(expected, canonical(password)));
  return right && passwordHash !== undefined;
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (atOnce.pendingCount >= MAX_WAITING)
    throw new AppError('service_unavailable', 'Too many passwords are being checked: try again shortly.');
  return atOnce(work);
}

/** The same password typed on another keyboard may come as other code points. */
function canonical(password: string): string {
  return password.normalize('NFKC');
}
