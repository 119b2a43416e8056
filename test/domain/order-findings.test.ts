import type { AuditFinding } from '../../src/domain/audit-findings';
import type { Order } from '../../src/domain/order';
import {
  missingOrderFindings,
  needsWorkflow,
  orderFindings,
  type OrderRecords,
  type RememberedOrder,
  type SeenWorkflow,
} from '../../src/domain/order-findings';
import { CREATED, intendedFulfillment, LATER, orderIn, owed } from './fixtures';

const MINUTE_MS = 60_000;
const later = (ms: number) => new Date(Date.parse(CREATED) + ms).toISOString();
/** An hour after the last change of the order. */
const context = {
  at: later(60 * MINUTE_MS),
  settlingMs: 5 * MINUTE_MS,
  stuckMs: 24 * 60 * MINUTE_MS,
  storedWithinMs: 60 * MINUTE_MS,
};
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
  expect(kindsOf({})).toStrictEqual([]);
});

const laterVersion: RememberedOrder = { ...asStored, version: version + 1 };
const ended: SeenWorkflow = { ...running, status: 'TERMINATED' };
const events = (versions: number[], follows: [number, number | null][] = []) => ({
  events: { versions, follows: new Map(follows) },
});

const NO_WORKFLOW = { kind: 'order_without_workflow', expected: 'a workflow that runs' };
const missing = (version: number, found: string) => ({
  kind: 'events_missing',
  expected: `the event of version ${version}`,
  found,
});
const NOT_ORDERED = { kind: 'cart_not_ordered', expected: 'its cart ordered as this order' };

it.each<[string, Partial<OrderRecords>, Omit<AuditFinding, 'subject' | 'kind'> & { kind: string }]>([
  ['no workflow', { workflow: null }, { ...NO_WORKFLOW, found: 'none' }],
  [
    'a workflow that was terminated',
    { workflow: ended },
    { ...NO_WORKFLOW, found: 'one that is TERMINATED' },
  ],
  [
    'a workflow that shows another state',
    { workflow: { ...running, states: { ...running.states, status: 'pending' } } },
    { kind: 'workflow_differs', expected: 'status confirmed', found: 'in Temporal: status pending' },
  ],
  [
    'a workflow that shows no states',
    { workflow: { ...running, states: { status: 'confirmed' } } },
    {
      kind: 'workflow_differs',
      expected: 'paymentStatus authorized, fulfillmentStatus unfulfilled',
      found: 'in Temporal: paymentStatus undefined, fulfillmentStatus undefined',
    },
  ],
  [
    'a workflow that knows an earlier version',
    { remembered: { ...asStored, version: 1 } },
    { kind: 'workflow_differs', expected: 'version 2', found: 'in Temporal: version 1' },
  ],
  [
    'a workflow that knows an earlier version, and the state of that',
    { remembered: { ...asStored, version: 1, status: 'pending' } },
    { kind: 'workflow_differs', expected: 'version 2', found: 'in Temporal: version 1' },
  ],
  [
    'a workflow that knows a later version',
    { remembered: laterVersion },
    { kind: 'order_behind_workflow', expected: 'version 3', found: 'version 2' },
  ],
  [
    'a workflow that has ended with a later version, which nothing may start again',
    { workflow: { ...running, status: 'COMPLETED' }, remembered: laterVersion },
    { kind: 'order_behind_workflow', expected: 'version 3', found: 'version 2' },
  ],
  [
    'a workflow that knows another state of the same version',
    { remembered: { ...asStored, paymentStatus: 'captured', captured: 3_000 } },
    {
      kind: 'order_behind_workflow',
      expected: 'paymentStatus captured, captured 3000',
      found: 'paymentStatus authorized, captured 0',
    },
  ],
  ['no events', events([]), missing(2, 'none')],
  ['no last event', events([1]), missing(2, 'those of versions 1')],
  ['no first event', events([2], [[2, 1]]), missing(1, 'those of versions 2')],
  ['an event less between two', events([1, 2], [[2, 7]]), missing(7, 'those of versions 1, 2')],
  [
    'an event of a version that it has not had',
    events([1, 2, 3]),
    { kind: 'order_behind_events', expected: 'version 3', found: 'version 2' },
  ],
  [
    'an account as unpaid that it should not have',
    { isCountedUnpaid: true },
    { kind: 'unpaid_order_differs', expected: 'not counted as unpaid', found: 'counted as unpaid' },
  ],
  [
    'a cart that can be ordered again',
    { cart: { status: 'open', orderId: null } },
    { ...NOT_ORDERED, found: 'open, as no order' },
  ],
  [
    'a cart that is open, and names it all the same',
    { cart: { status: 'open', orderId: order.id } },
    { ...NOT_ORDERED, found: 'open, as ord_1' },
  ],
  [
    'a cart of another order',
    { cart: { status: 'ordered', orderId: 'ord_2' } },
    { ...NOT_ORDERED, kind: 'cart_ordered_twice', found: 'ordered, as ord_2' },
  ],
])('finds that an order has %s', (_, fields, finding) => {
  const found = orderFindings(order, { ...records, ...fields }, context);
  expect(found).toStrictEqual([{ ...finding, subject: order.id }]);
  // Right after a change it may be so.
  expect(kindsOf(fields, {}, later(5 * MINUTE_MS - 1))).toStrictEqual([]);
  expect(kindsOf(fields, {}, later(5 * MINUTE_MS))).toStrictEqual([finding.kind]);
});

