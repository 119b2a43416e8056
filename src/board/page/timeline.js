/** What has happened to an order, and what has changed between two versions of it. */
import { counted, money, sentence, words } from './format.js';

/** @typedef {import('../../orders/order-view').OrderView} Order */
/** @typedef {import('../../domain/order').StatusChange} StatusChange */
/** @typedef {{ at: string, title: string, details: string[], tone: string }} Entry */

/** @type {Record<string, [string, string]>} */
const CHANGES = {
  'status:pending': ['Order placed', 'info'],
  'status:confirmed': ['Confirmed', 'good'],
  'status:completed': ['Completed', 'good'],
  'status:rejected': ['Rejected', 'bad'],
  'status:cancelled': ['Cancelled', 'quiet'],
  'paymentStatus:action_required': ['Waiting for the customer to confirm the payment', 'attention'],
  'paymentStatus:authorized': ['Payment authorised', 'good'],
  'paymentStatus:captured': ['Payment captured', 'good'],
  'paymentStatus:declined': ['Payment declined', 'bad'],
  'paymentStatus:voided': ['Payment voided', 'quiet'],
  'fulfillmentStatus:partially_fulfilled': ['Partly fulfilled', 'info'],
  'fulfillmentStatus:fulfilled': ['All is fulfilled', 'good'],
  'fulfillmentStatus:unfulfilled': ['Nothing is fulfilled any more', 'attention'],
};

/** How each order begins, which nobody has done. */
const BEGINNINGS = new Set(['paymentStatus:pending', 'fulfillmentStatus:unfulfilled']);

/** What the fulfillments, the refunds and the state of the order tell already. */
const TOLD_BY_OTHERS = new Set([
  'paymentStatus:partially_refunded',
  'paymentStatus:refunded',
  'fulfillmentStatus:partially_fulfilled',
  'fulfillmentStatus:delivered',
  'fulfillmentStatus:cancelled',
]);

/**
 * Returns what has happened, the latest first.
 * @param {Order} order
 * @param {string} [me] the id of the user who looks
 * @returns {Entry[]}
 */
export function timelineOf(order, me) {
  const changes = order.statusHistory.filter(
    ({ axis, from, to }) => !TOLD_BY_OTHERS.has(`${axis}:${to}`) || isUndoing(from, to),
  );
  const by = (/** @type {string | undefined} */ id) => whoIs(order, me, id);
  const entries = [
    ...attemptEntries(order),
    ...fulfillmentEntries(order, by),
    ...refundEntries(order, by),
    ...compensationEntries(order, by),
    ...disputeEntries(order),
    ...changes.flatMap((change) => changeEntries(change, by)),
  ];
  // Of what happened at once, the last is the latest.
  return entries
    .map((one, n) => ({ one, n }))
    .sort(byTime)
    .map(({ one }) => one);
}

/**
 * A fulfillment that was undone is not among them any more.
 * @param {string | null} from
 * @param {string} to
 */
function isUndoing(from, to) {
  return from === 'fulfilled' && to === 'partially_fulfilled';
}

/** @typedef {(id: string | undefined) => string | null} By */

/**
 * @param {Order} order
 * @param {string | undefined} me
 * @param {string | undefined} id
 */
function whoIs({ customerId }, me, id) {
  if (id === undefined || id === 'system') return null;
  if (id === me) return 'by you';
  if (id === customerId) return 'by the customer';
  return id === 'provider' ? 'by the payment service' : `by ${id}`;
}

/**
 * @param {{ one: Entry, n: number }} a
 * @param {{ one: Entry, n: number }} b
 */
function byTime(a, b) {
  return Date.parse(b.one.at) - Date.parse(a.one.at) || b.n - a.n;
}

/**
 * @param {string} at
 * @param {string} title
 * @param {string} tone
 * @param {(string | null | undefined)[]} details
 * @returns {Entry}
 */
function entry(at, title, tone, details) {
  return { at, title, tone, details: details.flatMap((text) => (text ? [text] : [])) };
}

/**
 * @param {StatusChange} change
 * @param {By} by
 */
function changeEntries({ at, axis, from, to, by: id, reason, internalNote }, by) {
  const name = `${axis}:${to}`;
  if (from === null && BEGINNINGS.has(name)) return [];
  const [title, tone] = CHANGES[name] ?? [sentence(words(to)), 'info'];
  return [entry(at, title, tone, [reason, internal(internalNote), by(id)])];
}

/** @param {string | undefined} note */
function internal(note) {
  return note && `Internal note: ${note}`;
}

/** @param {Order} order */
function attemptEntries({ attempts }) {
  return attempts
    .filter(({ outcome }) => outcome !== 'authorized' && outcome !== 'action_required')
    .map(({ at, outcome, paymentMethod, reason }) =>
      entry(at, `Payment attempt: ${words(outcome)}`, 'bad', [reason, paymentMethod]),
    );
}

/**
 * @param {Order} order
 * @param {By} by
 */
