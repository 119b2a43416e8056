import { Schema, type Connection, type IndexDefinition, type Model } from 'mongoose';
import type { WithVersion } from '../migrations/schema-version';
import { modelOf } from '../mongodb/model';
import type { Order, OrderItem, TIME_FIELDS } from '../domain/order';

/** With dates in place of times. */
export type Dated<T> = T extends readonly (infer E)[]
  ? Dated<E>[]
  : T extends object
    ? { [K in keyof T]: K extends (typeof TIME_FIELDS)[number] ? Date | Extract<T[K], null> : Dated<T[K]> }
    : T;

/** The fields that most orders leave at these values, with which they are not stored. */
export const USUAL = {
  externalRef: null,
  metadata: {},
  cancelled: 0,
  overdueSince: null,
  payBy: null,
  retryUntil: null,
  attempts: [],
  disputes: [],
} satisfies Partial<Order>;

/** The same of the lines of an order. */
export const USUAL_OF_ITEM = {
  priceIncludesTax: false,
  cancelledQuantity: 0,
  cancelledAmount: 0,
  refundedQuantity: 0,
  restockedQuantity: 0,
  writtenOffQuantity: 0,
} satisfies Partial<OrderItem>;

type Sparse<T, Rare extends keyof T> = Omit<T, Rare> & Partial<Pick<T, Rare>>;
type SparseItem = Sparse<OrderItem, keyof typeof USUAL_OF_ITEM>;
type SparseOrder = Sparse<
  Omit<Order, 'id' | 'items' | 'metadata'>,
  Exclude<keyof typeof USUAL, 'metadata'>
> & {
  items: SparseItem[];
  /** Each as `key=value`, so that one index finds an order by any of them. */
  metadata?: string[];
};

/**
 * An order in MongoDB: the domain's order, with its id as `_id`, its times as dates, and without what is as usual.
 */
export type OrderDocument = Dated<SparseOrder> & WithVersion & { _id: string };

/** Returns how the document has an entry of the metadata. Keys contain no `=`. */
export function tagOf(key: string, value: string): string {
  return `${key}=${value}`;
}

export function tagsOf(metadata: Readonly<Record<string, string>>): string[] {
  return Object.entries(metadata).map(([key, value]) => tagOf(key, value));
}

export function metadataOf(tags: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    tags.map((tag) => {
      const end = tag.indexOf('=');
      return [tag.slice(0, end), tag.slice(end + 1)];
    }),
  );
}

const amount = { type: Number, default: null };
const text = { type: String, default: null };

const itemSchema = new Schema(
  {
    productServiceId: { type: String, required: true },
    sku: text,
    name: text,
    kind: text,
    quantity: { type: Number, required: true },
    unitPrice: amount,
    taxRateBps: amount,
    priceIncludesTax: Boolean,
    subtotal: amount,
    tax: amount,
    total: amount,
    fulfilledQuantity: { type: Number, default: 0 },
    cancelledQuantity: Number,
    cancelledAmount: Number,
    refundedQuantity: Number,
    restockedQuantity: Number,
    writtenOffQuantity: Number,
  },
  { _id: false },
);

const addressSchema = new Schema(
  {
    name: String,
    line1: String,
    line2: String,
    city: String,
    region: String,
    postalCode: String,
    country: String,
  },
  { _id: false },
);

const statusChangeSchema = new Schema(
  {
    at: { type: Date, required: true },
    axis: { type: String, required: true },
    from: text,
    to: { type: String, required: true },
    by: { type: String, required: true },
    reason: text,
    internalNote: String,
  },
  { _id: false },
);

const id = { type: String, required: true };
const time = { type: Date, required: true };

const paymentSchema = new Schema(
  {
    key: id,
    reference: text,
    amount: { type: Number, required: true },
    currency: id,
    captures: id,
    paymentMethod: String,
    isClosed: Boolean,
  },
  { _id: false },
);

/** The fields of what an Idempotency-Key names: who sent it, with which request. */
const keyed = { id, fingerprint: id, attemptId: id, by: id, createdAt: time };

const fulfillmentSchema = new Schema(
  {
    ...keyed,
    items: [new Schema({ productServiceId: id, quantity: { type: Number, required: true } }, { _id: false })],
    carrier: text,
    trackingNumber: text,
    deliveredAt: { type: Date, default: null },
    undone: new Schema(
      { at: time, by: id, reason: id, restock: { type: Boolean, required: true } },
      { _id: false },
    ),
  },
  { _id: false },
);

const refundSchema = new Schema(
  {
    ...keyed,
    amount: { type: Number, required: true },
    status: id,
    items: [
      new Schema(
        {
          productServiceId: id,
          quantity: { type: Number, required: true },
          restock: { type: Boolean, required: true },
        },
        { _id: false },
      ),
    ],
    reason: id,
    internalNote: String,
    providerKey: String,
  },
  { _id: false },
);

const attemptSchema = new Schema(
  { key: id, paymentMethod: id, at: time, outcome: id, reason: text },
  { _id: false },
);

const disputeSchema = new Schema(
  { id, amount: { type: Number, required: true }, status: id, reason: id, at: time },
  { _id: false },
);

const compensationSchema = new Schema(
  {
    step: id,
    kind: id,
    amount: { type: Number, required: true },
    refundId: String,
    payment: { type: paymentSchema, required: true },
    state: id,
    since: time,
    failure: text,
    resolution: { type: new Schema({ note: id, by: id, at: time }, { _id: false }), default: null },
  },
  { _id: false },
);

