import { BusinessError } from './errors';
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
  /** The payment service's name for a card. */
  paymentMethod: string;
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
export type OrderItem = OrderLine &
  Nullable<Omit<PricedItem, keyof OrderLine>> & {
    /** Units that were shipped or performed. */
    fulfilledQuantity: number;
  };

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

/**
 * `held`: what is not fulfilled yet is in the reserved stock of its products; `released`: available again;
 * `committed`: all of it has left the stock.
 */
export type Reservation = 'none' | 'held' | 'released' | 'committed';

/** What was, or was to be, reserved with the payment service. */
export interface OrderPayment {
  /** Names it at the payment service for ever. */
  key: string;
  /** The payment service's own id; null while it is not known. */
  reference: string | null;
  /** Minor units; 0 needs no payment service. */
  amount: number;
  currency: string;
}

/** Goods that were shipped together, or services that were performed. */
export interface Fulfillment {
  id: string;
  items: OrderLine[];
  carrier: string | null;
  trackingNumber: string | null;
  /** Hash of the command: the same Idempotency-Key with another one is refused. */
  fingerprint: string;
  /** Names the one POST that made it; any other that gets it as an answer is a replay. */
  attemptId: string;
  by: string;
  /** ISO 8601. */
  createdAt: string;
  deliveredAt: string | null;
}

export interface Refund {
  id: string;
  /** Minor units. */
  amount: number;
  reason: string;
  fingerprint: string;
  attemptId: string;
  by: string;
  createdAt: string;
}

/**
 * A payment that has to be given back. It is written on the order by the very write that makes it owed, and taken
 * off when it is done. `pending`: it keeps failing; `resolved`: a person settled it.
 */
export interface Compensation {
  /** Names it in routes and in Temporal. */
  step: string;
  payment: OrderPayment;
  state: 'owed' | 'pending' | 'resolved';
  since: string;
  /** Of the last attempt, when it keeps failing. */
  failure: string | null;
  resolution: { note: string; by: string; at: string } | null;
}

/** An order as MongoDB keeps it and as it travels through Temporal: plain JSON, times as ISO 8601 strings. */
export interface Order
  extends Omit<OrderRequest, 'orderId' | 'items'>, Nullable<Omit<Pricing, 'items'>>, OrderState {
  id: string;
  items: OrderItem[];
  reservation: Reservation;
  /** The authorisation that stands, or stood last. */
  payment: OrderPayment | null;
  /** Minor units. */
  captured: number;
  refunded: number;
  fulfillments: Fulfillment[];
  refunds: Refund[];
  compensations: Compensation[];
  rejection: Rejection | null;
  statusHistory: StatusChange[];
  /** Raised by every write; 0 while the order is not in MongoDB yet. */
  version: number;
  updatedAt: string;
  archivedAt: string | null;
}

/** An order of this id is stored already. */
export class DuplicateOrder extends Error {
  override name = 'DuplicateOrder';
}

/** The key was used for another request before. */
export class IdempotencyKeyReused extends BusinessError {
  override name = 'IdempotencyKeyReused';
}
