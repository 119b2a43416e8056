import { madeBefore, type KeyedCommand } from './command';
import { formatAmount } from './money';
import type { Order, Refund } from './order';
import { changeOrder } from './order-transitions';
import { InvalidTransition } from './errors';

export interface RefundOrder extends KeyedCommand {
  /** In minor units; null for all that is left. */
  amount: number | null;
  reason: string;
}

/** What an order can have at most, so that it stays far below the 16 MB of a document of MongoDB. */
const MAX_REFUNDS = 500;

/** @throws {InvalidTransition} nothing, or less than the amount, is left to refund */
export function requireRefundable(order: Order, command: RefundOrder): void {
  if (madeBefore(order.refunds, command)) return;
  if (order.refunds.length >= MAX_REFUNDS)
    throw new InvalidTransition(
      `The order has ${MAX_REFUNDS} refunds, the most that it can have: pay the rest back in another way.`,
    );
  refundAmount(order, command);
}

/** Returns the amount in minor units. @throws {InvalidTransition} */
export function refundAmount(order: Order, { amount }: Pick<RefundOrder, 'amount'>): number {
  if (order.captured === 0)
    throw new InvalidTransition(
      'No payment was captured, so there is nothing to refund: cancel the order instead.',
    );
  const left = order.captured - order.refunded;
  if (left === 0) throw new InvalidTransition('Everything that was captured has already been refunded.');
  if (amount !== null && amount > left) {
    const money = (value: number) => formatAmount(value, order.currency!);
    throw new InvalidTransition(
      `Only ${money(left)} of the captured ${money(order.captured)} are left to refund.`,
    );
  }
  return amount ?? left;
}

/** Returns the order intending the refund. @throws {InvalidTransition} */
export function refund(order: Order, command: RefundOrder, at: string): Order {
  requireRefundable(order, command);
  const { id, fingerprint } = command;
  return {
    ...order,
    intention: { kind: 'refund', command: { id, fingerprint }, refund: refundOf(order, command, at) },
  };
}

/** Returns what the command adds to the order. @throws {InvalidTransition} */
export function refundOf(order: Order, command: RefundOrder, at: string): Refund {
  const { id, reason, fingerprint, attemptId, by } = command;
  const amount = refundAmount(order, command);
  return { id, amount, items: [], reason, fingerprint, attemptId, by, createdAt: at };
}

/** Returns the order with another refund. */
export function refundedOrder(order: Order, refund: Refund, at: string): Order {
  const refunded = order.refunded + refund.amount;
  const paymentStatus = refunded === order.captured ? 'refunded' : 'partially_refunded';
  const next = { ...order, refunded, refunds: [...order.refunds, refund] };
  return changeOrder(next, { paymentStatus }, { at, by: refund.by, reason: refund.reason });
}
