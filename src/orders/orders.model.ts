import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../mongodb/model';
import type { Order, OrderItem, TIME_FIELDS } from '../domain/order';

type Dated<T> = T extends readonly (infer E)[]
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
type SparseOrder = Sparse<Omit<Order, 'id' | 'items'>, keyof typeof USUAL> & { items: SparseItem[] };

/**
 * An order in MongoDB: the domain's order, with its id as `_id`, its times as dates, and without what is as usual.
 */
export type OrderDocument = Dated<SparseOrder> & { _id: string };

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
  },
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

const answeredCommandSchema = new Schema(
  {
    id,
    fingerprint: text,
    attemptId: text,
    at: time,
    version: { type: Number, required: true },
    revision: { type: Number, required: true },
    error: {
      type: new Schema(
        { type: { $type: String }, message: { $type: String } },
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
    metadata: Schema.Types.Mixed,
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
    note: text,
    shippingAddress: { type: addressSchema, default: null },
    reservation: { type: String, required: true },
    rejection: { type: new Schema({ code: String, detail: String }, { _id: false }), default: null },
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
  },
  { collection: 'orders', versionKey: false, autoIndex: false, autoCreate: false },
);

// Lists are newest first and leave out archived orders. They have the orders of one customer, of all
// customers, or of all customers in one state, for the staff who ship or refund.
const listed = (name: string) => ({ name: `listed_${name}`, partialFilterExpression: { archivedAt: null } });
orderSchema.index({ customerId: 1, createdAt: -1, _id: -1 }, listed('by_customer'));
orderSchema.index({ createdAt: -1, _id: -1 }, listed('by_time'));
orderSchema.index({ status: 1, createdAt: -1, _id: -1 }, listed('by_status'));
orderSchema.index({ paymentStatus: 1, createdAt: -1, _id: -1 }, listed('by_payment_status'));
orderSchema.index({ fulfillmentStatus: 1, createdAt: -1, _id: -1 }, listed('by_fulfillment_status'));

export function createOrderModel(connection: Connection): Model<OrderDocument> {
  return modelOf(connection, 'Order', orderSchema);
}
