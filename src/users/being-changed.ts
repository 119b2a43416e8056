import { AppError } from '../errors/app-error';

/** The account is being changed by someone else, which has precedence. */
export function beingChanged(): AppError {
  return new AppError('invalid_transition', 'Your account is being changed: try again in some seconds.');
}
