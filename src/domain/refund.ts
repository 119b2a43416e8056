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

/** @throws {InvalidTransition} nothing, or less than the amount, is left to refund */
export function requireRefundable(order: Order, command: RefundOrder): void {
  if (!madeBefore(order.refunds, command)) refundAmount(order, command);
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

/** Returns the order with another refund. */
export function refundedOrder(order: Order, command: RefundOrder, at: string): Order {
  const { id, reason, fingerprint, attemptId, by } = command;
  const amount = refundAmount(order, command);
  const refund: Refund = { id, amount, reason, fingerprint, attemptId, by, createdAt: at };
  const refunded = order.refunded + amount;
  const paymentStatus = refunded === order.captured ? 'refunded' : 'partially_refunded';
  const next = { ...order, refunded, refunds: [...order.refunds, refund] };
  return changeOrder(next, { paymentStatus }, { at, by, reason });
}
