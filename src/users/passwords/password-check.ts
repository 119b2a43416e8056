import AsyncLock from 'async-lock';
import { sha256 } from '../../common/hash';
import { clientAddress } from '../../rate-limit/client-address';
import { AppError } from '../../errors/app-error';
import { verifyPassword } from './password';
import type { LoginFailureRepository } from './login-failures.repository';

const MAX_FAILURES = 10;
const WINDOW_MS = 15 * 60 * 1_000;

/** Whose password is tried, and from where. */
export interface Attempt {
  /** Of the account, whether there is one or not. */
  email: string;
  /** The client's network address. */
  address: string;
  password: string;
}

export type PasswordCheck = ReturnType<typeof createPasswordCheck>;

/**
 * Tells whether a password is right, and stops those who guess: after ten failures for one account from one address it
 * says nothing more until fifteen minutes after the first. Its owner, elsewhere, is not kept out.
 */
export function createPasswordCheck(failures: LoginFailureRepository) {
  /** One after the other, so that whoever knows the password is not refused for trying often at once. */
  const lock = new AsyncLock({ maxPending: Infinity });

  /**
   * @param hashOf finds the hash of the account's password; undefined when there is no account
   * @throws {AppError} rate_limited, for an unknown account too
   */
  return function isRight(attempt: Attempt, hashOf: () => Promise<string | undefined>): Promise<boolean> {
    const key = keyOf(attempt);
    return lock.acquire(key, async () => {
      // A failure until it is known to be none: other processes may be checking for the same account just now.
      const { count, expiresAt } = await failures.add(key, WINDOW_MS);
      if (count > MAX_FAILURES) throw tooMany(expiresAt);
      const right = await hashOf()
        .then((hash) => verifyPassword(hash, attempt.password))
        .catch(async (error: unknown) => {
          await failures.takeBack(key);
          throw error;
        });
      if (right) await failures.clear(key);
      return right;
    });
  };
}

function keyOf({ email, address }: Attempt): string {
  return sha256(`${email}\n${clientAddress(address)}`);
}

function tooMany(expiresAt: Date): AppError {
  const seconds = Math.max(1, Math.ceil((expiresAt.getTime() - Date.now()) / 1_000));
  return new AppError(
    'rate_limited',
    `Too many wrong passwords for this account from here: try again in ${seconds} s.`,
    { headers: { 'Retry-After': String(seconds) } },
  );
}
