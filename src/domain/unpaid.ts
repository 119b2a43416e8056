import { OrderRejected } from './errors';
import type { Order, OrderLine } from './order';
import { customerWaitOf } from './paying';
import { heldUnits } from './stock';

/** How much of the stock a customer may keep from others without having paid; 0 for no limit. */
export interface UnpaidLimits {
  /** Orders that wait for the customer. */
  orders: number;
  /** Units of one product that these hold together. */
  units: number;
}

/** An order that waits for its customer, to confirm a payment at the bank or to try another card. */
export interface UnpaidOrder {
  orderId: string;
  /** The units that it holds of each product, as it began to wait. */
  units: OrderLine[];
}

/** Returns what the order holds while it waits for its customer, or null if it does not. */
export function unpaidOf(order: Order): UnpaidOrder | null {
  if (!customerWaitOf(order)) return null;
  const held = [...heldUnits(order)].filter(([, quantity]) => quantity > 0);
  return {
    orderId: order.id,
    units: held.map(([productServiceId, quantity]) => ({ productServiceId, quantity })),
  };
}

/** Returns the customer's unpaid orders with another one. @throws {OrderRejected} it is one too many */
export function withUnpaid(
  others: readonly UnpaidOrder[],
  one: UnpaidOrder,
  limits: UnpaidLimits,
): UnpaidOrder[] {
  const next = [...withoutUnpaid(others, one.orderId), one];
  if (limits.orders > 0 && next.length > limits.orders) {
    throw tooMuch(`${next.length - 1} other orders of this customer wait to be paid, the most that may`);
  }
  for (const { productServiceId } of one.units) {
    const lines = next
      .flatMap(({ units }) => units)
      .filter((line) => line.productServiceId === productServiceId);
    const held = lines.reduce((sum, { quantity }) => sum + quantity, 0);
    if (limits.units > 0 && held > limits.units) {
      throw tooMuch(
        `The orders of this customer that wait to be paid would hold ${held} units of ${productServiceId}, and may hold ${limits.units}`,
      );
    }
  }
  return next;
}

export function withoutUnpaid(orders: readonly UnpaidOrder[], orderId: string): UnpaidOrder[] {
  return orders.filter((order) => order.orderId !== orderId);
}

function tooMuch(why: string): OrderRejected {
  return new OrderRejected(
    'TooManyUnpaid',
    `${why}. Nothing is charged: pay or cancel one of them first, or order fewer.`,
  );
}
