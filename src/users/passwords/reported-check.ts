import { AppError } from '../../errors/app-error';
import type { ReportSecurityEvent } from '../../security/security-events';
import type { Attempt, AttemptInSession, PasswordCheck } from './password-check';

/** Whose password or code is checked, and for whom. */
type Tried = Omit<Attempt, 'password'> | Omit<AttemptInSession, 'password'>;

/** Returns a check that reports wrong passwords, and attempts that were turned down since there were too many of them. */
export function reportedCheck(check: PasswordCheck, report: ReportSecurityEvent): PasswordCheck {
  return (attempt, hashOf) => reported(report, attempt, () => check(attempt, hashOf));
}

/** Does a check and reports if it finds something wrong, or is not done since it has found that too often. */
export async function reported<Result>(
  report: ReportSecurityEvent,
  tried: Tried,
  check: () => Promise<Result>,
): Promise<Result> {
  const account = 'email' in tried ? { email: tried.email } : { sessionId: tried.sessionId };
  try {
    const result = await check();
    if (!result) report('login_failed', account, tried.address);
    return result;
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited')
      report('login_locked', account, tried.address);
    throw error;
  }
}
