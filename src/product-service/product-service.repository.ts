import { trusted, type ClientSession, type Connection, type QueryFilter } from 'mongoose';
import { createTransact } from '../mongodb/transaction';
import { unlessTaken } from '../mongodb/errors';
import {
  createProductServiceModel,
  createStockAdjustmentModel,
  type Kind,
  type ProductServiceDocument,
  type StockAdjustmentDocument,
} from './product-service.model';

export type ProductServiceRepository = ReturnType<typeof createProductServiceRepository>;
export type ProductService = Omit<ProductServiceDocument, '_id'> & { id: string };
export type NewProductService = Omit<ProductService, 'createdAt' | 'updatedAt'>;
export type ProductServiceChanges = Partial<
  Pick<
    ProductService,
    'sku' | 'name' | 'description' | 'unitPrice' | 'currency' | 'taxRateBps' | 'priceIncludesTax'
  >
>;
export type StockAdjustment = Omit<StockAdjustmentDocument, 'at'>;

export interface PageFilter {
  kind?: Kind;
  currency?: string;
  /** A part of the name or the sku, case-insensitive. */
  q?: string;
  /** The last id of the previous page. */
  after?: string;
  limit: number;
}

/** All queries on the catalogue. A retired entry can no longer be found; orders keep what they bought. */
export function createProductServiceRepository(connection: Connection) {
  const entries = createProductServiceModel(connection);
  const adjustments = createStockAdjustmentModel(connection);
  const transact = createTransact(connection);

  async function moveStock({ productServiceId, delta }: StockAdjustment, session: ClientSession) {
    return entries
      .findOneAndUpdate(
        {
          _id: productServiceId,
          isActive: true,
          'stock.available': trusted({ $gte: Math.max(0, -delta) }),
        },
        { $inc: { 'stock.available': delta } },
        { session, returnDocument: 'after', timestamps: false },
      )
      .lean();
  }

  return {
    /** Returns active entries, newest first. */
    async findPage({ limit, ...filter }: PageFilter): Promise<ProductService[]> {
      const found = await entries.find(pageFilter(filter)).sort({ _id: -1 }).limit(limit).lean();
      return found.map(toProductService);
    },

    async findActive(id: string): Promise<ProductService | null> {
      const found = await entries.findOne({ _id: id, isActive: true }).lean();
      return found && toProductService(found);
    },

    async findActiveByIds(ids: string[]): Promise<ProductService[]> {
      const found = await entries.find({ _id: trusted({ $in: ids }), isActive: true }).lean();
      return found.map(toProductService);
    },

    /** @returns undefined if the sku is taken */
    insert({ id, ...fields }: NewProductService): Promise<ProductService | undefined> {
      return unlessTaken(async () =>
        toProductService((await entries.create({ _id: id, ...fields })).toObject()),
      );
    },

    /** @returns null if the entry is retired or has another version, undefined if the sku is taken */
    update(
      id: string,
      version: number,
      changes: ProductServiceChanges,
    ): Promise<ProductService | null | undefined> {
      return unlessTaken(async () => {
        const updated = await entries
          .findOneAndUpdate(
            { _id: id, isActive: true, version },
            { $set: changes, $inc: { version: 1 } },
            { returnDocument: 'after' },
          )
          .lean();
        return updated && toProductService(updated);
      });
    },

    /** @returns false if the entry is retired or has another version */
    async retire(id: string, version: number): Promise<boolean> {
      const update = { $set: { isActive: false }, $inc: { version: 1 } };
      return (await entries.updateOne({ _id: id, isActive: true, version }, update)).modifiedCount === 1;
    },

    /**
     * Changes the available stock and records the change, or does neither.
     * @returns null if it would fall below zero
     */
    adjustStock(adjustment: StockAdjustment): Promise<ProductService | null> {
      return transact(async (session) => {
        const updated = await moveStock(adjustment, session);
        if (!updated) return null;
        await adjustments.create([{ ...adjustment, at: new Date() }], { session });
        return toProductService(updated);
      });
    },
  };
}

function pageFilter({
  kind,
  currency,
  q,
  after,
}: Omit<PageFilter, 'limit'>): QueryFilter<ProductServiceDocument> {
  const filter: QueryFilter<ProductServiceDocument> = { isActive: true };
  if (kind) filter.kind = kind;
  if (currency) filter.currency = currency;
  if (after) filter._id = trusted({ $lt: after });
  if (q) {
    const containsText = trusted({ $regex: escapeRegex(q), $options: 'i' });
    filter.$or = [{ name: containsText }, { sku: containsText }];
  }
  return filter;
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

function toProductService({ _id, ...fields }: ProductServiceDocument): ProductService {
  return { id: _id, ...fields };
}
