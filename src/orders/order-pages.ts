import type { Order } from '../domain/order';
import { positionIn, sortOf, type OrderFilter, type OrderPosition } from './order-filter';
import type { OrderRepository } from './orders.repository';

const PAGE = 500;

/** Yields all orders that match, a page at a time: nothing is open in the database while the reader is slow. */
export async function* orderPages(
  orders: Pick<OrderRepository, 'list'>,
  filter: OrderFilter,
): AsyncGenerator<Order[], void> {
  for (let after: OrderPosition | undefined; ;) {
    const page = await orders.list(filter, { limit: PAGE, after });
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = positionIn(sortOf(filter), page.at(-1)!);
  }
}

/** Yields all orders of a customer, archived ones as well. */
export async function* allOrdersOf(
  orders: Pick<OrderRepository, 'list'>,
  customerId: string,
): AsyncGenerator<Order[], void> {
  for (const archived of [false, true]) yield* orderPages(orders, { customerId, archived });
}
