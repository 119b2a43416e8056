import { madeBefore, type KeyedCommand } from './command';
import { formatAmount } from './money';
import type { Order, Refund } from './order';
import { changeOrder, InvalidTransition } from './order-transitions';

export interface RefundOrder extends KeyedCommand {
  /** Minor units; null for all that is left. */
  amount: number | null;
  reason: string;
}

/** @throws {InvalidTransition} nothing, or less than asked for, is left to refund */
export function requireRefundable(order: Order, command: RefundOrder): void {
  if (!madeBefore(order.refunds, command)) refundAmount(order, command);
}

/** Minor units. @throws {InvalidTransition} */
export function refundAmount(order: Order, { amount }: Pick<RefundOrder, 'amount'>): number {
  if (order.captured === 0)
    throw new InvalidTransition(
      'Nothing was captured, so that there is nothing to refund: cancel the order instead.',
    );
  const left = order.captured - order.refunded;
  if (left === 0) throw new InvalidTransition('All that was captured has been refunded: nothing is left.');
  if (amount !== null && amount > left) {
    const money = (value: number) => formatAmount(value, order.currency!);
    throw new InvalidTransition(
      `Of ${money(order.captured)} that were captured, ${money(left)} are left to refund: refund at most that.`,
    );
  }
  return amount ?? left;
}

/** The order with one refund more. */
export function refundedOrder(order: Order, command: RefundOrder, at: string): Order {
  const { id, reason, fingerprint, attemptId, by } = command;
  const amount = refundAmount(order, command);
  const refund: Refund = { id, amount, reason, fingerprint, attemptId, by, createdAt: at };
  const refunded = order.refunded + amount;
  const paymentStatus = refunded === order.captured ? 'refunded' : 'partially_refunded';
  const next = { ...order, refunded, refunds: [...order.refunds, refund] };
  return changeOrder(next, { paymentStatus }, { at, by, reason });
}