export const answeredCommandSchema = new Schema(
  {
    id,
    fingerprint: text,
    attemptId: text,
    at: time,
    version: { type: Number, required: true },
    revision: { type: Number, required: true },
    error: {
      type: new Schema(
        {
          type: { $type: String },
          message: { $type: String },
          existingOrderId: { $type: String },
          retryUntil: { $type: Date },
          total: { $type: Number },
        },
        { _id: false, typeKey: '$type' },
      ),
      default: null,
    },
  },
  { _id: false },
);

const orderSchema = new Schema<OrderDocument>(
  {
    _id: { type: String, required: true },
    number: { type: String, required: true },
    externalRef: String,
    metadata: { type: [String], default: undefined },
    customerId: { type: String, required: true },
    placedBy: { type: String, required: true },
    fingerprint: { type: String, required: true },
    attemptId: { type: String, required: true },
    requestId: { type: String, required: true },
    status: { type: String, required: true },
    paymentStatus: { type: String, required: true },
    fulfillmentStatus: { type: String, required: true },
    items: { type: [itemSchema], required: true },
    currency: text,
    subtotal: amount,
    tax: amount,
    total: amount,
    paymentMethod: { type: String, required: true },
    payment: { type: paymentSchema, default: null },
    captured: { type: Number, default: 0 },
    refunded: { type: Number, default: 0 },
    cancelled: Number,
    fulfillments: [fulfillmentSchema],
    refunds: [refundSchema],
    compensations: [compensationSchema],
    cart: new Schema({ id, contentVersion: { type: Number, required: true } }, { _id: false }),
    note: text,
    shippingAddress: { type: addressSchema, default: null },
    reservation: { type: String, required: true },
    rejection: {
      type: new Schema({ code: String, detail: String, existingOrderId: String }, { _id: false }),
      default: null,
    },
    statusHistory: { type: [statusChangeSchema], required: true },
    intention: { type: Schema.Types.Mixed, default: null },
    commands: [answeredCommandSchema],
    version: { type: Number, required: true },
    revision: { type: Number, required: true },
    resumedRevision: { type: Number, default: 0 },
    resumedBy: { type: String, default: null },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    archivedAt: { type: Date, default: null },
    overdueSince: Date,
    payBy: Date,
    retryUntil: Date,
    attempts: { type: [attemptSchema], default: undefined },
    disputes: { type: [disputeSchema], default: undefined },
  },
  { collection: 'orders', versionKey: false, autoIndex: false, autoCreate: false },
);

// People and programs name an order by these. Most orders lack the last two, and have no entry there.
const NEWEST_FIRST = { createdAt: -1, _id: -1 } as const;
const OLDEST_FIRST = { createdAt: 1, _id: 1 } as const;
const OLDEST_CHANGE_FIRST = { updatedAt: 1, _id: 1 } as const;
const ANY_TEXT = { $gt: '' };
const ANY_TIME = { $gt: new Date(0) };
orderSchema.index({ number: 1 }, { name: 'number', unique: true });
orderSchema.index(
  { customerId: 1, externalRef: 1 },
  {
    name: 'external_ref_of_customer',
    unique: true,
    partialFilterExpression: { externalRef: ANY_TEXT },
  },
);
orderSchema.index(
  { externalRef: 1, ...NEWEST_FIRST },
  { name: 'external_ref', partialFilterExpression: { externalRef: ANY_TEXT } },
);
orderSchema.index(
  { 'fulfillments.trackingNumber': 1, ...NEWEST_FIRST },
  {
    name: 'tracking_number',
    partialFilterExpression: { 'fulfillments.trackingNumber': ANY_TEXT },
  },
);

// What orders have of a product is added up, whatever list they are in.
orderSchema.index({ 'items.productServiceId': 1, ...NEWEST_FIRST }, { name: 'product' });

/** Orders have one of these while they wait for the payment service, an operator or their customer: most never do. */
export const UNFINISHED = ['intention.since', 'compensations.since', 'payBy'] as const;
orderSchema.index(OLDEST_FIRST, {
  name: 'unfinished',
  partialFilterExpression: { $or: UNFINISHED.map((field) => ({ [field]: ANY_TIME })) },
});

// An order is in one kind of list: those of staff and customers, or those of the archive.
for (const [kind, archivedAt] of Object.entries({ listed: null, archived: ANY_TIME })) {
  const list = (name: string, order: IndexDefinition, only: object = {}) =>
    orderSchema.index(order, {
      name: `${kind}_by_${name}`,
      partialFilterExpression: { archivedAt, ...only },
    });
  list('time', NEWEST_FIRST);
  list('customer', { customerId: 1, ...NEWEST_FIRST });
  list('status', { status: 1, ...NEWEST_FIRST });
  list('payment_status', { paymentStatus: 1, ...NEWEST_FIRST });
  list('fulfillment_status', { fulfillmentStatus: 1, ...NEWEST_FIRST });
  list('sku', { 'items.sku': 1, ...NEWEST_FIRST });
  list('metadata', { metadata: 1, ...NEWEST_FIRST }, { metadata: ANY_TEXT });
  list('change', OLDEST_CHANGE_FIRST);
  list('customer_and_change', { customerId: 1, ...OLDEST_CHANGE_FIRST });
}

export function createOrderModel(connection: Connection): Model<OrderDocument> {
  return modelOf(connection, 'Order', orderSchema);
}
