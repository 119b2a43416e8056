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
  /** Of a unit, without tax. */
  price: number;
  /** In minor units, with tax. */
  total: number;
  fulfilled: number;
  cancelled: number;
  /** What the cancelled units would have cost. */
  saved: number;
  refunded: number;
  restocked: number;
  writtenOff: number;
}

interface Shipment extends Addition {
  lines: readonly Line[];
  isDelivered: boolean;
  isUndone: boolean;
  trackingNumber: string | null;
}

interface Repayment extends Addition {
  amount: number;
  /** Whether it is for units that were cancelled. */
  isOwed: boolean;
  /** Whether it is for units that came back. */
  isOfLines: boolean;
}

export class OrderModel {
  readonly price = new Map<Good, number>(GOODS.map((good) => [good, CATALOGUE[good].price]));
  status: 'confirmed' | 'completed' | 'rejected' | 'cancelled' = 'rejected';
  isDeclined = false;
  private card = true;
  lines: BoughtLine[] = [];
  note: string | null = null;
  readonly fulfillments: Shipment[] = [];
  readonly refunds: Repayment[] = [];
  /** The commands with a key that the open order turned down. */
  private readonly turnedDown: (Addition & { result: Result })[] = [];
  captured = 0;
  /** Whether nothing of the payment is reserved any more, since nothing was open or the last of it was captured. */
  private isPaymentOver = false;
  isArchived = false;

  /** @param card whether the card is accepted */
  place(lines: readonly Line[], card: boolean): Result {
    if (hasUnknown(lines)) return 'unknown_product';
    if (this.shortOf(lines)) return 'out_of_stock';
    this.card = card;
    this.lines = this.priced(lines, []);
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
      const amended = this.priced(lines, this.lines);
      if (!this.card && totalOf(amended) > 0) return 'payment_declined';
      if (this.shortOf(lines)) return 'out_of_stock';
      this.lines = amended;
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
    const before = this.lines;
    this.lines = before.map((line) => ({ ...line }));
    take(this.lines, wanted, leftOf, (line, units) => (line.fulfilled += units));
    const share = this.shareToCapture();
    const isPaidBack = this.capturedForGoods > 0 && this.captured === this.refunded;
    const isGivenUp = this.refunds.some(
      ({ isOwed, isOfLines, amount }) => !isOwed && !isOfLines && amount > 0,
    );
    if (isPaidBack && (isGivenUp || share === 0)) {
      this.lines = before;
      return 'invalid_transition';
    }
    this.captured += share;
    if (share > 0 && !this.isAnyOpen) this.isPaymentOver = true;
    const shipment = { lines, isDelivered: false, isUndone: false, trackingNumber: null };
    this.fulfillments.push({ key: key && `ful ${key}`, content, ...shipment });
    this.progress();
    return 'done';
  }

  /** Everything that the order would cost if the rest were cancelled, as far as it is not captured yet. */
  private shareToCapture(): number {
    if (this.isPaymentOver) return 0;
    const short = this.lines.map((line) => line.total - line.saved - worth(line, leftOf(line)));
    return Math.max(0, sum(short) - this.capturedForGoods);
  }

  private get capturedForGoods(): number {
    return this.captured - sum(this.refunds.filter(({ isOwed }) => isOwed).map(({ amount }) => amount));
  }

  /** Pays back what is captured of cancelled units, and ends what has nothing open any more. */
  private progress(): void {
    const excess = Math.min(this.captured - this.refunded, this.capturedForGoods - this.due);
    if (excess > 0)
      this.refunds.push({ key: undefined, content: '', amount: excess, isOwed: true, isOfLines: false });
    if (this.isAnyOpen) return;
    this.isPaymentOver = true;
    if (!this.isAnyFulfilled) this.status = 'cancelled';
    else if (this.counting.every(({ isDelivered }) => isDelivered)) this.status = 'completed';
  }

  private get counting(): Shipment[] {
    return this.fulfillments.filter(({ isUndone }) => !isUndone);
  }

  get isAnyOpen(): boolean {
    return this.lines.some((line) => leftOf(line) > 0);
  }

  private get isAnyFulfilled(): boolean {
    return this.lines.some(({ fulfilled }) => fulfilled > 0);
  }

