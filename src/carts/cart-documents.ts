import type { mongo } from 'mongoose';
import { expiryOf, type Cart } from '../domain/cart';
import { loweringVersion, schemaVersionOf } from '../migrations/schema-version';
import { CART_TIMES, type CartDocument } from './carts.model';

const VERSION = schemaVersionOf('carts');

export function toDocument({ id, ...cart }: Cart): CartDocument {
  const times = CART_TIMES.map((field) => [field, cart[field] && new Date(cart[field])]);
  const hold = cart.hold && { ...cart.hold, until: new Date(cart.hold.until) };
  const expiresAt = hold ? null : new Date(expiryOf(cart));
  const fields = { ...cart, ...Object.fromEntries(times), hold, expiresAt };
  return { ...fields, _id: id, schemaVersion: VERSION } as CartDocument;
}

/** Returns an update of some fields of a cart as this release makes it. */
export function updateOf(update: mongo.UpdateFilter<CartDocument>): mongo.UpdateFilter<CartDocument> {
  return loweringVersion(update, VERSION);
}

export function fromDocument(stored: CartDocument): Cart {
  const { _id: id, expiresAt: _, schemaVersion: _version, ...document } = stored;
  const times = CART_TIMES.map((field) => [field, document[field]?.toISOString() ?? null]);
  const hold = document.hold && { ...document.hold, until: document.hold.until.toISOString() };
  return { ...document, ...Object.fromEntries(times), hold, id } as Cart;
}
