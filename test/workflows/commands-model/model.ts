import {
  answer,
  capture,
  happen,
  isContested,
  refund,
  release,
  Till,
  undo,
  type Card,
  type Happening,
  type TillPayment,
  type TillRefund,
} from './till';

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
  | 'refused' // by the payment service, to others than the order
  | 'unchanged' // the order has looked again, and nothing was new
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
  status: TillRefund['status'];
  /** `system`: it is for units that were cancelled. `provider`: it was made at the payment service. */
  by: 'staff' | 'system' | 'provider';
  /** Whether it is for units that came back. */
  isOfLines: boolean;
  /** As the payment service knows it; null if nothing had to be paid. */
  atTill: TillRefund | null;
}

/** An attempt to pay. */
interface Attempt {
  /** Null if there was nothing to pay. */
  payment: TillPayment | null;
  outcome: 'action_required' | 'authorized' | 'declined' | 'failed' | 'lapsed';
}

export class OrderModel {
  readonly price = new Map<Good, number>(GOODS.map((good) => [good, CATALOGUE[good].price]));
  status: 'pending' | 'confirmed' | 'completed' | 'rejected' | 'cancelled' = 'rejected';
  isDeclined = false;
  private card: Card = 'good';
  readonly till = new Till();
  /** The payment that the order has; null if it costs nothing. */
  private payment: TillPayment | null = null;
  /** Why nothing is reserved for the order, if it was not paid. */
  private unpaid: 'action_required' | 'declined' | 'voided' | null = null;
  attempts: Attempt[] = [];
  private readonly payments: Addition[] = [];
  /** As the order knows them. */
  disputes: TillPayment['disputes'] = [];
  /** Whether something has happened to the payment since the order has looked at it. */
  isUntold = false;
  /** Whether something was sent that the customer did not have to pay for. */
  private isGivenAway = false;
  lines: BoughtLine[] = [];
  note: string | null = null;
  readonly fulfillments: Shipment[] = [];
  readonly refunds: Repayment[] = [];
  /** The commands with a key that the open order turned down, or the payment service. */
  private readonly turnedDown: (Addition & { result: Result })[] = [];
  /** Whether the payment service has refused the last refund. */
  private isRefused = false;
  captured = 0;
  /** Whether nothing of the payment is reserved any more, since nothing was open or the last of it was captured. */
  private isPaymentOver = false;
  isArchived = false;

  /** @param isPatient whether another card can be tried when the first one was turned down */
  constructor(private readonly isPatient = false) {}

  place(lines: readonly Line[], card: Card): Result {
    if (hasUnknown(lines)) return 'unknown_product';
    if (this.shortOf(lines)) return 'out_of_stock';
    this.card = card;
    this.lines = this.priced(lines, []);
    if (this.total > 0) this.payment = this.till.authorize(this.total, card);
    if (this.payment?.status === 'declined') {
      this.isDeclined = true;
      if (this.isPatient) this.turnDown('declined');
      return 'payment_declined';
    }
    if (this.payment?.status === 'action_required') this.askCustomer('pending');
    else this.status = 'confirmed';
    return 'done';
  }

  private turnDown(outcome: Attempt['outcome']): void {
    if (this.status === 'rejected') this.status = 'pending';
    this.unpaid = 'declined';
    this.isPaymentOver = true;
    this.tried(this.payment, outcome);
  }

  private askCustomer(status: 'pending' | 'confirmed'): void {
    this.status = status;
    this.unpaid = 'action_required';
    this.isPaymentOver = false;
    this.tried(this.payment, 'action_required');
  }

  private tried(payment: TillPayment | null, outcome: Attempt['outcome']): void {
    const others = this.attempts.filter((one) => payment === null || one.payment !== payment);
    this.attempts = [...others, { payment, outcome }];
  }

  /** @param by a customer is there to do what the bank asks for */
  pay(card: Card, by: 'staff' | 'customer', key: string): Result {
    const addition = { key: `${by} ${key}`, content: card };
    return this.once(this.payments, addition, () => this.tryToPay(card, by, addition));
  }