  undo(n: number, restock: boolean): Result {
    const shipment = this.fulfillments[n];
    if (!shipment) return 'not_found';
    if (shipment.isUndone || shipment.isDelivered) return 'invalid_transition';
    const units = unitsOf(shipment.lines);
    const isRefunded = [...units].some(
      ([good, count]) => count > sum(this.linesOf(good).map((line) => keptOf(line))),
    );
    if (isRefunded) return 'invalid_transition';
    const available = new Map(GOODS.map((good) => [good, this.stockOf(good)?.available ?? Infinity]));
    const taken = new Map<BoughtLine, number>();
    take(this.lines.toReversed(), units, keptOf, (line, count) => taken.set(line, count));
    for (const line of this.lines) {
      const count = taken.get(line) ?? 0;
      line.fulfilled -= count;
      if (restock || CATALOGUE[line.good].stock === null) continue;
      line.writtenOff += count;
      const replaced = Math.min(count, available.get(line.good)!);
      available.set(line.good, available.get(line.good)! - replaced);
      cancelUnits(line, count - replaced);
    }
    shipment.isUndone = true;
    this.progress();
    return 'done';
  }

  correct(n: number, trackingNumber: string): Result {
    const shipment = this.fulfillments[n];
    if (!shipment) return 'not_found';
    if (shipment.isUndone || shipment.isDelivered) return 'invalid_transition';
    shipment.trackingNumber = trackingNumber;
    return 'done';
  }

  /** @param n the number of the fulfillment, from 0 */
  deliver(n: number): Result {
    const fulfillment = this.fulfillments[n];
    if (!fulfillment) return 'not_found';
    if (fulfillment.isDelivered || fulfillment.isUndone) return 'invalid_transition';
    fulfillment.isDelivered = true;
    this.progress();
    return 'done';
  }

  refund(amount: number | null, key: string): Result {
    const addition = { key: `ref ${key}`, content: JSON.stringify(amount) };
    return this.once(this.refunds, addition, () => this.tryToRefund(amount, addition));
  }

  private tryToRefund(amount: number | null, addition: Addition): Result {
    const left = this.captured - this.refunded;
    if (left === 0 || (amount ?? 0) > left) return 'invalid_transition';
    this.refunds.push({ ...addition, amount: amount ?? left, isOwed: false, isOfLines: false });
    return 'done';
  }

  refundLines(lines: readonly Line[], restock: boolean, key: string): Result {
    const addition = { key: `ref ${key}`, content: JSON.stringify([lines, restock]) };
    return this.once(this.refunds, addition, () => this.tryToRefundLines(lines, restock, addition));
  }

  private tryToRefundLines(lines: readonly Line[], restock: boolean, addition: Addition): Result {
    const units = unitsOf(lines);
    const isTooMuch = [...units].some(([good, count]) => count > sum(this.linesOf(good).map(keptOf)));
    if (isTooMuch) return 'invalid_transition';
    const left = this.captured - this.refunded;
    let price = 0;
    take(this.lines, units, keptOf, (line, count) => {
      price += worth(line, count);
      line.refunded += count;
      if (restock && CATALOGUE[line.good].stock !== null) line.restocked += count;
    });
    const isAll = this.lines.every(({ quantity, cancelled, refunded }) => cancelled + refunded === quantity);
    this.refunds.push({
      ...addition,
      amount: isAll ? left : Math.min(price, left),
      isOwed: false,
      isOfLines: true,
    });
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
    const next = this.fulfillments.findIndex(({ isDelivered, isUndone }) => !isDelivered && !isUndone);
    return next < 0 ? this.fulfillments.length : next;
  }

