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

export type ProductService = Omit<ProductServiceDocument, '_id'> & {
  id: string;
};
export type NewProductService = Omit<ProductService, 'createdAt' | 'updatedAt'>;
export type ProductServiceChanges = Partial<
  Pick<ProductService, 'sku' | 'name' | 'description' | 'unitPrice' | 'currency' | 'taxRateBps'>
>;
export type StockAdjustment = Omit<StockAdjustmentDocument, 'at'>;

export interface PageFilter {
  kind?: Kind;
  currency?: string;
  /** Part of name or sku, in any case. */
  q?: string;
  /** The last id of the page before. */
  after?: string;
  limit: number;
}

/** Every query on the catalogue. An entry that is retired exists for nobody but the orders that bought it. */
export interface ProductServiceRepository {
  /** Newest first. */
  findPage(filter: PageFilter): Promise<ProductService[]>;
  findActive(id: string): Promise<ProductService | null>;
  findActiveByIds(ids: string[]): Promise<ProductService[]>;
  /** Undefined when the sku is taken. */
  insert(entry: NewProductService): Promise<ProductService | undefined>;
  /** Null when the entry is retired or at another version, undefined when the sku is taken. */
  update(
    id: string,
    version: number,
    changes: ProductServiceChanges,
  ): Promise<ProductService | null | undefined>;
  /** False when there is no such active entry. */
  retire(id: string): Promise<boolean>;
  /** Changes the available stock and records why, both or neither; null when it would fall below zero. */
  adjustStock(adjustment: StockAdjustment): Promise<ProductService | null>;
}

export function createProductServiceRepository(connection: Connection): ProductServiceRepository {
  const entries = createProductServiceModel(connection);
  const adjustments = createStockAdjustmentModel(connection);
  const transact = createTransact(connection);

  const moveStock = async ({ productServiceId, delta }: StockAdjustment, session: ClientSession) =>
    entries
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

  return {
    async findPage({ limit, ...filter }) {
      const found = await entries.find(pageFilter(filter)).sort({ _id: -1 }).limit(limit).lean();
      return found.map(toProductService);
    },

    async findActive(id) {
      const found = await entries.findOne({ _id: id, isActive: true }).lean();
      return found && toProductService(found);
    },

    async findActiveByIds(ids) {
      const found = await entries.find({ _id: trusted({ $in: ids }), isActive: true }).lean();
      return found.map(toProductService);
    },

    insert: ({ id, ...fields }) =>
      unlessTaken(async () => toProductService((await entries.create({ _id: id, ...fields })).toObject())),

    update: (id, version, changes) =>
      unlessTaken(async () => {
        const updated = await entries
          .findOneAndUpdate(
            { _id: id, isActive: true, version },
            { $set: changes, $inc: { version: 1 } },
            { returnDocument: 'after' },
          )
          .lean();
        return updated && toProductService(updated);
      }),

    async retire(id) {
      const update = { $set: { isActive: false }, $inc: { version: 1 } };
      return (await entries.updateOne({ _id: id, isActive: true }, update)).modifiedCount === 1;
    },

    adjustStock: (adjustment) =>
      transact(async (session) => {
        const updated = await moveStock(adjustment, session);
        if (!updated) return null;
        await adjustments.create([{ ...adjustment, at: new Date() }], {
          session,
        });
        return toProductService(updated);
      }),
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
