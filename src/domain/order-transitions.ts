import { InvalidTransition } from './errors';
import type { Axis, Order, OrderState } from './order';

type Transitions = { readonly [A in Axis]: Readonly<Record<OrderState[A], readonly OrderState[A][]>> };

/** Every change that an order may make; a state without a successor is final. */
export const TRANSITIONS: Transitions = {
  status: {
    pending: ['confirmed', 'rejected', 'cancelled'],
    confirmed: ['completed', 'cancelled'],
    completed: [],
    rejected: [],
    cancelled: [],
  },
  paymentStatus: {
    pending: ['authorized', 'action_required', 'declined'],
    action_required: ['authorized', 'declined', 'voided'],
    authorized: ['captured', 'voided'],
    captured: ['partially_refunded', 'refunded'],
    // A refund has failed, or another part was captured.
    partially_refunded: ['refunded', 'captured'],
    refunded: ['partially_refunded', 'captured'],
    // Another card was tried.
    declined: ['authorized', 'action_required'],
    voided: ['authorized', 'action_required'],
  },
  fulfillmentStatus: {
    unfulfilled: ['partially_fulfilled', 'fulfilled', 'cancelled'],
    partially_fulfilled: ['fulfilled', 'delivered', 'unfulfilled'],
    fulfilled: ['delivered', 'partially_fulfilled', 'unfulfilled', 'cancelled'],
    delivered: [],
    cancelled: [],
  },
};

export const INITIAL_STATE: OrderState = {
  status: 'pending',
  paymentStatus: 'pending',
  fulfillmentStatus: 'unfulfilled',
};

export function canTransition<A extends Axis>(axis: A, from: OrderState[A], to: OrderState[A]): boolean {
  const allowed: readonly OrderState[A][] = TRANSITIONS[axis][from];
  return allowed.includes(to);
}

/** Returns whether the order is closed: its status never changes again. */
export function isClosed(order: Pick<Order, 'status'>): boolean {
  return TRANSITIONS.status[order.status].length === 0;
}

export interface ChangeMade {
  /** ISO 8601. */
  at: string;
  by: string;
  reason: string | null;
  internalNote?: string;
  /** Whether the history tells of the change and its reason even if no state changes. */
  isTold?: boolean;
}

/**
 * Returns the next version of the order, changed on any number of axes. An axis that is already in the new
 * state stays as it is.
 * @throws {InvalidTransition}
 */
export function changeOrder(
  order: Order,
  to: Partial<OrderState>,
  { at, by, reason, internalNote, isTold = false }: ChangeMade,
): Order {
  const changed: Order = {
    ...order,
    ...to,
    statusHistory: [...order.statusHistory],
    version: order.version + 1,
    updatedAt: at,
  };
  const told = { by, reason, ...(internalNote !== undefined && { internalNote }) };
  for (const axis of Object.keys(to) as Axis[]) {
    const from = order[axis];
    if (from === changed[axis]) continue;
    if (!canTransition(axis, from, changed[axis])) {
      throw new InvalidTransition(`The order's ${axis} is ${from}: it cannot become ${changed[axis]}.`);
    }
    changed.statusHistory.push({ at, axis, from, to: changed[axis], ...told });
  }
  if (isTold && changed.statusHistory.length === order.statusHistory.length) {
    const state = order.fulfillmentStatus;
    changed.statusHistory.push({ at, axis: 'fulfillmentStatus', from: state, to: state, ...told });
  }
  return changed;
}
