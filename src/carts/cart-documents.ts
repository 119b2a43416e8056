import { expiryOf, type Cart } from '../domain/cart';
import { CART_TIMES, type CartDocument } from './carts.model';

export function toDocument({ id, ...cart }: Cart): CartDocument {
  const times = CART_TIMES.map((field) => [field, cart[field] && new Date(cart[field])]);
  const hold = cart.hold && { ...cart.hold, until: new Date(cart.hold.until) };
  const expiresAt = hold ? null : new Date(expiryOf(cart));
  return { ...cart, ...Object.fromEntries(times), hold, expiresAt, _id: id } as CartDocument;
}

export function fromDocument({ _id: id, expiresAt: _, ...document }: CartDocument): Cart {
  const times = CART_TIMES.map((field) => [field, document[field]?.toISOString() ?? null]);
  const hold = document.hold && { ...document.hold, until: document.hold.until.toISOString() };
  return { ...document, ...Object.fromEntries(times), hold, id } as Cart;
}
