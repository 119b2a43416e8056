import { AppError } from '../errors/app-error';

/** The error for an id that names nothing in the catalogue, or nothing that the caller may see. */
export function noSuchEntry(id: string): AppError {
  return new AppError('not_found', `There is no product or service ${id}: it never existed or was retired.`);
}
