import { AmountOverflow, chargeableStep, multiplyAmount, shareOf, shareWithin, sumAmounts } from './money';
import {
  MAX_LINES,
  type Order,
  type OrderItem,
  type OrderLine,
  type PricedItem,
  type Pricing,
} from './order';
import { InvalidTransition, OrderRejected } from './errors';

/** The part of a product or service that pricing needs. */
export interface CatalogueEntry {
  id: string;
  sku: string;
  name: string;
  kind: 'product' | 'service';
  /** Minor units. */
  unitPrice: number;
  currency: string;
  /** Basis points, with up to two decimals. */
  taxRateBps: number;
  /** Whether the unit price contains the tax. */
  priceIncludesTax: boolean;
}

/** Units of one price. */
interface Part {
  entry: CatalogueEntry;
  quantity: number;
}

/** Returns the different products and services that the lines name. */
export function idsOf(lines: readonly OrderLine[]): string[] {
  return [...new Set(lines.map((line) => line.productServiceId))];
}

/**
 * Prices every line at the catalogue's prices. Tax is rounded per line, to what cards can be
 * charged, and totals are sums of lines.
 * @param catalogue the active entries that the lines name
 * @throws {OrderRejected} UnknownProduct, MixedCurrencies or AmountTooLarge
 */
export function priceLines(lines: readonly OrderLine[], catalogue: readonly CatalogueEntry[]): Pricing {
  const advice = 'Remove these lines, or choose other products.';
  const entries = entriesOf(lines, catalogue, new Set(idsOf(lines)), advice);
  return pricingOf(
    lines.map(({ productServiceId, quantity }) => ({ entry: entries.get(productServiceId)!, quantity })),
  );
}

/**
 * Prices the lines that replace those of an order. Units that it has stay as they were sold, with their name, price and
 * tax rate, even if the catalogue has changed or no longer has them. More units are sold as they are today: if their price
 * differs, as a line of their own.
 * @param catalogue the active entries that the lines name
 * @throws {OrderRejected} UnknownProduct, MixedCurrencies or AmountTooLarge
 * @throws {InvalidTransition} there would be too many lines
 */
export function priceAmendment(
  order: Pick<Order, 'items' | 'currency'>,
  lines: readonly OrderLine[],
  catalogue: readonly CatalogueEntry[],
): Pricing {
  const sold = order.items.map((item) => soldPart(item, order.currency!));
  const kept = lines.map((line) => takeFrom(sold, line));
  const added = lines.map(({ quantity }, n) => quantity - unitsOf(kept[n]!));
  const needed = new Set(idsOf(lines.filter((_, n) => added[n]! > 0)));
  const advice = 'The order may keep the units that it has of them, and cannot have more.';
  const entries = entriesOf(lines, catalogue, needed, advice);
  const parts = lines.flatMap(({ productServiceId }, n) =>
    added[n] === 0
      ? kept[n]!
      : withPart(kept[n]!, { entry: entries.get(productServiceId)!, quantity: added[n]! }),
  );
  if (parts.length > MAX_LINES) {
    throw new InvalidTransition(
      `The order would have ${parts.length} lines, since units at another price need a line of their own, and can have ` +
        `${MAX_LINES}: add fewer, or place another order for them.`,
    );
  }
  return pricingOf(parts);
}

function soldPart(item: OrderItem, currency: string): Part {
  const {
    productServiceId: id,
    sku,
    name,
    kind,
    unitPrice,
    taxRateBps,
    priceIncludesTax,
  } = item as PricedItem;
  const entry = { id, sku, name, kind, unitPrice, taxRateBps, priceIncludesTax, currency };
  return { entry, quantity: item.quantity - item.cancelledQuantity };
}

/** Takes the units of a line out of what was sold, as far as there are any, those that were sold first before others. */
function takeFrom(sold: readonly Part[], { productServiceId, quantity }: OrderLine): Part[] {
  let missing = quantity;
  return sold.reduce<Part[]>((taken, part) => {
    const units = part.entry.id === productServiceId ? Math.min(part.quantity, missing) : 0;
    if (units === 0) return taken;
    part.quantity -= units;
    missing -= units;
    return withPart(taken, { entry: part.entry, quantity: units });
  }, []);
}

