import { isDeepStrictEqual } from 'node:util';
import type { CallRecord, OrderSeen } from '../log';
import { groupBy, sum, type Snapshot, type StoredAdjustment, type StoredOrder } from './documents';
import type { Visible } from './events';
import type { Findings } from './finding';

/** An order that clients have named, and all that is known of its versions. */
export interface LoggedOrder {
  order: StoredOrder;
  versions: ReadonlyMap<number, Visible>;
}

export interface CallsContext {
  log: readonly CallRecord[];
  /** Those that the log names, by id. */
  orders: ReadonlyMap<string, LoggedOrder>;
  /** All orders that there are, by id. */
  ids: ReadonlyMap<string, { states: { OrderStatus: string } }>;
}

/** Returns the id of the order that a call is about, if it is known. */
export function orderIdOf({ subject, order }: Pick<CallRecord, 'subject' | 'order'>): string | undefined {
  return order?.id ?? subject?.match(/^order:(.+)$/)?.[1];
}

/** Judges what clients were told: each answer has to be true, and to stay so. */
export async function auditCalls(
  snapshot: Snapshot,
  context: CallsContext,
  findings: Findings,
): Promise<void> {
  const { log, orders } = context;
  for (const call of log) {
    if (call.order) auditAnswer(call, call.order, orders.get(call.order.id), findings);
    if (call.op === 'order.place' || call.op === 'cart.checkout') auditPlaced(call, orders, findings);
  }
  const byOrder = groupBy(log, (call) => orderIdOf(call) ?? '');
  for (const [id, { order }] of orders) auditCounts(order, byOrder.get(id) ?? [], findings);
  auditOrders(context, findings);
  auditOrderOfVersions(log, findings);
  await auditAdjustments(snapshot, log, findings);
}

function auditAnswer(
  { id, op, version }: CallRecord,
  seen: OrderSeen,
  known: LoggedOrder | undefined,
  findings: Findings,
): void {
  if (!known) return findings.add('accepted_lost', seen.id, { call: id, op, version: seen.version }, null);
  if (version !== undefined && version !== seen.version)
    findings.add('answer_untrue', seen.id, { call: id, etag: version }, { version: seen.version });
  if (seen.version === 0) return; // it was not written yet
  if (seen.version > known.order.version)
    return findings.add('never_written', seen.id, { atMost: known.order.version }, { call: id, op, seen });
  const written = known.versions.get(seen.version);
  if (!written) return; // that version has no event, which is a finding of its own where there is a feed
  const { history: _history, ...expected } = written;
  const { id: _id, rejection: _rejection, ...found } = seen;
  if (!isDeepStrictEqual(expected, found))
    findings.add('answer_untrue', seen.id, expected, { call: id, op, ...found });
}

function auditPlaced(call: CallRecord, orders: ReadonlyMap<string, LoggedOrder>, findings: Findings): void {
  const orderId = orderIdOf(call);
  if (orderId === undefined || call.outcome === 'unknown') return;
  const order = orders.get(orderId)?.order;
  const found = order && {
    status: order.status,
    payment: order.paymentStatus,
    rejection: order.rejection?.code,
  };
  const { id, status, code } = call;
  if (call.outcome === 'ok') {
    const isKept = order && (status === 202 || order.status !== 'rejected');
    if (!isKept) findings.add('accepted_lost', orderId, { call: id, status }, found ?? null);
    return;
  }
  // The order may wait for another card.
  const isRefused = !order || order.status === 'rejected' || order.paymentStatus === 'declined';
  if (!isRefused) findings.add('accepted_lost', orderId, { call: id, code, status: 'rejected' }, found);
}

/** Each call that was answered has taken effect once, and each other one at most once. */
function auditCounts(order: StoredOrder, calls: readonly CallRecord[], findings: Findings): void {
  const byStaff = order.refunds.filter(({ by }) => by !== 'system' && by !== 'provider');
  count('order.fulfill', order.fulfillments.length);
  count('order.refund', byStaff.length);

  function count(op: CallRecord['op'], found: number): void {
    const some = calls.filter((call) => call.op === op);
    if (some.length > 0) auditCount({ subject: order._id, op, found }, some, findings);
  }
}