  private tryToPay(card: Card, by: 'staff' | 'customer', addition: Addition): Result {
    const isLapsed = this.status === 'confirmed' && this.isAnyOpen;
    const isPayable = this.paymentStatus === 'declined' || this.paymentStatus === 'voided';
    if (!isPayable || !(this.status === 'pending' || isLapsed)) return 'invalid_transition';
    const isAbsent = card === 'asking' && by === 'staff';
    const payment = this.due > 0 ? this.till.authorize(this.due, isAbsent ? 'declined' : card) : null;
    if (payment?.status === 'declined') {
      this.tried(payment, 'declined');
      return 'payment_declined';
    }
    this.payments.push(addition);
    this.payment = payment;
    this.card = card;
    if (payment?.status === 'action_required') this.askCustomer(this.status as 'pending' | 'confirmed');
    else this.confirm();
    return 'done';
  }

  private confirm(): void {
    if (this.attempts.length > 0) this.tried(this.payment, 'authorized');
    this.status = 'confirmed';
    this.unpaid = null;
    this.isPaymentOver = false;
  }

  /** Does what the customer answers the bank, if it waits for that. */
  answer(how: 'authorise' | 'fail'): void {
    if (this.payment) answer(this.payment, how);
  }

  /** Has the payment looked at if the order waits for its customer. */
  confirmPayment(): Result {
    return this.paymentStatus === 'action_required' ? this.lookAgain() : 'unchanged';
  }

  /** @param isTold whether the order looks at once */
  happen(what: Happening, isTold: boolean): Result {
    if (!this.payment || !happen(this.payment, what)) return 'refused';
    this.isUntold = !isTold;
    return isTold ? this.lookAgain() : 'unchanged';
  }

  /**
   * Returns whether the happening may come now: something may come of it, and the order knows of all before it, since of
   * several at once the outcome is not modelled.
   */
  mayHappen({ operation }: Happening): boolean {
    const { payment } = this;
    if (this.isUntold || !payment) return false;
    switch (operation) {
      case 'capture':
      case 'expire':
        return payment.open > 0 && !this.isContested;
      case 'dispute':
        return payment.captured > 0 && !this.isAnythingReturned;
      case 'refund':
        return payment.captured > 0;
      case 'settle_refund':
      case 'fail_refund':
        return payment.refunds.length > 0;
      case 'win_dispute':
      case 'lose_dispute':
        return payment.disputes.length > 0;
    }
  }

  /** Whether the order waits for its customer, to confirm the payment or to try another card. */
  get isWaiting(): boolean {
    return this.isOpen && this.isUnpaid;
  }

  /** Whether the bank has not decided on a dispute yet, so that nothing can be refunded. */
  private get isContested(): boolean {
    return this.payment !== null && isContested(this.payment);
  }

  /** Whether what the order may owe after a command can be paid back: it is not modelled what operators do otherwise. */
  get isAbleToOwe(): boolean {
    return !this.isContested && (!this.isUntold || this.captured === 0);
  }

  /** Whether the same is true of a fulfillment, which only owes anew what the bank has returned. */
  get isAbleToFulfill(): boolean {
    return this.isAbleToOwe || !this.isAnythingReturned;
  }

  /** Whether the bank has returned what was paid back for cancelled units, so that it is owed again. */
  private get isAnythingReturned(): boolean {
    return this.refunds.some(({ by, status }) => by === 'system' && status === 'failed');
  }

  /** Brings the order in line with its payment. */
  lookAgain(): Result {
    const before = this.knowledge;
    this.isUntold = false;
    const { payment } = this;
    if (this.status === 'rejected' || !payment) return 'unchanged';
    if (this.unpaid === 'action_required' && payment.status === 'authorized') this.confirm();
    if (this.unpaid === 'action_required' && payment.status === 'declined') this.turnDown('failed');
    const isNewlyWon = payment.disputes.some(({ status }, n) => {
      const known = this.disputes[n]?.status;
      return status === 'won' && known !== undefined && known !== 'won';
    });
    this.disputes = payment.disputes.map((one) => ({ ...one }));
    this.learnOfCaptures(payment);
    if (this.captured > 0) this.learnOfRefunds(payment);
    if (isNewlyWon) this.payExcessBack();
    return this.knowledge === before ? 'unchanged' : 'done';
  }