  /** @param lines what is cancelled; null for all that is open */
  cancel(lines: readonly Line[] | null): Result {
    if (this.status !== 'confirmed' || !this.isAnyOpen) return 'invalid_transition';
    const units = unitsOf(lines ?? this.rest());
    if ([...units].some(([good, count]) => count > this.left(good))) return 'invalid_transition';
    take(this.lines.toReversed(), units, leftOf, cancelUnits);
    this.progress();
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

  /** What the order costs without what was cancelled. */
  get due(): number {
    return sum(this.lines.map(({ total, saved }) => total - saved));
  }

  get paymentStatus(): string {
    if (this.status === 'rejected') return this.isDeclined ? 'declined' : 'pending';
    if (this.captured > 0) {
      if (this.refunded === 0) return 'captured';
      return this.refunded === this.captured ? 'refunded' : 'partially_refunded';
    }
    if (this.total === 0 && this.fulfillments.length > 0) return 'captured';
    return this.isPaymentOver ? 'voided' : 'authorized';
  }

  get fulfillmentStatus(): string {
    if (this.status === 'rejected' || this.status === 'cancelled') return 'cancelled';
    if (this.status === 'completed') return 'delivered';
    if (!this.isAnyFulfilled) return 'unfulfilled';
    return this.isAnyOpen ? 'partially_fulfilled' : 'fulfilled';
  }

  /** The amount that is reserved on the customer's card and not captured. */
  get open(): number {
    return this.status === 'rejected' || this.isPaymentOver ? 0 : this.total - this.captured;
  }

  /** Returns null for a service. */
  stockOf(good: Good): { available: number; reserved: number } | null {
    const { stock } = CATALOGUE[good];
    if (stock === null) return null;
    const reserved = this.status === 'confirmed' ? this.left(good) : 0;
    const gone = this.linesOf(good).map(
      ({ fulfilled, restocked, writtenOff }) => fulfilled - restocked + writtenOff,
    );
    return { available: stock - reserved - sum(gone), reserved };
  }

  private left(good: string): number {
    return sum(this.linesOf(good).map(leftOf));
  }

  private linesOf(good: string): BoughtLine[] {
    return this.lines.filter((line) => line.good === good);
  }

  /** Counts what the order holds now as available for its new lines. */
  private shortOf(lines: readonly Line[]): boolean {
    return [...unitsOf(lines)].some(([good, units]) => {
      const stock = this.stockOf(good as Good);
      return stock !== null && units > stock.available + stock.reserved;
    });
  }

  /** Gives each unit the price that it has, as long as there are units that have one, and the others today's. */
  private priced(lines: readonly Line[], bought: readonly BoughtLine[]): BoughtLine[] {
    const prices = (good: Good) =>
      bought
        .filter((line) => line.good === good)
        .flatMap((line) => Array<number>(line.quantity - line.cancelled).fill(line.price));
    const left = new Map(GOODS.map((good) => [good, prices(good)]));
    return (lines as readonly (readonly [Good, number])[]).flatMap(([good, quantity]) => {
      const units = Array.from({ length: quantity }, () => left.get(good)!.shift() ?? this.price.get(good)!);
      return runsOf(units).map(([price, same]) => {
        const subtotal = price * same;
        const total = subtotal + (subtotal * CATALOGUE[good].tax) / 100;
        return { good, quantity: same, price, total, ...UNTOUCHED };
      });
    });
  }
}

const UNTOUCHED = { fulfilled: 0, cancelled: 0, saved: 0, refunded: 0, restocked: 0, writtenOff: 0 };

/** Returns each price with the number of units in a row that have it. */
function runsOf(prices: readonly number[]): [price: number, units: number][] {
  const runs: [number, number][] = [];
  for (const price of prices) {
    if (runs.at(-1)?.[0] === price) runs.at(-1)![1]++;
    else runs.push([price, 1]);
  }
  return runs;
}

function leftOf({ quantity, fulfilled, cancelled }: BoughtLine): number {
  return quantity - fulfilled - cancelled;
}

function keptOf({ fulfilled, refunded }: BoughtLine): number {
  return fulfilled - refunded;
}

/** The first units of a line cost their exact share, rounded half to even. */
function costOfFirst({ total, quantity }: BoughtLine, units: number): number {
  const [whole, rest] = [Math.floor((total * units) / quantity), (total * units) % quantity];
  if (rest * 2 === quantity) return whole + (whole % 2);
  return rest * 2 > quantity ? whole + 1 : whole;
}

/** What the next units that are cancelled or refunded cost. */
function worth(line: BoughtLine, units: number): number {
  const before = line.cancelled + line.refunded;
  return costOfFirst(line, before + units) - costOfFirst(line, before);
}

function cancelUnits(line: BoughtLine, units: number): void {
  line.saved += worth(line, units);
  line.cancelled += units;
}

/** Takes units of each good from the lines in their order, as many as each has room for. */
function take(
  lines: readonly BoughtLine[],
  units: ReadonlyMap<string, number>,
  roomOf: (line: BoughtLine) => number,
  act: (line: BoughtLine, units: number) => void,
): void {
  const wanted = new Map(units);
  for (const line of lines) {
    const count = Math.min(wanted.get(line.good) ?? 0, roomOf(line));
    wanted.set(line.good, (wanted.get(line.good) ?? 0) - count);
    if (count > 0) act(line, count);
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
