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
  { id, role, guests }: Principal,
  users: OrderRouteDeps['users'],
): Promise<OrderFilter | null> {
  const query = { email, ...filter };
  if (role !== 'ADMIN') {
    const forbidden = ADMIN_FILTERS.find((name) => query[name] !== undefined);
    if (forbidden) throw adminOnly(forbidden);
    return { ...filter, customerId: guests ? [id, ...guests] : id };
  }
  if (email === undefined) return filter;
  const account = (await users.findByEmail(email)) ?? (await users.findUnconfirmed(email));
  const found = [...(account ? [account.id] : []), ...(await users.guestsOf(email))];
  const ids = filter.customerId === undefined ? found : found.filter((id) => id === filter.customerId);
  return ids.length === 0 ? null : { ...filter, customerId: ids.length === 1 ? ids[0] : ids };
}
