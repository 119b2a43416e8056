import { AppError } from '../errors/app-error';
import type { AttemptKeys } from '../users/passwords/attempt-keys';
import type { AttemptRepository } from '../users/passwords/attempts.repository';

const WINDOW_MS = 60 * 60 * 1_000;

/** @throws {AppError} rate_limited */
export type RegistrationLimit = (address: string) => Promise<void>;

/**
 * Creates the limit of how many accounts one address may open within an hour. Attempts that find the e-mail address taken
 * count as well, since they tell who has an account.
 * @param max 0 for no limit
 */
export function createRegistrationLimit(
  attempts: Pick<AttemptRepository, 'add'>,
  keys: Pick<AttemptKeys, 'ofRegistrations'>,
  max: number,
): RegistrationLimit {
  return async function limitRegistrations(address) {
    if (max === 0) return;
    const { count, expiresAt } = await attempts.add(keys.ofRegistrations(address), WINDOW_MS);
    if (count <= max) return;
    const seconds = Math.max(1, Math.ceil((expiresAt.getTime() - Date.now()) / 1_000));
    throw new AppError(
      'rate_limited',
      `Too many accounts were opened from your address: try again in ${seconds} s.`,
      { headers: { 'Retry-After': String(seconds) } },
    );
  };
}
