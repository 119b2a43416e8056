import { AppError } from './app-error';

/**
 * The error for what was done too often.
 * @param what there were too many of, for example `wrong codes for this account`
 * @param until when it may be done again
 */
export function tooMany(what: string, until: Date): AppError {
  return tooManyFor(what, Math.max(1, Math.ceil((until.getTime() - Date.now()) / 1_000)));
}

/**
 * The same.
 * @param seconds after which it may be done again
 */
export function tooManyFor(what: string, seconds: number, cause?: unknown): AppError {
  return new AppError('rate_limited', `Too many ${what}: try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
    cause,
  });
}
