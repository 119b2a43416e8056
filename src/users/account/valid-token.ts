import { trusted } from 'mongoose';
import { hashAccountToken } from './account-token';
import type { TokenPurpose } from './account-tokens.model';

/** Finds the token while it is valid. */
export function validToken(purpose: TokenPurpose, token: string) {
  // MongoDB removes expired documents with a delay.
  return { tokenHash: hashAccountToken(token), purpose, expiresAt: trusted({ $gt: new Date() }) };
}
