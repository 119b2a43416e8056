import { AppError } from '../../errors/app-error';
import type { ReportSecurityEvent } from '../../security/security-events';
import type { PasswordCheck } from './password-check';

/** Returns a check that reports wrong passwords, and attempts that were turned down since there were too many of them. */
export function reportedCheck(check: PasswordCheck, report: ReportSecurityEvent): PasswordCheck {
  return async (attempt, ...rest) => {
    const { address } = attempt;
    const account = 'email' in attempt ? { email: attempt.email } : { sessionId: attempt.sessionId };
    try {
      const isRight = await check(attempt, ...rest);
      if (!isRight) report('login_failed', account, address);
      return isRight;
    } catch (error) {
      if (error instanceof AppError && error.code === 'rate_limited')
        report('login_locked', account, address);
      throw error;
    }
  };
}
