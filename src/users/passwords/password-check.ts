import AsyncLock from 'async-lock';
import { tooMany, tooManyFor } from '../../errors/too-many';
import type { AttemptKeys } from './attempt-keys';
import type { AttemptRepository, Delays } from './attempts.repository';
import { verifyPassword } from './password';

const MINUTE_MS = 60_000;
const WINDOW_MS = 15 * MINUTE_MS;
/** Wrong passwords for one account from one address, or in one session, within the window. */
const MAX_FAILURES = 10;
/** Wrong passwords for one account from all addresses: one address alone makes nobody else wait. */
const ACCOUNT_DELAYS: Delays = {
  free: 2 * MAX_FAILURES,
  firstMs: 1_000,
  mostMs: WINDOW_MS,
  forgetMs: 24 * 60 * MINUTE_MS,
};
/** How many attempts for one account from one address wait for each other. */
const MAX_WAITING = 50;
const WAITING_RETRY_SECONDS = 2;

/** An attempt to sign in. */
export interface Attempt {
  /** The e-mail address of the account, which need not exist. */
  email: string;
  /** The client's network address. */
  address: string;
  password: string;
}

/** An attempt of a user who is signed in, to prove who it is. */
export interface AttemptInSession {
  sessionId: string;
  address: string;
  password: string;
}

export interface PasswordCheckDeps {
  attempts: AttemptRepository;
  keys: AttemptKeys;
  /** How many wrong passwords for any accounts may come from one address within 15 minutes; 0 for no limit. */
  maxFailuresPerAddress: number;
  /** Returns whether the account is signed in at the address, by the key of both. */
  isSignedInAt(accountAndAddress: string): Promise<boolean>;
}

export type PasswordCheck = ReturnType<typeof createPasswordCheck>;

type TakeBack = () => Promise<void>;

/** One of the limits that an attempt has to pass. */
interface Limit {
  /**
   * Counts the attempt as a failure.
   * @returns what says that it was none; null if it does not count
   * @throws {AppError} rate_limited
   */
  pass(): Promise<TakeBack | null>;
  /** Says that the password was right. */
  succeed(): Promise<void>;
}

/**
 * Creates a check of passwords that stops guessing. Wrong passwords count for account and address together (ten within a
 * quarter of an hour), for the address over all accounts, and for the account over all addresses, where each makes the
 * next one wait longer. Users who are signed in are not kept out by what others do: their own session counts instead, and
 * at the address where they are signed in the last two do not apply.
 */
export function createPasswordCheck(deps: PasswordCheckDeps) {
  const { attempts, keys, maxFailuresPerAddress, isSignedInAt } = deps;
  /**
   * Runs attempts one at a time, so that concurrent attempts with the right password do not count as
   * failures.
   */
  const lock = new AsyncLock({ maxPending: MAX_WAITING });

  /** Ten within the window; a success starts anew. */
  function few(key: string, whose: string): Limit {
    return {
      async pass() {
        const { count, expiresAt } = await attempts.add(key, WINDOW_MS);
        if (count > MAX_FAILURES) throw tooMany(`wrong passwords ${whose}`, expiresAt);
        return () => attempts.takeBack(key);
      },
      succeed: () => attempts.clear(key),
    };
  }

  /** Those of an address. A success is only no failure: an attacker's own account must not start it anew. */
  function ofAddress(address: string, isExempt: () => Promise<boolean>): Limit {
    const key = keys.ofAddress(address);
    return {
      async pass() {
        const { count, expiresAt } = await attempts.add(key, WINDOW_MS);
        if (count > maxFailuresPerAddress && !(await isExempt()))
          throw tooMany('wrong passwords from your address', expiresAt);
        return () => attempts.takeBack(key);
      },
      succeed: () => attempts.takeBack(key),
    };
  }

  /** Those for an account, each of which makes the next one wait. */
  function ofAccount(email: string, isExempt: () => Promise<boolean>): Limit {
    const key = keys.ofAccount(email);
    return {
      async pass() {
        const added = await attempts.addDelayed(key, ACCOUNT_DELAYS);
        if ('id' in added) return () => attempts.takeBackDelayed(key, added.id);
        if (!(await isExempt())) throw tooMany('wrong passwords for this account', added.until);
        return null;
      },
      succeed: () => attempts.clear(key),
    };
  }

  function limitsOf(attempt: Attempt | AttemptInSession): { key: string; limits: Limit[] } {
    if ('sessionId' in attempt) {
      const key = keys.ofSession(attempt.sessionId);
      return { key, limits: [few(key, 'in this session')] };
    }
    const { email, address } = attempt;
    const key = keys.ofAccountAndAddress(email, address);
    const isSignedIn = () => isSignedInAt(key);
    const limits = [few(key, 'for this account from your address'), ofAccount(email, isSignedIn)];
    if (maxFailuresPerAddress > 0) limits.push(ofAddress(address, isSignedIn));
    return { key, limits };
  }

  /**
   * @param hashOf finds the hash of the account's password; undefined if there is no account
   * @throws {AppError} rate_limited, for an unknown account as well; service_unavailable
   */
  return async function isRight(
    attempt: Attempt | AttemptInSession,
    hashOf: () => Promise<string | undefined>,
  ): Promise<boolean> {
    const { key, limits } = limitsOf(attempt);
    let isItsTurn = false;
    const check = async () => {
      isItsTurn = true;
      const passed: TakeBack[] = [];
      try {
        // The attempt counts as a failure from the start, since other processes may check the same account right now.
        for (const limit of limits) {
          const takeBack = await limit.pass();
          if (takeBack) passed.push(takeBack);
        }
        const right = await verifyPassword(await hashOf(), attempt.password, attempt.address);
        if (right) await Promise.all(limits.map((limit) => limit.succeed()));
        return right;
      } catch (error) {
        await Promise.all(passed.map((takeBack) => takeBack()));
        throw error;
      }
    };
    return lock.acquire(key, check).catch((error: unknown) => {
      if (isItsTurn) throw error;
      throw tooManyFor('attempts for this account from your address at once', WAITING_RETRY_SECONDS, error);
    });
  };
}
