import type { Order } from './order';

/** Units of one product that an order holds, all its lines summed. */
export interface Hold {
  productServiceId: string;
  quantity: number;
}

/** What a priced order takes from stock, sorted by product so that transactions lock in one order. */
export function holdsOf(order: Pick<Order, 'items'>): Hold[] {
  const quantities = new Map<string, number>();
  for (const { kind, productServiceId, quantity } of order.items) {
    if (kind !== 'product') continue; // a service has no stock, an unpriced line holds nothing
    quantities.set(productServiceId, (quantities.get(productServiceId) ?? 0) + quantity);
  }
  return [...quantities]
    .map(([productServiceId, quantity]) => ({ productServiceId, quantity }))
    .sort((a, b) => (a.productServiceId < b.productServiceId ? -1 : 1));
}
