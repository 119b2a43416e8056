import fc from 'fast-check';
import { archivedOrder, cancelledOrder } from '../../src/domain/closing';
import { erasedOrder } from '../../src/domain/erasing';
import {
  EVENT_TYPES,
  eventIdOf,
  isTypeNamed,
  orderBefore,
  orderEventTypes,
  TYPE_NAMES,
  typesForCustomer,
  typesNamed,
  type OrderEventType,
} from '../../src/domain/events';
import { amendedOrder } from '../../src/domain/amendment';
import { correctedOrder, deliveredOrder } from '../../src/domain/fulfillment';
import type { Order } from '../../src/domain/order';
import { openedOrder, rejectedOrder } from '../../src/domain/placing';
import { versionsOf } from '../support/order-lives';
import { repetitions } from '../support/sample';
import {
  CREATED,
  LATER,
  command,
  fulfillment,
  line,
  orderIn,
  policy,
  priced,
  pricingOf,
  refundOf,
  requestFor,
} from './fixtures';
import { Ledger } from './order-life/ledger';
import { card, pricing, retryWindowMs, step } from './order-life/steps';
import { holds, World } from './order-life/world';

/** What an order that is read much later does not tell any more, since something else has become of it. */
const PASSING: ReadonlySet<OrderEventType> = new Set([
  'order.updated',
  'order.amended',
  'order.overdue',
  'order.fulfillment_corrected',
  'order.partially_cancelled',
  'refund.pending',
  'refund.succeeded',
  'payment.declined',
  'dispute.opened',
]);

/** What nothing tells the time of. */
const TIMELESS: ReadonlySet<OrderEventType> = new Set([
  'order.updated',
  'order.amended',
  'order.partially_cancelled',
  'order.fulfillment_corrected',
  'refund.succeeded',
  'refund.failed',
  'payment.captured',
  'payment.declined',
]);

it('knows what each write of an order means, whatever happens to it, and what several writes mean together', () => {
  const met = new Set<OrderEventType>();
  const sequences = fc.property(
    fc.record({ pricing, card, retryWindowMs, refundsArePending: fc.boolean() }),
    fc.constantFrom('once', 'many'),
    fc.array(step, { maxLength: 16, size: 'max' }),
    fc.nat(),
    ({ pricing, card, retryWindowMs, refundsArePending }, captures, steps, from) => {
      const world = new World({
        pricing,
        card,
        policy: { ...policy, retryWindowMs },
        ledger: new Ledger(captures, refundsArePending),
      });
      for (const one of steps) world.take(one);
      const versions = versionsOf(world.written);
      const events = versions.map((order, n) => orderEventTypes(versions[n - 1] ?? null, order));
      for (const [n, types] of events.entries()) {
        const [before, after] = [versions[n - 1], versions[n]!];
        types.forEach((type) => met.add(type));
        holds(after.version === (before?.version ?? 0) + 1, 'a write raises the version by one');
        holds(types.length > 0, 'each version is an event');
        const changed = after.statusHistory.slice(before?.statusHistory.length ?? 0);
        for (const { axis, from, to } of changed)
          if (axis === 'status' && from !== null)
            holds(types.includes(`order.${to}` as OrderEventType), `${to} is told`);
        if (!before) continue;
        const guessed = orderEventTypes(orderBefore(after, after.updatedAt), after);
        const untold = types.filter((type) => !TIMELESS.has(type) && !guessed.includes(type));
        const invented = guessed.filter((type) => type !== 'order.updated' && !types.includes(type));
        holds(untold.length === 0, `the order itself tells ${untold.join()}`);
        holds(invented.length === 0, `nobody invents ${invented.join()}`);
      }
      const first = from % versions.length;
      const together = orderEventTypes(versions[first - 1] ?? null, versions.at(-1)!);
      const apart = new Set(events.slice(first).flat());
      const lost = [...apart].filter((type) => !PASSING.has(type) && !together.includes(type));
      const invented = together.filter((type) => type !== 'order.updated' && !apart.has(type));
      holds(lost.length === 0, `nothing is lost of versions that nobody saw: ${lost.join()}`);
      holds(invented.length === 0, `nothing is invented of versions that nobody saw: ${invented.join()}`);
    },
  );
  const numRuns = repetitions('domain/order-life: sequences of commands');
  fc.assert(sequences, { numRuns, seed: Number(process.env.TEST_SEED) });
  expect([...met]).toEqual(
    expect.arrayContaining([
      'order.placed',
      'order.confirmed',
      'order.fulfilled',
      'order.delivered',
      'order.completed',
      'order.cancelled',
      'refund.succeeded',
      'payment.action_required',
      'payment.declined',
      'payment.captured',
    ] satisfies OrderEventType[]),
  );
});

