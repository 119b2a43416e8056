import { unsettled } from './compensation';
import type { Fulfillment, Order, OrderPayment, PaymentAttempt, Refund, StatusChange } from './order';
import { isClosed } from './order-transitions';

/** What stands where a text was erased that has to be one. */
export const ERASED = 'erased';

/** A request to erase the personal data of a user. */
export interface ErasureRequest {
  userId: string;
  /** The id of who asks for it: the user, an ADMIN, or `system`. */
  by: string;
  requestId: string;
  /** For how long after the account is closed orders may arrive that were on their way, in milliseconds. */
  lateMs: number;
}

/** Whether erasing has begun, and why not: what stands in its way, and what to do. */
export interface ErasureAnswer {
  refusal: string | null;
}

/** Why an order cannot be erased yet: it needs what it has of its customer, or money is owed. */
export type Obstacle = 'open' | 'owing' | 'disputed';

/** Returns what stands in the way of erasing the order, or null. */
export function obstacleOf(order: Order): Obstacle | null {
  if (!isClosed(order)) return 'open';
  if (order.intention !== null || unsettled(order).length > 0) return 'owing';
  return order.disputes.some(({ status }) => status === 'opened') ? 'disputed' : null;
}

const ADVICE: Readonly<Record<Obstacle, string>> = {
  open: 'are open: cancel them, or wait until they are completed',
  owing: 'owe the customer money: wait until it is paid back, or have the staff settle it',
  disputed: 'are disputed at the bank: wait until it has decided',
};
const OBSTACLES = Object.keys(ADVICE) as Obstacle[];
/** How many orders a refusal names. */
const NAMED = 5;

/** Returns why the data of the customer of these orders cannot be erased, and what to do; null if they can. */
export function refusalOf(orders: readonly Order[]): string | null {
  const reasons = OBSTACLES.flatMap((obstacle) => {
    const numbers = orders.filter((order) => obstacleOf(order) === obstacle).map(({ number }) => number);
    if (numbers.length === 0) return [];
    const more = numbers.length > NAMED ? ` and ${numbers.length - NAMED} more` : '';
    return [`Orders ${ADVICE[obstacle]} (${numbers.slice(0, NAMED).join(', ')}${more}).`];
  });
  return reasons.length === 0 ? null : [...reasons, 'Then repeat the request.'].join(' ');
}

export function isErased({ fingerprint }: Pick<Order, 'fingerprint'>): boolean {
  return fingerprint === ERASED;
}

/**
 * Returns the closed order without anything that its customer has said, and that was said about the customer: goods,
 * amounts, times and states stay, as the books need them. Fingerprints go as well, since they are hashes of what goes.
 */
export function erasedOrder(order: Order, at: string): Order {
  const { payment, rejection } = order;
  return {
    ...order,
    externalRef: null,
    metadata: {},
    note: null,
    shippingAddress: null,
    paymentMethod: ERASED,
    fingerprint: ERASED,
    payment: payment && erasedPayment(payment),
    rejection: rejection && { ...rejection, detail: ERASED },
    statusHistory: order.statusHistory.map(erasedStatusChange),
    fulfillments: order.fulfillments.map(erasedFulfillment),
    refunds: order.refunds.map(erasedRefund),
    compensations: order.compensations.map(({ resolution, ...compensation }) => ({
      ...compensation,
      payment: erasedPayment(compensation.payment),
      failure: null,
      resolution: resolution && { ...resolution, note: ERASED },
    })),
    attempts: order.attempts.map((attempt): PaymentAttempt => ({
      ...attempt,
      paymentMethod: ERASED,
      reason: null,
    })),
    commands: [],
    version: order.version + 1,
    updatedAt: at,
  };
}

function erasedPayment({ paymentMethod, ...payment }: OrderPayment): OrderPayment {
  return { ...payment, ...(paymentMethod !== undefined && { paymentMethod: ERASED }) };
}

/** By whom changes are whose reasons are words of ours. */
const NOBODY: ReadonlySet<string> = new Set(['system', 'provider']);

function erasedStatusChange({ internalNote: _, ...change }: StatusChange): StatusChange {
  return NOBODY.has(change.by) ? change : { ...change, reason: null };
}

function erasedFulfillment({ undone, ...fulfillment }: Fulfillment): Fulfillment {
  const kept = { ...fulfillment, carrier: null, trackingNumber: null, fingerprint: ERASED };
  return undone ? { ...kept, undone: { ...undone, reason: ERASED } } : kept;
}

function erasedRefund({ internalNote: _, ...refund }: Refund): Refund {
  return { ...refund, reason: ERASED, fingerprint: ERASED };
}
