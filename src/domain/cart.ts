import { InvalidTransition, OrderRejected } from './errors';
import { formatAmount } from './money';
import {
  MAX_LINES,
  MAX_QUANTITY,
  type OrderLine,
  type PricedItem,
  type Pricing,
  type ShippingAddress,
} from './order';
import type { StockMove } from './stock';
import { isSamePrice, priceLines, type CatalogueEntry, type Price } from './pricing';

/** An open cart can be changed and ordered. One that was merged is only remembered, so that merging it can be repeated. */
export type CartStatus = 'open' | 'ordered' | 'merged';

/** A product or service in a cart, which each is in once, with what a unit cost when it was put there. */
export type CartLine = OrderLine & Price;

/** What a cart says of the order that is to come of it, beside its lines. */
export interface CartDetails {
  shippingAddress: ShippingAddress | null;
  note: string | null;
  metadata: Record<string, string>;
}

export interface Cart extends CartDetails {
  id: string;
  /** Whose order comes of it: a user, or the guest who exists once something is ordered. */
  customerId: string;
  /** A hash of the token that opens the cart of a guest; null if it is a user's. */
  tokenHash: string | null;
  status: CartStatus;
  items: CartLine[];
  /** What is kept from others for the cart, if it is. */
  hold: CartHold | null;
  /** Numbers the orders that were tried: each but the last was rejected. */
  attempt: number;
  /** The order that it has become. */
  orderId: string | null;
  /** The cart that has got its lines. */
  mergedInto: string | null;
  /** Raised by every write, and so the ETag and the condition of the next one. */
  version: number;
  /** The version that its lines and details have been the same since: an order is placed of that, or not at all. */
  contentVersion: number;
  /** When it was last found that nobody had touched it for long, ISO 8601. */
  abandonedAt: string | null;
  createdAt: string;
  /** When its lines or details were last changed. */
  updatedAt: string;
}

/** Units that are in the held stock of their products. */
export interface CartHold {
  items: OrderLine[];
  /** From when on others may take them, ISO 8601. */
  until: string;
}

const DAY_MS = 86_400_000;
/** How long after its last change a cart is deleted. */
const LIFETIME_MS = { guest: 30 * DAY_MS, user: 90 * DAY_MS };

/** @param at ISO 8601 */
export function newCart(owner: Pick<Cart, 'id' | 'customerId' | 'tokenHash'>, at: string): Cart {
  return {
    ...owner,
    status: 'open',
    items: [],
    shippingAddress: null,
    note: null,
    metadata: {},
    hold: null,
    attempt: 1,
    orderId: null,
    mergedInto: null,
    version: 1,
    contentVersion: 1,
    abandonedAt: null,
    createdAt: at,
    updatedAt: at,
  };
}

/** Whether the cart belongs to someone who is not signed in. */
export function isGuests({ tokenHash }: Pick<Cart, 'tokenHash'>): boolean {
  return tokenHash !== null;
}

/**
 * Whether what is in the cart is the same as in one of the versions: a hold, or an order, changes nothing of it.
 * @param versions null for any
 */
export function hasContentOf(
  { contentVersion, version }: Pick<Cart, 'contentVersion' | 'version'>,
  versions: readonly number[] | null,
): boolean {
  return versions === null || versions.some((seen) => contentVersion <= seen && seen <= version);
}

/** Returns when the cart is deleted, ISO 8601. */
export function expiryOf(cart: Pick<Cart, 'tokenHash' | 'updatedAt'>): string {
  const lifetime = isGuests(cart) ? LIFETIME_MS.guest : LIFETIME_MS.user;
  return new Date(Date.parse(cart.updatedAt) + lifetime).toISOString();
}

/** Returns the cart with other content, as its next version. What is taken out is not held any more. */
function changed(cart: Cart, content: Partial<CartDetails & Pick<Cart, 'items'>>, at: string): Cart {
  const version = cart.version + 1;
  const next = {
    ...cart,
    ...content,
    version,
    contentVersion: version,
    updatedAt: at,
  };
  return { ...next, hold: holdWithin(next) };
}

