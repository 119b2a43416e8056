import { type Command, type KeyedCommand, madeBefore } from './command';
import { InvalidTransition, NotFound } from './errors';
import type { Fulfillment, Order, OrderItem, OrderLine } from './order';
import { changeOrder } from './order-transitions';

export interface FulfillOrder extends KeyedCommand {
  items: OrderLine[];
  carrier: string | null;
  trackingNumber: string | null;
}

export interface DeliverFulfillment extends Command {
  fulfillmentId: string;
}

/** @throws {InvalidTransition} the order is not confirmed, or less is left to fulfil */
export function requireFulfillable(order: Order, command: FulfillOrder): void {
  if (madeBefore(order.fulfillments, command)) return;
  if (order.status !== 'confirmed') {
    throw new InvalidTransition(`The order is ${order.status}: only a confirmed one can be fulfilled.`);
  }
  fulfilLines(order.items, command.items);
}

/** Returns the order with another fulfillment, its payment captured. */
export function fulfilledOrder(order: Order, command: FulfillOrder, at: string): Order {
  const { id, items: lines, carrier, trackingNumber, fingerprint, attemptId, by } = command;
  const fulfillment: Fulfillment = {
    id,
    items: lines,
    carrier,
    trackingNumber,
    fingerprint,
    attemptId,
    by,
    createdAt: at,
    deliveredAt: null,
  };
  const items = fulfilLines(order.items, lines);
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
    { at, by, reason: null },
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

/** Returns the order with that fulfillment delivered. The last delivery completes the order. */
export function deliveredOrder(order: Order, { fulfillmentId, by }: DeliverFulfillment, at: string): Order {
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
