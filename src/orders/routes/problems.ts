import { invalid } from '../../http/validate';
import { AppError } from '../../errors/app-error';

/** A CUSTOMER sent what only an ADMIN may. */
export function adminOnly(path: string): AppError {
  return invalid([{ path, message: 'is for an ADMIN only: leave it out' }]);
}

/** @param thing what one key stands for, such as `order` */
export function requireIdempotencyKey(key: string | undefined, thing: string): string {
  if (key) return key;
  throw new AppError(
    'idempotency_key_required',
    `Send an Idempotency-Key header: a new random value, such as a UUID, for each ${thing}, the same on each repeat.`,
  );
}
