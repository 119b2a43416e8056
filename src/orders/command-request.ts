import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { Command, KeyedCommand } from '../domain/command';
import type { FulfillOrder } from '../domain/fulfillment';
import type { RefundOrder } from '../domain/refund';
import type { Principal } from '../role/principal';
import { hashOf, sha256 } from './order-request';

/** Who asks for something, and by which HTTP request. */
export interface Caller {
  principal: Principal;
  requestId: string;
}

/** What a command says besides who asks for it. */
export type Content<C extends Command> = Omit<C, keyof KeyedCommand>;

export function commandBy({ principal, requestId }: Caller): Command {
  return { by: principal.id, requestId };
}

/** @param key the Idempotency-Key; without one, every request makes a new fulfillment */
export function fulfillCommand(
  orderId: string,
  caller: Caller,
  content: Content<FulfillOrder>,
  key?: string,
): FulfillOrder {
  const { items, carrier, trackingNumber } = content;
  const lines = items.map(({ productServiceId, quantity }) => [productServiceId, quantity]);
  const hash = key === undefined ? randomBytes(16).toString('hex') : hashOf(orderId, key);
  const fingerprint = sha256(JSON.stringify([lines, carrier, trackingNumber]));
  return { ...content, ...commandBy(caller), id: `ful_${hash}`, fingerprint, attemptId: ulid() };
}

export function refundCommand(
  orderId: string,
  caller: Caller,
  content: Content<RefundOrder>,
  key: string,
): RefundOrder {
  const fingerprint = sha256(JSON.stringify([content.amount, content.reason]));
  const id = `ref_${hashOf(orderId, key)}`;
  return { ...content, ...commandBy(caller), id, fingerprint, attemptId: ulid() };
}
