import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../common/hash';

const BYTES = 32;

/** Returns what opens the cart of a guest. */
export function newCartToken(): string {
  return randomBytes(BYTES).toString('base64url');
}

/** Returns the hash that is stored. A token is random and long, so no slow hash is needed. */
export function hashCartToken(token: string): string {
  return sha256(token);
}

export function isToken(token: string | undefined, hash: string): boolean {
  return token !== undefined && timingSafeEqual(Buffer.from(hashCartToken(token)), Buffer.from(hash));
}

/**
 * Returns what opens the order of a guest. It follows from the token of the cart, so that all who order the cart at once
 * get the same, but not the other way round: who may see the order may not order again.
 */
export function orderTokenOf(cartId: string, cartToken: string): string {
  return createHmac('sha256', cartToken).update(`order of ${cartId}`).digest('base64url');
}
