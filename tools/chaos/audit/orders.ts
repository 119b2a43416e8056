import { amountOf, sum, type StoredAnswer, type StoredItem, type StoredOrder } from './documents';
import type { Findings } from './finding';

const CLOSED = new Set(['completed', 'rejected', 'cancelled']);

export function isClosed({ status }: Pick<StoredOrder, 'status'>): boolean {
  return CLOSED.has(status);
}

/** Returns the units of a line that will still be sent. */
export function openUnits({ quantity, fulfilledQuantity, cancelledQuantity = 0 }: StoredItem): number {
  return quantity - fulfilledQuantity - cancelledQuantity;
}

/** Returns what is owed to the customer. */
export function owedOf({ compensations }: StoredOrder): StoredOrder['compensations'] {
  return compensations.filter(({ state }) => state !== 'resolved');
}

export function disputedOf({ disputes = [] }: StoredOrder): number {
  return sum(
    disputes.filter(({ status }) => status !== 'won'),
    amountOf,
  );
}

/** Whether the order waits for its customer: to confirm a payment, or to try another card. */
export function awaitsCustomer(order: StoredOrder): boolean {
  if (isClosed(order)) return false;
  if (order.paymentStatus === 'action_required') return Boolean(order.payBy);
  return order.status === 'pending' && Boolean(order.retryUntil);
}

/** Whether something of the order is under way that ends without anybody's help. */
function isUnsettled(order: StoredOrder): boolean {
  const isBeingPlaced = order.status === 'pending' && order.paymentStatus === 'pending';
  return isBeingPlaced || Boolean(order.intention) || owedOf(order).length > 0;
}

/**
 * Judges an order by nothing but itself.
 * @param displaced its answers to commands for which it had no room any more
 */
export function auditOrder(order: StoredOrder, displaced: readonly StoredAnswer[], findings: Findings): void {
  auditSums(order, findings);
  auditUnits(order, findings);
  auditMoney(order, findings);
  auditHistory(order, findings);
  auditVersions(order, displaced, findings);
  auditReservation(order, findings);
  auditSettled(order, findings);
}

function auditSums(order: StoredOrder, findings: Findings): void {
  const { _id, items, subtotal, tax, total, cancelled = 0 } = order;
  if (total === null) return; // it could not be priced
  const expected = {
    subtotal: sum(items, (item) => item.subtotal ?? 0),
    tax: sum(items, (item) => item.tax ?? 0),
    total: sum(items, (item) => item.total ?? 0),
    cancelled: sum(items, ({ cancelledAmount = 0 }) => cancelledAmount),
  };
  findings.same('order_sums', _id, expected, { subtotal, tax, total, cancelled });
  for (const item of items) {
    const { productServiceId, quantity, cancelledQuantity = 0, cancelledAmount = 0 } = item;
    const found = { productServiceId, quantity, total: item.total, cancelledQuantity, cancelledAmount };
    const isWithin = cancelledAmount >= 0 && cancelledAmount <= (item.total ?? 0);
    findings.holds('order_sums', _id, '0 ≤ cancelled amount ≤ total of the line', isWithin, found);
    const isWhole = cancelledQuantity !== quantity || cancelledAmount === (item.total ?? 0);
    findings.holds('order_sums', _id, 'a line that is cancelled costs nothing', isWhole, found);
  }
}

function auditUnits({ _id, items, fulfillments }: StoredOrder, findings: Findings): void {
  for (const item of items) {
    const { quantity, fulfilledQuantity, cancelledQuantity = 0, refundedQuantity = 0 } = item;
    const { restockedQuantity = 0, writtenOffQuantity = 0 } = item;
    const counts = [fulfilledQuantity, cancelledQuantity, refundedQuantity, restockedQuantity];
    const isSo =
      [...counts, writtenOffQuantity].every((count) => Number.isSafeInteger(count) && count >= 0) &&
      fulfilledQuantity + cancelledQuantity <= quantity &&
      refundedQuantity <= fulfilledQuantity &&
      restockedQuantity <= refundedQuantity;
    const rule = 'fulfilled + cancelled ≤ ordered, restocked ≤ refunded ≤ fulfilled';
    findings.holds('order_units', _id, rule, isSo, item);
  }
  const sent = new Map<string, number>();
  const count = (id: string, units: number) => sent.set(id, (sent.get(id) ?? 0) + units);
  for (const { items: lines } of fulfillments.filter(({ undone }) => !undone))
    for (const { productServiceId, quantity } of lines) count(productServiceId, quantity);
  for (const { productServiceId, fulfilledQuantity } of items) count(productServiceId, -fulfilledQuantity);
  const differing = [...sent].filter(([, units]) => units !== 0);
  findings.same('order_units', _id, [], differing);
}

