import { AppError } from './app-error';

/**
 * The error for what was done too often.
 * @param what there were too many of, for example `wrong codes for this account`
 * @param until when it may be done again
 */
export function tooMany(what: string, until: Date): AppError {
  const seconds = Math.max(1, Math.ceil((until.getTime() - Date.now()) / 1_000));
  return new AppError('rate_limited', `Too many ${what}: try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
  });
}
