import { trusted, type ClientSession, type Connection } from 'mongoose';
import type { StockMove } from '../domain/stock';
import { createProductServiceModel } from './product-service.model';

/** The stock that orders take and give back, always inside the transaction that writes the order. */
export interface StockRepository {
  /** False when one of the products has less than is to be taken: abort the transaction then. */
  move(moves: readonly StockMove[], session: ClientSession): Promise<boolean>;
  /** Units available now, by product id. */
  available(ids: readonly string[]): Promise<Map<string, number>>;
}

export function createStockRepository(connection: Connection): StockRepository {
  const products = createProductServiceModel(connection);
  return {
    async move(moves, session) {
      if (moves.length === 0) return true;
      const updates = moves.map(({ productServiceId, available, reserved }) => ({
        updateOne: {
          filter: {
            _id: productServiceId,
            ...(available < 0 && { 'stock.available': trusted({ $gte: -available }) }),
            ...(reserved < 0 && { 'stock.reserved': trusted({ $gte: -reserved }) }),
          },
          update: { $inc: { 'stock.available': available, 'stock.reserved': reserved } },
        },
      }));
      const { matchedCount } = await products.bulkWrite(updates, { session, timestamps: false });
      return matchedCount === moves.length;
    },

    async available(ids) {
      const found = await products.find({ _id: trusted({ $in: ids }) }, { stock: 1 }).lean();
      return new Map(found.map(({ _id, stock }) => [_id, stock?.available ?? 0]));
    },
  };
}
