import type { OrderMove, StockWitness } from '../history';
import type { StoredEvent, StoredOrder } from './documents';
import { countOrder, createOrderedUnits, type Units } from './stock';

/** Collects what each version of each order has moved in stock, as its events tell. */
export function createStockMoves() {
  const moves = new Map<string, OrderMove[]>();
  /** Products of orders of which not all versions are known. */
  const unknown = new Set<string>();

  function noteVersion(productId: string, move: OrderMove): void {
    if (move.available === 0 && move.reserved === 0) return;
    const known = moves.get(productId);
    if (known) known.push(move);
    else moves.set(productId, [move]);
  }

  return {
    note(order: StoredOrder, events: readonly StoredEvent[]): void {
      const versions = events.flatMap(({ order: then }) => then ?? []);
      const isWhole = versions.every(({ version }, n) => version === n + 1);
      if (!isWhole || versions.length !== order.version)
        for (const { productServiceId } of order.items) unknown.add(productServiceId);
      let before = createOrderedUnits();
      for (const then of versions) {
        const after = createOrderedUnits();
        countOrder(then, after);
        for (const id of new Set([...before.reserved.keys(), ...after.reserved.keys()])) {
          const reserved = difference(before.reserved, after.reserved, id);
          const available = -reserved - difference(before.gone, after.gone, id);
          noteVersion(id, { orderId: order._id, version: then.version, available, reserved });
        }
        before = after;
      }
    },

    /** Returns what can be told of each product. @param created the units with which each was created */
    witness(created: Units): Map<string, StockWitness> {
      const known = [...created].filter(([id]) => !unknown.has(id));
      return new Map(
        known.map(([id, available]) => [
          id,
          { initial: { available, reserved: 0, held: 0 }, moves: moves.get(id) ?? [] },
        ]),
      );
    },
  };
}

function difference(before: Units, after: Units, id: string): number {
  return (after.get(id) ?? 0) - (before.get(id) ?? 0);
}
