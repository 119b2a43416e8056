import type { CartDetails, CartHold, CartStatus, Quote } from '../domain/cart';

/** A cart as the API shows it, with prices, availability and warnings of this moment. */
export interface CartView extends CartDetails, Quote {
  id: string;
  /** What opens a guest's cart: only in the response to making it. */
  token?: string;
  status: Exclude<CartStatus, 'merged'>;
  hold: CartHold | null;
  orderId: string | null;
  expiresAt: string;
  version: number;
  createdAt: string;
  updatedAt: string;
}