function fulfillmentEntries(order, by) {
  return order.fulfillments.flatMap(({ items, carrier, trackingNumber, createdAt, deliveredAt, by: id }) => {
    const what = unitsOf(order, items);
    const how = [carrier, trackingNumber].filter(Boolean).join(' ');
    return [
      entry(createdAt, 'Fulfilled', 'info', [what, how, by(id)]),
      ...(deliveredAt ? [entry(deliveredAt, 'Delivered', 'good', [what])] : []),
    ];
  });
}

/**
 * @param {Order} order
 * @param {By} by
 */
function refundEntries(order, by) {
  return order.refunds.map(({ amount, status, items, by: maker, reason, internalNote, createdAt }) => {
    const change = order.statusHistory.find(
      ({ at, axis, reason: why }) => axis === 'paymentStatus' && why === reason && at >= createdAt,
    );
    return entry(
      createdAt,
      `Refund of ${money(amount, order.currency)}${status === 'succeeded' ? '' : `: ${status}`}`,
      status === 'failed' ? 'bad' : 'attention',
      [unitsOf(order, items), reason, internal(internalNote), by(change?.by ?? maker)],
    );
  });
}

/**
 * @param {Order} order
 * @param {By} by
 */
function compensationEntries({ compensations = [] }, by) {
  return compensations.flatMap(({ kind, state, since, failure, amount, currency, resolution }) => [
    entry(
      since,
      `Owed: ${COMPENSATIONS[kind]} of ${money(amount, currency)}`,
      state === 'resolved' ? 'quiet' : 'bad',
      [failure],
    ),
    ...(resolution
      ? [entry(resolution.at, 'Settled by hand', 'good', [resolution.note, by(resolution.by)])]
      : []),
  ]);
}

/** @param {Order} order */
function disputeEntries({ disputes = [], currency }) {
  return disputes.map(({ at, amount, status, reason }) =>
    entry(at, `Dispute ${status}`, status === 'won' ? 'good' : 'bad', [money(amount, currency), reason]),
  );
}

/** What each kind of compensation does. */
export const COMPENSATIONS = { void: 'voiding', refund: 'refund', release: 'release' };

/**
 * @param {Pick<Order, 'items'>} order
 * @param {readonly { productServiceId: string, quantity: number }[]} lines
 */
export function unitsOf({ items }, lines) {
  return lines
    .map(({ productServiceId, quantity }) => {
      const item = items.find((one) => one.productServiceId === productServiceId);
      return `${quantity} × ${item?.name ?? productServiceId}`;
    })
    .join(', ');
}

/**
 * Says what is different in a later version of an order.
 * @param {Order} before
 * @param {Order} after
 */
export function changesBetween(before, after) {
  const amount = (/** @type {number | null} */ value) => money(value, after.currency);
  /** @type {[string, string, string][]} */
  const facts = [
    ['Order', words(before.status), words(after.status)],
    ['Payment', words(before.paymentStatus), words(after.paymentStatus)],
    ['Fulfillment', words(before.fulfillmentStatus), words(after.fulfillmentStatus)],
    ['Units', counted(unitCount(before, 'quantity'), 'unit'), counted(unitCount(after, 'quantity'), 'unit')],
    ['Fulfilled', ...both(before, after, 'fulfilledQuantity')],
    ['Cancelled', ...both(before, after, 'cancelledQuantity')],
    ['Units refunded', ...both(before, after, 'refundedQuantity')],
    ['Due', amount(before.due), amount(after.due)],
    ['Captured', amount(before.captured), amount(after.captured)],
    ['Refunded', amount(before.refunded), amount(after.refunded)],
    ['Deliver to', addressOf(before), addressOf(after)],
    ['Note', before.note ?? 'none', after.note ?? 'none'],
    [
      'Deliveries',
      counted(deliveries(before), 'delivery', 'deliveries'),
      counted(deliveries(after), 'delivery', 'deliveries'),
    ],
  ];
  const changes = facts
    .filter(([, was, is]) => was !== is)
    .map(([name, was, is]) => `${name}: ${was} → ${is}`);
  return changes.length > 0 ? changes : [`Version ${before.version} → ${after.version}`];
}

/**
 * @param {Order} before
 * @param {Order} after
 * @param {'fulfilledQuantity' | 'cancelledQuantity' | 'refundedQuantity'} field
 * @returns {[string, string]}
 */
function both(before, after, field) {
  return [counted(unitCount(before, field), 'unit'), counted(unitCount(after, field), 'unit')];
}

/**
 * @param {Order} order
 * @param {'quantity' | 'fulfilledQuantity' | 'cancelledQuantity' | 'refundedQuantity'} field
 */
function unitCount({ items }, field) {
  return items.reduce((sum, item) => sum + item[field], 0);
}

/** @param {Order} order */
function deliveries({ fulfillments }) {
  return fulfillments.filter(({ deliveredAt }) => deliveredAt).length;
}

/** @param {Pick<Order, 'shippingAddress'>} order */
export function addressOf({ shippingAddress }) {
  if (!shippingAddress) return 'no address';
  const { name, line1, line2, postalCode, city, region, country } = shippingAddress;
  return [name, line1, line2, [postalCode, city].filter(Boolean).join(' '), region, country]
    .filter(Boolean)
    .join(', ');
}
