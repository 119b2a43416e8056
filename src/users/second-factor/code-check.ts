import { tooMany } from '../../errors/too-many';
import type { SecretBox } from '../../common/secret-box';
import type { AttemptKeys } from '../passwords/attempt-keys';
import type { AttemptRepository, Delays } from '../passwords/attempts.repository';
import { hashRecoveryCode, RECOVERY_CODE } from './recovery-codes';
import type { SecondFactor, SecondFactorRepository } from './second-factors.repository';
import { stepOf } from './totp';

const MINUTE_MS = 60_000;
/** Of a million codes, three are right at a time. A password comes first, so nobody else is made to wait. */
const DELAYS: Delays = { free: 10, firstMs: 1_000, mostMs: 15 * MINUTE_MS, forgetMs: 24 * 60 * MINUTE_MS };

export interface CodeCheckDeps {
  factors: Pick<SecondFactorRepository, 'useStep' | 'useRecoveryCode'>;
  secrets: Pick<SecretBox, 'open'>;
  attempts: Pick<AttemptRepository, 'addDelayed' | 'takeBackDelayed' | 'clear'>;
  attemptKeys: Pick<AttemptKeys, 'ofCodes'>;
}

export type CodeCheck = ReturnType<typeof createCodeCheck>;

/** How a right code was shown. */
export type CodeKind = 'totp' | 'recovery';

/** Creates a check of codes that stops guessing: after ten wrong ones, each makes the next one wait longer. */
export function createCodeCheck({ factors, secrets, attempts, attemptKeys }: CodeCheckDeps) {
  async function use(userId: string, factor: SecondFactor, code: string): Promise<CodeKind | null> {
    if (RECOVERY_CODE.test(code))
      return (await factors.useRecoveryCode(userId, hashRecoveryCode(code))) ? 'recovery' : null;
    const step = stepOf(code, secrets.open(factor.secret, userId));
    return step !== null && (await factors.useStep(userId, step)) ? 'totp' : null;
  }

  /** @throws {AppError} rate_limited */
  async function counted<T>(userId: string, check: () => Promise<T | null>): Promise<T | null> {
    const key = attemptKeys.ofCodes(userId);
    // The attempt counts as a failure from the start, since other processes may check codes right now.
    const added = await attempts.addDelayed(key, DELAYS);
    if ('until' in added) throw tooMany('wrong codes for this account', added.until);
    const result = await check().catch(async (error: unknown) => {
      await attempts.takeBackDelayed(key, added.id);
      throw error;
    });
    if (result !== null) await attempts.clear(key);
    return result;
  }

  return {
    /**
     * Uses up a code.
     * @returns null for a wrong one, or one that was used before
     * @throws {AppError} rate_limited
     */
    use: (userId: string, factor: SecondFactor, code: string): Promise<CodeKind | null> =>
      counted(userId, () => use(userId, factor, code)),

    /**
     * Returns the step of a code without using it up; null for a wrong one.
     * @throws {AppError} rate_limited
     */
    stepOf: (userId: string, { secret }: SecondFactor, code: string): Promise<number | null> =>
      counted(userId, async () => stepOf(code, secrets.open(secret, userId))),
  };
}
