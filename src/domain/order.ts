import type { Origin } from './audit';
import type { Capture, Captures, ProviderDispute } from './payment';
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
  /** Many places have none, such as Hong Kong. */
  postalCode?: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

/** The parts of an address without which nothing can be sent. */
export type RequiredPart = 'name' | 'line1' | 'city' | 'country';

/** Parts of an address that become those of a stored one; null removes one. */
export type AddressChange = Partial<Pick<ShippingAddress, RequiredPart>> & {
  [K in Exclude<keyof ShippingAddress, RequiredPart>]?: string | null;
};

/** The content of a cart that an order is placed of: if the cart has another by then, the order is rejected. */
export interface OrderedCart {
  id: string;
  contentVersion: number;
}

/** The request of a customer: everything that is known of an order before it is priced. */
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
  /** The order is rejected unless this is its total, in minor units. */
  expectedTotal?: number;
  /** The name that the customer's own system gives the order: unique among the orders of a customer. */
  externalRef?: string;
  /** What the customer's own system wants to find with the order. */
  metadata?: Record<string, string>;
  /** The cart that it is placed of, if it is. */
  cart?: OrderedCart;
  /** A hash of the canonical request. The same Idempotency-Key with another fingerprint is rejected. */
  fingerprint: string;
  /** Names the one POST that started the order; any other POST for the same order is a replay. */
  attemptId: string;
  /** The X-Request-Id of that POST, by which the logs of the order are found. */
  requestId: string;
  /** The client's network address, if an ADMIN or an API key sent it: the audit log has it, and nothing else. */
  address?: string;
  /** When the API accepted it, ISO 8601. */
  createdAt: string;
}

