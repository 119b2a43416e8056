import type { AuditFinding } from './audit-findings';

/** Where the units of a product are, by one snapshot of orders and carts. */
export interface UnitsInUse {
  /** Those that orders keep from others. */
  reserved: number;
  /** Those that carts keep from others. */
  held: number;
  /** Those that are with customers or written off. */
  gone: number;
}

/** The counters of a product, and the units that were ever put in; null if that was never counted. */
export interface CountedStock {
  id: string;
  available: number;
  reserved: number;
  held: number;
  received: number | null;
}

/** Returns the counters that the units in use leave. What is available may be negative: more was sold than was put in. */
export function recounted(
  { available, received }: CountedStock,
  { reserved, held, gone }: UnitsInUse,
): Pick<CountedStock, 'available' | 'reserved' | 'held'> {
  return { available: received === null ? available : received - reserved - held - gone, reserved, held };
}

/** Returns which counters of a product do not agree with orders and carts. */
export function stockFindings(stock: CountedStock, units: UnitsInUse): AuditFinding[] {
  const right = recounted(stock, units);
  const { id: subject } = stock;
  const finding = (kind: AuditFinding['kind'], expected: string, found: string) => ({
    kind,
    subject,
    expected,
    found,
  });
  const differing = (['reserved', 'held'] as const)
    .filter((name) => stock[name] !== right[name])
    .map((name) => finding(`stock_${name}_differs`, `${name} ${right[name]}`, `${name} ${stock[name]}`));
  if (right.available < 0) {
    const { reserved, held, gone } = units;
    const inUse = `reserved ${reserved}, held ${held}, gone ${gone}, available ${stock.available}`;
    return [...differing, finding('stock_oversold', `at most ${stock.received} in use`, inUse)];
  }
  if (stock.available === right.available) return differing;
  const [expected, found] = [right, stock].map(({ available }) => `available ${available}`);
  return [...differing, finding('stock_available_differs', expected!, found!)];
}
