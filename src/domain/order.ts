import type { Rejection } from './rejection';

/** One line of an order as the customer sends it. */
export interface OrderLine {
  productServiceId: string;
  quantity: number;
}

export interface ShippingAddress {
  name: string;
  line1: string;
  line2?: string;
  city: string;
  region?: string;
  postalCode: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

/** What a customer asks for: all that is known of an order before it is priced. */
export interface OrderRequest {
  orderId: string;
  customerId: string;
  /** The user who sent it: the customer, or an ADMIN on the customer's behalf. */
  placedBy: string;
  items: OrderLine[];
  note: string | null;
  shippingAddress: ShippingAddress | null;
  /** Hash of the canonical request: the same Idempotency-Key with another one is refused. */
  fingerprint: string;
  /** Names the one POST that started the order; any other POST that gets it as an answer is a replay. */
  attemptId: string;
  /** The X-Request-Id of that POST, for following the order through the logs. */
  requestId: string;
  /** ISO 8601: when the API accepted it. */
  createdAt: string;
}

/** A line with the snapshot of what was bought; amounts in minor units. */
export interface PricedItem extends OrderLine {
  sku: string;
  name: string;
  kind: 'product' | 'service';
  unitPrice: number;
  /** Basis points. */
  taxRateBps: number;
  subtotal: number;
  tax: number;
  total: number;
}

export interface Pricing {
  items: PricedItem[];
  currency: string;
  subtotal: number;
  tax: number;
  total: number;
}

type Nullable<T> = { [K in keyof T]: T[K] | null };

/** A line as the order keeps it; all null but what was sent while it is not priced. */
export type OrderItem = OrderLine & Nullable<Omit<PricedItem, keyof OrderLine>>;

export const ORDER_STATUSES = ['pending', 'confirmed', 'completed', 'rejected', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const PAYMENT_STATUSES = [
  'pending',
  'authorized',
  'captured',
  'partially_refunded',
  'refunded',
  'declined',
  'voided',
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export const FULFILLMENT_STATUSES = [
  'unfulfilled',
  'partially_fulfilled',
  'fulfilled',
  'delivered',
  'cancelled',
] as const;
export type FulfillmentStatus = (typeof FULFILLMENT_STATUSES)[number];

/** The three axes on which an order moves. */
export interface OrderState {
  status: OrderStatus;
  paymentStatus: PaymentStatus;
  fulfillmentStatus: FulfillmentStatus;
}

export type Axis = keyof OrderState;

export interface StatusChange {
  /** ISO 8601. */
  at: string;
  axis: Axis;
  from: string | null;
  to: string;
  /** A user id, or `system`. */
  by: string;
  reason: string | null;
}

/** `held`: its quantities are in the reserved stock of its products; `released`: they are available again. */
export type Reservation = 'none' | 'held' | 'released';

/** An order as MongoDB keeps it and as it travels through Temporal: plain JSON, times as ISO 8601 strings. */
export interface Order
  extends Omit<OrderRequest, 'orderId' | 'items'>, Nullable<Omit<Pricing, 'items'>>, OrderState {
  id: string;
  items: OrderItem[];
  reservation: Reservation;
  rejection: Rejection | null;
  statusHistory: StatusChange[];
  /** Raised by every write; 0 while the order is not in MongoDB yet. */
  version: number;
  updatedAt: string;
}

/** An order of this id is stored already. */
export class DuplicateOrder extends Error {
  override name = 'DuplicateOrder';
}

/** The order of this id was made from another request. */
export class IdempotencyKeyReused extends Error {
  override name = 'IdempotencyKeyReused';
}
