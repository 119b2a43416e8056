import { AmountOverflow, chargeableStep, multiplyAmount, shareOf, shareWithin, sumAmounts } from './money';
import type { OrderLine, PricedItem, Pricing } from './order';
import { OrderRejected } from './errors';

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

/**
 * Prices every line at the catalogue's prices. Tax is rounded per line, to what cards can be
 * charged, and totals are sums of lines.
 * @param catalogue the active entries that the lines name
 * @throws {OrderRejected} UnknownProduct, MixedCurrencies or AmountTooLarge
 */
export function priceLines(lines: readonly OrderLine[], catalogue: readonly CatalogueEntry[]): Pricing {
  const entries = new Map(catalogue.map((entry) => [entry.id, entry]));
  const currency = onlyCurrency(lines, entries);
  try {
    const items = lines.map((line) => priceLine(line, entries.get(line.productServiceId)!));
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

function onlyCurrency(lines: readonly OrderLine[], entries: ReadonlyMap<string, CatalogueEntry>): string {
  const ids = [...new Set(lines.map((line) => line.productServiceId))];
  const unknown = ids.filter((id) => !entries.has(id));
  if (unknown.length > 0) {
    throw new OrderRejected(
      'UnknownProduct',
      `Not for sale: ${unknown.join(', ')}. Remove these lines, or choose other products.`,
    );
  }
  const currencies = [...new Set(ids.map((id) => entries.get(id)!.currency))].sort();
  if (currencies.length !== 1) {
    throw new OrderRejected(
      'MixedCurrencies',
      `The lines are priced in ${currencies.join(' and ')}: place one order for each currency.`,
    );
  }
  return currencies[0]!;
}

function priceLine(line: OrderLine, entry: CatalogueEntry): PricedItem {
  const { sku, name, kind, unitPrice, taxRateBps, priceIncludesTax, currency } = entry;
  const { productServiceId, quantity } = line;
  const price = { unitPrice, taxRateBps, priceIncludesTax };
  const amounts = amountsOf(price, quantity, chargeableStep(currency));
  return { productServiceId, sku, name, kind, quantity, ...price, ...amounts };
}

type Price = Pick<CatalogueEntry, 'unitPrice' | 'taxRateBps' | 'priceIncludesTax'>;

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