const shipped = orderIn({
  fulfillments: [fulfillment({ id: 'ful_1', createdAt: CREATED })],
  fulfillmentStatus: 'partially_fulfilled',
});
const closed = cancelledOrder(orderIn(), { ...command, reason: null }, LATER);
const rejection = { code: 'out_of_stock', detail: 'None left.' } as const;

it.each<[string, Order | null, Order, OrderEventType[]]>([
  ['that is opened', null, openedOrder(requestFor(), pricingOf(priced('ps_a'))), ['order.placed']],
  ['that cannot be placed', null, rejectedOrder(requestFor(), null, rejection, LATER), ['order.rejected']],
  [
    'that is seen for the first time when it is confirmed',
    null,
    orderIn({
      statusHistory: [
        { at: CREATED, axis: 'paymentStatus', from: 'pending', to: 'authorized', by: 'system', reason: null },
        { at: CREATED, axis: 'status', from: 'pending', to: 'confirmed', by: 'system', reason: null },
      ],
    }),
    ['order.confirmed', 'payment.authorized', 'order.placed'],
  ],
  ['whose parcel arrives', shipped, delivered(shipped), ['order.delivered']],
  [
    'whose parcel is corrected',
    shipped,
    correctedOrder(shipped, { ...command, fulfillmentId: 'ful_1', carrier: 'DHL' }, LATER),
    ['order.fulfillment_corrected'],
  ],
  [
    'whose note is changed',
    orderIn(),
    amendedOrder(orderIn(), { pricing: null, note: 'Ring', shippingAddress: null }, null, {
      at: LATER,
      by: 'usr_1',
    }),
    ['order.amended'],
  ],
  [
    'that is amended to the same',
    orderIn(),
    amendedOrder(orderIn(), { pricing: null, note: null, shippingAddress: null }, null, {
      at: LATER,
      by: 'usr_1',
    }),
    ['order.updated'],
  ],
  [
    'of which units are cancelled',
    orderIn(),
    cancelledOrder(orderIn(), { ...command, reason: null, items: [line('ps_a')] }, LATER),
    ['order.partially_cancelled'],
  ],
  ['that is cancelled', orderIn(), closed, ['order.cancelled']],
  ['that is archived', archivable(), archivedOrder(archivable(), command, LATER), ['order.archived']],
  [
    'whose refund the bank returns',
    orderIn({ captured: 3_000, refunds: [refundOf(500, 'ref_1')] }),
    orderIn({ captured: 3_000, refunds: [{ ...refundOf(500, 'ref_1'), status: 'failed' }], version: 3 }),
    ['refund.failed'],
  ],
  [
    'that is contested',
    orderIn({ captured: 3_000 }),
    orderIn({
      captured: 3_000,
      disputes: [{ id: 'dp_1', amount: 1, status: 'opened', reason: 'x', at: LATER }],
    }),
    ['dispute.opened'],
  ],
  [
    'whose customer is erased',
    { ...archivable(), note: 'Ring', fulfillments: [fulfillment({ carrier: 'DHL' })] },
    erasedOrder({ ...archivable(), note: 'Ring', fulfillments: [fulfillment({ carrier: 'DHL' })] }, LATER),
    ['order.erased'],
  ],
])('knows an order %s', (_what, before, after, types) => {
  expect(orderEventTypes(before, after)).toEqual(types);
});

function delivered(order: Order): Order {
  return deliveredOrder(order, { ...command, fulfillmentId: 'ful_1' }, LATER);
}

/** A cancelled order that owes nothing. */
function archivable(): Order {
  return { ...closed, compensations: [] };
}

describe('an order as it was before', () => {
  it('it was archived, and before it was erased', () => {
    const archived = archivedOrder(archivable(), command, LATER);
    expect(orderBefore(archived, LATER).archivedAt).toBeNull();
    const erased = erasedOrder(archived, '2026-01-03T00:00:00.000Z');
    const before = orderBefore(erased, erased.updatedAt);
    expect(before.archivedAt).toBe(LATER);
    expect(orderEventTypes(before, erased)).toEqual(['order.erased']);
  });

  it('there was one: what it began with is no change', () => {
    const begun = {
      axis: 'status',
      from: null,
      to: 'pending',
      at: CREATED,
      by: 'usr_1',
      reason: null,
    } as const;
    const order = orderIn({ status: 'pending', statusHistory: [begun] });
    expect(orderBefore(order, CREATED)).toMatchObject({ status: 'pending', statusHistory: [] });
  });
});

