import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { Command, KeyedCommand } from '../domain/command';
import type { FulfillOrder } from '../domain/fulfillment';
import type { Order } from '../domain/order';
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

/** @param order as the caller has read it */
export function commandBy({ principal, requestId }: Caller, { version: seenVersion }: Order): Command {
  return { by: principal.id, requestId, seenVersion };
}

/** @param key the Idempotency-Key; without one, every request makes a new fulfillment */
export function fulfillCommand(
  order: Order,
  caller: Caller,
  content: Content<FulfillOrder>,
  key?: string,
): FulfillOrder {
  const { items, carrier, trackingNumber } = content;
  const lines = items.map(({ productServiceId, quantity }) => [productServiceId, quantity]);
  const hash = key === undefined ? randomBytes(16).toString('hex') : hashOf(order.id, key);
  const fingerprint = sha256(JSON.stringify([lines, carrier, trackingNumber]));
  return { ...content, ...commandBy(caller, order), id: `ful_${hash}`, fingerprint, attemptId: ulid() };
}

export function refundCommand(
  order: Order,
  caller: Caller,
  content: Content<RefundOrder>,
  key: string,
): RefundOrder {
  const fingerprint = sha256(JSON.stringify([content.amount, content.reason]));
  const id = `ref_${hashOf(order.id, key)}`;
  return { ...content, ...commandBy(caller, order), id, fingerprint, attemptId: ulid() };
}
