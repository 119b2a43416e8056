import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import type { OrderLine, OrderRequest, ShippingAddress } from '../domain/order';

/** The order id is the idempotency key: the same customer and Idempotency-Key always name the same order. */
export function orderIdOf(customerId: string, idempotencyKey: string): string {
  return `ord_${hashOf(customerId, idempotencyKey)}`;
}

export const ORDER_ID = /^ord_[0-9a-f]{32}$/;

export interface OrderContent {
  items: OrderLine[];
  paymentMethod: string;
  note: string | null;
  shippingAddress: ShippingAddress | null;
}

/** The same for the same order, however the client sorted its fields. */
export function fingerprintOf({ items, paymentMethod, note, shippingAddress }: OrderContent): string {
  const lines = items.map(({ productServiceId, quantity }) => [productServiceId, quantity]);
  const address = shippingAddress && Object.entries(shippingAddress).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([lines, note, address, paymentMethod]));
}

export interface PlaceOrder extends OrderContent {
  customerId: string;
  placedBy: string;
  idempotencyKey: string;
  requestId: string;
}

/** The request as it goes to Temporal; its order id is known before anything is done. */
export function orderRequest({ idempotencyKey, ...command }: PlaceOrder): OrderRequest {
  return {
    ...command,
    orderId: orderIdOf(command.customerId, idempotencyKey),
    fingerprint: fingerprintOf(command),
    attemptId: ulid(),
    createdAt: new Date().toISOString(),
  };
}

/** What a key names, of those that belong to `owner`. */
export function hashOf(owner: string, idempotencyKey: string): string {
  return sha256(`${owner}\n${idempotencyKey}`).slice(0, 32);
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
