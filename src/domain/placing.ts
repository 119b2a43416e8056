import { closedOrder, rejectedBecause } from './closing';
import type { Order, OrderItem, OrderLine, OrderPayment, OrderRequest, PricedItem, Pricing } from './order';
import { orderNumberOf } from './order-number';
import { changeOrder, INITIAL_STATE } from './order-transitions';
import type { Rejection } from './rejection';
import { reservationOf } from './stock';

/** Returns the order that is accepted but not in MongoDB yet: its lines as sent, no prices, version 0. */
export function draftOrder(request: OrderRequest): Order {
  const { orderId, items, externalRef = null, metadata = {}, address: _, ...rest } = request;
  return {
    id: orderId,
    number: orderNumberOf(orderId),
    externalRef,
    metadata,
    ...rest,
    ...INITIAL_STATE,
    items: items.map(unpriced),
    currency: null,
    subtotal: null,
    tax: null,
    total: null,
    reservation: 'none',
    payment: null,
    captured: 0,
    refunded: 0,
    cancelled: 0,
    fulfillments: [],
    refunds: [],
    compensations: [],
    rejection: null,
    statusHistory: [
      { at: rest.createdAt, axis: 'status', from: null, to: 'pending', by: rest.placedBy, reason: null },
    ],
    intention: null,
    commands: [],
    version: 0,
    revision: 0,
    resumedRevision: 0,
    resumedBy: null,
    updatedAt: rest.createdAt,
    archivedAt: null,
    overdueSince: null,
    payBy: null,
    retryUntil: null,
    attempts: [],
    disputes: [],
  };
}

/** Returns the request that an order was made from, the inverse of `draftOrder`. */
export function requestOf(order: Order): OrderRequest {
  const { id: orderId, customerId, placedBy, note, shippingAddress, fingerprint } = order;
  const { attemptId, requestId, createdAt, paymentMethod, expectedTotal, externalRef, metadata, cart } =
    order;
  const items = order.items.map(({ productServiceId, quantity }) => ({ productServiceId, quantity }));
  return {
    orderId,
    customerId,
    placedBy,
    items,
    note,
    shippingAddress,
    fingerprint,
    attemptId,
    requestId,
    createdAt,
    paymentMethod,
    ...(expectedTotal !== undefined && { expectedTotal }),
    ...(externalRef !== null && { externalRef }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(cart && { cart }),
  };
}

/** Returns the draft with its prices. @param pricing null when pricing it failed */
export function pricedOrder(request: OrderRequest, pricing: Pricing | null): Order {
  const { expectedTotal: _, ...draft } = draftOrder(request);
  return pricing ? { ...draft, ...pricing, items: pricing.items.map(unfulfilled) } : draft;
}

/** Returns the first version of an order: pending, its stock to be reserved by the same write. */
export function openedOrder(request: OrderRequest, pricing: Pricing): Order {
  return { ...pricedOrder(request, pricing), reservation: reservationOf(pricing), version: 1 };
}

/**
 * Returns the first version of an order that cannot be placed: nothing is reserved.
 * @param pricing null when pricing it failed
 */
export function rejectedOrder(
  request: OrderRequest,
  pricing: Pricing | null,
  rejection: Rejection,
  at: string,
): Order {
  return closedOrder(pricedOrder(request, pricing), rejectedBecause(rejection), at);
}

/** Returns the order once its payment is authorised. */
export function confirmedOrder(order: Order, payment: OrderPayment, at: string): Order {
  const to = { paymentStatus: 'authorized', status: 'confirmed' } as const;
  return changeOrder({ ...order, payment, payBy: null, retryUntil: null }, to, {
    at,
    by: 'system',
    reason: null,
  });
}

export function unfulfilled(item: PricedItem): OrderItem {
  return { ...item, ...UNTOUCHED };
}

function unpriced({ productServiceId, quantity }: OrderLine): OrderItem {
  const unknown = { sku: null, name: null, kind: null, unitPrice: null, taxRateBps: null };
  const unpricedAmounts = { priceIncludesTax: null, subtotal: null, tax: null, total: null };
  return { productServiceId, quantity, ...unknown, ...unpricedAmounts, ...UNTOUCHED };
}

const UNTOUCHED = {
  fulfilledQuantity: 0,
  cancelledQuantity: 0,
  cancelledAmount: 0,
  refundedQuantity: 0,
  restockedQuantity: 0,
  writtenOffQuantity: 0,
};

/** Another request came under the same key, after Temporal has forgotten the workflow of the first. */
export function isReused(order: Order, request: OrderRequest): boolean {
  return order.fingerprint !== request.fingerprint;
}