/** A line with a snapshot of what was bought. Amounts are in minor units. */
export interface PricedItem extends OrderLine {
  sku: string;
  name: string;
  kind: 'product' | 'service';
  unitPrice: number;
  /** Basis points, with up to two decimals. */
  taxRateBps: number;
  /** Whether the unit price contains the tax. */
  priceIncludesTax: boolean;
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

/** A line of an order. Until it is priced, everything is null but what the customer sent. */
export type OrderItem = OrderLine &
  Nullable<Omit<PricedItem, keyof OrderLine>> & {
    /** The units that were shipped or performed. */
    fulfilledQuantity: number;
    /** The units that will never be. */
    cancelledQuantity: number;
    /** What the cancelled units would have cost, in minor units. */
    cancelledAmount: number;
    /** The fulfilled units that were paid back. */
    refundedQuantity: number;
    /** The refunded units that came back into stock. */
    restockedQuantity: number;
    /** The units that left the stock and got lost on the way to the customer. */
    writtenOffQuantity: number;
  };

export const ORDER_STATUSES = ['pending', 'confirmed', 'completed', 'rejected', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const PAYMENT_STATUSES = [
  'pending',
  'action_required',
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
  /** A user id, `system`, or `provider` for what was done at the payment service. */
  by: string;
  /** The customer reads it. */
  reason: string | null;
  /** Only the staff read it. */
  internalNote?: string;
}

/**
 * Where the stock of an order is: `held` means that what is not fulfilled yet is in the reserved stock of its
 * products, `released` that it is available again, and `committed` that all of it has left the stock.
 */
export type Reservation = 'none' | 'held' | 'released' | 'committed';

/** An amount that is, or was to be, reserved with the payment service. */
export interface OrderPayment {
  /** Names the payment permanently. */
  key: string;
  /** The payment service's own id; null until it is known. */
  reference: string | null;
  /** In minor units. The payment service is not asked for 0. */
  amount: number;
  currency: string;
  /** With `once`, the first fulfillment captures all that is due; with `many`, each captures its share. */
  captures: Captures;
  /** Present if it is not that of the request, since the customer has tried another one. */
  paymentMethod?: string;
  /** Present when nothing more can be captured, since the rest of it was, or is to be, released or voided. */
  isClosed?: true;
}

/** Goods that were shipped together, or services that were performed. */
export interface Fulfillment {
  id: string;
  items: OrderLine[];
  carrier: string | null;
  trackingNumber: string | null;
  /** A hash of the command. The same Idempotency-Key with another fingerprint is rejected. */
  fingerprint: string;
  /** Names the one POST that made it; any other POST for the same fulfillment is a replay. */
  attemptId: string;
  by: string;
  /** ISO 8601. */
  createdAt: string;
  deliveredAt: string | null;
  /** Present if the goods were lost or came back: the fulfillment counts no more. */
  undone?: { at: string; by: string; reason: string; restock: boolean };
}

/** Units that are paid back. */
export interface RefundedLine extends OrderLine {
  /** Whether they are back in stock. */
  restock: boolean;
}

export interface Refund {
  id: string;
  /** Minor units; 0 if goods come back for which nothing is paid back. */
  amount: number;
  /** `pending` while a compensation is to pay it back. */
  status: 'pending' | 'succeeded' | 'failed';
  /** Empty if the refund is of an amount. */
  items: RefundedLine[];
  /** The customer reads it. */
  reason: string;
  /** Only the staff read it. */
  internalNote?: string;
  fingerprint: string;
  attemptId: string;
  /** A user id; `system` for cancelled units, `provider` if it was made at the payment service itself. */
  by: string;
  createdAt: string;
  /** The key under which the payment service has it, if it was made there. */
  providerKey?: string;
}

/** An attempt to have the order paid. */
export interface PaymentAttempt {
  /** The key of its payment. */
  key: string;
  paymentMethod: string;
  at: string;
  /**
   * `action_required` while it waits for the customer; `failed` and `expired` if the customer did not act, or not in
   * time; `unanswered` if the payment service did not answer; `lapsed` if it was authorised and is no more.
   */
  outcome: 'action_required' | 'authorized' | 'declined' | 'failed' | 'expired' | 'unanswered' | 'lapsed';
  /** Why it is not authorised, for the customer. */
  reason: string | null;
}

/** A payment that the customer contests at the bank. */
export interface Dispute extends ProviderDispute {
  /** When the order learned of its status. */
  at: string;
}

/**
 * Money of the customer that has to be given up or paid back. The write that makes this necessary puts it on the order,
 * and it is taken off when it is done. `pending` means that it keeps failing, `resolved` that an operator settled it.
 */
export interface Compensation {
  /** Names it in routes and in Temporal. */
  step: string;
  /**
   * `void`: nothing of the payment may stay reserved or captured; `refund`: a part is paid back; `release`: what is still
   * reserved after captures in part is given up.
   */
  kind: 'void' | 'refund' | 'release';
  payment: OrderPayment;
  /** Minor units. */
  amount: number;
  /** The refund of the order that it makes, if it is of that kind. */
  refundId?: string;
  state: 'owed' | 'pending' | 'resolved';
  since: string;
  /** The failure of the last attempt, if it keeps failing. */
  failure: string | null;
  resolution: { note: string; by: string; at: string } | null;
}

/** What an amendment changes. */
export interface Amendment {
  /** Null when the lines stay. */
  pricing: Pricing | null;
  note: string | null;
  shippingAddress: ShippingAddress | null;
  /** Absent when it stays, as is the metadata. */
  externalRef?: string | null;
  metadata?: Record<string, string>;
}

interface Intended {
  /** The command that it is part of. */
  command: Pick<AnsweredCommand, 'id' | 'fingerprint' | 'attemptId'>;
  /** When it was written, ISO 8601. */
  since: string;
  /** Present if the audit log is told of it. */
  origin?: Origin;
}

/** Authorises `payment`, which replaces that of the order. */
export type IntendedAmendment = Intended & {
  kind: 'amendment';
  amendment: Amendment;
  payment: OrderPayment;
  /** The id of the user who amends the order. */
  by: string;
};
/** Captures the payment of the order, or a part of it. */
export type IntendedFulfillment = Intended & {
  kind: 'fulfillment';
  fulfillment: Fulfillment;
  capture: Capture;
};
/** Refunds a part of the payment of the order. */
export type IntendedRefund = Intended & { kind: 'refund'; refund: Refund };
/** Authorises `payment` with another card. */
export type IntendedPayment = Intended & {
  kind: 'payment';
  payment: OrderPayment;
  /** The id of the user who pays. */
  by: string;
};

/**
 * What a command is about to do once the payment service has answered. It is written before the payment
 * service is called, keeps other commands out, and is taken off by the write that ends the command. A
 * workflow that resumes the order after an interruption finds it.
 */
export type Intention = IntendedAmendment | IntendedFulfillment | IntendedRefund | IntendedPayment;

/** Why a rule of the business turned a command down: the name and the message of a `BusinessError`. */
export interface ErrorRecord {
  type: string;
  message: string;
  /** The order that is in the way. */
  existingOrderId?: string;
  /** Until when the order can be paid with another card. */
  retryUntil?: string;
  /** What the order would cost, in minor units, if that is the reason. */
  total?: number;
}

/** A command that was answered. The same command, sent again, gets this answer. */
export interface AnsweredCommand {
  id: string;
  /** A hash of the content, if the id is derived from an Idempotency-Key. */
  fingerprint: string | null;
  /** Names the one request that sent it, if it has an Idempotency-Key; any other request with that key is a repeat. */
  attemptId: string | null;
  at: string;
  /** The version and the revision of the order with this answer. */
  version: number;
  revision: number;
  /** Null if the command was carried out. */
  error: ErrorRecord | null;
}

/** The most lines that an order can have. */
export const MAX_LINES = 100;
/** The most units that a line can have. */
export const MAX_QUANTITY = 10_000;
/** Code points. */
export const MAX_NOTE_LENGTH = 500;
export const MAX_EXTERNAL_REF_LENGTH = 100;
export const MAX_METADATA_KEYS = 20;
/** Names such as `__proto__` and `_bsontype` mean something else to JavaScript and to the driver of MongoDB. */
export const METADATA_KEY = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;
/** Code points. */
export const MAX_METADATA_LENGTH = 500;

/** An order as MongoDB has it, with times as ISO 8601 strings. */
export interface Order
  extends
    Omit<OrderRequest, 'orderId' | 'items' | 'externalRef' | 'metadata' | 'address'>,
    Nullable<Omit<Pricing, 'items'>>,
    OrderState {
  id: string;
  /** What people call the order, such as `7K3DQ-9QXWM`. */
  number: string;
  externalRef: string | null;
  metadata: Record<string, string>;
  items: OrderItem[];
  reservation: Reservation;
  /** The current authorisation, or the last one. */
  payment: OrderPayment | null;
  /** Minor units. */
  captured: number;
  refunded: number;
  /** What the cancelled units of its lines would have cost. */
  cancelled: number;
  fulfillments: Fulfillment[];
  refunds: Refund[];
  compensations: Compensation[];
  rejection: Rejection | null;
  statusHistory: StatusChange[];
  intention: Intention | null;
  /** The commands that were answered last, oldest first. Earlier answers are kept beside the order. */
  commands: AnsweredCommand[];
  /** Raised by every change that a client can see, and so the ETag; 0 until the order is in MongoDB. */
  version: number;
  /** Raised by every write, and the condition of the next one. */
  revision: number;
  /**
   * The revision at which a workflow last resumed the order, after another one had been terminated or reset.
   * What was sent before that, and not answered, is not carried out.
   */
  resumedRevision: number;
  /** The id of the workflow run that did so; null if none has. */
  resumedBy: string | null;
  updatedAt: string;
  archivedAt: string | null;
  /** Since when the rest of the order waits longer for a fulfillment than its policy allows. */
  overdueSince: string | null;
  /** Until when the customer has to act, while the payment waits for it. */
  payBy: string | null;
  /** Until when another card may be tried, since the first one was turned down. */
  retryUntil: string | null;
  /** The attempts to pay, oldest first; empty if the first one was authorised at once. */
  attempts: PaymentAttempt[];
  disputes: Dispute[];
}

/** Returns what the order costs without what was cancelled of it, in minor units; null until it is priced. */
export function dueOf({ total, cancelled }: Pick<Order, 'total' | 'cancelled'>): number | null {
  return total === null ? null : total - cancelled;
}

/** The fields of an order, at any depth, that are times: ISO 8601 strings here, dates in MongoDB. */
export const TIME_FIELDS = [
  'at',
  'since',
  'createdAt',
  'updatedAt',
  'deliveredAt',
  'archivedAt',
  'overdueSince',
  'payBy',
  'retryUntil',
] as const;
