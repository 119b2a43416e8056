import { Schema, type Connection, type Model } from 'mongoose';
import type { Cart } from '../domain/cart';
import type { OrderLine } from '../domain/order';
import { modelOf } from '../mongodb/model';

/** The fields of a cart that are times: ISO 8601 strings in the domain, dates in MongoDB. */
export const CART_TIMES = ['abandonedAt', 'createdAt', 'updatedAt'] as const;
type TimeField = (typeof CART_TIMES)[number];

export type CartDocument = Omit<Cart, 'id' | 'hold' | TimeField> & {
  _id: string;
  schemaVersion?: number;
  hold: { items: OrderLine[]; until: Date } | null;
  /** When MongoDB deletes it; null while it holds units, which have to be released first. */
  expiresAt: Date | null;
} & {
  [K in TimeField]: Date | Extract<Cart[K], null>;
};

/** What a query has to name as well, so that it is answered by an index of what has a time. */
export const ANY_TIME = new Date(0);

const text = { type: String, default: null };
const count = { type: Number, required: true };

const cartSchema = new Schema<CartDocument>(
  {
    _id: { type: String, required: true },
    customerId: { type: String, required: true },
    tokenHash: text,
    status: { type: String, required: true },
    items: { type: [Object], required: true },
    shippingAddress: { type: Object, default: null },
    note: text,
    metadata: { type: Object, required: true },
    hold: { type: Object, default: null },
    attempt: count,
    orderId: text,
    mergedInto: text,
    version: count,
    contentVersion: count,
    abandonedAt: { type: Date, default: null },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    expiresAt: { type: Date, default: null },
  },
  { collection: 'carts', versionKey: false, autoIndex: false, autoCreate: false, minimize: false },
);

cartSchema.index({ expiresAt: 1 }, { name: 'expiry', expireAfterSeconds: 0 });
// Finds the cart of a customer, and all that is kept of one.
cartSchema.index({ customerId: 1, status: 1, _id: -1 }, { name: 'customer' });

// A user who makes two carts at once gets one. One that was opened again, after a rejected order, may be beside it.
cartSchema.index(
  { customerId: 1 },
  { name: 'current', unique: true, partialFilterExpression: { status: 'open', tokenHash: null, attempt: 1 } },
);

// Finds what is held, and until when.
cartSchema.index(
  { 'hold.until': 1 },
  { name: 'hold', partialFilterExpression: { 'hold.until': { $gt: ANY_TIME } } },
);

// Finds what is held of a product.
cartSchema.index(
  { 'hold.items.productServiceId': 1, 'hold.until': 1 },
  { name: 'held', partialFilterExpression: { 'hold.until': { $gt: ANY_TIME } } },
);

// Finds what may be abandoned.
cartSchema.index(
  { updatedAt: 1 },
  {
    name: 'untouched',
    partialFilterExpression: {
      status: 'open',
      abandonedAt: null,
      'items.productServiceId': { $gt: '' },
    },
  },
);

// Finds those that were abandoned, if their events are missing.
cartSchema.index(
  { abandonedAt: 1 },
  { name: 'abandoned', partialFilterExpression: { abandonedAt: { $gt: ANY_TIME } } },
);

export function createCartModel(connection: Connection): Model<CartDocument> {
  return modelOf(connection, 'Cart', cartSchema);
}