/** Returns what is held of the lines of the cart. */
function holdWithin({ hold, items }: Pick<Cart, 'hold' | 'items'>): CartHold | null {
  if (!hold) return null;
  const quantities = new Map(items.map(({ productServiceId, quantity }) => [productServiceId, quantity]));
  const held = hold.items
    .map(({ productServiceId, quantity }) => ({
      productServiceId,
      quantity: Math.min(quantity, quantities.get(productServiceId) ?? 0),
    }))
    .filter(({ quantity }) => quantity > 0);
  return held.length > 0 ? { ...hold, items: held } : null;
}

/** An entry of the catalogue as a cart needs it. */
export interface CartEntry extends CatalogueEntry {
  isActive: boolean;
  /** Null for a service. */
  stock: { available: number } | null;
}

/**
 * Returns the cart with that many units of a product; the same cart if it has them already, at the price of today.
 * @param line with quantity 0, the product is taken out
 * @param entries those of the products in the cart and of the line
 * @throws {OrderRejected} UnknownProduct, MixedCurrencies or AmountTooLarge
 * @throws {InvalidTransition} there would be too many lines
 */
export function withLine(cart: Cart, line: OrderLine, entries: readonly CartEntry[], at: string): Cart {
  const { productServiceId: id, quantity } = line;
  const present = cart.items.find((item) => item.productServiceId === id);
  if (quantity === 0) {
    return present ? changed(cart, { items: cart.items.filter((item) => item !== present) }, at) : cart;
  }
  const entry = entries.find((one) => one.id === id && one.isActive);
  if (!entry) throw new OrderRejected('UnknownProduct', `Not for sale: ${id}. Choose another product.`);
  if (present?.quantity === quantity && isSamePrice(present, entry)) return cart;
  const put: CartLine = { ...line, ...priceOf(entry) };
  const items = present ? cart.items.map((item) => (item === present ? put : item)) : [...cart.items, put];
  requirePossible(items, entries);
  return changed(cart, { items }, at);
}

function priceOf({ unitPrice, taxRateBps, priceIncludesTax }: Price): Price {
  return { unitPrice, taxRateBps, priceIncludesTax };
}

/** @throws {OrderRejected} MixedCurrencies or AmountTooLarge @throws {InvalidTransition} */
function requirePossible(items: readonly CartLine[], entries: readonly CartEntry[]): void {
  if (items.length > MAX_LINES) {
    throw new InvalidTransition(
      `The cart would have ${items.length} lines, and can have ${MAX_LINES}: order these first, or take something out.`,
    );
  }
  pricingOf(items, entries);
}

export function withDetails(cart: Cart, details: Partial<CartDetails>, at: string): Cart {
  return changed(cart, details, at);
}

/**
 * Returns the cart with what the other one has: the units of both, what is held of them, and the details that it lacks.
 * @param entries those of the products in both carts
 * @throws {OrderRejected} MixedCurrencies or AmountTooLarge
 * @throws {InvalidTransition} there would be too many lines
 */
export function withMerged(cart: Cart, other: Cart, entries: readonly CartEntry[], at: string): Cart {
  const merged = new Map(cart.items.map((item) => [item.productServiceId, item]));
  for (const item of other.items) {
    const present = merged.get(item.productServiceId);
    const quantity = Math.min(item.quantity + (present?.quantity ?? 0), MAX_QUANTITY);
    merged.set(item.productServiceId, { ...(present ?? item), quantity });
  }
  const items = [...merged.values()];
  requirePossible(items, entries);
  const details = {
    shippingAddress: cart.shippingAddress ?? other.shippingAddress,
    note: cart.note ?? other.note,
    metadata: Object.keys(cart.metadata).length > 0 ? cart.metadata : other.metadata,
  };
  return changed({ ...cart, hold: bothHolds(cart.hold, other.hold) }, { items, ...details }, at);
}

