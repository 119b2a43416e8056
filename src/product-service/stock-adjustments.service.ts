import { randomUUID } from 'node:crypto';
import { sha256 } from '../common/hash';
import { hashOfKey } from '../common/idempotency-key';
import { pageOf, type Page } from '../common/pagination';
import type { Origin } from '../domain/audit';
import { AppError } from '../errors/app-error';
import type { Condition } from './entry-tag';
import type { ProductService, Stock } from './product-service.model';
import type { StockAdjustmentBody, StockCountBody } from './stock-adjustments.schema';
import { noSuchEntry } from './no-such-entry';
import type { CatalogueService } from './product-service.service';
import type { Adjusted, StockAdjustment, StockAdjustmentRepository } from './stock-adjustments.repository';
import { StockBusy } from './stock-queue';

export type StockAdjustmentService = ReturnType<typeof createStockAdjustmentService>;

/** A change of the stock of one product. */
export interface StockChange<Body> {
  productServiceId: string;
  body: Body;
  origin: Origin;
  /** Names the change among those of its author. */
  idempotencyKey?: string;
  requireSame: Condition;
}

export interface AdjustedProduct {
  /** As it was after the adjustment. */
  product: ProductService;
  isReplay: boolean;
}

export function createStockAdjustmentService(
  repository: StockAdjustmentRepository,
  catalogue: Pick<CatalogueService, 'get'>,
) {
  /** @param content what a repetition of the request has in common with it */
  async function change(
    {
      productServiceId,
      body,
      origin,
      idempotencyKey = randomUUID(),
      requireSame,
    }: StockChange<{ reason: string }>,
    content: unknown[],
    deltaOf: (stock: Stock) => number,
  ): Promise<AdjustedProduct> {
    const { reason } = body;
    const { by } = origin;
    const fingerprint = sha256(JSON.stringify([productServiceId, reason, ...content]));
    const id = `adj_${hashOfKey(by, idempotencyKey)}`;
    const adjusted = await repository
      .adjust({ id, productServiceId, fingerprint, reason, by }, origin, (found) => {
        const product = requireActive(found, productServiceId);
        requireSame(product);
        const delta = deltaOf(stockOf(product));
        requireAvailable(stockOf(product), delta);
        return delta;
      })
      .catch((error: unknown) => {
        throw error instanceof StockBusy ? tooBusy(error) : error;
      });
    if (adjusted.adjustment.fingerprint !== fingerprint) throw keyReused();
    return { product: productAfter(adjusted), isReplay: adjusted.isReplay };
  }

  return {
    /** Adds or removes units. */
    adjust: (wanted: StockChange<StockAdjustmentBody>) =>
      change(wanted, ['delta', wanted.body.delta], () => wanted.body.delta),

    /** Sets the available units to what was counted. */
    count: (wanted: StockChange<StockCountBody>) =>
      change(
        wanted,
        ['available', wanted.body.available],
        ({ available }) => wanted.body.available - available,
      ),

    /** Returns the adjustments of a product, newest first. */
    async list(id: string, page: { before?: number; limit: number }): Promise<Page<StockAdjustment>> {
      await catalogue.get(id, { readsRetired: true });
      return pageOf(await repository.findPage(id, { ...page, limit: page.limit + 1 }), page.limit);
    },
  };
}

function requireActive(product: ProductService | null, id: string): ProductService {
  if (!product?.isActive) throw noSuchEntry(id);
  return product;
}

function stockOf({ stock }: ProductService): Stock {
  if (!stock) throw new AppError('invalid_transition', 'A service has no stock to adjust.');
  return stock;
}

function requireAvailable({ available }: Stock, delta: number): void {
  if (available + delta >= 0) return;
  throw new AppError(
    'out_of_stock',
    `Cannot remove ${-delta} units, because only ${available} are available: remove fewer.`,
  );
}

/** The answer to a repeated request has the stock of then, as the first answer had. */
function productAfter({ product, adjustment: { after, reserved, stockRevision } }: Adjusted): ProductService {
  return { ...product, stock: { available: after, reserved }, stockRevision };
}

function keyReused(): AppError {
  return new AppError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for a different adjustment. Send a new key, or repeat the first request unchanged.',
  );
}

function tooBusy(cause: StockBusy): AppError {
  return new AppError(
    'service_unavailable',
    'Too many others are changing the stock of this product, so nothing was changed: repeat the request.',
    { cause },
  );
}
