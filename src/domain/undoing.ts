import { keptUnits, spread, withCancelled } from './allocation';
import { requireRoomForDebt } from './closing';
import type { Command } from './command';
import { requireUnderWay } from './fulfillment';
import type { Order, OrderItem } from './order';
import { progressed } from './order-progress';

export interface UndoFulfillment extends Command {
  fulfillmentId: string;
  reason: string;
  internalNote?: string;
  /** Whether its goods are back in stock; if not, they are lost. */
  restock: boolean;
}

/** @throws {NotFound} @throws {InvalidTransition} it has been delivered, units of it were refunded, or too much is owed */
export function requireUndoable(order: Order, command: UndoFulfillment): void {
  unitsOf(order, command);
  // What is lost and cannot be replaced is paid back.
  if (!command.restock) requireRoomForDebt(order, 'undo this fulfillment when they are');
}

/**
 * Returns the order without what that fulfillment has shipped: its units are open again. Goods that are lost are replaced
 * by what is available, and cancelled where that is not enough.
 * @param available the units of each product that are available, if fewer than the order needs
 * @throws {NotFound} @throws {InvalidTransition}
 */
export function undoneOrder(
  order: Order,
  command: UndoFulfillment,
  at: string,
  available?: ReadonlyMap<string, number>,
): Order {
  requireUndoable(order, command);
  const units = unitsOf(order, command);
  const { fulfillmentId, by, reason, internalNote, restock } = command;
  const left = new Map(available);
  const items = order.items.map((item, n): OrderItem => {
    const taken = units[n]!;
    const open = { ...item, fulfilledQuantity: item.fulfilledQuantity - taken };
    if (taken === 0 || restock || item.kind === 'service') return open;
    const writtenOff = { ...open, writtenOffQuantity: item.writtenOffQuantity + taken };
    if (!available) return writtenOff;
    const replaced = Math.min(taken, left.get(item.productServiceId) ?? 0);
    left.set(item.productServiceId, (left.get(item.productServiceId) ?? 0) - replaced);
    return withCancelled(writtenOff, taken - replaced, order.currency!);
  });
  const undone = { at, by, reason, restock };
  const fulfillments = order.fulfillments.map((one) => (one.id === fulfillmentId ? { ...one, undone } : one));
  const made = { at, by, reason, internalNote, isTold: true };
  return progressed({ ...order, items, fulfillments, overdueSince: null }, made);
}

/** Returns how many units each line of the order gets back, from the last to the first of each product. */
function unitsOf(order: Order, command: UndoFulfillment): number[] {
  const { items } = requireUnderWay(order, command);
  return spread(order.items, items, {
    roomOf: keptUnits,
    fromTheLast: true,
    tooMany: (sku) =>
      `Units of ${sku} were refunded, so this fulfillment cannot be undone: mark it as delivered to close the order.`,
  });
}
