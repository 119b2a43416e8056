import { sumAmounts } from './money';
import {
  FULFILLMENT_STATUSES,
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  type Axis,
  type Order,
  type OrderItem,
  type OrderLine,
  type OrderState,
  type Reservation,
} from './order';
import { paidStatus, sumOf } from './order-payment';
import { countingFulfillments } from './order-progress';
import { canTransition, INITIAL_STATE } from './order-transitions';

/** Something of an order that no write of this system leaves so: someone has changed the document by hand, or lost a part. */
export interface Flaw {
  kind:
    | 'order_malformed'
    | 'order_amounts_differ'
    | 'order_units_differ'
    | 'order_reservation_differs'
    | 'order_history_broken';
  /** What it would have to be, for people. */
  expected: string;
  found: string;
}

/** Returns what contradicts itself in an order, at most one flaw of each kind. */
export function flawsOf(order: Order): Flaw[] {
  // What has not even the form of an order cannot be added up.
  const malformed = formFlaw(order);
  if (malformed) return [malformed];
  return [amountsFlaw(order), unitsFlaw(order), reservationFlaw(order), historyFlaw(order)].filter(
    (flaw) => flaw !== null,
  );
}

/**
 * What is decided on an order that has lost a part would be saved, and the rest of it lost for good.
 * @throws {Error} which says what is wrong
 */
export function requireWellFormed(order: Order): void {
  const flaw = formFlaw(order);
  if (!flaw) return;
  throw new Error(
    `Order ${order.id} was damaged, and nothing is changed until it is put right: expected ${flaw.expected}, found ` +
      `${flaw.found}. See docs/failure-modes.md#order_malformed.`,
  );
}

const STATES: { readonly [A in Axis]: readonly string[] } = {
  status: ORDER_STATUSES,
  paymentStatus: PAYMENT_STATUSES,
  fulfillmentStatus: FULFILLMENT_STATUSES,
};
const LISTS = ['items', 'fulfillments', 'refunds', 'compensations', 'statusHistory', 'attempts'] as const;
const TEXTS = ['id', 'number', 'customerId', 'createdAt', 'updatedAt'] as const;
const AMOUNTS = ['captured', 'refunded', 'cancelled'] as const;
const COUNTS_OF_ITEM = [
  'quantity',
  'fulfilledQuantity',
  'cancelledQuantity',
  'cancelledAmount',
  'refundedQuantity',
  'restockedQuantity',
  'writtenOffQuantity',
] as const;

function formFlaw(order: Order): Flaw | null {
  const wrong = (field: string, expected: string, found: unknown) =>
    malformed(`${field}: ${expected}`, `${field}: ${JSON.stringify(found) ?? 'absent'}`);
  for (const field of TEXTS)
    if (typeof order[field] !== 'string' || order[field] === '') return wrong(field, 'a text', order[field]);
  for (const field of LISTS) if (!Array.isArray(order[field])) return wrong(field, 'a list', order[field]);
  for (const [axis, states] of Object.entries(STATES) as [Axis, readonly string[]][])
    if (!states.includes(order[axis])) return wrong(axis, `one of ${states.join(', ')}`, order[axis]);
  for (const field of AMOUNTS)
    if (!isCount(order[field])) return wrong(field, 'a whole number, not negative', order[field]);
  for (const field of COUNTS_OF_ITEM) {
    const item = order.items.find((one) => !isCount(one[field]));
    if (item) return wrong(`items.${field}`, 'a whole number, not negative', item[field]);
  }
  const { version, revision, resumedRevision } = order;
  const isNumbered = isCount(version) && isCount(revision) && version >= 1 && version <= revision;
  if (!isNumbered) return wrong('version', 'from 1 up to the revision', `${version} of ${revision}`);
  if (!(resumedRevision <= revision)) return wrong('resumedRevision', `up to ${revision}`, resumedRevision);
  return order.items.length === 0 ? wrong('items', 'one at least', []) : null;
}