  private learnOfCaptures(payment: TillPayment): void {
    const isGivenUp = this.isUnpaid || (this.status === 'cancelled' && this.captured === 0);
    if (isGivenUp) return;
    const isGone = payment.status !== 'authorized' && !this.isPaymentOver;
    if (payment.captured === 0) {
      if (!isGone || this.status !== 'confirmed') return;
      this.unpaid = 'voided';
      this.isPaymentOver = true;
      this.tried(payment, 'lapsed');
      return;
    }
    if (payment.captured <= this.captured && !isGone) return;
    this.captured = Math.max(this.captured, payment.captured);
    this.isPaymentOver ||= isGone;
    this.progress();
  }

  private learnOfRefunds(payment: TillPayment): void {
    for (const one of this.refunds) {
      const status = one.atTill?.status ?? 'succeeded';
      one.status = one.by !== 'provider' && status === 'pending' ? 'succeeded' : status;
    }
    const known = new Set(this.refunds.map(({ atTill }) => atTill));
    for (const one of payment.refunds) {
      if (known.has(one)) continue;
      const { amount, status } = one;
      this.refunds.push({ ...UNKEYED, amount, status, by: 'provider', isOfLines: false, atTill: one });
    }
  }

  /** What the order knows of its payment. */
  private get knowledge(): string {
    const { status, unpaid, isPaymentOver, captured, disputes } = this;
    const refunds = this.refunds.map((one) => [one.amount, one.status]);
    return JSON.stringify([status, unpaid, isPaymentOver, captured, disputes, refunds]);
  }

  amend(lines: readonly Line[] | null, note: string | null | undefined, hasSeenIt: boolean): Result {
    if (!hasSeenIt) return 'precondition_failed';
    if (this.status !== 'confirmed' || this.isUnpaid || this.captured > 0 || this.fulfillments.length > 0)
      return 'invalid_transition';
    if (lines) {
      if (hasUnknown(lines)) return 'unknown_product';
      const amended = this.priced(lines, this.lines);
      const total = totalOf(amended);
      const isOther = total !== (this.payment?.amount ?? 0);
      // The customer is not there to do what the bank asks for.
      const isDeclined = this.card === 'declined' || this.card === 'asking';
      if (isOther && total > 0 && isDeclined) return 'payment_declined';
      if (this.shortOf(lines)) return 'out_of_stock';
      if (isOther) this.replacePayment(total);
      this.lines = amended;
    }
    if (note !== undefined) this.note = note;
    return 'done';
  }

  private replacePayment(total: number): void {
    const replaced = this.payment;
    this.payment = total > 0 ? this.till.authorize(total, this.card) : null;
    if (replaced) undo(replaced);
    this.isUntold = false;
  }

  fulfill(lines: readonly Line[], key: string | undefined): Result {
    const content = JSON.stringify(lines);
    return this.once(this.fulfillments, { key: key && `ful ${key}`, content }, () =>
      this.tryToFulfill(lines, key),
    );
  }

  private tryToFulfill(lines: readonly Line[], key: string | undefined): Result {
    const content = JSON.stringify(lines);
    if (this.status !== 'confirmed' || this.isUnpaid) return 'invalid_transition';
    const wanted = unitsOf(lines);
    const isTooMuch = [...wanted].some(([good, units]) => units > this.left(good));
    if (isTooMuch) return 'invalid_transition';
    const before = this.lines;
    this.lines = before.map((line) => ({ ...line }));
    take(this.lines, wanted, leftOf, (line, units) => (line.fulfilled += units));
    const share = this.shareToCapture();
    if (!this.isCovered(share) || !this.tryToCapture(share)) {
      this.lines = before;
      return 'invalid_transition';
    }
    if (!this.payment) this.isGivenAway = true;
    const shipment = { lines, isDelivered: false, isUndone: false, trackingNumber: null };
    this.fulfillments.push({ key: key && `ful ${key}`, content, ...shipment });
    this.progress();
    return 'done';
  }

