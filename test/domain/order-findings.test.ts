import type { Order } from '../../src/domain/order';
import {
  missingOrderFindings,
  needsWorkflow,
  orderFindings,
  type OrderRecords,
  type RememberedOrder,
  type SeenWorkflow,
} from '../../src/domain/order-findings';
import { CREATED, orderIn, owed } from './fixtures';

const MINUTE_MS = 60_000;
const later = (ms: number) => new Date(Date.parse(CREATED) + ms).toISOString();
/** An hour after the last change of the order. */
const context = { at: later(60 * MINUTE_MS), settlingMs: 5 * MINUTE_MS, stuckMs: 24 * 60 * MINUTE_MS };
const order = orderIn({
  statusHistory: (
    [
      ['status', null, 'pending'],
      ['paymentStatus', 'pending', 'authorized'],
      ['status', 'pending', 'confirmed'],
    ] as const
  ).map(([axis, from, to]) => ({ at: CREATED, axis, from, to, by: 'system', reason: null })),
});
const { status, paymentStatus, fulfillmentStatus } = order;
const running: SeenWorkflow = {
  status: 'RUNNING',
  startedAt: CREATED,
  states: { status, paymentStatus, fulfillmentStatus },
};
const { version, total, captured, refunded } = order;
const asStored: RememberedOrder = {
  ...running.states,
  version,
  total,
  captured,
  refunded,
} as RememberedOrder;
const records: OrderRecords = {
  workflow: running,
  afterwards: undefined,
  remembered: undefined,
  events: { versions: [1, 2], follows: new Map() },
  feed: { since: later(-60 * MINUTE_MS), until: later(59 * MINUTE_MS) },
  isCountedUnpaid: false,
  cart: null,
};

function kindsOf(fields: Partial<OrderRecords>, changes: Partial<Order> = {}, at = context.at): string[] {
  const found = orderFindings({ ...order, ...changes }, { ...records, ...fields }, { ...context, at });
  return found.map(({ kind }) => kind);
}

it('finds nothing in an order that has what it needs', () => {
  expect(kindsOf({})).toEqual([]);
});

const laterVersion: RememberedOrder = { ...asStored, version: version + 1 };
const ended: SeenWorkflow = { ...running, status: 'TERMINATED' };
const events = (versions: number[], follows: [number, number | null][] = []) => ({
  events: { versions, follows: new Map(follows) },
});

it.each<[string, Partial<OrderRecords>, string]>([
  ['no workflow', { workflow: null }, 'order_without_workflow'],
  ['a workflow that was terminated', { workflow: ended }, 'order_without_workflow'],
  [
    'a workflow that shows other states',
    { workflow: { ...running, states: { ...running.states, status: 'pending' } } },
    'workflow_differs',
  ],
  [
    'a workflow that knows an earlier version',
    { remembered: { ...asStored, version: 1 } },
    'workflow_differs',
  ],
  ['a workflow that knows a later version', { remembered: laterVersion }, 'order_behind_workflow'],
  [
    'a workflow that has ended with a later version, which nothing may start again',
    { workflow: { ...running, status: 'COMPLETED' }, remembered: laterVersion },
    'order_behind_workflow',
  ],
  [
    'a workflow that knows another state of the same version',
    { remembered: { ...asStored, paymentStatus: 'captured' } },
    'order_behind_workflow',
  ],
  ['no events', events([]), 'events_missing'],
  ['no last event', events([1]), 'events_missing'],
  ['no first event', events([2], [[2, 1]]), 'events_missing'],
  ['an event less between two', events([1, 2], [[2, 7]]), 'events_missing'],
  ['an event of a version that it has not had', events([1, 2, 3]), 'order_behind_events'],
  ['an account as unpaid that it should not have', { isCountedUnpaid: true }, 'unpaid_order_differs'],
  ['a cart that can be ordered again', { cart: { status: 'open', orderId: null } }, 'cart_not_ordered'],
  ['a cart of another order', { cart: { status: 'ordered', orderId: 'ord_2' } }, 'cart_ordered_twice'],
])('finds that an order has %s', (_, fields, kind) => {
  expect(kindsOf(fields)).toEqual([kind]);
  // Right after a change it may be so.
  expect(kindsOf(fields, {}, later(4 * MINUTE_MS))).toEqual([]);
});