function auditCount(
  { subject, op, found }: { subject: string; op: string; found: number },
  calls: readonly CallRecord[],
  findings: Findings,
): void {
  const keysOf = (outcome: CallRecord['outcome']) =>
    new Set(calls.filter((call) => call.outcome === outcome).map(({ key, id }) => key ?? id));
  const done = keysOf('ok');
  const maybe = [...keysOf('unknown')].filter((key) => !done.has(key)).length;
  const expected = { op, atLeast: done.size, atMost: done.size + maybe };
  if (found < expected.atLeast) findings.add('done_never', subject, expected, found);
  if (found > expected.atMost) findings.add('done_twice', subject, expected, found);
}

/**
 * There are no more orders than clients have asked for. A checkout that is repeated since nobody knows what has become of it
 * orders the cart anew if the first order was rejected meanwhile: the answer then names the second one alone.
 */
function auditOrders({ log, ids }: CallsContext, findings: Findings): void {
  const named = new Set(log.map(orderIdOf));
  const placing = log.filter(({ op }) => op === 'order.place' || op === 'cart.checkout');
  const nameless = placing.filter((call) => orderIdOf(call) === undefined && call.outcome !== 'fail').length;
  const others = [...ids.keys()].filter((id) => !named.has(id));
  const rejected = others.filter((id) => ids.get(id)!.states.OrderStatus === 'rejected').length;
  const checkouts = placing.filter(({ op }) => op === 'cart.checkout');
  const repeats = sum(checkouts, ({ attempts }) => Math.max(0, attempts.length - 1));
  if (others.length - Math.min(rejected, repeats) > nameless)
    findings.add('order_unaccounted', 'all orders', { atMost: nameless }, others.slice(0, 20));
}

/** Who has been answered with a version, or anyone who asks after that, is not answered with an older one. */
function auditOrderOfVersions(log: readonly CallRecord[], findings: Findings): void {
  const seen = log.flatMap((call) => {
    const [from, to] = [call.attempts.at(-1)?.sent ?? call.at.invoked, call.at.returned];
    if (to === null) return [];
    const some = [...(call.orders ?? []), ...(call.order ? [call.order] : [])];
    return some.map(({ id, version }) => ({ id, version, from, to, call: call.id }));
  });
  for (const [id, some] of groupBy(seen, (one) => one.id)) {
    const returned = some.toSorted((a, b) => a.to - b.to);
    let next = 0;
    let newest: (typeof some)[number] | undefined;
    for (const one of some.toSorted((a, b) => a.from - b.from)) {
      for (; next < returned.length && returned[next]!.to < one.from; next++)
        if (!newest || returned[next]!.version > newest.version) newest = returned[next];
      if (newest && one.version < newest.version)
        findings.add('version_went_back', id, { call: newest.call, version: newest.version }, one);
    }
  }
}

async function auditAdjustments(
  snapshot: Snapshot,
  log: readonly CallRecord[],
  findings: Findings,
): Promise<void> {
  const adjusting = groupBy(
    log.filter(({ op }) => op === 'stock.adjust'),
    ({ subject }) => subject?.replace(/^stock:/, '') ?? '',
  );
  for (const [productId, calls] of adjusting) {
    const made = snapshot.find<StoredAdjustment>('stock_adjustments', { productServiceId: productId });
    const found = await made.toArray();
    auditCount({ subject: productId, op: 'stock.adjust', found: found.length }, calls, findings);
    if (calls.some(({ outcome }) => outcome === 'unknown')) continue;
    const deltas = sum(
      calls.filter(({ outcome }) => outcome === 'ok'),
      ({ args }) => args.delta ?? 0,
    );
    findings.same('done_never', productId, { deltas }, { deltas: sum(found, ({ delta }) => delta) });
  }
}
