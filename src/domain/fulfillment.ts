import { madeBefore, NotFound, type Command, type KeyedCommand } from './command';
import type { Fulfillment, Order, OrderItem, OrderLine } from './order';
import { changeOrder, InvalidTransition } from './order-transitions';

export interface FulfillOrder extends KeyedCommand {
  items: OrderLine[];
  carrier: string | null;
  trackingNumber: string | null;
}

export interface DeliverFulfillment extends Command {
  fulfillmentId: string;
}

/** @throws {InvalidTransition} the order is not in a state for it, or has less left to fulfil */
export function requireFulfillable(order: Order, command: FulfillOrder): void {
  if (madeBefore(order.fulfillments, command)) return;
  if (order.status !== 'confirmed') {
    throw new InvalidTransition(`The order is ${order.status}: only a confirmed one can be fulfilled.`);
  }
  fulfilLines(order.items, command.items);
}

/** The order with one fulfillment more, its payment captured. */
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

/** @throws {NotFound} @throws {InvalidTransition} it was delivered before */
export function requireDeliverable(order: Order, { fulfillmentId }: DeliverFulfillment): void {
  const fulfillment = order.fulfillments.find(({ id }) => id === fulfillmentId);
  if (!fulfillment)
    throw new NotFound('This order has no fulfillment with this id: read the order, which lists them.');
  if (fulfillment.deliveredAt) {
    throw new InvalidTransition(
      `This fulfillment was delivered at ${fulfillment.deliveredAt} already: there is nothing left to do.`,
    );
  }
}

/** The order with that fulfillment delivered; completed when it was the last. */
export function deliveredOrder(order: Order, { fulfillmentId, by }: DeliverFulfillment, at: string): Order {
  const fulfillments = order.fulfillments.map((fulfillment) =>
    fulfillment.id === fulfillmentId ? { ...fulfillment, deliveredAt: at } : fulfillment,
  );
  const isLast = order.fulfillmentStatus === 'fulfilled' && fulfillments.every((one) => one.deliveredAt);
  const to = isLast ? ({ fulfillmentStatus: 'delivered', status: 'completed' } as const) : {};
  return changeOrder({ ...order, fulfillments }, to, { at, by, reason: null });
}

/** Fulfils the lines of each product in their order. @throws {InvalidTransition} more than is left */
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
  if (same.length === 0) return `${productServiceId} is not part of this order: fulfil what its items name.`;
  const left = same.reduce((sum, item) => sum + item.quantity - item.fulfilledQuantity, 0);
  return `Of ${same[0]!.sku}, ${left} are left to fulfil: never more than was ordered.`;
}
