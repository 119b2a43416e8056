import type { Order, StatusChange } from '../../src/domain/order';
import { flawsOf, requireWellFormed } from '../../src/domain/order-flaws';
import { CREATED, itemOf, orderIn, priced, refundOf } from './fixtures';

const entry = (axis: StatusChange['axis'], from: string | null, to: string): StatusChange => ({
  at: CREATED,
  axis,
  from,
  to,
  by: 'system',
  reason: null,
});

const statusHistory = [
  entry('status', null, 'pending'),
  entry('paymentStatus', 'pending', 'authorized'),
  entry('status', 'pending', 'confirmed'),
];
const whole = orderIn({ statusHistory });
const [product, service] = whole.items as [Order['items'][number], Order['items'][number]];

it('finds nothing in an order as it is written, and in one that could not be priced', () => {
  expect(flawsOf(whole)).toEqual([]);
  expect(() => requireWellFormed(whole)).not.toThrow();
  const unpriced = orderIn({
    status: 'rejected',
    paymentStatus: 'pending',
    fulfillmentStatus: 'cancelled',
    statusHistory: [
      entry('status', null, 'pending'),
      entry('status', 'pending', 'rejected'),
      entry('fulfillmentStatus', 'unfulfilled', 'cancelled'),
    ],
    items: [{ ...product, kind: null, unitPrice: null, subtotal: null, tax: null, total: null }],
    subtotal: null,
    tax: null,
    total: null,
    payment: null,
    reservation: 'none',
  });
  expect(flawsOf(unpriced)).toEqual([]);
});

it.each<[string, Partial<Order>, object]>([
  [
    'a state that does not exist',
    { status: 'lost' as never },
    { expected: /status: one of pending, /, found: /"lost"/ },
  ],
  ['no lines', { items: [] }, { expected: /items: one at least/ }],
  ['a list that is missing', { refunds: undefined }, { expected: /refunds: a list/, found: /absent/ }],
  ['an amount that is no integer', { captured: 0.5 }, { expected: /captured: a whole number/ }],
  [
    'units below zero',
    { items: [{ ...product, cancelledQuantity: -1 }] },
    { expected: /items\.cancelledQuantity/, found: /-1/ },
  ],
  ['a version beyond its revision', { version: 3 }, { found: /3 of 2/ }],
  ['a revision at which it was resumed beyond its own', { resumedRevision: 3 }, { expected: /up to 2/ }],
])('does not add up an order that has %s', (_, fields, flaw) => {
  expect(flawsOf({ ...whole, ...fields })).toEqual([
    { kind: 'order_malformed', expected: expect.any(String) as string, found: expect.any(String) as string },
  ]);
  expect(() => requireWellFormed({ ...whole, ...fields })).toThrow(/^Order .+ was damaged/);
  const [found] = flawsOf({ ...whole, ...fields });
  for (const [side, pattern] of Object.entries(flaw))
    expect(found![side as 'found']).toMatch(pattern as RegExp);
});

const refund = refundOf(500, 'ref_1');
const captured: Partial<Order> = {
  captured: 3_000,
  paymentStatus: 'captured',
  statusHistory: [...statusHistory, entry('paymentStatus', 'authorized', 'captured')],
};

it.each<[string, Partial<Order>, string, string]>([
  ['a total', { total: 3_001 }, 'total 3000', 'total 3001'],
  ['a tax', { tax: 1 }, 'tax 0', 'tax 1'],
  [
    'a unit price',
    { items: [{ ...product, unitPrice: 999 }, service] },
    'items.0.subtotal 1998',
    'items.0.subtotal 2000',
  ],
  ['cancelled amounts', { cancelled: 100 }, 'cancelled 0', 'cancelled 100'],
  ['a capture beyond the payment', { ...captured, captured: 3_001 }, 'captured 3000', 'captured 3001'],
  [
    'refunds that were not made',
    { ...captured, refunded: 500, paymentStatus: 'partially_refunded' },
    'refunded 0',
    'refunded 500',
  ],
])('finds amounts that differ by %s', (_, fields, expected, found) => {
  expect(flawsOf({ ...whole, ...fields })).toContainEqual({ kind: 'order_amounts_differ', expected, found });
});

it('finds a state that says nothing of a refund', () => {
  const refunded = { ...whole, ...captured, refunded: 500, refunds: [refund] };
  expect(flawsOf(refunded)).toEqual([
    {
      kind: 'order_amounts_differ',
      expected: 'paymentStatus partially_refunded',
      found: 'paymentStatus captured',
    },
  ]);
});

it.each<[string, Order['items'][number], string, string]>([
  ['fulfilled', { ...product, fulfilledQuantity: 1 }, 'fulfilled of ps_a 0', 'fulfilled of ps_a 1'],
  ['written off', { ...product, writtenOffQuantity: 1 }, 'written off of ps_a 0', 'written off of ps_a 1'],
  [
    'refunded and restocked',
    { ...product, refundedQuantity: 1, restockedQuantity: 1 },
    'refunded of ps_a 0, restocked of ps_a 0, refunded of ps_a 0',
    'refunded of ps_a 1, restocked of ps_a 1, refunded of ps_a 1',
  ],
])('finds units that were %s by nothing', (_, item, expected, found) => {
  expect(flawsOf({ ...whole, items: [item, service] })).toEqual([
    { kind: 'order_units_differ', expected, found },
  ]);
});

it('finds more units that are gone than there were', () => {
  const items = [{ ...product, cancelledQuantity: 3 }, service];
  expect(flawsOf({ ...whole, items })).toEqual([
    {
      kind: 'order_units_differ',
      expected: 'fulfilled and cancelled of ps_a 2',
      found: 'fulfilled and cancelled of ps_a 3',
    },
  ]);
});

it.each<[Order['reservation'], Partial<Order>, Order['reservation']]>([
  ['released', {}, 'held'],
  ['held', { items: [itemOf(priced('ps_s', 3, 'service'))] }, 'none'],
])('finds a reservation that is %s', (reservation, fields, expected) => {
  expect(flawsOf({ ...whole, ...fields, reservation })).toEqual([
    {
      kind: 'order_reservation_differs',
      expected: `reservation ${expected}`,
      found: `reservation ${reservation}`,
    },
  ]);
});

it.each<[string, StatusChange[], string]>([
  ['does not lead to the states', statusHistory.slice(0, 2), 'status confirmed'],
  ['lacks an entry', [statusHistory[0]!, statusHistory[2]!], 'paymentStatus authorized'],
  [
    'has a change that is not possible',
    [...statusHistory, entry('status', 'confirmed', 'rejected')],
    'entry 3: from confirmed to rejected',
  ],
  [
    'has a change from another state',
    [entry('status', 'cancelled', 'pending')],
    'entry 0: from cancelled to pending',
  ],
])('finds a history that %s', (_, history, found) => {
  expect(flawsOf({ ...whole, statusHistory: history })).toEqual([
    { kind: 'order_history_broken', expected: expect.any(String) as string, found },
  ]);
});
