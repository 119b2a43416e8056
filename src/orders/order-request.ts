import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import { sha256 } from '../common/hash';
import { hashOfKey } from '../common/idempotency-key';
import type { Command, KeyedCommand } from '../domain/command';
import type { FulfillOrder } from '../domain/fulfillment';
import type { Order, OrderLine, OrderRequest, ShippingAddress } from '../domain/order';
import type { RefundOrder } from '../domain/refund';
import type { Principal } from '../role/principal';

/**
 * The order id is the idempotency key: the same customer, Idempotency-Key and sender of it always name the same order. The
 * keys of the staff, of a program and of the customer do not meet, so that nobody takes an order of another for their own.
 */
export function orderIdOf(customerId: string, idempotencyKey: string, placedBy = customerId): string {
  const owner = placedBy === customerId ? customerId : `${customerId}\n${placedBy}`;
  return `ord_${hashOfKey(owner, idempotencyKey)}`;
}

export const ORDER_ID = /^ord_[0-9a-f]{32}$/;

export interface OrderContent {
  items: OrderLine[];
  paymentMethod: string;
  note: string | null;
  shippingAddress: ShippingAddress | null;
}

/** Returns a hash that is the same for the same order, however the client sorted its fields. */
export function fingerprintOf({ items, paymentMethod, note, shippingAddress }: OrderContent): string {
  const address = shippingAddress && Object.entries(shippingAddress).sort(([a], [b]) => (a < b ? -1 : 1));
  return hashOfContent(linesOf(items), note, address, paymentMethod);
}

export interface PlaceOrder extends OrderContent {
  customerId: string;
  placedBy: string;
  idempotencyKey: string;
  requestId: string;
}

/** Makes the request that goes to Temporal. Its order id is known before anything else happens. */
export function orderRequest({ idempotencyKey, ...request }: PlaceOrder): OrderRequest {
  return {
    ...request,
    orderId: orderIdOf(request.customerId, idempotencyKey, request.placedBy),
    fingerprint: fingerprintOf(request),
    attemptId: ulid(),
    createdAt: new Date().toISOString(),
  };
}

/** The user or program that sends a command, and the HTTP request with which they do. */
export interface Caller {
  principal: Principal;
  requestId: string;
}

/** A command without the fields that all commands have. */
export type Content<C extends Command> = Omit<C, keyof KeyedCommand>;

/**
 * Returns the fields that all commands have. The id is new, since a client may send the same X-Request-Id twice.
 * @param order the order as the caller has read it
 */
export function commandBy({ principal, requestId }: Caller, { revision: seenRevision }: Order): Command {
  return { id: `cmd_${ulid()}`, by: principal.id, requestId, seenRevision };
}

/**
 * The staff work on an order together, so unlike that of an order, the key of a fulfillment or a refund means the same
 * from all of them: what a colleague or another program repeats is not shipped or paid back twice.
 * @param key the Idempotency-Key; without one, every request makes a new fulfillment
 */
export function fulfillCommand(
  order: Order,
  caller: Caller,
  content: Content<FulfillOrder>,
  key?: string,
): FulfillOrder {
  const hash = key === undefined ? randomBytes(16).toString('hex') : hashOfKey(order.id, key);
  const { items, carrier, trackingNumber } = content;
  const fingerprint = hashOfContent(linesOf(items), carrier, trackingNumber);
  return { ...content, ...commandBy(caller, order), id: `ful_${hash}`, fingerprint, attemptId: ulid() };
}

export function refundCommand(
  order: Order,
  caller: Caller,
  content: Content<RefundOrder>,
  key: string,
): RefundOrder {
  const id = `ref_${hashOfKey(order.id, key)}`;
  const fingerprint = hashOfContent(content.amount, content.reason);
  return { ...content, ...commandBy(caller, order), id, fingerprint, attemptId: ulid() };
}

function linesOf(items: readonly OrderLine[]): [productServiceId: string, quantity: number][] {
  return items.map(({ productServiceId, quantity }) => [productServiceId, quantity]);
}

function hashOfContent(...content: unknown[]): string {
  return sha256(JSON.stringify(content));
}
