import { changesBetween } from './audit';
import { isErased } from './erasing';
import type { Axis, Dispute, Fulfillment, Order, OrderState, Refund, StatusChange } from './order';

/** What a write of an order can mean, most telling first, with what each says of the order. */
export const ORDER_EVENTS = {
  'order.rejected': 'It could not be placed, or was not paid in time',
  'order.cancelled': 'All of it was cancelled',
  'order.completed': 'Nothing of it is open any more: each of its units was delivered or cancelled',
  'order.confirmed': 'It is placed, and its payment is authorised',
  'order.erased': 'The personal data of its customer were erased',
  'order.delivered': 'One of its fulfillments was delivered',
  'order.fulfilled':
    'Units of it were shipped or performed; its `fulfillmentStatus` says whether that was the rest',
  'order.fulfillment_undone': 'One of its fulfillments was lost or came back',
  'order.amended': 'Its lines, address, note, reference or metadata were changed',
  'order.partially_cancelled': 'Units of it were cancelled, and others were not',
  'refund.failed': 'The bank has returned a refund, or the money is not there any more',
  'refund.succeeded': 'Money was paid back',
  'refund.pending': 'Money is about to be paid back',
  'payment.action_required': 'The bank wants the customer to confirm the payment',
  'payment.declined': 'An attempt to pay it was declined, has failed or was not answered',
  'payment.authorized': 'Its payment is authorised',
  'payment.captured': 'Money was taken',
  'payment.voided': 'Nothing of its payment is reserved any more',
  'dispute.opened': 'The customer contests the payment at the bank',
  'dispute.won': 'The bank has decided on a dispute: the money comes back',
  'dispute.lost': 'The bank has decided on a dispute: the money is lost',
  'order.fulfillment_corrected': 'The carrier or the tracking number of a fulfillment was corrected',
  'order.overdue': 'The rest of it waits longer for a fulfillment than it should',
  'order.archived': 'It has left the lists',
  'order.placed': 'It was accepted: its stock is reserved, and its payment is next',
  'order.updated': 'Something else of it has changed, such as how its customer may still pay',
} as const satisfies Record<string, string>;

/** What happens to entries of the catalogue. */
export const PRODUCT_EVENTS = {
  'product.price_changed': 'Its price, or the tax on it, was changed',
  'product.retired': 'It cannot be ordered any more',
  'product.restored': 'It can be ordered again',
  'product.updated': 'Something else that it says was changed',
  'product.created': 'It is new in the catalogue',
  'product.out_of_stock': 'No unit of it is available any more',
  'product.back_in_stock': 'Units of it are available again',
} as const satisfies Record<string, string>;

/** What happens to carts. */
export const CART_EVENTS = {
  'cart.abandoned': 'Nobody has touched it for long, and there is something in it',
} as const satisfies Record<string, string>;

/** What happens to users. */
export const USER_EVENTS = {
  'user.created': 'An account was opened',
  'user.disabled': 'An ADMIN has disabled the account',
  'user.enabled': 'An ADMIN has enabled the account again',
  'user.erased': 'The account is closed, and what it had of the person is erased',
} as const satisfies Record<string, string>;

export type OrderEventType = keyof typeof ORDER_EVENTS;
export type ProductEventType = keyof typeof PRODUCT_EVENTS;
export type UserEventType = keyof typeof USER_EVENTS;
export type CartEventType = keyof typeof CART_EVENTS;
export type EventType = OrderEventType | ProductEventType | CartEventType | UserEventType;

/** Most telling first. */
const ORDER_EVENT_TYPES = Object.keys(ORDER_EVENTS) as OrderEventType[];
export const EVENT_TYPES = Object.keys({
  ...ORDER_EVENTS,
  ...PRODUCT_EVENTS,
  ...CART_EVENTS,
  ...USER_EVENTS,
}) as EventType[];

/** `order.*` stands for all types that begin with `order.`; `*` for all. */
const WILDCARDS = ['*', ...new Set(EVENT_TYPES.map((type) => `${type.split('.')[0]}.*`))];
/** What types may be named by. */
export const TYPE_NAMES: readonly string[] = [...EVENT_TYPES, ...WILDCARDS];