it('finds what an order lacks elsewhere beside what it contradicts itself in', () => {
  expect(kindsOf({ workflow: null }, { cancelled: 1 })).toStrictEqual([
    'order_amounts_differ',
    'order_without_workflow',
  ]);
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
  [
    'the last write is as old as events are late',
    { ...events([1]), feed: { ...records.feed!, until: later(5 * MINUTE_MS) } },
    {},
  ],
  [
    'events are kept for as long as they are late',
    { ...events([2], [[2, 1]]), feed: { ...records.feed!, since: later(-5 * MINUTE_MS) } },
    {},
  ],
  [
    'the workflow is about to show what it does',
    { workflow: { ...running, states: {} } },
    { intention: intendedFulfillment() },
  ],
  ['there is no feed', { ...events([]), feed: null }, {}],
  ['histories have it as it is', { remembered: asStored }, {}],
  ['no history has anything of it', { remembered: null }, {}],
  ['the cart was ordered as this', { cart: { status: 'ordered', orderId: order.id } }, {}],
])('finds nothing if %s', (_, fields, changes) => {
  expect(kindsOf(fields, changes)).toStrictEqual([]);
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
  expect(kindsOf({ workflow: null }, closed)).toStrictEqual([]);
  expect(orderFindings({ ...order, ...closed }, records, context)).toMatchObject([
    {
      kind: 'workflow_not_ended',
      expected: 'none, since the order is cancelled',
      found: `a workflow that runs since ${CREATED}`,
    },
  ]);
  const compensations = [owed()];
  expect(kindsOf({ workflow: ended }, { ...closed, compensations })).toStrictEqual([
    'order_without_workflow',
  ]);
  expect(kindsOf({ workflow: ended, afterwards: running }, { ...closed, compensations })).toStrictEqual([]);
  const tomorrow = later(25 * 60 * MINUTE_MS);
  expect(
    kindsOf({ workflow: ended, afterwards: running }, { ...closed, compensations }, tomorrow),
  ).toStrictEqual(['order_stuck']);
});

it('names an order that cannot be read, and does not look at what there is of it elsewhere', () => {
  expect(kindsOf({ workflow: null }, { refunds: null as never })).toStrictEqual(['order_malformed']);
  const unreadable = { ...order, refunds: [null as never] };
  expect(orderFindings(unreadable, records, context)).toMatchObject([
    {
      subject: 'ord_1',
      expected: 'a document that can be read',
      found: expect.stringContaining('null') as string,
    },
  ]);
  expect(kindsOf({ workflow: null }, { refunds: [null as never] })).toStrictEqual(['order_malformed']);
});

