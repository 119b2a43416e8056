import { keptUnits, spread, worthOfNext } from './allocation';
import { madeBefore, nameOf, type KeyedCommand } from './command';
import { InvalidTransition } from './errors';
import { formatAmount, unchargeableReason } from './money';
import type { Order, OrderItem, OrderLine, Refund, RefundedLine } from './order';
import { leftToRefund, paidStatus } from './order-payment';
import { changeOrder } from './order-transitions';
import { disputedOf } from './payment';

export interface RefundOrder extends KeyedCommand {
  /** In minor units; null for all that is left, or for what the items cost. */
  amount: number | null;
  items?: RefundedLine[];
  reason: string;
  internalNote?: string;
}

/** How many refunds the staff can make, so that an order stays far below the 16 MB of a document of MongoDB. */
const MAX_REFUNDS = 500;

/** @throws {InvalidTransition} nothing, or less than the amount, is left to refund */
export function requireRefundable(order: Order, command: RefundOrder): void {
  if (madeBefore(order.refunds, command)) return;
  if (order.refunds.filter(({ by }) => by !== 'system').length >= MAX_REFUNDS)
    throw new InvalidTransition(
      `The order has ${MAX_REFUNDS} refunds, the most that it can have: pay the rest back in another way.`,
    );
  refundAmount(order, command);
}

/** Returns the amount in minor units. @throws {InvalidTransition} */
export function refundAmount(order: Order, { amount, items }: Pick<RefundOrder, 'amount' | 'items'>): number {
  const left = leftToRefund(order);
  if (items) return worthOf(order, items, left);
  if (order.captured === 0)
    throw new InvalidTransition(
      'No payment was captured, so there is nothing to refund: cancel the order instead.',
    );
  if (left === 0) throw new InvalidTransition(nothingLeft(order));
  const wanted = amount ?? left;
  if (wanted > left) {
    const money = (value: number) => formatAmount(value, order.currency!);
    throw new InvalidTransition(
      `Only ${money(left)} of the captured ${money(order.captured)} are left to refund.`,
    );
  }
  const reason = unchargeableReason(wanted, order.currency!);
  if (reason !== null) throw new InvalidTransition(`The amount cannot be refunded: ${reason}.`);
  return wanted;
}

function nothingLeft(order: Order): string {
  return disputedOf(order) > 0
    ? 'What was captured and not refunded is disputed at the bank, which has taken it back: only if the dispute is won can it be refunded.'
    : 'Everything that was captured has already been refunded.';
}

/**
 * Returns what the lines cost, at most what is left: it may be nothing if their price was refunded before. The last units
 * that the customer keeps get all that is left.
 */
function worthOf(order: Order, lines: readonly RefundedLine[], left: number): number {
  const units = spreadKept(order.items, lines);
  const refunded = order.items.map((item, n) => withRefunded(item, units[n]!));
  const isAll = refunded.every((item) => item.cancelledQuantity + item.refundedQuantity === item.quantity);
  if (isAll) return left;
  const worth = order.items.reduce((sum, item, n) => sum + worthOfNext(units[n]!, item, order.currency!), 0);
  return Math.min(worth, left);
}

/** Returns the order intending the refund. @throws {InvalidTransition} */
export function refund(order: Order, command: RefundOrder, at: string): Order {
  requireRefundable(order, command);
  return {
    ...order,
    intention: {
      kind: 'refund',
      command: nameOf(command),
      since: at,
      refund: refundOf(order, command, at),
    },
  };
}

/** Returns what the command adds to the order. @throws {InvalidTransition} */
export function refundOf(order: Order, command: RefundOrder, at: string): Refund {
  const { id, items = [], reason, internalNote, fingerprint, attemptId, by } = command;
  const amount = refundAmount(order, command);
  const why = { reason, ...(internalNote !== undefined && { internalNote }) };
  return { id, amount, status: 'succeeded', items, ...why, fingerprint, attemptId, by, createdAt: at };
}

/** Returns the order with another refund, and its goods back in stock if it says so. */
export function refundedOrder(order: Order, refund: Refund, at: string): Order {
  const { items: lines, by, reason, internalNote } = refund;
  const units = spreadKept(order.items, lines);
  // Of each product, the lines that come back are spread as all of them are, so they stay within.
  const restocked = spreadKept(
    order.items,
    lines.filter(({ restock }) => restock),
  );
  const items = order.items.map((item, n): OrderItem => ({
    ...withRefunded(item, units[n]!),
    restockedQuantity: item.restockedQuantity + (item.kind === 'product' ? restocked[n]! : 0),
  }));
  const next: Order = {
    ...order,
    items,
    refunded: order.refunded + refund.amount,
    refunds: [...order.refunds, refund],
  };
  const to = next.captured > 0 ? { paymentStatus: paidStatus(next) } : {};
  return changeOrder(next, to, { at, by, reason, internalNote });
}

function withRefunded(item: OrderItem, units: number): OrderItem {
  return { ...item, refundedQuantity: item.refundedQuantity + units };
}

/** @throws {InvalidTransition} fewer units are fulfilled and not refunded yet */
function spreadKept(items: readonly OrderItem[], lines: readonly OrderLine[]): number[] {
  return spread(items, lines, {
    roomOf: keptUnits,
    tooMany: (sku, left) =>
      `Only ${left} of ${sku} are fulfilled and not refunded: what is not fulfilled can be cancelled.`,
  });
}
