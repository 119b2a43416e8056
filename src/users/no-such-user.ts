import { AppError } from '../errors/app-error';

export function noSuchUser(): AppError {
  return new AppError('not_found', 'User not found: check the id.');
}