/** Returns a hold of the units of both, for no longer than the first one. */
function bothHolds(first: CartHold | null, second: CartHold | null): CartHold | null {
  if (!first || !second) return first ?? second;
  const units = new Map(first.items.map(({ productServiceId, quantity }) => [productServiceId, quantity]));
  for (const { productServiceId, quantity } of second.items)
    units.set(productServiceId, (units.get(productServiceId) ?? 0) + quantity);
  return {
    until: first.until,
    items: [...units].map(([productServiceId, quantity]) => ({ productServiceId, quantity })),
  };
}

/** Returns the cart that was merged into another one, and has nothing of its own any more. */
export function mergedAway(cart: Cart, into: string, at: string): Cart {
  const nothing = { items: [], shippingAddress: null, note: null, metadata: {} };
  return { ...changed(cart, nothing, at), hold: null, status: 'merged', mergedInto: into };
}

/**
 * Returns the cart with all its goods held: if some are held already, not for longer, since nobody has paid for them.
 * @param entries those of the products in the cart
 * @param holdMs for how long, in milliseconds
 * @throws {InvalidTransition} there are none
 */
export function withHold(cart: Cart, entries: readonly CartEntry[], at: string, holdMs: number): Cart {
  const goods = new Set(entries.filter(({ isActive, stock }) => isActive && stock).map(({ id }) => id));
  const items = cart.items
    .filter(({ productServiceId }) => goods.has(productServiceId))
    .map(({ productServiceId, quantity }) => ({ productServiceId, quantity }));
  if (items.length === 0) {
    throw new InvalidTransition('Nothing in the cart can be held: put products with a stock into it first.');
  }
  const isHeld = cart.hold !== null && cart.hold.until > at;
  const until = isHeld ? cart.hold!.until : new Date(Date.parse(at) + holdMs).toISOString();
  return { ...cart, version: cart.version + 1, hold: { items, until } };
}

/** Returns the cart with nothing held for it. */
export function withoutHold(cart: Cart): Cart {
  return { ...cart, version: cart.version + 1, hold: null };
}

/** Returns what moves in stock when carts change, sorted by product so that all transactions lock in the same order. */
export function holdMoves(
  changes: readonly { before: Pick<Cart, 'hold'>; after: Pick<Cart, 'hold'> | null }[],
): StockMove[] {
  const units = new Map<string, number>();
  const add = (hold: CartHold | null | undefined, sign: 1 | -1) => {
    for (const { productServiceId, quantity } of hold?.items ?? [])
      units.set(productServiceId, (units.get(productServiceId) ?? 0) + sign * quantity);
  };
  for (const { before, after } of changes) {
    add(before.hold, -1);
    add(after?.hold, 1);
  }
  return [...units.keys()]
    .sort()
    .map((productServiceId) => {
      const held = units.get(productServiceId)!;
      return { productServiceId, available: 0 - held, reserved: 0, held };
    })
    .filter(({ held }) => held !== 0);
}

/** Returns the entries with the units that are held for the cart as available, which they are for its customer. */
export function availableTo({ hold }: Pick<Cart, 'hold'>, entries: readonly CartEntry[]): CartEntry[] {
  const held = new Map(hold?.items.map(({ productServiceId, quantity }) => [productServiceId, quantity]));
  return entries.map((entry) => {
    const units = held.get(entry.id) ?? 0;
    return entry.stock ? { ...entry, stock: { available: entry.stock.available + units } } : entry;
  });
}

/** What the customer should know of a line before ordering. */
export interface CartWarning {
  code: 'price_changed' | 'out_of_stock' | 'retired';
  detail: string;
}

/** A line as it would be ordered now. Null is what is not known of an entry that was retired, or removed. */
export type PricedLine = OrderLine & {
  [K in Exclude<keyof PricedItem, keyof OrderLine>]: PricedItem[K] | null;
} & {
  /** The units that can be had; null for a service, which has no stock, and for what is not for sale. */
  available: number | null;
  warnings: CartWarning[];
};

