import { PaymentRefused } from '../../../src/domain/errors';
import { disputedOf, refundedOf, type Captures, type ProviderPayment } from '../../../src/domain/payment';

/** What becomes of a payment with the card. `silent`: it is authorised, and the answer is lost. */
export type Card = 'accepted' | 'declined' | 'asking' | 'silent';

interface Payment extends ProviderPayment {
  /** What is reserved. */
  open: number;
}

/** The payments of an order at a payment service as plain as it can be, with all that happens there without the order. */
export class Ledger {
  readonly payments = new Map<string, Payment>();
  private made = 0;

  /** @param refundsArePending whether refunds take time at the bank */
  constructor(
    readonly captures: Captures,
    private readonly refundsArePending: boolean,
  ) {}

  fork(): Ledger {
    const { payments, ...shared } = this;
    const copies = [...payments].map(([key, one]) => [key, copyOf(one)] as const);
    return Object.assign(Object.create(Ledger.prototype) as Ledger, shared, { payments: new Map(copies) });
  }

  record(key: string): ProviderPayment | null {
    const payment = this.payments.get(key);
    if (!payment) return null;
    const { open: _, ...record } = copyOf(payment);
    return record;
  }

  authorize(key: string, amount: number, card: Card): ProviderPayment['status'] {
    const status = { accepted: 'authorized', silent: 'authorized', declined: 'declined' } as const;
    const payment = { key, amount, currency: 'EUR', reference: 'pi', captures: this.captures };
    const nothing = { open: 0, authorized: 0, captured: 0, refunds: [], disputes: [] };
    this.payments.set(key, {
      ...payment,
      ...nothing,
      status: card === 'asking' ? 'action_required' : status[card],
    });
    if (this.of(key).status === 'authorized') this.reserve(this.of(key));
    return this.of(key).status;
  }

  private reserve(payment: Payment): void {
    Object.assign(payment, { status: 'authorized', open: payment.amount, authorized: payment.amount });
  }

  answer(key: string, how: 'authorise' | 'fail'): void {
    const payment = this.of(key, 'action_required');
    if (how === 'authorise') this.reserve(payment);
    else payment.status = 'declined';
  }

  capture(key: string, amount: number, isFinal: boolean): void {
    const payment = this.of(key, 'authorized');
    if (amount > payment.open) throw new PaymentRefused('Less is reserved.');
    payment.captured += amount;
    payment.open = isFinal || this.captures === 'once' ? 0 : payment.open - amount;
    if (payment.open === 0) payment.status = 'captured';
  }

  release(key: string): void {
    const payment = this.of(key);
    if (payment.captured === 0) throw new PaymentRefused('Nothing is captured.');
    Object.assign(payment, { open: 0, status: 'captured' });
  }

  /** Returns whether anything was reserved. */
  void(key: string): boolean {
    const payment = this.payments.get(key);
    if (!payment) return false;
    if (payment.captured > 0) throw new PaymentRefused('Something is captured.');
    if (payment.status !== 'declined') Object.assign(payment, { open: 0, status: 'voided' });
    return payment.authorized > 0;
  }

  /** Gives up what is reserved, and pays back what was captured. Returns whether anything was reserved. */
  voidOrRefund(key: string): boolean {
    if (!this.payments.get(key)?.captured) return this.void(key);
    if (this.of(key).status === 'authorized') this.release(key);
    if (this.left(key) > 0) this.refund(key, `${key}-undo`, this.left(key));
    return true;
  }

  refund(key: string, refundKey: string, amount: number): void {
    if (amount <= 0 || amount > this.left(key)) throw new PaymentRefused('Less is left to refund.');
    const status = this.refundsArePending ? 'pending' : 'succeeded';
    this.of(key).refunds.push({ key: refundKey, amount, status });
  }

  /** Returns what can be refunded. */
  left(key: string): number {
    const payment = this.of(key);
    return payment.captured - refundedOf(payment) - disputedOf(payment);
  }

  refundElsewhere(key: string, amount: number): void {
    this.refund(key, `re_${++this.made}`, Math.min(amount, this.left(key)));
  }

  /** The bank has decided on a refund. */
  endRefund(key: string, n: number, status: 'succeeded' | 'failed'): void {
    const open = this.of(key).refunds.filter((one) => one.status !== 'failed' && one.status !== status);
    const refund = open[n % Math.max(1, open.length)];
    if (!refund) throw new PaymentRefused('There is no such refund.');
    refund.status = status;
  }

  /** What is reserved is no more, since time has passed. */
  lapse(key: string): void {
    const payment = this.of(key, 'authorized');
    Object.assign(payment, { open: 0, status: payment.captured > 0 ? 'captured' : 'voided' });
  }

  dispute(key: string, amount: number): void {
    const disputed = Math.min(amount, this.left(key));
    if (disputed <= 0) throw new PaymentRefused('Nothing is left to dispute.');
    const id = `dp_${++this.made}`;
    this.of(key).disputes.push({ id, amount: disputed, status: 'opened', reason: 'general' });
  }

  decideDispute(key: string, status: 'won' | 'lost'): void {
    const dispute = this.of(key).disputes.find((one) => one.status === 'opened');
    if (!dispute) throw new PaymentRefused('There is no such dispute.');
    dispute.status = status;
  }

  /** @throws {PaymentRefused} the payment is unknown, or not in that state */
  private of(key: string, status?: ProviderPayment['status']): Payment {
    const payment = this.payments.get(key);
    if (!payment || (status && payment.status !== status))
      throw new PaymentRefused('It is not possible now.');
    return payment;
  }
}

function copyOf(payment: Payment): Payment {
  const refunds = payment.refunds.map((one) => ({ ...one }));
  return { ...payment, refunds, disputes: payment.disputes.map((one) => ({ ...one })) };
}