describe('names of types', () => {
  it('are all types, and a wildcard for all and for those of each kind', () => {
    expect(TYPE_NAMES.slice(0, EVENT_TYPES.length)).toEqual(EVENT_TYPES);
    const wildcards = TYPE_NAMES.slice(EVENT_TYPES.length);
    expect(wildcards[0]).toBe('*');
    expect(wildcards).toEqual(expect.arrayContaining(['order.*', 'payment.*', 'refund.*', 'dispute.*']));
    expect(new Set(wildcards).size).toBe(wildcards.length);
  });

  it.each([
    ['order.placed', ['*'], true],
    ['order.placed', ['order.placed'], true],
    ['order.placed', ['payment.*', 'order.*'], true],
    ['order.placed', ['order.completed', 'payment.*'], false],
    ['order.placed', ['order.'], false],
    ['order.placed', ['placed.*'], false],
    ['order.placed', [], false],
  ])('%s is named by %j: %s', (type, names, expected) => {
    expect(isTypeNamed(type, names)).toBe(expected);
  });

  it('stand for the types that they name', () => {
    expect(typesNamed(['dispute.*'])).toEqual(['dispute.opened', 'dispute.won', 'dispute.lost']);
    expect(typesNamed(['*'])).toEqual(EVENT_TYPES);
  });
});

describe('what customers are told', () => {
  it.each(['order.overdue', 'order.archived', 'dispute.opened', 'dispute.won', 'dispute.lost'] as const)(
    'is an update where only the staff are told of %s',
    (type) => {
      expect(typesForCustomer([type])).toEqual(['order.updated']);
      expect(typesForCustomer(['order.cancelled', type])).toEqual(['order.cancelled']);
    },
  );
});

it('an event is named by what it is about and its version', () => {
  expect(eventIdOf('ord_1', 3)).toBe('evt_ord_1_3');
});

describe('what happens to an order', () => {
  const attempt = (outcome: Order['attempts'][number]['outcome'], key = 'ord_1-2') => ({
    key,
    paymentMethod: 'pm',
    at: LATER,
    outcome,
    reason: null,
  });
  const undone = { at: LATER, by: 'usr_9', reason: 'Lost', restock: true };
  const dispute = (status: 'opened' | 'won', id = 'dp_1') => ({
    id,
    amount: 1,
    status,
    reason: 'general',
    at: LATER,
  });
  const [first, second] = orderIn().items;
  const cancelledUnit = [first!, { ...second!, cancelledQuantity: 1 }];

  it.each<[OrderEventType[], Partial<Order>, Partial<Order>]>([
    [['order.updated'], {}, {}],
    [['payment.declined'], {}, { attempts: [attempt('declined')] }],
    [['payment.declined'], {}, { attempts: [attempt('failed')] }],
    [['payment.declined'], {}, { attempts: [attempt('expired')] }],
    [['payment.declined'], {}, { attempts: [attempt('unanswered')] }],
    [['order.updated'], {}, { attempts: [attempt('authorized')] }],
    [['order.updated'], { attempts: [attempt('declined')] }, { attempts: [attempt('declined')] }],
    [
      ['payment.declined'],
      { attempts: [attempt('declined', 'ord_1-1')] },
      { attempts: [attempt('declined', 'ord_1-1'), attempt('declined')] },
    ],
    [['order.updated'], { refunds: [refundOf(1, 'r1')] }, { refunds: [refundOf(1, 'r1')] }],
    [['refund.succeeded'], {}, { refunds: [refundOf(1, 'r1')] }],
    [['dispute.opened'], {}, { disputes: [dispute('opened')] }],
    [['dispute.won'], { disputes: [dispute('opened')] }, { disputes: [dispute('won')] }],
    [
      ['dispute.opened'],
      { disputes: [dispute('won')] },
      { disputes: [dispute('won'), dispute('opened', 'dp_2')] },
    ],
    [
      ['order.fulfillment_undone'],
      { fulfillments: [fulfillment({ id: 'k0' }), fulfillment()] },
      { fulfillments: [fulfillment({ id: 'k0' }), fulfillment({ undone })] },
    ],
    [
      ['order.fulfillment_corrected'],
      { fulfillments: [fulfillment()] },
      { fulfillments: [fulfillment({ trackingNumber: 'T' })] },
    ],
    [['order.overdue'], {}, { overdueSince: LATER }],
    [['order.updated'], { overdueSince: LATER }, { overdueSince: LATER }],
    [['order.archived'], {}, { archivedAt: LATER }],
    [['order.partially_cancelled'], {}, { items: cancelledUnit }],
    [['order.partially_cancelled'], { cancelled: 1 }, { cancelled: 2 }],
    [['order.updated'], { cancelled: 2 }, { cancelled: 2 }],
    [['order.amended'], { cancelled: 1 }, { cancelled: 2, total: 4_000 }],
    [['order.amended'], { items: cancelledUnit }, { items: [second!] }],
    [['order.amended'], {}, { items: cancelledUnit, currency: 'USD' }],
    [['order.amended'], {}, { note: 'New' }],
    [['order.amended'], {}, { shippingAddress: { name: 'A', line1: '1', city: 'X', country: 'DE' } }],
    [['order.amended'], {}, { metadata: { gift: 'yes' } }],
    [['order.amended'], {}, { externalRef: 'PO-1' }],
    [['order.updated'], { externalRef: 'PO-1' }, { externalRef: null, status: 'rejected' }],
    [['order.amended'], {}, { items: [{ ...first!, quantity: 3 }, second!] }],
    [['order.amended'], {}, { items: [{ ...first!, unitPrice: 1 }, second!] }],
    [['order.amended'], {}, { items: [{ ...first!, productServiceId: 'ps_x' }, second!] }],
  ])('is %j between %j and %j', (types, before, after) => {
    expect(orderEventTypes(orderIn(before), orderIn(after))).toEqual(types);
  });

  it('is told of an order that is archived, of which nothing is known before', () => {
    expect(orderEventTypes(null, orderIn({ archivedAt: LATER }))).toContain('order.archived');
    const paid = orderIn({ attempts: [attempt('declined')], items: cancelledUnit });
    const types = orderEventTypes(null, paid);
    expect(types).toEqual(
      expect.arrayContaining(['order.placed', 'payment.declined', 'order.partially_cancelled']),
    );
  });
});

