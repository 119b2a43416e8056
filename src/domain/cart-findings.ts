import type { AuditFinding } from './audit-findings';
import type { Cart, CartHold, CartStatus } from './cart';
import type { Order, OrderLine } from './order';

/** A cart as it is stored. */
export interface StoredCart {
  cart: Cart;
  /** When MongoDB deletes it, ISO 8601; null if never. */
  expiresAt: string | null;
}

/** What there is of a cart elsewhere. */
export interface CartRecords {
  /** The order that it has become; null if that is not there. */
  order: Pick<Order, 'status' | 'cart'> | null;
  /** The products that have a stock, among those of which units are held for it. */
  stocked: ReadonlySet<string>;
}

/** Units whose time is over are released four times an hour, and when someone else wants them. */
export const HOLD_OVERDUE_MS = 3_600_000;

type CartFlaw = Omit<AuditFinding, 'subject'>;

/** Returns in what a cart contradicts itself, its order or the stock. @param at ISO 8601 */
export function cartFindings(stored: StoredCart, records: CartRecords, at: string): AuditFinding[] {
  const { id: subject } = stored.cart;
  const told = (flaw: CartFlaw) => ({ ...flaw, subject });
  try {
    const malformed = formFlaw(stored.cart);
    if (malformed) return [told(malformed)];
    const flaws = [orderFlaw(stored.cart, records), holdFlaw(stored, records), overdueFlaw(stored.cart, at)];
    return flaws.filter((flaw) => flaw !== null).map(told);
  } catch (error) {
    return [told(malformedCart('a document that can be read', (error as Error).message))];
  }
}

export function malformedCart(expected: string, found: string): CartFlaw {
  return { kind: 'cart_malformed', expected, found };
}

/**
 * Returns what of the units that are held for a cart may be held: those of its lines, of products with a stock, while it is open
 * and their time is not over.
 * @param at ISO 8601
 */
export function rightHold(
  { status, hold, items }: Pick<Cart, 'status' | 'hold' | 'items'>,
  stocked: ReadonlySet<string>,
  at: string,
): CartHold | null {
  if (!hold || status !== 'open' || hold.until <= at) return null;
  const right = heldOf(hold)
    .filter(([id]) => stocked.has(id))
    .map(([productServiceId, held]) => ({
      productServiceId,
      quantity: Math.min(held, quantityOf(productServiceId, items)),
    }))
    .filter(({ quantity }) => quantity > 0);
  return right.length > 0 ? { ...hold, items: right } : null;
}

const STATUSES: readonly CartStatus[] = ['open', 'ordered', 'merged'];
const COUNTS = ['attempt', 'version', 'contentVersion'] as const;

function formFlaw(cart: Cart): CartFlaw | null {
  const wrong = (field: string, expected: string, found: unknown) =>
    malformedCart(`${field}: ${expected}`, `${field}: ${JSON.stringify(found) ?? 'absent'}`);
  const { status, items, hold, orderId, mergedInto, version, contentVersion } = cart;
  if (!STATUSES.includes(status)) return wrong('status', `one of ${STATUSES.join(', ')}`, status);
  for (const field of COUNTS)
    if (!isPositive(cart[field])) return wrong(field, 'a whole number from 1 on', cart[field]);
  if (contentVersion > version) return wrong('contentVersion', `up to ${version}`, contentVersion);
  if (!areLines(items)) return wrong('items', 'lines, each with a quantity', items);
  if (hold && !(areLines(hold.items) && hold.items.length > 0))
    return wrong('hold.items', 'lines, each with a quantity', hold.items);
  const isOrdered = status === 'ordered';
  if ((typeof orderId === 'string') !== isOrdered)
    return wrong('orderId', isOrdered ? 'an order' : 'null', orderId);
  const isMerged = status === 'merged';
  if ((typeof mergedInto === 'string') !== isMerged)
    return wrong('mergedInto', isMerged ? 'a cart' : 'null', mergedInto);
  return null;
}

function areLines(lines: readonly OrderLine[]): boolean {
  return (
    Array.isArray(lines) &&
    lines.every(({ productServiceId: id, quantity }) => typeof id === 'string' && isPositive(quantity))
  );
}

function isPositive(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** An order is stored, or rejected, in the transaction in which its cart is ordered, or opened again. */
function orderFlaw({ id, status, orderId }: Cart, { order }: CartRecords): CartFlaw | null {
  if (status !== 'ordered') return null;
  const expected = `the order ${orderId}, of this cart`;
  if (!order) return { kind: 'cart_without_order', expected, found: 'none' };
  if (order.cart?.id !== id)
    return { kind: 'cart_without_order', expected, found: `one of ${order.cart?.id ?? 'no cart'}` };
  if (order.status !== 'rejected') return null;
  return {
    kind: 'cart_not_reopened',
    expected: 'open again',
    found: `ordered, as ${orderId}, which is rejected`,
  };
}

function holdFlaw({ cart, expiresAt }: StoredCart, { stocked }: CartRecords): CartFlaw | null {
  const { status, hold, items } = cart;
  const flaw = (expected: string, found: string): CartFlaw => ({
    kind: 'cart_hold_differs',
    expected,
    found,
  });
  if (!hold) {
    // It would never be deleted.
    return expiresAt === null ? flaw('a time to be deleted at, since nothing is held', 'none') : null;
  }
  if (status !== 'open') return flaw(`nothing held, since it is ${status}`, listOf(heldOf(hold)));
  const wrong = heldOf(hold).filter(([id, held]) => !stocked.has(id) || held > quantityOf(id, items));
  if (wrong.length > 0) {
    const most = wrong.map(([id]) => [id, stocked.has(id) ? quantityOf(id, items) : 0] as const);
    return flaw(`held at most ${listOf(most)}`, `held ${listOf(wrong)}`);
  }
  // What is held would stay in the counter of its product.
  return expiresAt === null
    ? null
    : flaw('not deleted while units are held', `to be deleted at ${expiresAt}`);
}

function overdueFlaw({ status, hold }: Cart, at: string): CartFlaw | null {
  if (!hold || status !== 'open' || Date.parse(at) - Date.parse(hold.until) < HOLD_OVERDUE_MS) return null;
  const found = `held until ${hold.until}: ${listOf(heldOf(hold))}`;
  return { kind: 'cart_hold_overdue', expected: 'units whose time is over released', found };
}

/** Returns the units that are held, by products. */
function heldOf({ items }: CartHold): (readonly [id: string, units: number])[] {
  const ids = new Set(items.map(({ productServiceId }) => productServiceId));
  return [...ids].map((id) => [id, quantityOf(id, items)] as const);
}

function quantityOf(id: string, lines: readonly OrderLine[]): number {
  return lines.reduce((sum, line) => sum + (line.productServiceId === id ? line.quantity : 0), 0);
}

function listOf(units: readonly (readonly [id: string, units: number])[]): string {
  return units.map(([id, count]) => `${count} of ${id}`).join(', ');
}
