import { type Command, type KeyedCommand, madeBefore } from './command';
import { InvalidTransition, NotFound } from './errors';
import type { Fulfillment, Order, OrderItem, OrderLine } from './order';
import { changeOrder } from './order-transitions';

export interface FulfillOrder extends KeyedCommand {
  items: OrderLine[];
  carrier: string | null;
  trackingNumber: string | null;
}

/** What an order can have at most, so that it stays far below the 16 MB of a document of MongoDB. */
const MAX_FULFILLMENTS = 500;

export interface DeliverFulfillment extends Command {
  fulfillmentId: string;
}

/** @throws {InvalidTransition} the order is not confirmed, or less is left to fulfil */
export function requireFulfillable(order: Order, command: FulfillOrder): void {
  if (madeBefore(order.fulfillments, command)) return;
  if (order.fulfillments.length >= MAX_FULFILLMENTS) {
    throw new InvalidTransition(
      `The order has ${MAX_FULFILLMENTS} fulfillments, the most that it can have: cancel or refund what is left of it.`,
    );
  }
  if (order.status !== 'confirmed') {
    throw new InvalidTransition(`The order is ${order.status}: only a confirmed one can be fulfilled.`);
  }
  fulfilLines(order.items, command.items);
}

/**
 * Returns the order with another fulfillment, or intending to have it once the payment is captured.
 * @throws {InvalidTransition}
 */
export function fulfill(order: Order, command: FulfillOrder, at: string): Order {
  requireFulfillable(order, command);
  const { id, fingerprint } = command;
  const fulfillment = fulfillmentOf(command, at);
  const isToBePaid = order.paymentStatus === 'authorized' && order.payment!.amount > 0;
  if (!isToBePaid) return fulfilledOrder(order, fulfillment, at);
  return { ...order, intention: { kind: 'fulfillment', command: { id, fingerprint }, fulfillment } };
}

/** Returns what the command adds to the order. */
export function fulfillmentOf(command: FulfillOrder, at: string): Fulfillment {
  const { id, items, carrier, trackingNumber, fingerprint, attemptId, by } = command;
  return { id, items, carrier, trackingNumber, fingerprint, attemptId, by, createdAt: at, deliveredAt: null };
}

/** Returns the order with another fulfillment, its payment captured. @throws {InvalidTransition} */
export function fulfilledOrder(order: Order, fulfillment: Fulfillment, at: string): Order {
  const items = fulfilLines(order.items, fulfillment.items);
  const isComplete = items.every((item) => item.fulfilledQuantity === item.quantity);
  const isFirst = order.paymentStatus === 'authorized';
  const next: Order = {
    ...order,
    items,
    fulfillments: [...order.fulfillments, fulfillment],
    reservation: isComplete && order.reservation === 'held' ? 'committed' : order.reservation,
    captured: isFirst ? order.payment!.amount : order.captured,
  };
  const fulfillmentStatus = isComplete ? 'fulfilled' : 'partially_fulfilled';
  return changeOrder(
    next,
    { ...(isFirst && { paymentStatus: 'captured' }), fulfillmentStatus },
    { at, by: fulfillment.by, reason: null },
  );
}

/** @throws {NotFound} @throws {InvalidTransition} it has already been delivered */
export function requireDeliverable(order: Order, { fulfillmentId }: DeliverFulfillment): void {
  const fulfillment = order.fulfillments.find(({ id }) => id === fulfillmentId);
  if (!fulfillment)
    throw new NotFound(
      'This order has no fulfillment with this id: read the order for the ids of its fulfillments.',
    );
  if (fulfillment.deliveredAt) {
    throw new InvalidTransition(`This fulfillment was already delivered at ${fulfillment.deliveredAt}.`);
  }
}

/**
 * Returns the order with that fulfillment delivered. The last delivery completes the order.
 * @throws {NotFound}
 * @throws {InvalidTransition} it has already been delivered
 */
export function deliveredOrder(order: Order, command: DeliverFulfillment, at: string): Order {
  requireDeliverable(order, command);
  const { fulfillmentId, by } = command;
  const fulfillments = order.fulfillments.map((fulfillment) =>
    fulfillment.id === fulfillmentId ? { ...fulfillment, deliveredAt: at } : fulfillment,
  );
  const isLast = order.fulfillmentStatus === 'fulfilled' && fulfillments.every((one) => one.deliveredAt);
  const to = isLast ? ({ fulfillmentStatus: 'delivered', status: 'completed' } as const) : {};
  return changeOrder({ ...order, fulfillments }, to, { at, by, reason: null });
}

/** Fulfils the items of each product from the first to the last. @throws {InvalidTransition} less is left */
function fulfilLines(items: readonly OrderItem[], lines: readonly OrderLine[]): OrderItem[] {
  const wanted = new Map<string, number>();
  for (const { productServiceId, quantity } of lines) {
    wanted.set(productServiceId, (wanted.get(productServiceId) ?? 0) + quantity);
  }
  const fulfilled = items.map((item) => {
    const asked = wanted.get(item.productServiceId) ?? 0;
    const taken = Math.min(asked, item.quantity - item.fulfilledQuantity);
    wanted.set(item.productServiceId, asked - taken);
    return { ...item, fulfilledQuantity: item.fulfilledQuantity + taken };
  });
  const excess = [...wanted].find(([, quantity]) => quantity > 0);
  if (excess) throw new InvalidTransition(tooMany(items, excess[0]));
  return fulfilled;
}

function tooMany(items: readonly OrderItem[], productServiceId: string): string {
  const same = items.filter((item) => item.productServiceId === productServiceId);
  if (same.length === 0)
    return `${productServiceId} is not part of this order: fulfil only what its items name.`;
  const left = same.reduce((sum, item) => sum + item.quantity - item.fulfilledQuantity, 0);
  return `Only ${left} of ${same[0]!.sku} are left to fulfil.`;
}
