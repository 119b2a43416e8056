import { openUnits, spread } from './allocation';
import { type Command, type KeyedCommand, madeBefore, nameOf } from './command';
import { InvalidTransition, NotFound } from './errors';
import { formatAmount } from './money';
import type { Fulfillment, Order, OrderItem, OrderLine, Refund } from './order';
import { capturedForGoods, leftToRefund, paidStatus } from './order-payment';
import { captureFor, countingFulfillments, progressed, shortfallOf } from './order-progress';
import { changeOrder } from './order-transitions';
import { howToPay, isUnpaid } from './paying';
import type { Capture } from './payment';

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

export interface CorrectFulfillment extends Command {
  fulfillmentId: string;
  /** Null removes it; absent, it stays as it is. */
  carrier?: string | null;
  trackingNumber?: string | null;
}

/** @throws {InvalidTransition} the order is not confirmed, or less is left to fulfill */
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
  if (isUnpaid(order))
    throw new InvalidTransition(`${howToPay(order)} It can be fulfilled when that is done.`);
  const items = fulfilledItems(order, command.items);
  if (isRefundedWholly(order) || (isPaidBack(order) && captureFor({ ...order, items }).amount === 0)) {
    throw new InvalidTransition(
      'All that was paid for this order is refunded or disputed, so nothing more of it can be fulfilled: cancel what is left of it.',
    );
  }
  const shortfall = shortfallOf({ ...order, items });
  if (shortfall > 0) {
    throw new InvalidTransition(
      `Nothing more can be captured of the payment, and ${formatAmount(shortfall, order.currency!)} of what this costs were ` +
        'not: fulfill less, or cancel what is left of the order.',
    );
  }
}

/** What the system has paid back for cancelled units leaves the rest as it was. */
function isPaidBack(order: Order): boolean {
  return capturedForGoods(order) > 0 && leftToRefund(order) === 0;
}

/**
 * Units that came back leave the rest as it was, too; a refund of all that was paid gives the order up. It makes no difference
 * that one by the system counts as well: nothing more is captured after that.
 */
function isRefundedWholly(order: Order): boolean {
  const isOfAmount = ({ items, amount }: Refund) => items.length === 0 && amount > 0;
  return isPaidBack(order) && order.refunds.some(isOfAmount);
}

/**
 * Returns the order with another fulfillment, or intending to have it once its share of the payment is captured.
 * @throws {InvalidTransition}
 */
export function fulfill(order: Order, command: FulfillOrder, at: string): Order {
  requireFulfillable(order, command);
  const fulfillment = fulfillmentOf(command, at);
  const capture = captureFor({ ...order, items: fulfilledItems(order, fulfillment.items) });
  if (capture.amount === 0) return fulfilledOrder(order, fulfillment, capture, at);
  return {
    ...order,
    intention: { kind: 'fulfillment', command: nameOf(command), since: at, fulfillment, capture },
  };
}

/** Returns what the command adds to the order. */
export function fulfillmentOf(command: FulfillOrder, at: string): Fulfillment {
  const { id, items, carrier, trackingNumber, fingerprint, attemptId, by } = command;
  return { id, items, carrier, trackingNumber, fingerprint, attemptId, by, createdAt: at, deliveredAt: null };
}

/** Returns the order with another fulfillment, its share of the payment captured. @throws {InvalidTransition} */
export function fulfilledOrder(order: Order, fulfillment: Fulfillment, capture: Capture, at: string): Order {
  const payment = order.payment!;
  const isPaid = capture.amount > 0;
  const next: Order = {
    ...order,
    items: fulfilledItems(order, fulfillment.items),
    fulfillments: [...order.fulfillments, fulfillment],
    captured: order.captured + capture.amount,
    payment: isPaid && capture.isFinal ? { ...payment, isClosed: true } : payment,
    overdueSince: null,
  };
  const isCaptured = isPaid || (payment.amount === 0 && order.paymentStatus === 'authorized');
  const made = { at, by: fulfillment.by, reason: null };
  return progressed(next, made, isCaptured ? { paymentStatus: paidStatus(next) } : {});
}

/**
 * Returns the fulfillment that the command names.
 * @throws {NotFound} @throws {InvalidTransition} it was undone or has been delivered
 */
export function requireUnderWay(
  { fulfillments }: Order,
  { fulfillmentId }: { fulfillmentId: string },
): Fulfillment {
  const fulfillment = fulfillments.find(({ id }) => id === fulfillmentId);
  if (!fulfillment) {
    throw new NotFound(
      'This order has no fulfillment with this id: read the order for the ids of its fulfillments.',
    );
  }
  const { undone, deliveredAt } = fulfillment;
  if (undone) throw new InvalidTransition(`This fulfillment was already undone at ${undone.at}.`);
  if (deliveredAt) throw new InvalidTransition(`This fulfillment was already delivered at ${deliveredAt}.`);
  return fulfillment;
}

/** @throws {NotFound} @throws {InvalidTransition} it has already been delivered */
export function requireDeliverable(order: Order, command: DeliverFulfillment): void {
  requireUnderWay(order, command);
}

/**
 * Returns the order with that fulfillment delivered. The last delivery completes the order.
 * @throws {NotFound}
 * @throws {InvalidTransition} it has already been delivered
 */
export function deliveredOrder(order: Order, command: DeliverFulfillment, at: string): Order {
  const delivered = requireUnderWay(order, command);
  const fulfillments = order.fulfillments.map((one) =>
    one === delivered ? { ...one, deliveredAt: at } : one,
  );
  const next = { ...order, fulfillments };
  const isLast =
    order.fulfillmentStatus === 'fulfilled' &&
    countingFulfillments(next).every(({ deliveredAt }) => deliveredAt);
  const to = isLast ? ({ fulfillmentStatus: 'delivered', status: 'completed' } as const) : {};
  return changeOrder(next, to, { at, by: command.by, reason: null });
}

/** @throws {NotFound} @throws {InvalidTransition} it has already been delivered */
export function requireCorrectable(order: Order, command: CorrectFulfillment): void {
  requireUnderWay(order, command);
}

/**
 * Returns the order with another carrier or tracking number of that fulfillment.
 * @throws {NotFound}
 * @throws {InvalidTransition} it has already been delivered
 */
export function correctedOrder(order: Order, command: CorrectFulfillment, at: string): Order {
  const wrong = requireUnderWay(order, command);
  const { carrier = wrong.carrier, trackingNumber = wrong.trackingNumber, by } = command;
  if (carrier === wrong.carrier && trackingNumber === wrong.trackingNumber) return order;
  const fulfillments = order.fulfillments.map((one) =>
    one === wrong ? { ...one, carrier, trackingNumber } : one,
  );
  return changeOrder({ ...order, fulfillments }, {}, { at, by, reason: null });
}

/** Fulfills the items of each product from the first to the last. @throws {InvalidTransition} less is left */
function fulfilledItems({ items }: Order, lines: readonly OrderLine[]): OrderItem[] {
  const units = spread(items, lines, {
    roomOf: openUnits,
    tooMany: (sku, left) => `Only ${left} of ${sku} are left to fulfill.`,
  });
  return items.map((item, n) => ({ ...item, fulfilledQuantity: item.fulfilledQuantity + units[n]! }));
}
