import { amountOf, sum, type StoredOrder, type StoredPayment } from './documents';
import type { Findings } from './finding';
import { disputedOf, owedOf } from './orders';

type Balances = Pick<StoredPayment, 'authorized' | 'open' | 'captured' | 'voided' | 'refunded' | 'disputed'>;

/** Judges a payment of the sandbox alone: its balances have to follow from its operations. */
export function auditBalances(payment: StoredPayment, findings: Findings): void {
  const { _id, authorized, open, captured, voided, refunded, disputed } = payment;
  const found: Balances = { authorized, open, captured, voided, refunded, disputed };
  const expected = balancesOf(payment);
  findings.same('ledger_balance', _id, expected, found);
  const isSo =
    Object.values(found).every((amount) => amount >= 0) &&
    authorized === open + captured + voided &&
    refunded + disputed <= captured;
  const rule = 'authorized = open + captured + voided, refunded + disputed ≤ captured, none below 0';
  findings.holds('ledger_balance', _id, rule, isSo, found);
}

function balancesOf({ operations }: StoredPayment): Balances {
  const balances = { authorized: 0, open: 0, captured: 0, voided: 0, refunded: 0, disputed: 0 };
  const move = (to: keyof Balances, amount: number) => {
    balances[to] += amount;
    balances.open -= amount;
  };
  for (const { kind, amount, released = 0 } of operations) {
    switch (kind) {
      case 'authorize':
        balances.authorized += amount;
        balances.open += amount;
        break;
      case 'capture':
        move('captured', amount);
        move('voided', released);
        break;
      case 'release':
      case 'void':
        move('voided', amount);
        break;
      case 'expire':
        // One that its customer has never confirmed has reserved nothing.
        if (balances.authorized > 0) move('voided', amount);
        break;
      case 'refund':
        balances.refunded += amount;
        break;
      case 'fail_refund':
        balances.refunded -= amount;
        break;
      case 'dispute':
        balances.disputed += amount;
        break;
      case 'win_dispute':
        balances.disputed -= amount;
        break;
    }
  }
  return balances;
}

/** Judges the payments of an order by what the order says: one charge at most, and what is needed is reserved. */
export function auditCharge(
  order: StoredOrder,
  payments: readonly StoredPayment[],
  findings: Findings,
): void {
  const current = order.payment?.key ?? `${order._id}-1`;
  const own = payments.find(({ _id }) => _id === current);
  auditAmounts(order, own, findings);
  const keeping = payments.filter((one) => keptOf(one) > 0 || one.open > 0);
  const others = keeping.filter(({ _id }) => _id !== current && !isSettledByHand(order, _id));
  for (const other of others) {
    const found = { key: other._id, open: other.open, kept: keptOf(other) };
    const isReturned = other.open === 0 && keptOf(other) <= failedOf(other);
    if (isReturned || owedOf(order).some(({ payment }) => payment.key === other._id)) continue;
    findings.add(
      own && keptOf(own) > 0 ? 'charged_twice' : 'charge_differs',
      order._id,
      { key: current },
      found,
    );
  }
  auditReserved(order, own, findings);
  const waiting = payments.filter(({ status }) => status === 'action_required').map(({ _id }) => _id);
  const awaited = order.paymentStatus === 'action_required' ? [current] : [];
  const isExpected = waiting.every((key) => awaited.includes(key) || isGivenUp(order, key));
  findings.holds(
    'reservation_left',
    order._id,
    `only ${awaited.join() || 'none'} waits`,
    isExpected,
    waiting,
  );
}

function auditAmounts(order: StoredOrder, own: StoredPayment | undefined, findings: Findings): void {
  if (order.captured === 0 && (!own || isSettledByHand(order, own._id))) return;
  const owed = new Set(owedOf(order).map(({ refundId }) => refundId));
  // Those that a person or another program has begun at the payment service.
  const underWay = order.refunds.filter(({ id, status }) => status === 'pending' && !owed.has(id));
  const byHand = order.compensations.filter(({ kind, state }) => kind === 'refund' && state === 'resolved');
  const expected = {
    captured: order.captured,
    refunded: order.refunded + sum(underWay, amountOf) - sum(byHand, amountOf),
    disputed: disputedOf(order),
  };
  const { captured, refunded, disputed } = own ?? { captured: 0, refunded: 0, disputed: 0 };
  const isUndone = order.captured === 0 && captured === refunded + disputed;
  if (isUndone) return;
  findings.same('charge_differs', order._id, expected, { captured, refunded, disputed });
}

function auditReserved(order: StoredOrder, own: StoredPayment | undefined, findings: Findings): void {
  const { _id, payment, paymentStatus, captured, total, cancelled = 0 } = order;
  const open = own?.open ?? 0;
  const isOwed = isGivenUp(order, own?._id ?? '');
  // What is under way decides on it.
  if (isOwed || order.intention || (order.status === 'pending' && paymentStatus === 'pending')) return;
  const isPaid = ['authorized', 'captured', 'partially_refunded', 'refunded'].includes(paymentStatus);
  const isReserved = payment !== null && payment.amount > 0 && !payment.isClosed && isPaid;
  const isKept = isReserved && (captured === 0 || payment.captures === 'many');
  const expected = isKept ? payment.amount - captured : 0;
  const due = (total ?? 0) - cancelled;
  findings.same('reservation_left', _id, { open: expected }, { open });
  const isEnough = paymentStatus !== 'authorized' || !payment || payment.amount >= due;
  findings.holds('reservation_left', _id, 'what is authorised pays for all of the order', isEnough, {
    authorized: payment?.amount,
    due,
  });
}

/** Whether the payment is, or was by hand, to be voided or released. */
function isGivenUp({ compensations }: StoredOrder, key: string): boolean {
  return compensations.some(({ kind, payment }) => kind !== 'refund' && payment.key === key);
}

function isSettledByHand({ compensations }: StoredOrder, key: string): boolean {
  return compensations.some(
    ({ kind, payment, state }) => kind === 'void' && state === 'resolved' && payment.key === key,
  );
}

function keptOf({ captured, refunded, disputed }: StoredPayment): number {
  return captured - refunded - disputed;
}

/** Returns what the bank has returned of the refunds, which is for people to decide on. */
function failedOf({ operations }: StoredPayment): number {
  return sum(
    operations.filter(({ kind }) => kind === 'fail_refund'),
    amountOf,
  );
}
