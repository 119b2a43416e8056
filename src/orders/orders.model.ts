import { Schema } from 'mongoose';
import { modelOf } from '../mongodb/model';
import type { Connection, Model } from 'mongoose';
import type { Order, StatusChange } from '../domain/order';

/** An order in MongoDB: the domain's order with `_id` for its id and dates for its times. */
export type OrderDocument = Omit<Order, 'id' | 'statusHistory' | 'createdAt' | 'updatedAt'> & {
  _id: string;
  statusHistory: (Omit<StatusChange, 'at'> & { at: Date })[];
  createdAt: Date;
  updatedAt: Date;
};

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
    subtotal: amount,
    tax: amount,
    total: amount,
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

const orderSchema = new Schema<OrderDocument>(
  {
    _id: { type: String, required: true },
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
    note: text,
    shippingAddress: { type: addressSchema, default: null },
    reservation: { type: String, required: true },
    rejection: { type: new Schema({ code: String, detail: String }, { _id: false }), default: null },
    statusHistory: { type: [statusChangeSchema], required: true },
    version: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'orders', versionKey: false, autoIndex: false, autoCreate: false },
);

// Lists are newest first: a customer's, everybody's, and everybody's in one state (for those who ship or refund).
orderSchema.index({ customerId: 1, createdAt: -1, _id: -1 });
orderSchema.index({ createdAt: -1, _id: -1 });
orderSchema.index({ status: 1, createdAt: -1, _id: -1 });
orderSchema.index({ paymentStatus: 1, createdAt: -1, _id: -1 });
orderSchema.index({ fulfillmentStatus: 1, createdAt: -1, _id: -1 });

export function createOrderModel(connection: Connection): Model<OrderDocument> {
  return modelOf(connection, 'Order', orderSchema);
}
