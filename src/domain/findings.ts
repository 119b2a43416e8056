import { unsettled } from './compensation';
import type { Compensation, Order, OrderPayment, Refund } from './order';
import { currentPayment, providerKeyOf, sumOf } from './order-payment';
import { customerWaitOf, isUnpaid } from './paying';
import { isLive, keptOf, type ListedPayment, type ProviderPayment, type ProviderRefund } from './payment';
import { isBeingChanged } from './reconciling';

/** In what an order and the payment service's record of a payment can differ. Each has a heading in docs/failure-modes.md. */
export const FINDING_KINDS = [
  'charge_unknown',
  'amount_differs',
  'captured_differs',
  'refunded_differs',
  'orphan_authorization',
  'refund_unknown',
  'refund_missing',
  'refund_failed',
  'capture_without_shipment',
  'dispute_unknown',
  'payment_missing',
  'status_differs',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** What one of the two has. */
export interface FindingSide {
  /** In minor units. */
  amount: number;
  currency: string;
  /** Of the payment, the refund or the dispute. */
  status: string;
}

/** A difference between an order and the payment service. */
export interface Finding {
  kind: FindingKind;
  /** What it is about: the key of a payment or of a refund, or the id of a dispute. */
  subject: string;
  /** What the payment service has; null if it has nothing. */
  there: FindingSide | null;
  /** What the order has; null if it has nothing. */
  here: FindingSide | null;
}

/** The name of a finding, the same whenever it is found. */
export function findingId({ kind, subject }: Pick<Finding, 'kind' | 'subject'>): string {
  return `${kind}:${subject}`;
}

/** What sets a finding right without a guess: to look at the payment again, or to give up what is reserved. */
export type Repair = 'check' | 'give_up';

const REPAIRS: Partial<Record<FindingKind, Repair>> = {
  captured_differs: 'check',
  // The order learns of it; what was captured has to be sent or paid back by a person.
  capture_without_shipment: 'check',
  refund_unknown: 'check',
  refund_failed: 'check',
  dispute_unknown: 'check',
  status_differs: 'check',
  orphan_authorization: 'give_up',
};

/** Returns what sets the finding right, or null if only a person can say what is right. */
export function repairOf({ kind }: Pick<Finding, 'kind'>): Repair | null {
  return REPAIRS[kind] ?? null;
}

const DAY_MS = 86_400_000;

/** Returns whether a finding is set right without having been asked to: an authorisation that nobody needs for a day. */
export function isRepairedAlways({ kind }: Pick<Finding, 'kind'>, since: string, at: string): boolean {
  return kind === 'orphan_authorization' && Date.parse(at) - Date.parse(since) > DAY_MS;
}

/**
 * Returns whether a difference may only be that one of the two has not yet heard of the other: the order is being placed
 * or changed, or one of them has changed within that time.
 */
export function isUnsettled(
  order: Order | null,
  payment: Pick<ListedPayment, 'createdAt'> | null,
  at: string,
  settlingMs: number,
): boolean {
  const isNew = (time: string) => Date.parse(at) - Date.parse(time) < settlingMs;
  if (order) return isBeingChanged(order) || isNew(order.updatedAt);
  return payment !== null && isNew(payment.createdAt);
}

/**
 * Compares an order with the payment service's record of one of its payments, and returns in what they differ. What an
 * order still owes is no difference: its workflow settles it.
 * @param order null if there is no such order
 * @param payment null if the payment service does not know the current payment of the order
 */
export function findingsOf(order: Order | null, payment: ProviderPayment | null): Finding[] {
  if (order && isBeingChanged(order)) return [];
  if (!payment) return order && isExpected(order) ? [missing(order)] : [];
  if (!order || payment.key !== currentPayment(order).key || isGivenUp(order)) return strays(order, payment);
  if (customerWaitOf(order)?.what === 'action') return waiting(order, payment);
  return [
    ...amounts(order, payment),
    ...captures(order, payment),
    ...refunds(order, payment),
    ...disputes(order, payment),
    ...statuses(order, payment),
  ];
}

/** Returns whether all of the current payment is, or was, given up, so that nothing of it should be left. */
function isGivenUp(order: Order): boolean {
  const { status, captured } = order;
  if (isUnpaid(order)) return customerWaitOf(order)?.what !== 'action';
  return captured === 0 && (status === 'rejected' || status === 'cancelled');
}

/** Returns whether the payment service has to know the current payment of the order. */
function isExpected(order: Order): boolean {
  const { payment, paymentStatus } = order;
  if (!payment || payment.amount === 0 || owes(order, payment.key, 'void')) return false;
  return paymentStatus !== 'pending' && paymentStatus !== 'declined' && paymentStatus !== 'voided';
}

function missing(order: Order): Finding {
  const { key, amount } = order.payment!;
  return { kind: 'payment_missing', subject: key, there: null, here: sideOf(order, amount) };
}

/** Nothing should be left of a payment that no order counts on. */
function strays(order: Order | null, payment: ProviderPayment): Finding[] {
  const { key } = payment;
  if (order && owes(order, key, 'void')) return [];
  const kept = keptOf(payment);
  const isSettledByHand = order?.compensations.some(
    ({ state, payment: settled }) => state === 'resolved' && settled.key === key,
  );
  const charge: Finding = {
    kind: 'charge_unknown',
    subject: key,
    there: sideThere(payment, kept),
    here: null,
  };
  return [...(kept > 0 && !isSettledByHand ? [charge] : []), ...orphan(order, payment)];
}

function orphan(order: Order | null, payment: ProviderPayment): Finding[] {
  if (!isLive(payment)) return [];
  const there = sideThere(payment, payment.amount - payment.captured);
  const here = order && order.payment?.key === payment.key ? sideOf(order, 0) : null;
  return [{ kind: 'orphan_authorization', subject: payment.key, there, here }];
}

/** Compares a payment that waits for its customer. */
function waiting(order: Order, payment: ProviderPayment): Finding[] {
  if (payment.status === 'action_required') return amounts(order, payment);
  return [statusDiffers(order, payment, payment.amount, order.payment!.amount)];
}

function amounts(order: Order, payment: ProviderPayment): Finding[] {
  const { key, amount, currency } = order.payment!;
  if (amount === payment.amount && currency === payment.currency) return [];
  const there = sideThere(payment, payment.amount);
  return [{ kind: 'amount_differs', subject: key, there, here: sideOf(order, amount) }];
}

function captures(order: Order, payment: ProviderPayment): Finding[] {
  const { key, captured } = payment;
  const isUnsent = order.status === 'confirmed' && order.fulfillments.length === 0;
  const there = sideThere(payment, captured);
  const here = sideOf(order, order.captured);
  if (isUnsent && keptOf(payment) > 0)
    return [{ kind: 'capture_without_shipment', subject: key, there, here }];
  return captured === order.captured ? [] : [{ kind: 'captured_differs', subject: key, there, here }];
}

function refunds(order: Order, payment: ProviderPayment): Finding[] {
  // What a compensation is to pay back is its own, and so is what a person has paid back in another way.
  const owed = new Set(order.compensations.map(({ refundId }) => refundId));
  const ours = order.refunds.filter(({ id, amount }) => amount > 0 && !owed.has(id));
  const theirs = payment.refunds.filter(({ key }) => !owed.has(key));
  const ourOf = (their: ProviderRefund) => ours.find((our) => providerKeyOf(our) === their.key) ?? null;
  const lost = ours.filter(
    (our) => our.status === 'succeeded' && !theirs.some(({ key }) => key === providerKeyOf(our)),
  );
  const found = [
    ...theirs.flatMap((their) => refundDiffers(payment, ourOf(their), their) ?? []),
    ...lost.map((our): Finding => {
      const here = refundSide(payment, our);
      return { kind: 'refund_missing', subject: providerKeyOf(our), there: null, here };
    }),
  ];
  if (found.length > 0) return found;
  const [there, here] = [sumOf(theirs), sumOf(theirs.map((their) => ourOf(their)!))];
  if (there === here) return [];
  const subject = payment.key;
  return [{ kind: 'refunded_differs', subject, there: sideThere(payment, there), here: sideOf(order, here) }];
}

/**
 * Compares a refund of the payment service's with the order's. One that the bank has not decided on counts as made,
 * unless it was made elsewhere: then it is as the payment service says.
 */
function refundDiffers(
  payment: ProviderPayment,
  our: Refund | null,
  their: ProviderRefund,
): Finding | undefined {
  const hasFailed = their.status === 'failed';
  const isTheirs = our?.by === 'provider' && our.status === 'pending';
  const isSame = isTheirs ? their.status === 'pending' : (our?.status === 'failed') === hasFailed;
  if (our && isSame) return undefined;
  const kind = our && hasFailed ? 'refund_failed' : 'refund_unknown';
  const here = our && refundSide(payment, our);
  return { kind, subject: their.key, there: refundSide(payment, their), here };
}

function disputes(order: Order, { disputes: theirs }: ProviderPayment): Finding[] {
  const { currency } = order.payment!;
  return theirs.flatMap(({ id, amount, status }): Finding[] => {
    const known = order.disputes.find((one) => one.id === id);
    if (known?.amount === amount && known.status === status) return [];
    const here = known ? { amount: known.amount, currency, status: known.status } : null;
    return [{ kind: 'dispute_unknown', subject: id, there: { amount, currency, status }, here }];
  });
}

/** Compares what is still reserved. */
function statuses(order: Order, payment: ProviderPayment): Finding[] {
  const { key, amount, isClosed } = order.payment!;
  if (owes(order, key, 'void') || owes(order, key, 'release')) return [];
  if (isClosed) return orphan(order, payment);
  // What was captured without the order's knowledge is found as that.
  const isGone = payment.status !== 'authorized' && payment.captured < payment.amount;
  if (!isGone || payment.captured > order.captured) return [];
  return [statusDiffers(order, payment, 0, amount - order.captured)];
}

function statusDiffers(order: Order, payment: ProviderPayment, there: number, here: number): Finding {
  const { key: subject } = payment;
  return {
    kind: 'status_differs',
    subject,
    there: sideThere(payment, there),
    here: sideOf(order, here),
  };
}

function owes(order: Order, key: OrderPayment['key'], kind: Compensation['kind']): boolean {
  return unsettled(order).some((one) => one.kind === kind && one.payment.key === key);
}

function refundSide({ currency }: ProviderPayment, { amount, status }: ProviderRefund | Refund): FindingSide {
  return { amount, currency, status };
}

function sideThere({ currency, status }: ProviderPayment, amount: number): FindingSide {
  return { amount, currency, status };
}

function sideOf({ payment, paymentStatus }: Order, amount: number): FindingSide {
  return { amount, currency: payment!.currency, status: paymentStatus };
}
