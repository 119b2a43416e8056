import { trusted, type Connection } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import type { AuditedChange, Origin } from '../domain/audit';
import type { Transact } from '../mongodb/transaction';
import {
  createProductServiceModel,
  createStockAdjustmentModel,
  HIDDEN,
  toProductService,
  type ProductService,
  type StockAdjustmentDocument,
} from './product-service.model';
import type { StockQueue } from './stock-queue';

export type StockAdjustmentRepository = ReturnType<typeof createStockAdjustmentRepository>;
export type StockAdjustment = Omit<StockAdjustmentDocument, '_id'> & { id: string };
export type NewStockAdjustment = Pick<
  StockAdjustment,
  'id' | 'productServiceId' | 'fingerprint' | 'reason' | 'by'
>;

export interface Adjusted {
  adjustment: StockAdjustment;
  /** The product as it is now. */
  product: ProductService;
  /** Whether an earlier request made the adjustment. */
  isReplay: boolean;
}

export interface StockAdjustmentRepositoryDeps {
  connection: Connection;
  stockQueue: StockQueue;
  transact: Transact;
}

/** The adjustments of stock, each in one transaction with the stock. */
export function createStockAdjustmentRepository({
  connection,
  stockQueue,
  transact,
}: StockAdjustmentRepositoryDeps) {
  const products = createProductServiceModel(connection);
  const adjustments = createStockAdjustmentModel(connection);
  const recordAudit = createAuditRecorder(connection);

  return {
    /**
     * Makes the adjustment, unless it was made before.
     * @param origin who makes it
     * @param decide returns by how many units the available stock changes, or throws
     */
    adjust(
      wanted: NewStockAdjustment,
      origin: Origin,
      decide: (product: ProductService | null) => number,
    ): Promise<Adjusted> {
      const { id, productServiceId } = wanted;
      const work = () =>
        transact(async (session): Promise<Adjusted> => {
          const made = await adjustments.findById(id, null, { session }).lean();
          const found = await products.findById(productServiceId, HIDDEN, { session }).lean();
          const product = found && toProductService(found);
          if (made) return { adjustment: toAdjustment(made), product: product!, isReplay: true };
          const delta = decide(product);
          const updated = await products
            .findByIdAndUpdate(
              productServiceId,
              { $inc: { 'stock.available': delta, stockReceived: delta, stockRevision: 1 } },
              { session, returnDocument: 'after', timestamps: false, projection: HIDDEN },
            )
            .lean();
          const { available, reserved } = updated!.stock!;
          const adjustment: StockAdjustment = {
            ...wanted,
            delta,
            at: new Date(),
            before: available - delta,
            after: available,
            reserved,
            stockRevision: updated!.stockRevision,
          };
          const { id: _id, ...fields } = adjustment;
          await adjustments.create([{ _id, ...fields }], { session });
          await recordAudit({ ...auditOf(adjustment), origin }, session);
          return { adjustment, product: toProductService(updated!), isReplay: false };
        });
      return stockQueue([productServiceId], work);
    },

    /**
     * Returns the adjustments of a product, newest first.
     * @param before the `stockRevision` of the last one of the previous page
     */
    async findPage(
      productServiceId: string,
      { before, limit }: { before?: number; limit: number },
    ): Promise<StockAdjustment[]> {
      const older = before === undefined ? {} : { stockRevision: trusted({ $lt: before }) };
      const found = await adjustments
        .find({ productServiceId, ...older })
        .sort({ stockRevision: -1 })
        .limit(limit)
        .lean();
      return found.map(toAdjustment);
    },
  };
}

function auditOf({ productServiceId, before, after }: StockAdjustment): Omit<AuditedChange, 'origin'> {
  const changes = [{ field: 'stock.available', before, after }];
  return { action: 'stock.adjust', object: productServiceId, subject: null, changes, personal: [] };
}

function toAdjustment({ _id, ...fields }: StockAdjustmentDocument): StockAdjustment {
  return { id: _id, ...fields };
}