describe('an order as it was', () => {
  const change = { by: 'system', reason: null, axis: 'paymentStatus' } as const;
  const history = [
    { ...change, at: CREATED, from: null, to: 'pending' as const },
    { ...change, at: LATER, from: 'pending' as const, to: 'authorized' as const },
    { ...change, at: LATER, from: 'authorized' as const, to: 'captured' as const },
  ];

  it('has the states from before the first change since, and nothing captured since', () => {
    const order = orderIn({ statusHistory: history, paymentStatus: 'captured', captured: 3_000 });
    expect(orderBefore(order, LATER)).toMatchObject({
      paymentStatus: 'pending',
      statusHistory: history.slice(0, 1),
      captured: 0,
    });
    const other = orderIn({
      statusHistory: [
        ...history.slice(0, 2),
        { ...change, at: LATER, from: 'refunded' as const, to: 'captured' as const },
      ],
      captured: 3_000,
    });
    expect(orderBefore(other, LATER).captured).toBe(3_000);
  });

  it('keeps its state where the history begins, and has no attempts and disputes since', () => {
    const outcome = { key: 'k', paymentMethod: 'pm', outcome: 'declined', reason: null } as const;
    const dispute = { id: 'dp_1', amount: 1, status: 'opened', reason: 'general' } as const;
    const order = orderIn({
      statusHistory: [{ ...change, at: LATER, from: null, to: 'pending' as const }],
      attempts: [CREATED, LATER].map((at) => ({ ...outcome, at })),
      disputes: [CREATED, LATER].map((at) => ({ ...dispute, at })),
    });
    const { paymentStatus, attempts, disputes } = orderBefore(order, LATER);
    expect(paymentStatus).toBe('authorized');
    expect([attempts, disputes]).toEqual([[{ ...outcome, at: CREATED }], [{ ...dispute, at: CREATED }]]);
  });

  it('was not erased if it was erased since', () => {
    const erased = erasedOrder(orderIn({ status: 'cancelled' }), LATER);
    expect(orderBefore(erased, LATER).fingerprint).toBe('');
    expect(orderBefore(erased, '2026-02-01T00:00:00.000Z').fingerprint).toBe(erased.fingerprint);
    expect(orderBefore(orderIn(), CREATED).fingerprint).toBe('f');
  });
});
