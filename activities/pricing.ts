import { OrderRejected } from '../src/domain/errors';
import type { OrderLine, Pricing } from '../src/domain/order';
import { priceLines } from '../src/domain/pricing';
import type { ProductServiceRepository } from '../src/product-service/product-service.repository';

/**
 * Fetches the product details and computes the totals. Pricing is part of an activity and not of workflow code, so that
 * a new pricing rule never breaks a running workflow.
 * @returns why the lines cannot be ordered, if so
 */
export async function priceFrom({
  products,
  lines,
}: {
  products: Pick<ProductServiceRepository, 'findActiveByIds'>;
  lines: readonly OrderLine[];
}): Promise<Pricing | OrderRejected> {
  const ids = [...new Set(lines.map((line) => line.productServiceId))];
  const catalogue = await products.findActiveByIds(ids);
  try {
    return priceLines(lines, catalogue);
  } catch (error) {
    if (error instanceof OrderRejected) return error;
    throw error;
  }
}