/** Adds units to the parts of one product: to the last part, if they have its price. */
function withPart(parts: readonly Part[], added: Part): Part[] {
  const last = parts.at(-1);
  if (!last || !isSamePrice(last.entry, added.entry)) return [...parts, added];
  return [...parts.slice(0, -1), { ...last, quantity: last.quantity + added.quantity }];
}

/** Returns whether units cost the same. */
export function isSamePrice(one: Price, other: Price): boolean {
  return PRICE_FIELDS.every((field) => one[field] === other[field]);
}

function unitsOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { quantity }) => sum + quantity, 0);
}

/**
 * Returns the entries by their id.
 * @param needed the ids of those that have to be for sale
 * @param advice what to do if they are not
 * @throws {OrderRejected} UnknownProduct
 */
function entriesOf(
  lines: readonly OrderLine[],
  catalogue: readonly CatalogueEntry[],
  needed: ReadonlySet<string>,
  advice: string,
): Map<string, CatalogueEntry> {
  const entries = new Map(catalogue.map((entry) => [entry.id, entry]));
  const unknown = idsOf(lines).filter((id) => needed.has(id) && !entries.has(id));
  if (unknown.length === 0) return entries;
  throw new OrderRejected('UnknownProduct', `Not for sale: ${unknown.join(', ')}. ${advice}`);
}

/** @throws {OrderRejected} MixedCurrencies or AmountTooLarge */
function pricingOf(parts: readonly Part[]): Pricing {
  const currency = onlyCurrency(parts);
  try {
    const items = parts.map(pricedItem);
    return {
      items,
      currency,
      subtotal: sumAmounts(items.map((item) => item.subtotal)),
      tax: sumAmounts(items.map((item) => item.tax)),
      total: sumAmounts(items.map((item) => item.total)),
    };
  } catch (error) {
    if (!(error instanceof AmountOverflow)) throw error;
    throw new OrderRejected(
      'AmountTooLarge',
      `The total exceeds the largest amount of ${Number.MAX_SAFE_INTEGER} minor units: order less at once.`,
    );
  }
}

function onlyCurrency(parts: readonly Part[]): string {
  const currencies = [...new Set(parts.map(({ entry }) => entry.currency))].sort();
  if (currencies.length === 1) return currencies[0]!;
  throw new OrderRejected(
    'MixedCurrencies',
    `The lines are priced in ${currencies.join(' and ')}: place one order for each currency.`,
  );
}

function pricedItem({ entry, quantity }: Part): PricedItem {
  const { id: productServiceId, sku, name, kind, unitPrice, taxRateBps, priceIncludesTax, currency } = entry;
  const price = { unitPrice, taxRateBps, priceIncludesTax };
  const amounts = amountsOf(price, quantity, chargeableStep(currency));
  return { productServiceId, sku, name, kind, quantity, ...price, ...amounts };
}

const PRICE_FIELDS = ['unitPrice', 'taxRateBps', 'priceIncludesTax'] as const;
/** What a unit costs; its amount is in minor units. */
export type Price = Pick<CatalogueEntry, (typeof PRICE_FIELDS)[number]>;

/** @throws {AmountOverflow} */
function amountsOf(
  { unitPrice, taxRateBps, priceIncludesTax }: Price,
  quantity: number,
  step: number,
): Pick<PricedItem, 'subtotal' | 'tax' | 'total'> {
  const price = multiplyAmount(unitPrice, quantity);
  if (priceIncludesTax) {
    const tax = shareWithin(price, taxRateBps, step);
    return { subtotal: price - tax, tax, total: price };
  }
  const tax = shareOf(price, taxRateBps, step);
  return { subtotal: price, tax, total: sumAmounts([price, tax]) };
}
