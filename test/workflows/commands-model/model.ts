/**
 * One order as the contract of the API describes it, in the plainest way. It shares no code with the domain,
 * so that it does not share its mistakes.
 */

export const GOODS = ['shirt', 'mug', 'fitting', 'advice'] as const;
export type Good = (typeof GOODS)[number];

/**
 * The first price in minor units, the tax in percent, and the first stock of each good; a service has no
 * stock.
 */
export const CATALOGUE: Readonly<Record<Good, { price: number; tax: number; stock: number | null }>> = {
  shirt: { price: 1_000, tax: 10, stock: 6 },
  mug: { price: 500, tax: 0, stock: 3 },
  fitting: { price: 200, tax: 0, stock: null },
  advice: { price: 0, tax: 0, stock: null },
};

/** `nothing` stands for a product that is not in the catalogue. */
export type Line = readonly [good: Good | 'nothing', quantity: number];

export type Result =
  | 'done'
  | 'again' // a replay
  | 'idempotency_key_reused'
  | 'invalid_transition'
  | 'not_found'
  | 'out_of_stock'
  | 'payment_declined'
  | 'precondition_failed'
  | 'unknown_product';

interface Addition {
  key: string | undefined;
  /** The content of the command, as JSON. */
  content: string;
}

interface BoughtLine {
  good: Good;
  quantity: number;
  /** In minor units, with tax. */
  total: number;
}

export class OrderModel {
  readonly price = new Map<Good, number>(GOODS.map((good) => [good, CATALOGUE[good].price]));
  status: 'confirmed' | 'completed' | 'rejected' | 'cancelled' = 'rejected';
  isDeclined = false;
  private card = true;
  lines: BoughtLine[] = [];
  note: string | null = null;
  /** The fulfilled units by good. */
  readonly fulfilled = new Map<string, number>();
  readonly fulfillments: (Addition & { isDelivered: boolean })[] = [];
  readonly refunds: (Addition & { amount: number })[] = [];
  /** The commands with a key that the open order turned down. */
  private readonly turnedDown: (Addition & { result: Result })[] = [];
  captured = 0;
  isArchived = false;

  /** @param card whether the card is accepted */
  place(lines: readonly Line[], card: boolean): Result {
    if (hasUnknown(lines)) return 'unknown_product';
    if (this.shortOf(lines)) return 'out_of_stock';
    this.card = card;
    this.lines = this.priced(lines);
    if (!card && this.total > 0) {
      this.isDeclined = true;
      return 'payment_declined';
    }
    this.status = 'confirmed';
    return 'done';
  }

  amend(lines: readonly Line[] | null, note: string | null | undefined, hasSeenIt: boolean): Result {
    if (!hasSeenIt) return 'precondition_failed';
    if (this.status !== 'confirmed' || this.fulfillments.length > 0) return 'invalid_transition';
    if (lines) {
      if (hasUnknown(lines)) return 'unknown_product';
      const total = totalOf(this.priced(lines));
      if (!this.card && total > 0) return 'payment_declined';
      if (this.shortOf(lines)) return 'out_of_stock';
      this.lines = this.priced(lines);
    }
    if (note !== undefined) this.note = note;
    return 'done';
  }

  fulfill(lines: readonly Line[], key: string | undefined): Result {
    const content = JSON.stringify(lines);
    return this.once(this.fulfillments, { key: key && `ful ${key}`, content }, () =>
      this.tryToFulfill(lines, key),
    );
  }

  private tryToFulfill(lines: readonly Line[], key: string | undefined): Result {
    const content = JSON.stringify(lines);
    if (this.status !== 'confirmed') return 'invalid_transition';
    const wanted = unitsOf(lines);
    const isTooMuch = [...wanted].some(([good, units]) => units > this.left(good));
    if (isTooMuch) return 'invalid_transition';
    if (this.fulfillments.length === 0) this.captured = this.total;
    for (const [good, units] of wanted) this.fulfilled.set(good, (this.fulfilled.get(good) ?? 0) + units);
    this.fulfillments.push({ key: key && `ful ${key}`, content, isDelivered: false });
    return 'done';
  }

  /** @param n the number of the fulfillment, from 0 */
  deliver(n: number): Result {
    const fulfillment = this.fulfillments[n];
    if (!fulfillment) return 'not_found';
    if (fulfillment.isDelivered) return 'invalid_transition';
    fulfillment.isDelivered = true;
    if (this.isAllFulfilled && this.fulfillments.every(({ isDelivered }) => isDelivered))
      this.status = 'completed';
    return 'done';
  }

  refund(amount: number | null, key: string): Result {
    const addition = { key: `ref ${key}`, content: JSON.stringify(amount) };
    return this.once(this.refunds, addition, () => this.tryToRefund(amount, addition));
  }

