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
      const versions = events.flatMap(({ at, order: then }) => (then ? [{ at: Number(at), then }] : []));
      const isWhole = versions.every(({ then }, n) => then.version === n + 1);
      if (!isWhole || versions.length !== order.version)
        for (const { productServiceId } of order.items) unknown.add(productServiceId);
      let before = createOrderedUnits();
      for (const { at, then } of versions) {
        const after = createOrderedUnits();
        countOrder(then, after);
        for (const id of new Set([...before.reserved.keys(), ...after.reserved.keys()])) {
          const reserved = difference(before.reserved, after.reserved, id);
          const available = -reserved - difference(before.gone, after.gone, id);
          noteVersion(id, { orderId: order._id, version: then.version, available, reserved, at });
        }
        before = after;
      }
    },

    /**
     * Returns what can be told of each product.
     * @param created the units with which each was created
     * @param adjusted by how many units it was adjusted each time
     */
    witness(created: Units, adjusted: ReadonlyMap<string, number[]>): Map<string, StockWitness> {
      const known = [...created].filter(([id]) => !unknown.has(id));
      return new Map(
        known.map(([id, available]) => [
          id,
          {
            initial: { available, reserved: 0, held: 0 },
            adjusted: adjusted.get(id) ?? [],
            moves: moves.get(id) ?? [],
          },
        ]),
      );
    },
  };
}

function difference(before: Units, after: Units, id: string): number {
  return (after.get(id) ?? 0) - (before.get(id) ?? 0);
}
