/** The payments of one order at the payment service, in the plainest way. It shares no code with the sandbox. */

/** What becomes of a payment with a card. `slow`: it is authorised, and its refunds take time at the bank. */
export type Card = 'good' | 'slow' | 'asking' | 'declined';

/** A refund at the payment service. */
export interface TillRefund {
  amount: number;
  status: 'pending' | 'succeeded' | 'failed';
}

export interface TillDispute {
  amount: number;
  status: 'opened' | 'won' | 'lost';
}

export interface TillPayment {
  readonly card: Card;
  readonly amount: number;
  status: 'action_required' | 'authorized' | 'captured' | 'voided' | 'declined';
  /** What is reserved. */
  open: number;
  captured: number;
  readonly refunds: TillRefund[];
  readonly disputes: TillDispute[];
}

/** What happens to a payment without the order: people work in the dashboard, banks decide, time passes. */
export type Happening =
  | { operation: 'capture'; amount: number; isFinal: boolean }
  | { operation: 'refund' | 'dispute'; amount: number }
  | { operation: 'settle_refund' | 'fail_refund' | 'expire' | 'win_dispute' | 'lose_dispute' };

export class Till {
  private readonly payments: TillPayment[] = [];

  authorize(amount: number, card: Card): TillPayment {
    const nothing = { open: 0, captured: 0, refunds: [], disputes: [] };
    const payment: TillPayment = { card, amount, status: 'declined', ...nothing };
    this.payments.push(payment);
    if (card === 'asking') payment.status = 'action_required';
    else if (card !== 'declined') reserve(payment);
    return payment;
  }

  /** The sums of all payments. */
  get sums(): { open: number; captured: number; refunded: number; disputed: number } {
    return {
      open: sum(this.payments.map(({ open }) => open)),
      captured: sum(this.payments.map(({ captured }) => captured)),
      refunded: sum(this.payments.map(refundedOf)),
      disputed: sum(this.payments.map(disputedOf)),
    };
  }
}

/** Does what the customer answers the bank. Returns whether the payment waited for it. */
export function answer(payment: TillPayment, how: 'authorise' | 'fail'): boolean {
  if (payment.status !== 'action_required') return false;
  if (how === 'authorise') reserve(payment);
  else payment.status = 'declined';
  return true;
}

function reserve(payment: TillPayment): void {
  Object.assign(payment, { status: 'authorized', open: payment.amount });
}

/** Returns whether it is possible. */
export function capture(payment: TillPayment, amount: number, isFinal: boolean): boolean {
  if (payment.status !== 'authorized' || amount > payment.open) return false;
  payment.captured += amount;
  payment.open = isFinal ? 0 : payment.open - amount;
  if (payment.open === 0) payment.status = 'captured';
  return true;
}

/** Releases what is not captured, or all if nothing is. */
export function release(payment: TillPayment): void {
  if (payment.status !== 'authorized' && payment.status !== 'action_required') return;
  payment.open = 0;
  payment.status = payment.captured > 0 ? 'captured' : 'voided';
}

/** Releases what is reserved, and pays back what was captured. */
export function undo(payment: TillPayment): void {
  release(payment);
  if (leftOf(payment) > 0) refund(payment, leftOf(payment));
}

/** Returns the refund, or null if it is not possible. */
export function refund(payment: TillPayment, amount: number): TillRefund | null {
  if (isContested(payment) || amount > leftOf(payment) || amount <= 0) return null;
  const made: TillRefund = { amount, status: payment.card === 'slow' ? 'pending' : 'succeeded' };
  payment.refunds.push(made);
  return made;
}

/** Returns whether the bank has not decided on a dispute yet. */
export function isContested({ disputes }: TillPayment): boolean {
  return disputes.some(({ status }) => status === 'opened');
}

/** Returns whether it is possible. */
export function happen(payment: TillPayment, what: Happening): boolean {
  const { refunds, disputes, status } = payment;
  switch (what.operation) {
    case 'capture':
      return capture(payment, what.amount, what.isFinal);
    case 'refund':
      return refund(payment, what.amount) !== null;
    case 'settle_refund':
      return change(refunds, 'succeeded', (one) => one.status === 'pending');
    case 'fail_refund':
      return change(refunds, 'failed', (one) => one.status !== 'failed');
    case 'expire':
      if (status === 'action_required') return answer(payment, 'fail');
      if (status !== 'authorized') return false;
      release(payment);
      return true;
    case 'dispute':
      if (isContested(payment) || what.amount > leftOf(payment)) return false;
      disputes.push({ amount: what.amount, status: 'opened' });
      return true;
    case 'win_dispute':
      return change(disputes, 'won', (one) => one.status === 'opened');
    case 'lose_dispute':
      return change(disputes, 'lost', (one) => one.status === 'opened');
  }
}

/** Changes the status of the last one that can have it. Returns whether there is one. */
function change<S>(some: { status: S }[], to: NoInfer<S>, can: (one: { status: S }) => boolean): boolean {
  const one = some.findLast(can);
  if (one) one.status = to;
  return one !== undefined;
}

/** What can still be refunded or disputed. */
function leftOf(payment: TillPayment): number {
  return payment.captured - refundedOf(payment) - disputedOf(payment);
}

function refundedOf({ refunds }: TillPayment): number {
  return sum(refunds.filter(({ status }) => status !== 'failed').map(({ amount }) => amount));
}

function disputedOf({ disputes }: TillPayment): number {
  return sum(disputes.filter(({ status }) => status !== 'won').map(({ amount }) => amount));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
