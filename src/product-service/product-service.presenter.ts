import type { ProductService } from './product-service.repository';
import type { ProductServiceView } from './product-service.schema';

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
    stock: entry.stock && { available: entry.stock.available, reserved: entry.stock.reserved },
    isActive: entry.isActive,
    version: entry.version,
    createdAt: entry.createdAt.toISOString(),
    updatedAt: entry.updatedAt.toISOString(),
  };
}