it('needs no workflow for an order of which that cannot be told', () => {
  expect(needsWorkflow({ ...order, status: 'lost' as never })).toBe(false);
  expect(needsWorkflow({ status: 'completed', compensations: null as never })).toBe(false);
});

const completed: SeenWorkflow = { ...running, status: 'COMPLETED' };
it.each<[string, SeenWorkflow | null, OrderRecords['remembered'], string, string[]]>([
  ['runs, and has stored it', running, asStored, context.at, ['order_missing']],
  ['runs, and has taken a step that cannot be read', running, 'unreadable', context.at, ['order_missing']],
  ['has completed', completed, asStored, context.at, ['order_missing']],
  ['has completed, with a history that cannot be read', completed, null, context.at, ['order_missing']],
  ['was terminated before the order was stored', ended, null, context.at, []],
  ['was just started', running, asStored, later(MINUTE_MS), []],
  ['does not exist', null, null, context.at, []],
  ['has not stored it for an hour', running, null, context.at, ['order_not_stored']],
  ['has not stored it yet', running, null, later(59 * MINUTE_MS), []],
])('an order without a document is missing, or not, when its workflow %s', (_, ...of) => {
  const [workflow, remembered, at, kinds] = of;
  const inTemporal = { workflow, remembered, versions: [] };
  const found = missingOrderFindings('ord_1', inTemporal, { ...context, at });
  expect(found.map(({ kind }) => kind)).toStrictEqual(kinds);
});

it('says of an order that is not stored since when its workflow runs', () => {
  expect(
    missingOrderFindings('ord_1', { workflow: running, remembered: null, versions: [] }, context),
  ).toStrictEqual([
    {
      kind: 'order_not_stored',
      subject: 'ord_1',
      expected: 'a document',
      found: `none, and a workflow that is RUNNING, was started ${CREATED}`,
    },
  ]);
});

it('misses an order that has events, whatever there is of its workflow', () => {
  const [found] = missingOrderFindings(
    'ord_1',
    { workflow: null, remembered: null, versions: [1, 2] },
    context,
  );
  expect(found).toMatchObject({ kind: 'order_missing', found: 'none, and events of versions 1, 2' });
});

it('says of a missing order what its history has of it', () => {
  const [found] = missingOrderFindings(
    'ord_1',
    { workflow: running, remembered: asStored, versions: [] },
    context,
  );
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
  expect(kindsOf({ workflow: null, remembered }, rejected)).toStrictEqual(['order_behind_workflow']);
});

const [BEGUN] = order.statusHistory;

it('counts an order as unpaid as long as its customer has to act, and has it moved when that is over', () => {
  const waiting = orderIn({
    status: 'pending',
    paymentStatus: 'action_required',
    payBy: LATER,
    updatedAt: later(-MINUTE_MS),
    statusHistory: [BEGUN!, { ...BEGUN!, axis: 'paymentStatus', from: 'pending', to: 'action_required' }],
  });
  const unwatched = { ...records, workflow: undefined };
  expect(orderFindings(waiting, { ...unwatched, isCountedUnpaid: true }, context)).toStrictEqual([]);
  expect(orderFindings(waiting, unwatched, context)).toMatchObject([
    { kind: 'unpaid_order_differs', expected: 'counted as unpaid', found: 'not counted as unpaid' },
  ]);
  const at = later(2 * 24 * 60 * MINUTE_MS);
  const [stuck] = orderFindings(waiting, { ...unwatched, isCountedUnpaid: true }, { ...context, at });
  expect(stuck).toStrictEqual({
    kind: 'order_stuck',
    subject: 'ord_1',
    expected: `moved since ${LATER}`,
    found: `pending, payment action_required, unchanged since ${later(-MINUTE_MS)}`,
  });
});

it('an order that is rejected has lost its cart', () => {
  const rejected: Partial<Order> = {
    status: 'rejected',
    paymentStatus: 'pending',
    reservation: 'released',
    statusHistory: [BEGUN!, { ...BEGUN!, from: 'pending', to: 'rejected' }],
  };
  const cart = { status: 'open', orderId: null } as const;
  expect(kindsOf({ workflow: undefined, cart }, rejected)).toStrictEqual([]);
});
