import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import { canonicalJson, sha256 } from '../common/hash';
import { hashOfKey } from '../common/idempotency-key';
import type { Command } from '../domain/command';
import type { Cart } from '../domain/cart';
import type { Order, OrderedCart, OrderLine, OrderRequest, ShippingAddress } from '../domain/order';
import { ORDER_ID, OWNER_DIGITS, ownerIn } from '../domain/order-id';
import type { Principal } from '../role/principal';

/**
 * The order id is the idempotency key: the same customer, Idempotency-Key and sender of it always name the same order. The
 * keys of the staff, of a program and of the customer do not meet, so that nobody takes an order of another for their own.
 */
export function orderIdOf(customerId: string, idempotencyKey: string, placedBy = customerId): string {
  const owner = placedBy === customerId ? customerId : `${customerId}\n${placedBy}`;
  return orderIdFrom(hashOfKey(owner, idempotencyKey), customerId);
}

/**
 * The key of an order that comes of a cart is the cart: all who order it at once mean the same order. Only after that was
 * rejected is there another attempt, and another order.
 */
export function cartOrderIdOf({
  id,
  attempt,
  customerId,
}: Pick<Cart, 'id' | 'attempt' | 'customerId'>): string {
  return orderIdFrom(hashOfKey(id, String(attempt)), customerId);
}

function orderIdFrom(hash: string, customerId: string): string {
  return `ord_${hash.slice(0, -OWNER_DIGITS)}${ownerOf(customerId)}`;
}

/** Returns what the ids of all orders of the customer end with, and their data key is named by. */
export function ownerOf(customerId: string): string {
  return sha256(customerId).slice(0, OWNER_DIGITS);
}

/**
 * Returns whether an order with this id can be the customer's. Nobody has to be asked for it, so that orders of others
 * and those that do not exist look alike and cost alike, whichever server is away.
 */
export function canBeOrderOf(customerId: string, orderId: string): boolean {
  return ORDER_ID.test(orderId) && ownerIn(orderId) === ownerOf(customerId);
}

export interface OrderContent {
  items: OrderLine[];
  paymentMethod: string;
  note: string | null;
  shippingAddress: ShippingAddress | null;
  expectedTotal?: number;
  externalRef?: string;
  metadata?: Record<string, string>;
}

/**
 * Returns a hash that is the same for the same order under the same key, however the client sorted its fields. It names the
 * Update in Temporal, where everybody reads it: without the key, which is stored nowhere, an address could be guessed by it.
 */
export function fingerprintOf(order: OrderContent, idempotencyKey: string): string {
  const { items, paymentMethod, note, shippingAddress } = order;
  const { expectedTotal = null, externalRef = null, metadata = {} } = order;
  const extras = [expectedTotal, externalRef, metadata];
  return sha256(canonicalJson([idempotencyKey, items, note, shippingAddress, paymentMethod, ...extras]));
}

export interface PlaceOrder extends OrderContent {
  customerId: string;
  placedBy: string;
  requestId: string;
  address?: string;
  cart?: OrderedCart;
}

/**
 * Makes the request that goes to Temporal. Its order id is known before anything else happens.
 * @param key the Idempotency-Key, or what stands for it
 */
export function orderRequest(orderId: string, key: string, request: PlaceOrder): OrderRequest {
  return {
    ...request,
    orderId,
    fingerprint: fingerprintOf(request, key),
    attemptId: ulid(),
    createdAt: new Date().toISOString(),
  };
}

/** The user or program that sends a command, and what the HTTP request says with which they do. */
export interface Caller {
  principal: Principal;
  requestId: string;
  /** The client's network address. */
  address?: string;
  idempotencyKey?: string;
  /** The versions one of which the order must have; null or absent for any version. */
  ifMatch?: number[] | null;
  /** Called if an earlier request with the same key got the outcome that this one gets, too. */
  onRepeat?(): void;
}

/** A command without the fields that all commands have. */
export type Content<C extends Command> = Omit<C, keyof Command>;

/** Also those of customers are in the audit log, since the order forgets what it was before. */
const AMENDMENT = 'amd';

/**
 * Returns the command with the fields that all commands have. With an Idempotency-Key, its id is derived from the key. The
 * staff work on an order together, so unlike that of an order, a key means the same from all of them: what a colleague or
 * another program repeats is not shipped or paid back twice. It never means what the same key means from the customer.
 * Without a key the id is new, since a client may send the same X-Request-Id twice. An account commands the orders that it has
 * taken over as the guest whose they are, so that nobody takes it for the staff.
 * @param order the order as the caller has read it
 * @param kind the beginning of the id, such as `ful`: each kind of command has keys of its own
 */
export function commandBy<T extends object>(
  caller: Caller,
  order: Pick<Order, 'id' | 'revision' | 'customerId'>,
  kind: string,
  content: T,
): T & Command {
  const { principal, requestId, address, ifMatch, idempotencyKey: key } = caller;
  const isStaff = principal.role === 'ADMIN';
  const side = isStaff ? 'staff' : 'customer';
  const hash = key === undefined ? randomBytes(16).toString('hex') : hashOfKey(`${order.id}\n${side}`, key);
  return {
    ...content,
    id: `${kind}_${hash}`,
    by: isStaff ? principal.id : order.customerId,
    requestId,
    ...((isStaff || kind === AMENDMENT) && address !== undefined && { address }),
    seenRevision: order.revision,
    ...(ifMatch && { ifMatch }),
    ...(key !== undefined && { fingerprint: sha256(canonicalJson(content)), attemptId: ulid() }),
  };
}
