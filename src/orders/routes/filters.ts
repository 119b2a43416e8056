import type { Principal } from '../../role/principal';
import type { OrderFilter } from '../order-filter';
import { ADMIN_FILTERS, type FindOrdersQuery } from '../schema/queries';
import { adminOnly } from '../schema/requests';
import type { OrderRouteDeps } from './responses';

/**
 * Returns the filter that the caller may use; null if no order can match.
 * @throws {AppError} validation_failed if a CUSTOMER uses a filter of ADMINs
 */
export async function filterOf(
  { email, ...filter }: FindOrdersQuery,
  { id, role }: Principal,
  users: OrderRouteDeps['users'],
): Promise<OrderFilter | null> {
  const query = { email, ...filter };
  if (role !== 'ADMIN') {
    const forbidden = ADMIN_FILTERS.find((name) => query[name] !== undefined);
    if (forbidden) throw adminOnly(forbidden);
    return { ...filter, customerId: id };
  }
  if (email === undefined) return filter;
  const customerId = ((await users.findByEmail(email)) ?? (await users.findUnconfirmed(email)))?.id;
  const isContradiction = filter.customerId !== undefined && filter.customerId !== customerId;
  return customerId === undefined || isContradiction ? null : { ...filter, customerId };
}
