import type { AppError } from './app-error';
import { invalid } from './invalid';

/**
 * One error for a token of a mail that is wrong, too old, or was used or replaced: the reason would only help who guesses.
 */
export function invalidAccountToken(): AppError {
  return invalid([{ path: 'token', message: 'is not valid, or not any more: ask for another mail' }]);
}
