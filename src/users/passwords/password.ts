import { randomBytes } from 'node:crypto';
import { type Algorithm, hash, verify } from '@node-rs/argon2';
import pLimit from 'p-limit';
import { AppError } from '../../errors/app-error';

/** OWASP's recommendation for argon2id: 19 MiB of memory, two passes, one lane. */
const OPTIONS = {
  algorithm: 2 satisfies Algorithm.Argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};

/** How many of Node's four threads may hash: files, compression and DNS need them as well. */
const MAX_AT_ONCE = 2;
/** Each hash takes 20 to 50 ms, so no request waits longer than one or two seconds. */
const MAX_WAITING = 64;

const atOnce = pLimit(MAX_AT_ONCE);
let decoy: Promise<string> | undefined;

/** @throws {AppError} service_unavailable if too many requests are waiting */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(canonical(password), OPTIONS));
}

/**
 * Checks a password. Without a hash, for a user who does not exist, it takes the same time and returns false.
 * @throws {AppError} service_unavailable if too many requests are waiting
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

/** Normalizes code points, which differ between keyboards for the same password. */
export function canonical(password: string): string {
  return password.normalize('NFKC');
}
