import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { PLACING } from '../history';
import type { CallRecord, Line } from '../log';
import { groupBy, type StoredAnswer } from './documents';
import type { Visible } from './events';
import type { Findings } from './finding';
import { orderIdOf, type LoggedOrder } from './logged';

/** What the ids of commands begin with. */
const KINDS: Partial<Record<CallRecord['op'], string>> = {
  'order.amend': 'amd',
  'order.cancel': 'can',
  'order.fulfill': 'ful',
  'order.deliver': 'dlv',
  'order.refund': 'ref',
};

/**
 * Returns the ids that a command with this key has: that which it has from the staff, and that from the customer, since keys
 * of the two do not meet.
 */
export function commandIdsOf({ op, key }: Pick<CallRecord, 'op' | 'key'>, orderId: string): string[] {
  const kind = KINDS[op];
  if (kind === undefined || key === null) return [];
  return ['staff', 'customer'].map((side) => {
    const hash = createHash('sha256').update(`${orderId}\n${side}\n${key}`).digest('hex');
    return `${kind}_${hash.slice(0, 32)}`;
  });
}

/** Judges whether what was done is what was asked for, and whether nothing was done that was answered as refused. */
export function auditEffects(
  log: readonly CallRecord[],
  orders: ReadonlyMap<string, LoggedOrder>,
  findings: Findings,
): void {
  const byOrder = groupBy(log, (call) => orderIdOf(call) ?? '');
  for (const [id, logged] of orders) {
    const calls = byOrder.get(id) ?? [];
    for (const [, some] of groupBy(
      calls.filter(({ op, key }) => KINDS[op] !== undefined && key !== null),
      ({ op, key }) => `${op} ${key}`,
    ))
      auditCommand(some, logged, findings);
    for (const call of calls) if (PLACING.has(call.op)) auditLines(call, { log, logged }, findings);
  }
}

/** Judges what calls with one key have done to an order. */
function auditCommand(calls: readonly CallRecord[], logged: LoggedOrder, findings: Findings): void {
  const { order, answers } = logged;
  const ids = commandIdsOf(calls[0]!, order._id);
  const answer = answers.find(({ id }) => ids.includes(id));
  const added = addedBy(ids, logged);
  const isDone = added !== undefined || (answer !== undefined && !answer.error);
  const done = calls.find(({ outcome }) => outcome === 'ok');
  if (!done) {
    const refused = calls.every(({ outcome }) => outcome === 'fail');
    if (refused && isDone) findings.add('refused_done', order._id, shown(calls[0]!), { answer, added });
    return;
  }
  if (!isDone) return findings.add('done_never', order._id, shown(done), answer ?? null);
  const wrong = differenceOf(done, { logged, answer, added });
  if (wrong) findings.add('done_otherwise', order._id, { ...shown(done), ...wrong.expected }, wrong.found);
}

const shown = ({ id, op, args, status, code }: CallRecord) => ({ call: id, op, args, status, code });

interface Added {
  items?: Line[];
  amount?: number;
}

/** Returns what a command has added to the order. */
function addedBy(ids: readonly string[], { order }: LoggedOrder): Added | undefined {
  const fulfillment = order.fulfillments.find(({ id }) => ids.includes(id));
  if (fulfillment)
    return {
      items: fulfillment.items.map(({ productServiceId, quantity }) => ({
        productId: productServiceId,
        quantity,
      })),
    };
  const refund = order.refunds.find(({ id }) => ids.includes(id));
  return refund && { amount: refund.amount };
}

interface Difference {
  expected: object;
  found: unknown;
}

