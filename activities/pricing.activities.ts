import { log } from '@temporalio/activity';
import type { OrderRequest, Pricing } from '../src/domain/order';
import { priceLines } from '../src/domain/pricing';
import type { ProductServiceRepository } from '../src/product-service/product-service.repository';

export type PricingActivities = ReturnType<typeof createPricingActivities>;

/**
 * Pricing is an activity and not workflow code, so that a new pricing rule never breaks a running workflow.
 */
export function createPricingActivities({
  products,
}: {
  products: Pick<ProductServiceRepository, 'findActiveByIds'>;
}) {
  return {
    /** Fetches the product details and computes the totals. @throws {OrderRejected} */
    async priceOrder({ items }: OrderRequest): Promise<Pricing> {
      const ids = [...new Set(items.map((line) => line.productServiceId))];
      const pricing = priceLines(items, await products.findActiveByIds(ids));
      log.info('order priced', { total: pricing.total, currency: pricing.currency });
      return pricing;
    },
  };
}