  private tryToRefund(amount: number | null, addition: Addition): Result {
    const left = this.captured - this.refunded;
    if (left === 0 || (amount ?? 0) > left) return 'invalid_transition';
    this.refunds.push({ ...addition, amount: amount ?? left });
    return 'done';
  }

  /** Runs a command once for each key. A repeat gets the first result, also if it was turned down. */
  private once(made: readonly Addition[], addition: Addition, run: () => Result): Result {
    const { key, content } = addition;
    const earlier = resultOfEarlier(made, key, content);
    if (earlier) return earlier;
    const refused = this.turnedDown.find((one) => key !== undefined && one.key === key);
    if (refused) return refused.content === content ? refused.result : 'idempotency_key_reused';
    const isOpen = this.status === 'confirmed';
    const result = run();
    if (result !== 'done' && isOpen) this.turnedDown.push({ ...addition, result });
    return result;
  }

  /** Returns lines for all that is not fulfilled, or for one unit too many if everything is. */
  rest(): Line[] {
    const left = [...new Set(this.lines.map(({ good }) => good))].flatMap((good): Line[] =>
      this.left(good) > 0 ? [[good, this.left(good)]] : [],
    );
    return left.length > 0 ? left : [this.someOf(0, 1)];
  }

  someOf(n: number, units: number): Line {
    return [this.lines[n % this.lines.length]?.good ?? 'nothing', units];
  }

  /** Returns the number of the next fulfillment to deliver, from 0. */
  nextToDeliver(): number {
    const next = this.fulfillments.findIndex(({ isDelivered }) => !isDelivered);
    return next < 0 ? this.fulfillments.length : next;
  }

  cancel(): Result {
    if (this.status !== 'confirmed' || this.fulfillments.length > 0) return 'invalid_transition';
    this.status = 'cancelled';
    return 'done';
  }

  archive(): Result {
    if (this.status === 'confirmed') return 'invalid_transition';
    if (this.isArchived) return 'again';
    this.isArchived = true;
    return 'done';
  }

  get total(): number {
    return totalOf(this.lines);
  }

  get refunded(): number {
    return sum(this.refunds.map(({ amount }) => amount));
  }

  get isAllFulfilled(): boolean {
    return this.lines.every(({ good }) => this.left(good) === 0);
  }

  get paymentStatus(): string {
    if (this.fulfillments.length > 0) {
      if (this.refunded === 0) return 'captured';
      return this.refunded === this.captured ? 'refunded' : 'partially_refunded';
    }
    if (this.status === 'confirmed') return 'authorized';
    if (this.status === 'cancelled') return 'voided';
    return this.isDeclined ? 'declined' : 'pending';
  }

  get fulfillmentStatus(): string {
    if (this.status === 'rejected' || this.status === 'cancelled') return 'cancelled';
    if (this.status === 'completed') return 'delivered';
    if (this.fulfillments.length === 0) return 'unfulfilled';
    return this.isAllFulfilled ? 'fulfilled' : 'partially_fulfilled';
  }

  /** The amount that is reserved on the customer's card and not captured. */
  get open(): number {
    return this.paymentStatus === 'authorized' ? this.total : 0;
  }

  /** Returns null for a service. */
  stockOf(good: Good): { available: number; reserved: number } | null {
    const { stock } = CATALOGUE[good];
    if (stock === null) return null;
    const reserved = this.status === 'confirmed' ? this.left(good) : 0;
    return { available: stock - reserved - (this.fulfilled.get(good) ?? 0), reserved };
  }

  private left(good: string): number {
    const ordered = sum(this.lines.filter((line) => line.good === good).map(({ quantity }) => quantity));
    return ordered - (this.fulfilled.get(good) ?? 0);
  }

  /** Counts what the order holds now as available for its new lines. */
  private shortOf(lines: readonly Line[]): boolean {
    return [...unitsOf(lines)].some(([good, units]) => {
      const stock = this.stockOf(good as Good);
      return stock !== null && units > stock.available + stock.reserved;
    });
  }

  private priced(lines: readonly Line[]): BoughtLine[] {
    return (lines as readonly (readonly [Good, number])[]).map(([good, quantity]) => {
      const subtotal = this.price.get(good)! * quantity;
      return { good, quantity, total: subtotal + (subtotal * CATALOGUE[good].tax) / 100 };
    });
  }
}

function resultOfEarlier(made: readonly Addition[], key: string | undefined, content: string): Result | null {
  const earlier = made.find((one) => key !== undefined && one.key === key);
  if (!earlier) return null;
  return earlier.content === content ? 'again' : 'idempotency_key_reused';
}

function totalOf(lines: readonly BoughtLine[]): number {
  return sum(lines.map(({ total }) => total));
}

function hasUnknown(lines: readonly Line[]): boolean {
  return lines.some(([good]) => good === 'nothing');
}

function unitsOf(lines: readonly Line[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const [good, quantity] of lines) units.set(good, (units.get(good) ?? 0) + quantity);
  return units;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
