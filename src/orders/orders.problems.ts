import { AppError } from '../errors/app-error';

/** A CUSTOMER sent what only an ADMIN may. */
export function adminOnly(path: string): AppError {
  return invalidValue(path, 'is for an ADMIN only: leave it out');
}

/** What no schema can see. */
export function invalidValue(path: string, message: string): AppError {
  return new AppError('validation_failed', 'One value is not as required; "errors" names it.', {
    errors: [{ path, message }],
  });
}