function auditMoney(order: StoredOrder, findings: Findings): void {
  const { _id, status, captured, refunded, refunds, total, cancelled = 0 } = order;
  const of = (state: string) =>
    sum(
      refunds.filter((one) => one.status === state),
      amountOf,
    );
  findings.same('order_refunds', _id, of('succeeded'), refunded);
  const found = { captured, refunded, refunds, disputed: disputedOf(order) };
  findings.holds(
    'order_refunds',
    _id,
    '0 ≤ refunded ≤ captured',
    refunded >= 0 && refunded <= captured,
    found,
  );
  // What the bank has returned is for people to decide on.
  const net = captured - refunded - of('pending') - disputedOf(order);
  const due = status === 'rejected' ? 0 : (total ?? 0) - cancelled;
  if (net > due + of('failed')) findings.add('order_overcharged', _id, { atMost: due }, { net, ...found });
  const earned = earnedOf(order);
  const taken = takenFor(order);
  if (taken < earned) findings.add('order_undercharged', _id, { atLeast: earned }, { taken, ...found });
}

/**
 * Returns what is due for the units that were sent, at least: all that is not cancelled once the order is completed, before
 * that their share of the lines, which is rounded with each part that is sent, cancelled or refunded.
 */
function earnedOf({ status, items, total, cancelled = 0, refunds }: StoredOrder): number {
  if (status === 'completed') return (total ?? 0) - cancelled;
  const shares = sum(items, (item) => ((item.total ?? 0) * item.fulfilledQuantity) / item.quantity);
  const rounding = sum(items, ({ quantity }) => quantity) + refunds.length;
  return Math.max(0, Math.floor(shares) - rounding);
}

/** Returns what was taken for the goods: what the staff, a bank or the payment service has paid back was taken before. */
function takenFor({ captured, refunds }: StoredOrder): number {
  const bySystem = refunds.filter(({ by, status }) => by === 'system' && status !== 'failed');
  return captured - sum(bySystem, amountOf);
}

function auditHistory(order: StoredOrder, findings: Findings): void {
  const { _id, statusHistory } = order;
  const states: Record<string, string> = { paymentStatus: 'pending', fulfillmentStatus: 'unfulfilled' };
  for (const { axis, from, to } of statusHistory) {
    const before = states[axis] ?? null;
    if (before !== from) findings.add('order_history', _id, { axis, from: before }, { axis, from, to });
    states[axis] = to;
  }
  const { status, paymentStatus, fulfillmentStatus } = order;
  findings.same('order_history', _id, states, { paymentStatus, fulfillmentStatus, status });
}

function auditVersions(
  { _id, version, revision, commands = [] }: StoredOrder,
  displaced: readonly StoredAnswer[],
  findings: Findings,
): void {
  const answers = [...displaced, ...commands];
  const isSo = version >= 1 && Number.isSafeInteger(version) && revision >= version - 1;
  findings.holds('order_version', _id, 'version ≥ 1, and no more versions than writes', isSo, {
    version,
    revision,
  });
  const later = answers.filter((one) => one.version > version || one.revision > revision);
  findings.same('order_version', _id, [], later);
  const ids = answers.map(({ id }) => id);
  findings.same('order_version', _id, [...new Set(ids)], ids);
}

function auditReservation(order: StoredOrder, findings: Findings): void {
  const { _id, items, status, fulfillmentStatus, reservation } = order;
  const products = items.filter(({ kind }) => kind === 'product');
  const isOpen = (some: StoredItem[]) => some.some((item) => openUnits(item) > 0);
  if (products.length === 0) return findings.same('order_reservation', _id, 'none', reservation);
  if (status === 'rejected' || status === 'cancelled') {
    // One that was never opened has reserved nothing.
    const isFree = reservation === 'released' || reservation === 'none';
    return findings.holds('order_reservation', _id, 'a closed order keeps no stock', isFree, reservation);
  }
  const expected = isOpen(items) ? 'held' : 'committed';
  findings.same(
    'order_reservation',
    _id,
    { fulfillmentStatus, reservation: expected },
    { fulfillmentStatus, reservation },
  );
}

function auditSettled(order: StoredOrder, findings: Findings): void {
  const { _id, status, paymentStatus, intention, compensations, disputes = [], refunds } = order;
  // What is disputed may come back, and what is owed waits for that.
  if (disputes.some((one) => one.status === 'opened')) return;
  const owed = new Set(owedOf(order).map(({ refundId }) => refundId));
  const lost = refunds.filter(
    ({ id, by, status: state }) => by === 'system' && state === 'pending' && !owed.has(id),
  );
  const found = { status, paymentStatus, intention: intention?.kind ?? null, compensations, lost };
  const isSettled = !isUnsettled(order) && lost.length === 0;
  findings.holds('order_unsettled', _id, 'nothing is under way, and nothing is owed', isSettled, found);
}
