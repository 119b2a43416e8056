import { tooMany } from '../errors/too-many';
import type { AttemptRepository } from '../users/passwords/attempts.repository';

const WINDOW_MS = 60 * 60 * 1_000;

/** @throws {AppError} rate_limited */
export type AddressLimit = (address: string) => Promise<void>;

export interface AddressLimitOptions {
  /** Names what is counted of an address. */
  keyOf(address: string): string;
  /** How many are allowed; 0 for no limit. */
  max: number;
  /** What was too much, for the client. */
  what: string;
}

/**
 * Creates the limit of how often one address may do within an hour what sends mails to people who need not have asked for
 * them, or what is kept for anybody. It counts every attempt, so that it does not tell who has an account.
 */
export function createAddressLimit(
  attempts: Pick<AttemptRepository, 'add'>,
  { keyOf, max, what }: AddressLimitOptions,
): AddressLimit {
  return async function limitAddress(address) {
    if (max === 0) return;
    const { count, expiresAt } = await attempts.add(keyOf(address), WINDOW_MS);
    if (count > max) throw tooMany(`${what} from your address`, expiresAt);
  };
}
