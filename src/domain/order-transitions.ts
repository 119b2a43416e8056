import { BusinessError } from './errors';
import type {
  Axis,
  Order,
  OrderItem,
  OrderLine,
  OrderRequest,
  OrderState,
  PricedItem,
  Pricing,
} from './order';

type Transitions = { readonly [A in Axis]: Readonly<Record<OrderState[A], readonly OrderState[A][]>> };

/** Every change that an order may make; a state that is not left is final. */
export const TRANSITIONS: Transitions = {
  status: {
    pending: ['confirmed', 'rejected', 'cancelled'],
    confirmed: ['completed', 'cancelled'],
    completed: [],
    rejected: [],
    cancelled: [],
  },
  paymentStatus: {
    pending: ['authorized', 'declined'],
    authorized: ['captured', 'voided'],
    captured: ['partially_refunded', 'refunded'],
    partially_refunded: ['refunded'],
    refunded: [],
    declined: [],
    voided: [],
  },
  fulfillmentStatus: {
    unfulfilled: ['partially_fulfilled', 'fulfilled', 'cancelled'],
    partially_fulfilled: ['fulfilled'],
    fulfilled: ['delivered'],
    delivered: [],
    cancelled: [],
  },
};

export const INITIAL_STATE: OrderState = {
  status: 'pending',
  paymentStatus: 'pending',
  fulfillmentStatus: 'unfulfilled',
};

/** The order is not in a state from which the change is possible. Its `name` is the type of the Temporal failure. */
export class InvalidTransition extends BusinessError {
  override name = 'InvalidTransition';
}

export function canTransition<A extends Axis>(axis: A, from: OrderState[A], to: OrderState[A]): boolean {
  const allowed: readonly OrderState[A][] = TRANSITIONS[axis][from];
  return allowed.includes(to);
}

/** A closed order never changes its status again. */
export function isClosed(order: Pick<Order, 'status'>): boolean {
  return TRANSITIONS.status[order.status].length === 0;
}

/** An order that is accepted but not in MongoDB yet: its lines as sent, no prices, version 0. */
export function draftOrder(request: OrderRequest): Order {
  const { orderId, items, ...rest } = request;
  return {
    id: orderId,
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
    fulfillments: [],
    refunds: [],
    compensations: [],
    rejection: null,
    statusHistory: [
      { at: rest.createdAt, axis: 'status', from: null, to: 'pending', by: rest.placedBy, reason: null },
    ],
    version: 0,
    updatedAt: rest.createdAt,
    archivedAt: null,
  };
}

/** The request that an order was made from: what `draftOrder` took. */
export function requestOf(order: Order): OrderRequest {
  const { id: orderId, customerId, placedBy, note, shippingAddress, fingerprint } = order;
  const { attemptId, requestId, createdAt, paymentMethod } = order;
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
  };
}

/** The draft with its prices, when it got that far. */
export function pricedOrder(request: OrderRequest, pricing: Pricing | null): Order {
  const draft = draftOrder(request);
  return pricing ? { ...draft, ...pricing, items: pricing.items.map(unfulfilled) } : draft;
}

export interface ChangeMade {
  /** ISO 8601. */
  at: string;
  by: string;
  reason: string | null;
}

/**
 * The order after a change on one or more axes, one version further. An axis that already is where it should go
 * is left alone.
 * @throws {InvalidTransition}
 */
export function changeOrder(order: Order, to: Partial<OrderState>, { at, by, reason }: ChangeMade): Order {
  const changed: Order = {
    ...order,
    ...to,
    statusHistory: [...order.statusHistory],
    version: order.version + 1,
    updatedAt: at,
  };
  for (const axis of Object.keys(to) as Axis[]) {
    const from = order[axis];
    if (from === changed[axis]) continue;
    if (!canTransition(axis, from, changed[axis])) {
      throw new InvalidTransition(`The order's ${axis} is ${from}: it cannot become ${changed[axis]}.`);
    }
    changed.statusHistory.push({ at, axis, from, to: changed[axis], by, reason });
  }
  return changed;
}

function unpriced({ productServiceId, quantity }: OrderLine): OrderItem {
  const unknown = { unitPrice: null, taxRateBps: null, subtotal: null, tax: null, total: null };
  return { productServiceId, sku: null, name: null, kind: null, quantity, ...unknown, fulfilledQuantity: 0 };
}

export function unfulfilled(item: PricedItem): OrderItem {
  return { ...item, fulfilledQuantity: 0 };
}