export function malformed(expected: string, found: string): Flaw {
  return { kind: 'order_malformed', expected, found };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A sum that has to be equal to another one, or the most that something may be. */
type Equation = [what: string, found: number | string | null, expected: number | string | null];

/** Returns a flaw that names all that differ, or null if none does. */
function flawIn(kind: Flaw['kind'], equations: readonly Equation[]): Flaw | null {
  const wrong = equations.filter(([, found, expected]) => found !== expected);
  if (wrong.length === 0) return null;
  const list = (value: (one: Equation) => unknown) =>
    wrong.map((one) => `${one[0]} ${String(value(one))}`).join(', ');
  return { kind, expected: list(([, , expected]) => expected), found: list(([, found]) => found) };
}

/** What is to be at most this much is expected to be as it is, unless it is more. */
const atMost = (what: string, found: number, most: number): Equation => [
  `${what}`,
  found,
  Math.min(found, most),
];

function amountsFlaw(order: Order): Flaw | null {
  const { items, total, captured, refunded, cancelled, refunds, payment, paymentStatus } = order;
  const made = refunds.filter(({ status }) => status === 'succeeded');
  const equations: Equation[] = [
    ['cancelled', cancelled, sumAmounts(items.map(({ cancelledAmount }) => cancelledAmount))],
    ['refunded', refunded, sumOf(made)],
    atMost('refunded', refunded, captured),
    atMost('cancelled', cancelled, total ?? 0),
    atMost('captured', captured, payment?.amount ?? 0),
    // Of what was captured, the state tells how much was refunded.
    ['paymentStatus', paymentStatus, captured > 0 ? paidStatus(order) : paymentStatus],
  ];
  if (total === null) return flawIn('order_amounts_differ', equations);
  return flawIn('order_amounts_differ', [
    ...equations,
    ...(['subtotal', 'tax', 'total'] as const).map((field): Equation => [
      field,
      order[field],
      sumAmounts(items.map((item) => item[field]!)),
    ]),
    ...items.flatMap(amountsOfItem),
  ]);
}

function amountsOfItem(item: OrderItem, n: number): Equation[] {
  const { quantity, unitPrice, priceIncludesTax, subtotal, tax, total } = item;
  const price = unitPrice! * quantity;
  return [
    [`items.${n}.total`, total, subtotal! + tax!],
    priceIncludesTax ? [`items.${n}.total`, total, price] : [`items.${n}.subtotal`, subtotal, price],
    atMost(`items.${n}.cancelledAmount`, item.cancelledAmount, total!),
  ];
}

function unitsFlaw(order: Order): Flaw | null {
  const { items, fulfillments, refunds } = order;
  const shipped = linesOf(countingFulfillments(order));
  const lost = linesOf(fulfillments.filter(({ undone }) => undone && !undone.restock));
  const refunded = linesOf(refunds);
  const returned = refunded.filter(({ restock }) => restock);
  const equations: Equation[] = [];
  for (const id of new Set(items.map(({ productServiceId }) => productServiceId))) {
    const ofProduct = items.filter((item) => item.productServiceId === id);
    const sum = (field: (typeof COUNTS_OF_ITEM)[number]) =>
      ofProduct.reduce((units, item) => units + item[field], 0);
    const isProduct = ofProduct[0]!.kind === 'product';
    equations.push(
      [`fulfilled of ${id}`, sum('fulfilledQuantity'), unitsOf(id, shipped)],
      [`refunded of ${id}`, sum('refundedQuantity'), unitsOf(id, refunded)],
      [`restocked of ${id}`, sum('restockedQuantity'), isProduct ? unitsOf(id, returned) : 0],
      [`written off of ${id}`, sum('writtenOffQuantity'), isProduct ? unitsOf(id, lost) : 0],
    );
  }
  for (const item of items) {
    const { productServiceId: id, quantity, fulfilledQuantity, cancelledQuantity } = item;
    equations.push(
      atMost(`fulfilled and cancelled of ${id}`, fulfilledQuantity + cancelledQuantity, quantity),
      atMost(`refunded of ${id}`, item.refundedQuantity, fulfilledQuantity),
      atMost(`restocked of ${id}`, item.restockedQuantity, item.refundedQuantity),
    );
  }
  return flawIn('order_units_differ', equations);
}

function linesOf<Line>(entries: readonly { items: readonly Line[] }[]): Line[] {
  return entries.flatMap(({ items }) => items);
}

function unitsOf(id: string, lines: readonly OrderLine[]): number {
  return lines.reduce(
    (units, { productServiceId, quantity }) => units + (productServiceId === id ? quantity : 0),
    0,
  );
}

function reservationFlaw(order: Order): Flaw | null {
  return flawIn('order_reservation_differs', [['reservation', order.reservation, reservationFor(order)]]);
}

/** Returns where the stock of an order has to be in its states. */
function reservationFor(order: Order): Reservation {
  const { status, fulfillmentStatus, items, reservation } = order;
  if (!items.some(({ kind }) => kind === 'product')) return 'none';
  // One that could not be placed has never held any.
  if (status === 'rejected') return reservation === 'none' ? 'none' : 'released';
  if (status === 'cancelled') return 'released';
  if (fulfillmentStatus === 'fulfilled' || fulfillmentStatus === 'delivered') return 'committed';
  return 'held';
}

function historyFlaw({ statusHistory, ...order }: Order): Flaw | null {
  const state: OrderState = { ...INITIAL_STATE };
  for (const [n, { axis, from, to }] of statusHistory.entries()) {
    const isFirst = n === 0 && axis === 'status' && from === null && to === INITIAL_STATE.status;
    const isTold = from === to;
    const isPossible =
      axis in state &&
      from === state[axis] &&
      (isTold || canTransition(axis, state[axis], to as OrderState[Axis]));
    if (!isFirst && !isPossible) {
      const expected = `entry ${n}: from ${axis} ${state[axis]} to a state that may follow it`;
      return { kind: 'order_history_broken', expected, found: `entry ${n}: from ${from} to ${to}` };
    }
    Object.assign(state, { [axis]: to });
  }
  return flawIn(
    'order_history_broken',
    (Object.keys(state) as Axis[]).map((axis) => [axis, order[axis], state[axis]]),
  );
}
