import { groupBy, type Snapshot, type StoredCart, type StoredOrder, type StoredUnpaid } from './documents';
import type { Findings } from './finding';
import { awaitsCustomer, openUnits } from './orders';
import { countUnits, type Units } from './stock';

type UnpaidUnits = Record<string, number>;

/** Returns what the order keeps from others while it waits for its customer, if it does. */
export function unpaidUnitsOf(order: StoredOrder): UnpaidUnits | null {
  if (!awaitsCustomer(order)) return null;
  const units: Units = new Map();
  if (order.reservation === 'held')
    for (const item of order.items)
      if (item.kind === 'product') countUnits(units, item.productServiceId, openUnits(item));
  return Object.fromEntries([...units].filter(([, count]) => count > 0));
}

/** Judges which orders are counted as unpaid. @param waiting those that wait for their customer, by id */
export async function auditUnpaid(
  snapshot: Snapshot,
  waiting: ReadonlyMap<string, { customerId: string; units: UnpaidUnits }>,
  findings: Findings,
): Promise<void> {
  const counted = new Set<string>();
  for await (const { _id: customerId, orders } of snapshot.find<StoredUnpaid>('unpaid_orders'))
    for (const { orderId, units } of orders) {
      const found = { customerId, units: unitsOf(units) };
      if (counted.has(orderId)) findings.add('unpaid_count', orderId, 'counted once', found);
      counted.add(orderId);
      findings.same('unpaid_count', orderId, waiting.get(orderId) ?? null, found);
    }
  for (const [orderId, expected] of waiting)
    if (!counted.has(orderId)) findings.add('unpaid_count', orderId, expected, null);
}

function unitsOf(lines: readonly { productServiceId: string; quantity: number }[]): UnpaidUnits {
  return Object.fromEntries(lines.map(({ productServiceId, quantity }) => [productServiceId, quantity]));
}

/** Judges whether each ordered cart has one order, and each of these orders its cart. */
export async function auditCarts(snapshot: Snapshot, findings: Findings): Promise<void> {
  const placed = snapshot.find<StoredOrder>('orders', { cart: { $exists: true } });
  const orders = new Map<string, { cartId: string; isRejected: boolean }>();
  for await (const { _id, cart, status } of placed)
    orders.set(_id, { cartId: cart!.id, isRejected: status === 'rejected' });
  const standing = [...orders].filter(([, { isRejected }]) => !isRejected);
  const ofCart = groupBy(standing, ([, { cartId }]) => cartId);
  for (const [cartId, some] of ofCart)
    if (some.length > 1)
      findings.add(
        'cart_order',
        cartId,
        'one order',
        some.map(([id]) => id),
      );
  for await (const { _id, status, orderId, hold } of snapshot.find<StoredCart>('carts')) {
    const found = { status, orderId };
    const [id] = ofCart.get(_id)?.[0] ?? [];
    if (id !== undefined) findings.same('cart_order', _id, { status: 'ordered', orderId: id }, found);
    else if (status === 'ordered')
      findings.same('cart_order', _id, _id, orders.get(orderId ?? '')?.cartId ?? found);
    if (status !== 'open')
      findings.holds('cart_order', _id, 'only an open cart holds units', !hold, { hold });
  }
}
