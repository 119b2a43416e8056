import { trusted, type ClientSession, type Connection } from 'mongoose';
import type { StockMove } from '../domain/stock';
import { createProductServiceModel } from './product-service.model';

export type StockRepository = ReturnType<typeof createStockRepository>;

/** The stock that orders and carts take and release, always inside the transaction that writes them. */
export function createStockRepository(connection: Connection) {
  const products = createProductServiceModel(connection);
  return {
    /**
     * @returns false if a product has fewer units than a move takes; the caller then aborts the transaction
     */
    async move(moves: readonly StockMove[], session: ClientSession): Promise<boolean> {
      if (moves.length === 0) return true;
      const updates = moves.map(({ productServiceId, available, reserved, held = 0 }) => ({
        updateOne: {
          filter: {
            _id: productServiceId,
            ...(available < 0 && { 'stock.available': trusted({ $gte: -available }) }),
            ...(reserved < 0 && { 'stock.reserved': trusted({ $gte: -reserved }) }),
            ...(held < 0 && { 'stock.held': trusted({ $gte: -held }) }),
          },
          update: {
            $inc: {
              'stock.available': available,
              'stock.reserved': reserved,
              ...(held !== 0 && { 'stock.held': held }),
              stockRevision: 1,
            },
          },
        },
      }));
      const { matchedCount } = await products.bulkWrite(updates, { session, timestamps: false });
      return matchedCount === moves.length;
    },

    /** Returns the available units by product id. */
    async available(ids: readonly string[]): Promise<Map<string, number>> {
      const found = await products.find({ _id: trusted({ $in: ids }) }, { stock: 1 }).lean();
      return new Map(found.map(({ _id, stock }) => [_id, stock?.available ?? 0]));
    },
  };
}