it.each<[string, Partial<OrderRecords>, Partial<Order>]>([
  ['the workflow was not looked for', { workflow: undefined }, {}],
  [
    'the first events have expired',
    { ...events([2], [[2, 1]]), feed: { since: later(1), until: context.at } },
    {},
  ],
  ['all events have expired', { ...events([]), feed: { since: later(1), until: context.at } }, {}],
  ['versions have become one event', events([1, 4], [[4, 1]]), { version: 4, revision: 4 }],
  ['the feed is behind', { ...events([1]), feed: { ...records.feed!, until: later(MINUTE_MS) } }, {}],
  ['there is no feed', { ...events([]), feed: null }, {}],
  ['histories have it as it is', { remembered: asStored }, {}],
  ['no history has anything of it', { remembered: null }, {}],
  ['the cart was ordered as this', { cart: { status: 'ordered', orderId: order.id } }, {}],
])('finds nothing if %s', (_, fields, changes) => {
  expect(kindsOf(fields, changes)).toEqual([]);
});

it('needs no workflow for an order that is closed, unless it owes something', () => {
  const closed: Partial<Order> = {
    status: 'cancelled',
    fulfillmentStatus: 'cancelled',
    reservation: 'released',
    items: order.items.map((item) => ({
      ...item,
      cancelledQuantity: item.quantity,
      cancelledAmount: item.total!,
    })),
    cancelled: order.total!,
    statusHistory: [
      ...order.statusHistory,
      { ...order.statusHistory[2]!, from: 'confirmed', to: 'cancelled' },
      { ...order.statusHistory[2]!, axis: 'fulfillmentStatus', from: 'unfulfilled', to: 'cancelled' },
    ],
  };
  expect(kindsOf({ workflow: null }, closed)).toEqual([]);
  expect(kindsOf({ workflow: running }, closed)).toEqual(['workflow_not_ended']);
  const compensations = [owed()];
  expect(kindsOf({ workflow: ended }, { ...closed, compensations })).toEqual(['order_without_workflow']);
  expect(kindsOf({ workflow: ended, afterwards: running }, { ...closed, compensations })).toEqual([]);
  const tomorrow = later(25 * 60 * MINUTE_MS);
  expect(kindsOf({ workflow: ended, afterwards: running }, { ...closed, compensations }, tomorrow)).toEqual([
    'order_stuck',
  ]);
});

it('names an order that cannot be read, and does not look at what there is of it elsewhere', () => {
  expect(kindsOf({ workflow: null }, { refunds: null as never })).toEqual(['order_malformed']);
  expect(kindsOf({ workflow: null }, { refunds: [null as never] })).toEqual(['order_malformed']);
});

it('needs no workflow for an order of which that cannot be told', () => {
  expect(needsWorkflow({ ...order, status: 'lost' as never })).toBe(false);
  expect(needsWorkflow({ status: 'completed', compensations: null as never })).toBe(false);
});

it.each<[string, SeenWorkflow | null, string, string[]]>([
  ['runs', running, context.at, ['order_missing']],
  ['has completed', { ...running, status: 'COMPLETED' }, context.at, ['order_missing']],
  ['was terminated before the order was stored', ended, context.at, []],
  ['was just started', running, later(MINUTE_MS), []],
  ['does not exist', null, context.at, []],
])('an order without a document is missing, or not, when its workflow %s', (_, workflow, at, kinds) => {
  const inTemporal = { workflow, remembered: asStored };
  const found = missingOrderFindings('ord_1', inTemporal, { ...context, at });
  expect(found.map(({ kind }) => kind)).toEqual(kinds);
});

it('says of a missing order what its history has of it', () => {
  const [found] = missingOrderFindings('ord_1', { workflow: running, remembered: asStored }, context);
  expect(found!.found).toMatch(
    / and whose history has version 2, status confirmed, paymentStatus authorized, /,
  );
});

it('finds that a closed order was put back of which only the workflow after its end knows', () => {
  const rejected: Partial<Order> = {
    status: 'rejected',
    reservation: 'none',
    statusHistory: [
      ...order.statusHistory.slice(0, 2),
      { ...order.statusHistory[2]!, from: 'pending', to: 'rejected' },
    ],
  };
  const remembered: RememberedOrder = { ...laterVersion, status: 'rejected' };
  expect(kindsOf({ workflow: null, remembered }, rejected)).toEqual(['order_behind_workflow']);
});
