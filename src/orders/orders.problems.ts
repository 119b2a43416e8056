import { invalid } from '../common/validate';
import type { AppError } from '../errors/app-error';

/** A CUSTOMER sent what only an ADMIN may. */
export function adminOnly(path: string): AppError {
  return invalid([{ path, message: 'is for an ADMIN only: leave it out' }]);
}