/** Returns whether one of these names, which may have wildcards, stands for the type. */
export function isTypeNamed(type: string, names: readonly string[]): boolean {
  return names.some(
    (name) => name === '*' || name === type || (name.endsWith('.*') && type.startsWith(name.slice(0, -1))),
  );
}

/** Returns the types that these names stand for. */
export function typesNamed(names: readonly string[]): EventType[] {
  return EVENT_TYPES.filter((type) => isTypeNamed(type, names));
}

/** What customers are not told of their orders. */
const FOR_STAFF: ReadonlySet<EventType> = new Set([
  'order.overdue',
  'order.archived',
  'dispute.opened',
  'dispute.won',
  'dispute.lost',
]);

/** Returns the types of an event of an order as its customer gets to know them. */
export function typesForCustomer(types: readonly EventType[]): EventType[] {
  const told = types.filter((type) => !FOR_STAFF.has(type));
  return told.length > 0 ? told : ['order.updated'];
}

/** Names an event by what it is about, and by the version of that, or what else tells its events apart. */
export function eventIdOf(object: string, name: number | string): string {
  return `evt_${object}_${name}`;
}

const BY_STATE: { readonly [A in Axis]: Readonly<Partial<Record<OrderState[A], OrderEventType>>> } = {
  status: {
    confirmed: 'order.confirmed',
    rejected: 'order.rejected',
    cancelled: 'order.cancelled',
    completed: 'order.completed',
  },
  paymentStatus: {
    action_required: 'payment.action_required',
    authorized: 'payment.authorized',
    declined: 'payment.declined',
    voided: 'payment.voided',
  },
  // Each fulfillment has an event of its own.
  fulfillmentStatus: {},
};

/**
 * Returns what has happened to an order between two of its versions, most telling first: more than one thing if it was one
 * write that did it, or if nothing is known of the versions between.
 * @param before null if there was no such order
 */
export function orderEventTypes(before: Order | null, after: Order): OrderEventType[] {
  const happened = new Set<OrderEventType>([
    ...(before || isNeverOpened(after) ? [] : (['order.placed'] as const)),
    ...newEntries(before, after).flatMap(({ axis, to }) => {
      const types = BY_STATE[axis] as Readonly<Record<string, OrderEventType | undefined>>;
      return types[to] ?? [];
    }),
    ...ofFulfillments(before, after),
    ...ofPayment(before, after),
    ...after.disputes
      .filter(isChangedSince(before?.disputes))
      .map(({ status }) => `dispute.${status}` as const),
    ...after.refunds.filter(isChangedSince(before?.refunds)).map(({ status }) => `refund.${status}` as const),
    ...ofUnits(before, after),
    ...(before && isAmended(before, after) ? (['order.amended'] as const) : []),
    ...(after.overdueSince !== null && before?.overdueSince !== after.overdueSince
      ? (['order.overdue'] as const)
      : []),
    ...(after.archivedAt !== null && !before?.archivedAt ? (['order.archived'] as const) : []),
    ...(isErasedSince(before, after) ? (['order.erased'] as const) : []),
  ]);
  if (happened.size === 0) return ['order.updated'];
  return ORDER_EVENT_TYPES.filter((type) => happened.has(type));
}

/** Returns whether the order has never had stock or a payment: its first version was its last. */
function isNeverOpened({ version, status }: Order): boolean {
  return version === 1 && status !== 'pending';
}

/** Erasing changes what entries say, but takes none away. */
function newEntries(before: Order | null, { statusHistory }: Order): StatusChange[] {
  return statusHistory.slice(before?.statusHistory.length ?? 0);
}

/** Returns whether an entry is new, or has another status than the earlier one of the same id. */
function isChangedSince<T extends Refund | Dispute>(earlier: readonly T[] = []): (entry: T) => boolean {
  return ({ id, status }) => earlier.find((one) => one.id === id)?.status !== status;
}

function ofFulfillments(before: Order | null, after: Order): OrderEventType[] {
  const isErasing = isErasedSince(before, after);
  return after.fulfillments.flatMap((one): OrderEventType[] => {
    const known = before?.fulfillments.find(({ id }) => id === one.id);
    return [
      ...(known ? [] : (['order.fulfilled'] as const)),
      ...(one.deliveredAt && !known?.deliveredAt ? (['order.delivered'] as const) : []),
      ...(one.undone && !known?.undone ? (['order.fulfillment_undone'] as const) : []),
      ...(known && !isErasing && isCorrected(known, one) ? (['order.fulfillment_corrected'] as const) : []),
    ];
  });
}

