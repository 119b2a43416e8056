import { randomBytes } from 'node:crypto';
import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { AppError } from '../../errors/app-error';
import { clientAddress } from '../../rate-limit/client-address';
import { createFairQueue, QueueFull } from './fair-queue';

/** OWASP's recommendation for argon2id: 19 MiB of memory, two passes, one lane. */
const OPTIONS = {
  algorithm: 2 satisfies Algorithm.Argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};

/**
 * Addresses take turns. Each hash takes 20 to 50 ms, so the only request of an address waits as long as a few others, and
 * the last one of many from one address for one or two seconds.
 */
const turns = createFairQueue({
  atOnce: 2, // of Node's four threads: files, compression and DNS need them as well
  maxWaitingEach: 64,
  maxWaiting: 256,
});
/** What hashes without a client: commands and checks of the operator. */
const OPERATOR = 'operator';

/** Returns how many passwords wait to be hashed or checked. */
export const waitingPasswords = turns.waiting;

let decoy: Promise<string> | undefined;

/**
 * @param address of the client who waits for it
 * @throws {AppError} service_unavailable if too many requests are waiting
 */
export function hashPassword(password: string, address?: string): Promise<string> {
  return inTurn(address, () => hash(canonical(password), OPTIONS));
}

/**
 * Checks a password. Without a hash, for a user who does not exist, it takes the same time and returns false.
 * @param address of the client who waits for it
 * @throws {AppError} service_unavailable if too many requests are waiting
 */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
  address?: string,
): Promise<boolean> {
  decoy ??= hash(randomBytes(32), OPTIONS);
  const expected = passwordHash ?? (await decoy);
  const right = await inTurn(address, () => verify(expected, canonical(password)));
  return right && passwordHash !== undefined;
}

async function inTurn<T>(address: string | undefined, work: () => Promise<T>): Promise<T> {
  const client = address === undefined ? OPERATOR : clientAddress(address);
  return turns.run(client, work).catch((cause: unknown) => {
    if (!(cause instanceof QueueFull)) throw cause;
    throw new AppError('service_unavailable', 'Too many passwords are being checked: try again shortly.', {
      cause,
    });
  });
}

/** Normalizes code points, which differ between keyboards for the same password. */
export function canonical(password: string): string {
  return password.normalize('NFKC');
}