  /** Whether the customer pays for what is about to be sent. */
  private isCovered(share: number): boolean {
    const isPaidBack = this.capturedForGoods > 0 && this.leftToRefund === 0;
    const isGivenUp = this.refunds.some(
      ({ by, isOfLines, amount }) => by !== 'system' && !isOfLines && amount > 0,
    );
    if (isPaidBack && (isGivenUp || share === 0)) return false;
    return share > 0 || this.shortfall === 0;
  }

  private tryToCapture(share: number): boolean {
    if (share === 0) return true;
    if (!capture(this.payment!, share, !this.isAnyOpen)) return false;
    this.captured += share;
    if (!this.isAnyOpen) this.isPaymentOver = true;
    return true;
  }

  private shareToCapture(): number {
    return this.isPaymentOver || !this.payment ? 0 : this.shortfall;
  }

  /** Everything that the order would cost if the rest were cancelled, as far as it is not captured yet. */
  private get shortfall(): number {
    const short = this.lines.map((line) => line.total - line.saved - worth(line, leftOf(line)));
    return Math.max(0, sum(short) - this.capturedForGoods);
  }

  /** What was captured without what was paid back for cancelled units; others may have made up for what has failed. */
  private get capturedForGoods(): number {
    const owed = this.refunds.filter(({ by }) => by === 'system');
    const failed = amountOf(owed, 'failed');
    const byOthers = amountOf(
      this.refunds.filter(({ by }) => by !== 'system'),
      'succeeded',
    );
    return this.captured - amountOf(owed, 'succeeded') - Math.min(failed, byOthers);
  }

  /** What the order knows to be left of what was captured. */
  private get leftToRefund(): number {
    const disputed = sum(this.disputes.map(({ amount, status }) => (status === 'won' ? 0 : amount)));
    return Math.max(0, this.captured - this.refunded - amountOf(this.refunds, 'pending') - disputed);
  }

  /** Pays back what is captured of cancelled units, and ends what has nothing open any more. */
  private progress(): void {
    this.payExcessBack();
    if (this.isAnyOpen) return;
    if (this.payment && !this.isPaymentOver) {
      // Others may have captured what the order knows nothing of.
      if (this.captured > 0) release(this.payment);
      else undo(this.payment);
      if (this.unpaid) this.unpaid = 'voided';
    }
    this.isPaymentOver = true;
    this.end();
  }

  private payExcessBack(): void {
    const excess = Math.min(this.leftToRefund, this.capturedForGoods - this.due);
    if (excess <= 0) return;
    const atTill = refund(this.payment!, excess);
    if (!atTill) throw new Error('The model does not know what becomes of a refund that is refused.');
    this.refunds.push({
      ...UNKEYED,
      amount: excess,
      status: 'succeeded',
      by: 'system',
      isOfLines: false,
      atTill,
    });
  }

  private end(): void {
    if (this.isAnyOpen) return;
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
    this.end();
    return 'done';
  }

  refund(amount: number | null, key: string): Result {
    const addition = { key: `ref ${key}`, content: JSON.stringify(amount) };
    return this.once(this.refunds, addition, () => this.tryToRefund(amount, addition));
  }

  private tryToRefund(amount: number | null, addition: Addition): Result {
    const left = this.leftToRefund;
    if (left === 0 || (amount ?? 0) > left) return 'invalid_transition';
    return this.payBack(amount ?? left, { ...addition, isOfLines: false }) ? 'done' : 'invalid_transition';
  }

  /** Returns whether the payment service has paid it back. */
  private payBack(amount: number, addition: Addition & { isOfLines: boolean }): boolean {
    const atTill = amount > 0 ? refund(this.payment!, amount) : null;
    if (amount > 0 && !atTill) {
      this.isRefused = true;
      return false;
    }
    this.refunds.push({ ...addition, amount, status: 'succeeded', by: 'staff', atTill });
    return true;
  }

  refundLines(lines: readonly Line[], restock: boolean, key: string): Result {
    const addition = { key: `ref ${key}`, content: JSON.stringify([lines, restock]) };
    return this.once(this.refunds, addition, () => this.tryToRefundLines(lines, restock, addition));
  }