/** What lines cost now. Nothing is promised by it. */
export interface Quote extends Pick<Pricing, 'subtotal' | 'tax' | 'total'> {
  items: PricedLine[];
  /** Null if none of it is for sale. */
  currency: string | null;
}

/**
 * Prices what is in the cart and for sale, by the rules by which orders are priced.
 * @param entries those of the products in the cart, retired ones as well
 * @throws {OrderRejected} AmountTooLarge, if a price has risen that much
 */
export function quoteCart({ items }: Pick<Cart, 'items'>, entries: readonly CartEntry[]): Quote {
  const pricing = pricingOf(items, entries);
  const priced = new Map(pricing?.items.map((item) => [item.productServiceId, item]));
  const found = new Map(entries.map((entry) => [entry.id, entry]));
  const { currency = null, subtotal = 0, tax = 0, total = 0 } = pricing ?? {};
  const lines = items.map((line) => {
    const item = priced.get(line.productServiceId);
    const entry = found.get(line.productServiceId);
    return item && entry ? pricedLine(item, entry, line) : retiredLine(line, entry);
  });
  return { items: lines, currency, subtotal, tax, total };
}

/**
 * Returns what an order of these lines would cost now.
 * @param entries those that are for sale
 * @throws {OrderRejected} UnknownProduct, MixedCurrencies or AmountTooLarge
 */
export function quoteOrder(lines: readonly OrderLine[], entries: readonly CartEntry[]): Quote {
  const pricing = priceLines(lines, entries);
  const found = new Map(entries.map((entry) => [entry.id, entry]));
  const items = pricing.items.map((item) => {
    const { productServiceId } = item;
    const wanted = lines.filter((line) => line.productServiceId === productServiceId);
    const quantity = wanted.reduce((sum, line) => sum + line.quantity, 0);
    return pricedLine(item, found.get(productServiceId)!, { ...item, quantity });
  });
  return { ...pricing, items };
}

function pricingOf(items: readonly CartLine[], entries: readonly CartEntry[]): Pricing | null {
  const active = entries.filter(({ isActive }) => isActive);
  const ids = new Set(active.map(({ id }) => id));
  const forSale = items.filter(({ productServiceId }) => ids.has(productServiceId));
  return forSale.length === 0 ? null : priceLines(forSale, active);
}

/** @param wanted how many units are wanted, and at which price the customer has seen them */
function pricedLine(item: PricedItem, entry: CartEntry, wanted: Price & { quantity: number }): PricedLine {
  const available = entry.stock?.available ?? null;
  return { ...item, available, warnings: warningsOf(wanted, entry, available) };
}

/** @param entry undefined if it is not in the catalogue any more */
function retiredLine({ productServiceId, quantity }: OrderLine, entry: CartEntry | undefined): PricedLine {
  return {
    productServiceId,
    sku: entry?.sku ?? null,
    name: entry?.name ?? null,
    kind: entry?.kind ?? null,
    quantity,
    unitPrice: null,
    taxRateBps: null,
    priceIncludesTax: null,
    subtotal: null,
    tax: null,
    total: null,
    available: null,
    warnings: [{ code: 'retired', detail: 'This is not for sale any more: take it out of the cart.' }],
  };
}

function warningsOf(
  wanted: Price & { quantity: number },
  entry: CartEntry,
  available: number | null,
): CartWarning[] {
  const warnings: CartWarning[] = [];
  if (!isSamePrice(wanted, entry)) {
    const [now, then] = [entry, wanted].map(({ unitPrice }) => formatAmount(unitPrice, entry.currency));
    const detail =
      now === then
        ? 'Its tax has changed since it was put into the cart.'
        : `One costs ${now} now, not ${then} as when it was put into the cart.`;
    warnings.push({ code: 'price_changed', detail });
  }
  if (available !== null && available < wanted.quantity) {
    const detail =
      available === 0
        ? 'It is out of stock.'
        : `Only ${available} of the ${wanted.quantity} units are available.`;
    warnings.push({ code: 'out_of_stock', detail });
  }
  return warnings;
}
