import { trusted } from 'mongoose';
import type { ClientSession, Connection } from 'mongoose';
import type { Hold } from '../domain/stock';
import { createProductServiceModel } from './product-service.model';

/** The stock that orders take and give back, always inside the transaction that writes the order. */
export interface StockRepository {
  /** False when one of the products has too few available: abort the transaction then. */
  reserve(holds: readonly Hold[], session: ClientSession): Promise<boolean>;
  /** @param holds at least one */
  release(holds: readonly Hold[], session: ClientSession): Promise<void>;
  /** Units available now, by product id. */
  available(ids: readonly string[]): Promise<Map<string, number>>;
}

export function createStockRepository(connection: Connection): StockRepository {
  const products = createProductServiceModel(connection);
  return {
    async reserve(holds, session) {
      if (holds.length === 0) return true;
      const updates = holds.map(({ productServiceId, quantity }) => ({
        updateOne: {
          filter: {
            _id: productServiceId,
            'stock.available': trusted({ $gte: quantity }),
          },
          update: {
            $inc: { 'stock.available': -quantity, 'stock.reserved': quantity },
          },
        },
      }));
      const { matchedCount } = await products.bulkWrite(updates, {
        session,
        timestamps: false,
      });
      return matchedCount === holds.length;
    },

    async release(holds, session) {
      const updates = holds.map(({ productServiceId, quantity }) => ({
        updateOne: {
          filter: { _id: productServiceId },
          update: {
            $inc: { 'stock.available': quantity, 'stock.reserved': -quantity },
          },
        },
      }));
      await products.bulkWrite(updates, { session, timestamps: false });
    },

    async available(ids) {
      const found = await products.find({ _id: trusted({ $in: ids }) }, { stock: 1 }).lean();
      return new Map(found.map(({ _id, stock }) => [_id, stock?.available ?? 0]));
    },
  };
}
