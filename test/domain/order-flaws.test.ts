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
  ['an empty id', { id: '' }, { expected: /^id: a text$/, found: /^id: ""$/ }],
  ['no customer', { customerId: undefined }, { expected: /^customerId: a text$/, found: /absent/ }],
  ['no lines', { items: [] }, { expected: /items: one at least/, found: /^items: \[\]$/ }],
  ['a list that is missing', { refunds: undefined }, { expected: /refunds: a list/, found: /absent/ }],
  ['an amount that is no integer', { captured: 0.5 }, { expected: /captured: a whole number/ }],
  [
    'units below zero',
    { items: [{ ...product, cancelledQuantity: -1 }] },
    { expected: /^items\.cancelledQuantity: a whole number, not negative$/, found: /-1/ },
  ],
  [
    'a version beyond its revision',
    { version: 3 },
    { expected: /^version: from 1 up to the revision$/, found: /3 of 2/ },
  ],
  ['no version yet', { version: 0 }, { found: /0 of 2/ }],
  ['a part of a version', { version: 1.5 }, { found: /1.5 of 2/ }],
  ['a part of a revision', { revision: 2.5 }, { found: /2 of 2.5/ }],
  [
    'a revision at which it was resumed beyond its own',
    { resumedRevision: 3 },
    { expected: /^resumedRevision: up to 2$/, found: /^resumedRevision: 3$/ },
  ],
])('does not add up an order that has %s', (_, fields, flaw) => {
  expect(flawsOf({ ...whole, ...fields })).toEqual([
    { kind: 'order_malformed', expected: expect.any(String) as string, found: expect.any(String) as string },
  ]);
  expect(() => requireWellFormed({ ...whole, ...fields })).toThrow(
    /^Order .* was damaged, .+ expected .+, found .+\. See docs\/.+#order_malformed\.$/,
  );
  const [found] = flawsOf({ ...whole, ...fields });
  for (const [side, pattern] of Object.entries(flaw))
    expect(found![side as 'found']).toMatch(pattern as RegExp);
});

it('adds up an order at its first version, and one that was just resumed', () => {
  expect(flawsOf({ ...whole, version: 1, revision: 1 })).toEqual([]);
  expect(flawsOf({ ...whole, resumedRevision: 2 })).toEqual([]);
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
  [
    'the total of a line',
    { items: [{ ...product, tax: 7 }, service], tax: 7 },
    'items.0.total 2007',
    'items.0.total 2000',
  ],
  [
    'a unit price that contains the tax',
    { items: [{ ...product, priceIncludesTax: true, unitPrice: 999 }, service] },
    'items.0.total 1998',
    'items.0.total 2000',
  ],
  ['cancelled amounts', { cancelled: 100 }, 'cancelled 0', 'cancelled 100'],
  [
    'what is cancelled of a line, beyond its total',
    { items: [{ ...product, cancelledAmount: 2_001 }, service], cancelled: 2_001 },
    'items.0.cancelledAmount 2000',
    'items.0.cancelledAmount 2001',
  ],
  [
    'what is cancelled, beyond the total',
    { items: [{ ...product, cancelledAmount: 3_001 }, service], cancelled: 3_001 },
    'cancelled 3000, items.0.cancelledAmount 2000',
    'cancelled 3001, items.0.cancelledAmount 3001',
  ],
  [
    'refunds beyond what was captured',
    { ...captured, captured: 400, refunded: 500, refunds: [refund], paymentStatus: 'partially_refunded' },
    'refunded 400',
    'refunded 500',
  ],
  [
    'what was refunded, without a price',
    {
      items: [{ ...product, unitPrice: null, subtotal: null, tax: null, total: null }],
      total: null,
      subtotal: null,
      tax: null,
      refunded: 1,
    },
    'refunded 0, refunded 0',
    'refunded 1, refunded 1',
  ],
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

it('finds units that came back without having been refunded', () => {
  const items = [{ ...product, restockedQuantity: 1 }, service];
  expect(flawsOf({ ...whole, items })).toMatchObject([
    {
      expected: 'restocked of ps_a 0, restocked of ps_a 0',
      found: 'restocked of ps_a 1, restocked of ps_a 1',
    },
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

it('an order that is rejected has released its stock, or never held any', () => {
  const rejected: Order = {
    ...whole,
    status: 'rejected',
    statusHistory: [...statusHistory.slice(0, 2), entry('status', 'pending', 'rejected')],
  };
  expect(flawsOf({ ...rejected, reservation: 'none' })).toEqual([]);
  expect(flawsOf({ ...rejected, reservation: 'released' })).toEqual([]);
  expect(flawsOf({ ...rejected, reservation: 'held' })).toMatchObject([
    { kind: 'order_reservation_differs', expected: 'reservation released' },
  ]);
});

it('says from which state a history has to continue', () => {
  const history = [...statusHistory, entry('status', 'confirmed', 'rejected')];
  expect(flawsOf({ ...whole, statusHistory: history })).toMatchObject([
    { expected: 'entry 3: from status confirmed to a state that may follow it' },
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
  [
    'has a change that would be possible, but for the state before',
    [statusHistory[0]!, entry('paymentStatus', 'captured', 'authorized'), statusHistory[2]!],
    'entry 1: from captured to authorized',
  ],
  ['begins anew', [...statusHistory, entry('status', null, 'pending')], 'entry 3: from null to pending'],
  [
    'begins with a payment',
    [entry('paymentStatus', null, 'pending'), ...statusHistory.slice(1)],
    'entry 0: from null to pending',
  ],
  [
    'begins with another state',
    [entry('status', null, 'confirmed'), statusHistory[1]!],
    'entry 0: from null to confirmed',
  ],
  [
    'has an entry that says nothing',
    [
      ...statusHistory,
      { ...entry('status', null, ''), axis: undefined, from: undefined, to: undefined } as never,
    ],
    'entry 3: from undefined to undefined',
  ],
])('finds a history that %s', (_, history, found) => {
  expect(flawsOf({ ...whole, statusHistory: history })).toEqual([
    { kind: 'order_history_broken', expected: expect.any(String) as string, found },
  ]);
});