function differenceOf(
  { op, args }: CallRecord,
  {
    logged,
    answer,
    added,
  }: { logged: LoggedOrder; answer: StoredAnswer | undefined; added: Added | undefined },
): Difference | undefined {
  const after = answer && logged.versions.get(answer.version);
  switch (op) {
    case 'order.fulfill':
      return same({ units: unitsOf(args.items ?? []) }, { units: unitsOf(added?.items ?? []) });
    case 'order.refund':
      return args.amount === undefined ? undefined : same({ amount: args.amount }, { amount: added?.amount });
    case 'order.amend':
      return after && same({ units: unitsOf(args.items ?? []) }, { units: unitsOf(after.items) });
    case 'order.cancel':
      return after && cancelDifference(args.items, after, logged.versions.get(after.version - 1));
    case 'order.deliver': {
      const { fulfillments } = logged.order;
      const delivered = fulfillments.find(({ id }) => id === args.fulfillmentId)?.deliveredAt;
      return delivered ? undefined : { expected: { isDelivered: true }, found: delivered ?? null };
    }
    default:
      return undefined;
  }
}

function cancelDifference(
  items: readonly Line[] | undefined,
  after: Visible,
  before: Visible | undefined,
): Difference | undefined {
  if (!items) {
    const open = after.items.filter(({ quantity, fulfilled, cancelled }) => quantity > fulfilled + cancelled);
    return open.length === 0 ? undefined : { expected: { open: [] }, found: { open } };
  }
  if (!before) return undefined;
  const cancelledIn = ({ items: some }: Visible) =>
    unitsOf(some.map(({ productId, cancelled }) => ({ productId, quantity: cancelled })));
  const [earlier, later] = [cancelledIn(before), cancelledIn(after)];
  const found = Object.entries(later).map(([productId, units]) => ({
    productId,
    quantity: units - (earlier[productId] ?? 0),
  }));
  return same({ cancelled: unitsOf(items) }, { cancelled: unitsOf(found) });
}

function same(expected: object, found: object): Difference | undefined {
  return isDeepStrictEqual(expected, found) ? undefined : { expected, found };
}

/** Returns the units of each product, of which there may be several lines. */
function unitsOf(lines: readonly Line[]): Record<string, number> {
  const units: Record<string, number> = {};
  for (const { productId, quantity } of lines.toSorted((a, b) => (a.productId < b.productId ? -1 : 1)))
    if (quantity !== 0) units[productId] = (units[productId] ?? 0) + quantity;
  return units;
}

/** Judges whether an order began with the lines that were asked for, or with what was in the cart. */
function auditLines(
  call: CallRecord,
  { log, logged: { order, versions } }: { log: readonly CallRecord[]; logged: LoggedOrder },
  findings: Findings,
): void {
  const first = versions.get(1);
  if (!first || call.code === 'idempotency_key_reused') return;
  const found = unitsOf(first.items);
  if (call.op === 'order.place')
    return findings.same(
      'done_otherwise',
      order._id,
      { units: unitsOf(call.args.items ?? []) },
      { units: found },
    );
  if (call.args.cartId === undefined || call.outcome !== 'ok') return;
  const puts = groupBy(
    log.filter(
      ({ op, subject, outcome }) =>
        op === 'cart.put' && subject === `cart:${call.args.cartId}` && outcome !== 'fail',
    ),
    ({ args }) => args.line!.productId,
  );
  for (const productId of new Set([...puts.keys(), ...Object.keys(found)])) {
    const possible = possibleUnits(puts.get(productId) ?? [], call);
    const units = found[productId] ?? 0;
    findings.holds(
      'done_otherwise',
      order._id,
      `${[...possible].join(' or ')} of ${productId} in the cart`,
      possible.has(units),
      { call: call.id, units },
    );
  }
}

/**
 * Returns how many units of a product there may have been in a cart when it was ordered. What was sent more than once may
 * take effect at any time after it was sent.
 */
function possibleUnits(puts: readonly CallRecord[], checkout: CallRecord): Set<number> {
  const endOf = ({ at, attempts }: CallRecord): number =>
    attempts.length > 1 ? Infinity : (at.returned ?? Infinity);
  const before = puts.filter(({ at }) => at.invoked < checkout.at.returned!);
  const certain = before.filter((put) => endOf(put) < checkout.at.invoked);
  const isReplaced = (put: CallRecord): boolean => certain.some(({ at }) => at.invoked > endOf(put));
  const last = before.filter((put) => !isReplaced(put)).map(({ args }) => args.line!.quantity);
  return new Set(certain.length > 0 ? last : [0, ...last]);
}