function isCorrected(before: Fulfillment, after: Fulfillment): boolean {
  return changesBetween(before, after, ['carrier', 'trackingNumber']).length > 0;
}

/** An order that is confirmed stays so when another card for it is declined. */
function ofPayment(before: Order | null, after: Order): OrderEventType[] {
  const isFailed = after.attempts.some(({ key, outcome }) => {
    const known = before?.attempts.find((one) => one.key === key);
    return FAILED.has(outcome) && known?.outcome !== outcome;
  });
  return [
    ...(after.captured > (before?.captured ?? 0) ? (['payment.captured'] as const) : []),
    ...(isFailed ? (['payment.declined'] as const) : []),
  ];
}

const FAILED: ReadonlySet<string> = new Set(['declined', 'failed', 'expired', 'unanswered']);

function ofUnits(before: Order | null, after: Order): OrderEventType[] {
  if (after.status === 'cancelled') return [];
  // Amending begins anew with other lines.
  if (before && changesBetween(before, after, ['total', 'currency']).length > 0) return [];
  return after.cancelled > (before?.cancelled ?? 0) || cancelledUnits(after) > cancelledUnits(before)
    ? ['order.partially_cancelled']
    : [];
}

function cancelledUnits(order: Order | null): number {
  return order?.items.reduce((sum, { cancelledQuantity }) => sum + cancelledQuantity, 0) ?? 0;
}

function isAmended(before: Order, after: Order): boolean {
  if (isErasedSince(before, after)) return false;
  // A rejected order gives its reference up.
  const reference = after.status === 'rejected' ? [] : ['externalRef'];
  const fields = ['currency', 'total', 'note', 'shippingAddress', 'metadata', ...reference];
  return (
    changesBetween(before, after, fields).length > 0 ||
    changesBetween(linesOf(before), linesOf(after), LINES).length > 0
  );
}

const LINES = ['lines'];

function linesOf({ items }: Order): { lines: unknown } {
  return {
    lines: items.map(({ productServiceId, quantity, unitPrice, total }) => [
      productServiceId,
      quantity,
      unitPrice,
      total,
    ]),
  };
}

function isErasedSince(before: Order | null, after: Order): boolean {
  return isErased(after) && !(before && isErased(before));
}

/**
 * Returns an order as it was at a time, as far as it can tell itself: for one of which no earlier version is known.
 * @param since ISO 8601: what has this time, or a later one, has not happened yet
 */
export function orderBefore(after: Order, since: string): Order {
  const isNew = (at: string | null | undefined) => typeof at === 'string' && at >= since;
  const undoneHistory = after.statusHistory.filter(({ at }) => isNew(at));
  const statusHistory = after.statusHistory.filter(({ at }) => !isNew(at));
  const states: Partial<Record<Axis, string>> = {};
  for (const { axis, from } of undoneHistory) if (from !== null) states[axis] ??= from;
  // They have the time at which they were asked for.
  const made = new Set(after.commands.filter(({ version }) => version === after.version).map(({ id }) => id));
  const isOld = ({ id, createdAt }: Fulfillment | Refund) => !isNew(createdAt) && !made.has(id);
  const isCaptured = undoneHistory.some(({ from, to }) => from === 'authorized' && to === 'captured');
  return {
    ...after,
    ...(states as Partial<OrderState>),
    statusHistory,
    fulfillments: after.fulfillments.filter(isOld).map(({ undone, ...one }) => ({
      ...one,
      deliveredAt: isNew(one.deliveredAt) ? null : one.deliveredAt,
      ...(undone && !isNew(undone.at) && { undone }),
    })),
    refunds: after.refunds.filter(isOld),
    disputes: after.disputes.filter(({ at }) => !isNew(at)),
    attempts: after.attempts.filter(({ at }) => !isNew(at)),
    captured: isCaptured ? 0 : after.captured,
    overdueSince: isNew(after.overdueSince) ? null : after.overdueSince,
    archivedAt: isNew(after.archivedAt) ? null : after.archivedAt,
    fingerprint: isErased(after) && isNew(after.updatedAt) ? '' : after.fingerprint,
  };
}
