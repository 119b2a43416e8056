import { AppError, type FieldError } from './app-error';

/** How many mistakes are listed. */
export const MAX_ERRORS = 50;

/** The error for mistakes in the input, whether a schema or a handler found them. It lists the first ones. */
export function invalid(errors: FieldError[]): AppError {
  const values = errors.length === 1 ? 'One value is' : `${errors.length} values are`;
  const listed = errors.length > MAX_ERRORS ? `correct the first ${MAX_ERRORS}, which` : 'correct what';
  return new AppError('validation_failed', `${values} invalid: ${listed} "errors" lists.`, {
    errors: errors.slice(0, MAX_ERRORS),
  });
}
