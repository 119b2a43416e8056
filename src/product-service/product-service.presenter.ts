import type { ProductService, Stock } from './product-service.model';
import type { ProductServiceView } from './product-service.schema';
import type { StockAdjustment } from './stock-adjustments.repository';
import type { StockAdjustmentView } from './stock-adjustments.schema';

export function presentProductService(entry: ProductService): ProductServiceView {
  return {
    id: entry.id,
    sku: entry.sku,
    name: entry.name,
    description: entry.description,
    kind: entry.kind,
    unitPrice: entry.unitPrice,
    currency: entry.currency,
    taxRateBps: entry.taxRateBps,
    priceIncludesTax: entry.priceIncludesTax,
    stock: entry.stock && presentStock(entry.stock),
    isActive: entry.isActive,
    version: entry.version,
    createdAt: entry.createdAt.toISOString(),
    updatedAt: entry.updatedAt.toISOString(),
  };
}

function presentStock({ available, reserved, held = 0 }: Stock): Stock {
  return { available, reserved, ...(held > 0 && { held }) };
}

export function presentStockAdjustment(adjustment: StockAdjustment): StockAdjustmentView {
  const { id, delta, reason, by, at, before, after } = adjustment;
  return { id, delta, reason, by, at: at.toISOString(), before, after };
}