  private tryToRefundLines(lines: readonly Line[], restock: boolean, addition: Addition): Result {
    const units = unitsOf(lines);
    const isTooMuch = [...units].some(([good, count]) => count > sum(this.linesOf(good).map(keptOf)));
    if (isTooMuch) return 'invalid_transition';
    const left = this.leftToRefund;
    const before = this.lines;
    this.lines = before.map((line) => ({ ...line }));
    let price = 0;
    take(this.lines, units, keptOf, (line, count) => {
      price += worth(line, count);
      line.refunded += count;
      if (restock && CATALOGUE[line.good].stock !== null) line.restocked += count;
    });
    const isAll = this.lines.every(({ quantity, cancelled, refunded }) => cancelled + refunded === quantity);
    const amount = isAll ? left : Math.min(price, left);
    if (this.payBack(amount, { ...addition, isOfLines: true })) return 'done';
    this.lines = before;
    return 'invalid_transition';
  }

  /** Runs a command once for each key. A repeat gets the first result, also if it was turned down. */
  private once(made: readonly Addition[], addition: Addition, run: () => Result): Result {
    const { key, content } = addition;
    const earlier = resultOfEarlier(made, key, content);
    if (earlier) return earlier;
    const refused = this.turnedDown.find((one) => key !== undefined && one.key === key);
    if (refused) return refused.content === content ? refused.result : 'idempotency_key_reused';
    const isOpen = this.isOpen;
    this.isRefused = false;
    const result = run();
    if (result !== 'done' && (isOpen || this.isRefused)) this.turnedDown.push({ ...addition, result });
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
    if (!this.isOpen || !this.isAnyOpen) return 'invalid_transition';
    if (this.status === 'pending' && lines) return 'invalid_transition';
    const units = unitsOf(lines ?? this.rest());
    if ([...units].some(([good, count]) => count > this.left(good))) return 'invalid_transition';
    take(this.lines.toReversed(), units, leftOf, cancelUnits);
    this.progress();
    return 'done';
  }

  archive(): Result {
    if (this.isOpen) return 'invalid_transition';
    if (this.isArchived) return 'again';
    this.isArchived = true;
    return 'done';
  }

  get total(): number {
    return totalOf(this.lines);
  }

  private get isOpen(): boolean {
    return this.status === 'pending' || this.status === 'confirmed';
  }

  /** What the order says to be paid back. */
  get refunded(): number {
    return amountOf(this.refunds, 'succeeded');
  }

  /** What the order costs without what was cancelled. */
  get due(): number {
    return sum(this.lines.map(({ total, saved }) => total - saved));
  }

  private get isUnpaid(): boolean {
    return ['action_required', 'declined', 'voided'].includes(this.paymentStatus);
  }

  get paymentStatus(): string {
    if (this.status === 'rejected') return this.isDeclined ? 'declined' : 'pending';
    if (this.unpaid) return this.unpaid;
    if (this.captured > 0) {
      if (this.refunded === 0) return 'captured';
      return this.refunded === this.captured ? 'refunded' : 'partially_refunded';
    }
    if (!this.payment && this.isGivenAway) return 'captured';
    return this.isPaymentOver ? 'voided' : 'authorized';
  }

  get fulfillmentStatus(): string {
    if (this.status === 'rejected' || this.status === 'cancelled') return 'cancelled';
    if (this.status === 'completed') return 'delivered';
    if (!this.isAnyFulfilled) return 'unfulfilled';
    return this.isAnyOpen ? 'partially_fulfilled' : 'fulfilled';
  }

  /** Returns null for a service. */
  stockOf(good: Good): { available: number; reserved: number } | null {
    const { stock } = CATALOGUE[good];
    if (stock === null) return null;
    const reserved = this.isOpen ? this.left(good) : 0;
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

/** What no client has asked for has no Idempotency-Key. */
const UNKEYED = { key: undefined, content: '' };

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

function amountOf(repayments: readonly Repayment[], status: Repayment['status']): number {
  return sum(repayments.filter((one) => one.status === status).map(({ amount }) => amount));
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
