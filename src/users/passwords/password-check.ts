import AsyncLock from 'async-lock';
import { sha256 } from '../../common/hash';
import { clientAddress } from '../../rate-limit/client-address';
import { AppError } from '../../errors/app-error';
import { verifyPassword } from './password';
import type { LoginFailureRepository } from './login-failures.repository';

const MAX_FAILURES = 10;
const WINDOW_MS = 15 * 60 * 1_000;

/** An attempt to use the password of an account. */
export interface Attempt {
  /** The e-mail address of the account, which need not exist. */
  email: string;
  /** The client's network address. */
  address: string;
  password: string;
}

export type PasswordCheck = ReturnType<typeof createPasswordCheck>;

/**
 * Creates a check of passwords that stops guessing: after ten failures for one account from one address, it
 * rejects all attempts until fifteen minutes after the first. The owner can still sign in from another
 * address.
 */
export function createPasswordCheck(failures: LoginFailureRepository) {
  /**
   * Runs attempts one at a time, so that concurrent attempts with the right password do not count as
   * failures.
   */
  const lock = new AsyncLock({ maxPending: Infinity });

  /**
   * @param hashOf finds the hash of the account's password; undefined if there is no account
   * @throws {AppError} rate_limited, for an unknown account as well
   */
  return function isRight(attempt: Attempt, hashOf: () => Promise<string | undefined>): Promise<boolean> {
    const key = keyOf(attempt);
    return lock.acquire(key, async () => {
      // The attempt counts as a failure from the start, since other processes may check the same account
      // right now.
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
    `Too many wrong passwords for this account from your address: try again in ${seconds} s.`,
    { headers: { 'Retry-After': String(seconds) } },
  );
}
