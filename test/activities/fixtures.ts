import { ulid } from 'ulid';
import type { AmendOrder } from '../../src/domain/amendment';
import type { CancelOrder } from '../../src/domain/closing';
import type { PaymentTaskCall } from '../../activities/payments.activities';
import type { Inline, Addressed } from '../../activities/order-changes';
import type { FulfillOrder } from '../../src/domain/fulfillment';
import type { PaymentTask } from '../../src/domain/intention';
import type { Order, OrderLine, OrderRequest } from '../../src/domain/order';
import type { RefundOrder } from '../../src/domain/refund';
import type { Activities } from '../../src/worker/activities';
import { newCommand } from '../support/commands';
import { lines } from '../support/order-api';
import { orderRequest, type Shop } from '../support/shop';

export const INLINE: Inline = { inline: true };
/** Leaves payments to the payments queue. */
export const QUEUED: Inline = { inline: false };

/** A stored order, and the request that it was placed with. */
export interface Placed {
  order: Order;
  request: OrderRequest;
  productId: string;
}

export interface ToPlace {
  quantity?: number;
  available?: number;
  paymentMethod?: string;
  unitPrice?: number;
}

/** Requests an order of two units; just as many are in stock, so that a step that repeats itself is not let through. */
export async function newRequest(
  shop: Shop,
  { quantity = 2, available = 2, paymentMethod, unitPrice = 1_000 }: ToPlace = {},
): Promise<{ request: OrderRequest; productId: string }> {
  const { id } = await shop.sell({ available, unitPrice, taxRateBps: 0 });
  return {
    request: orderRequest({ ...lines([id, quantity]), ...(paymentMethod && { paymentMethod }) }),
    productId: id,
  };
}

/** Places an order by the activity, as a confirmed one unless its payment fails. */
export async function placed(
  shop: Shop,
  { placeOrder }: Pick<Activities, 'placeOrder'>,
  toPlace: ToPlace = {},
): Promise<Placed> {
  const { request, productId } = await newRequest(shop, toPlace);
  await placeOrder(request, INLINE);
  return { order: (await shop.orders.findById(request.orderId))!, request, productId };
}

/** Carries out a step twice at the same time and once again later, as Temporal may, and expects equal results. */
export async function repeatedly<T>(step: () => Promise<T>): Promise<T> {
  const [one, other] = await Promise.all([step(), step()]);
  const late = await step();
  expect([other, late]).toEqual([one, one]);
  return one;
}

const on = <C>(order: Order, command: C): Addressed<C> => ({ ...command, orderId: order.id });

export const amending = (order: Order, fields: Partial<AmendOrder> = {}): Addressed<AmendOrder> =>
  on(order, { ...newCommand(), ifMatch: null, ...fields });

export const cancelling = ({ orderId }: { orderId: string }, fields: Partial<CancelOrder> = {}) => ({
  ...newCommand(),
  reason: null,
  orderId,
  ...fields,
});

export const fulfilling = (
  order: Order,
  items: OrderLine[] = order.items.map(lineOf),
  fields: Partial<FulfillOrder> = {},
): Addressed<FulfillOrder> =>
  on(order, { ...keyed('ful'), items, carrier: null, trackingNumber: null, ...fields });

export const refunding = (
  order: Order,
  amount: number | null,
  fields: Partial<RefundOrder> = {},
): Addressed<RefundOrder> => on(order, { ...keyed('ref'), amount, reason: 'Broken', ...fields });

/** The arguments of the steps that concern an order in general. */
export const subjectOf = ({ id, requestId }: Order) => ({ orderId: id, requestId });

/** Returns the call of the payment service for what an order waits for. */
export function callFor({ id, requestId }: Order, toPay: PaymentTask | null): PaymentTaskCall {
  if (!toPay) throw new Error(`Order ${id} waits for no payment.`);
  return { ...toPay, orderId: id, requestId };
}

function keyed(prefix: string) {
  return { ...newCommand(), id: `${prefix}_${ulid()}`, fingerprint: 'f', attemptId: 'a' };
}

function lineOf({ productServiceId, quantity }: OrderLine): OrderLine {
  return { productServiceId, quantity };
}
