import { isDeepStrictEqual } from 'node:util';
import { isOnlyAccepted, NOTHING, PLACING, showsNothing, within } from '../history';
import type { CallRecord, OrderSeen } from '../log';
import { groupBy, sum, type Snapshot, type StoredAdjustment, type StoredOrder } from './documents';
import { auditEffects } from './effects';
import type { Findings } from './finding';
import { auditKeys } from './keys';
import { orderIdOf, type LoggedOrder, type PlacedOrder } from './logged';

export interface CallsContext {
  log: readonly CallRecord[];
  /** Those that the log names, by id. */
  orders: ReadonlyMap<string, LoggedOrder>;
  /** All orders that there are, by id. */
  placed: ReadonlyMap<string, PlacedOrder>;
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
    if (PLACING.has(call.op)) auditPlaced(call, orders, findings);
  }
  const byOrder = groupBy(log, (call) => orderIdOf(call) ?? '');
  for (const [id, { order }] of orders) auditCounts(order, byOrder.get(id) ?? [], findings);
  auditKeys(log, context.placed, findings);
  auditEffects(log, orders, findings);
  auditOrders(context, findings);
  auditOrderOfVersions(log, findings);
  auditLists(log, orders, findings);
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
  if (code === 'idempotency_key_reused') return; // it has named the order of another request
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
function auditOrders({ log, placed }: CallsContext, findings: Findings): void {
  const named = new Set(log.map(orderIdOf));
  const placing = log.filter(({ op }) => PLACING.has(op));
  const nameless = placing.filter((call) => orderIdOf(call) === undefined && call.outcome !== 'fail').length;
  const repeats = groupBy(
    placing.filter(({ args }) => args.cartId !== undefined),
    ({ args }) => args.cartId!,
  );
  const excused = (cartId: string) => sum(repeats.get(cartId) ?? [], ({ attempts }) => attempts.length - 1);
  const others = [...placed].filter(([id]) => !named.has(id));
  const rejected = groupBy(
    others.filter(([, { isRejected, cartId }]) => isRejected && cartId !== undefined),
    ([, { cartId }]) => cartId!,
  );
  const ofRepeats = sum([...rejected], ([cartId, some]) => Math.min(some.length, excused(cartId)));
  if (others.length - ofRepeats > nameless)
    findings.add(
      'order_unaccounted',
      'all orders',
      { atMost: nameless },
      others.slice(0, 20).map(([id]) => id),
    );
}

/**
 * Who has been answered with a version, or anyone who asks after that, is not answered with an older one, and not that there
 * is no such order.
 */
function auditOrderOfVersions(log: readonly CallRecord[], findings: Findings): void {
  const seen = log.flatMap((call) => {
    const { invoked: from, returned: to } = within(call);
    if (to === null) return [];
    const some: { id: string; version: number }[] = [
      ...(call.orders ?? []),
      ...(call.order ? [call.order] : []),
    ];
    if (showsNothing(call)) some.push({ id: orderIdOf(call)!, version: NOTHING });
    const isSight = !isOnlyAccepted(call);
    return some.map(({ id, version }) => ({ id, version, from, to, call: call.id, isSight }));
  });
  for (const [id, some] of groupBy(seen, (one) => one.id)) {
    const returned = some.toSorted((a, b) => a.to - b.to);
    let next = 0;
    let newest: (typeof some)[number] | undefined;
    for (const one of some.toSorted((a, b) => a.from - b.from)) {
      for (; next < returned.length && returned[next]!.to < one.from; next++)
        if (!newest || returned[next]!.version > newest.version) newest = returned[next];
      if (!newest || !one.isSight || one.version >= newest.version) continue;
      const kind = one.version === NOTHING ? 'not_shown' : 'version_went_back';
      findings.add(kind, id, { call: newest.call, version: newest.version }, one);
    }
  }
}

/** A list shows the newest orders of its customer: all that were there when it was asked for, as far as it reaches. */
function auditLists(
  log: readonly CallRecord[],
  orders: ReadonlyMap<string, LoggedOrder>,
  findings: Findings,
): void {
  const storedAt = new Map<string, number>();
  const customerOf = new Map<string, string>();
  for (const call of log) {
    const { client, op, order, orders: listed = [], at } = call;
    if (op === 'order.place' && order && orders.has(order.id))
      customerOf.set(client, orders.get(order.id)!.order.customerId);
    for (const { id, version } of [...listed, ...(order ? [order] : [])])
      if (version > 0 && at.returned !== null)
        storedAt.set(id, Math.min(storedAt.get(id) ?? Infinity, at.returned));
  }
  const isAfter = (a: StoredOrder, b: StoredOrder): boolean =>
    a.createdAt > b.createdAt || (Number(a.createdAt) === Number(b.createdAt) && a._id > b._id);
  for (const call of log) {
    const last = orders.get(call.orders?.at(-1)?.id ?? '')?.order;
    if (!call.orders || (call.orders.length > 0 && !last)) continue;
    const isWhole = call.orders.length < (call.args.limit ?? 0);
    const shown = new Set(call.orders.map(({ id }) => id));
    for (const [id, { order }] of orders) {
      const wasThere = (storedAt.get(id) ?? Infinity) < within(call).invoked;
      const isOwn = order.customerId === customerOf.get(call.client);
      if (wasThere && isOwn && !shown.has(id) && (isWhole || (last && isAfter(order, last))))
        findings.add('not_shown', id, { list: call.id }, [...shown]);
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
    const done = groupBy(
      calls.filter(({ outcome }) => outcome === 'ok'),
      ({ key, id }) => key ?? id,
    );
    const deltas = sum([...done.values()], ([first]) => first!.args.delta ?? 0);
    findings.same('done_never', productId, { deltas }, { deltas: sum(found, ({ delta }) => delta) });
  }
}
