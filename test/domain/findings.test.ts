import fc from 'fast-check';
import {
  FINDING_KINDS,
  findingId,
  findingsOf,
  isRepairedAlways,
  isUnsettled,
  repairOf,
  type FindingKind,
} from '../../src/domain/findings';
import type { Dispute, Order } from '../../src/domain/order';
import { actionRequiredOrder } from '../../src/domain/paying';
import type { ProviderPayment, ProviderRefund } from '../../src/domain/payment';
import { openedOrder } from '../../src/domain/placing';
import { reconciledOrder } from '../../src/domain/reconciling';
import {
  CREATED,
  fulfillment,
  intendedAmendment,
  LATER,
  orderIn,
  owed,
  payment,
  policy,
  priced,
  pricingOf,
  refundOf,
  requestFor,
} from './fixtures';
import { happen, happening, recordOf, TOTAL } from './records';

const closed = { ...payment(TOTAL), isClosed: true as const };
const sent = (fields: Partial<Order> = {}) =>
  orderIn({
    captured: TOTAL,
    paymentStatus: 'captured',
    fulfillmentStatus: 'fulfilled',
    fulfillments: [fulfillment()],
    payment: closed,
    ...fields,
  });
const captured = (fields: Partial<ProviderPayment> = {}) =>
  recordOf({ status: 'captured', captured: TOTAL, ...fields });
const refund = (status: ProviderRefund['status'] = 'succeeded', key = 'ref_1', amount = 500) => [
  { key, amount, status },
];
const dispute = (status: Dispute['status']) => [{ id: 'dp_1', amount: 500, status, reason: 'general' }];
const refunded = (fields: Partial<Order> = {}) =>
  sent({ refunded: 500, refunds: [refundOf(500, 'ref_1')], paymentStatus: 'partially_refunded', ...fields });
const rejected = (fields: Partial<Order> = {}) =>
  orderIn({ status: 'rejected', paymentStatus: 'declined', payment: null, ...fields });
const cancelled = (fields: Partial<Order> = {}) =>
  orderIn({ status: 'cancelled', paymentStatus: 'voided', payment: closed, ...fields });
const waiting = actionRequiredOrder(
  openedOrder(requestFor(), pricingOf(priced('ps_a', 3))),
  payment(TOTAL),
  CREATED,
  policy,
);
const declined = orderIn({
  status: 'pending',
  paymentStatus: 'declined',
  retryUntil: LATER,
  payment: closed,
});

type Pair = [string, Order | null, ProviderPayment | null];

const pendingElsewhere: Order['refunds'][number] = {
  ...refundOf(500, 'ref_9'),
  by: 'provider',
  providerKey: 're_1',
  status: 'pending',
};

const AGREEING: Pair[] = [
  ['authorised', orderIn(), recordOf()],
  ['captured', sent(), captured()],
  ['captured in part', sent({ captured: 1_000, payment: payment(TOTAL) }), recordOf({ captured: 1_000 })],
  [
    'captured wholly, though not for the last time',
    sent({ payment: { ...payment(TOTAL), captures: 'many' } }),
    captured(),
  ],
  ['refunded', refunded(), captured({ refunds: refund() })],
  ['refunded, which is pending at the bank', refunded(), captured({ refunds: refund('pending') })],
  [
    'a refund that failed',
    sent({ refunds: [{ ...refundOf(500, 'ref_1'), status: 'failed' }] }),
    captured({ refunds: refund('failed') }),
  ],
  ['a refund of nothing', sent({ refunds: [refundOf(0, 'ref_1')] }), captured()],
  [
    'disputed',
    sent({ disputes: [{ ...dispute('lost')[0]!, at: CREATED }] }),
    captured({ disputes: dispute('lost') }),
  ],
  ['rejected', rejected(), recordOf({ status: 'declined', authorized: 0 })],
  ['rejected before it was asked for', rejected(), null],
  ['cancelled', cancelled(), recordOf({ status: 'voided' })],
  ['refunded instead of voided', cancelled(), captured({ refunds: refund('succeeded', 'u', TOTAL) })],
  ['for nothing', orderIn({ payment: payment(0) }), null],
  ['waiting for its customer', waiting, recordOf({ status: 'action_required', authorized: 0 })],
  ['waiting for another card', declined, recordOf({ status: 'declined', authorized: 0 })],
  ['an earlier payment', orderIn({ payment: payment(TOTAL, '2') }), recordOf({ status: 'voided' })],
  ['lapsed', orderIn({ paymentStatus: 'voided', payment: closed }), recordOf({ status: 'voided' })],
  ['declined, without an order', null, recordOf({ status: 'declined', authorized: 0 })],
  [
    'captured, and paid back before it was sent',
    orderIn({
      captured: TOTAL,
      refunded: TOTAL,
      paymentStatus: 'refunded',
      refunds: [refundOf(TOTAL, 'ref_1')],
      payment: closed,
    }),
    captured({ refunds: refund('succeeded', 'ref_1', TOTAL) }),
  ],
  // What an order still owes, or is about to do, is not found.
  ['being placed', openedOrder(requestFor(), pricingOf(priced('ps_a', 3))), recordOf()],
  ['being amended', orderIn({ intention: intendedAmendment() }), captured()],
  ['owing a void', cancelled({ paymentStatus: 'authorized', compensations: [owed()] }), recordOf()],
  ['owing the void of what was captured', cancelled({ compensations: [owed()] }), captured()],
  [
    'owing the void of an earlier payment',
    orderIn({ payment: payment(TOTAL, '2'), compensations: [owed()] }),
    recordOf(),
  ],
  [
    'owing a release',
    sent({ captured: 1_000, compensations: [owed({ kind: 'release' })] }),
    recordOf({ captured: 1_000 }),
  ],
  [
    'owing a refund',
    sent({
      refunds: [{ ...refundOf(500, 'ref_1'), by: 'system', status: 'pending' }],
      compensations: [owed({ kind: 'refund', refundId: 'ref_1' })],
    }),
    captured({ refunds: refund() }),
  ],
  [
    'paid back by hand',
    refunded({ compensations: [owed({ kind: 'refund', refundId: 'ref_1', state: 'resolved' })] }),
    captured(),
  ],
  [
    'refunded elsewhere, which is pending at the bank',
    sent({ refunds: [pendingElsewhere] }),
    captured({ refunds: refund('pending', 're_1') }),
  ],
  [
    'cancelled, and paid back in part',
    cancelled({
      captured: TOTAL,
      refunded: 500,
      refunds: [refundOf(500, 'ref_1')],
      paymentStatus: 'partially_refunded',
    }),
    captured({ refunds: refund() }),
  ],
  [
    'disputed twice',
    sent({
      disputes: [
        { ...dispute('lost')[0]!, at: CREATED },
        { ...dispute('won')[0]!, id: 'dp_2', at: CREATED },
      ],
    }),
    captured({ disputes: [...dispute('lost'), { ...dispute('won')[0]!, id: 'dp_2' }] }),
  ],
  [
    'owing a void of what nobody was asked for',
    cancelled({ paymentStatus: 'authorized', compensations: [owed()] }),
    null,
  ],
  [
    'owing a void after all was sent, which cost nothing',
    sent({ captured: 0, paymentStatus: 'authorized', compensations: [owed()] }),
    recordOf(),
  ],
  ['settled by hand', cancelled({ compensations: [owed({ state: 'resolved' })] }), captured()],
];

it.each(AGREEING)('%s: nothing is found', (_, order, record) => {
  expect(findingsOf(order, record)).toEqual([]);
});

const DIFFERING: [FindingKind, ...Pair, object][] = [
  ['charge_unknown', 'there is no order', null, captured(), { there: { amount: TOTAL }, here: null }],
  [
    'charge_unknown',
    'the order is rejected',
    rejected(),
    captured({ refunds: refund() }),
    { there: { amount: 2_500 } },
  ],
  [
    'charge_unknown',
    'the order is cancelled',
    cancelled(),
    captured({ captured: 10 }),
    { there: { amount: 10 } },
  ],
  [
    'charge_unknown',
    'the order was rejected before it was asked for',
    rejected({ paymentStatus: 'pending' }),
    captured(),
    { here: null },
  ],
  [
    'charge_unknown',
    'the order was cancelled before it was answered',
    cancelled({ paymentStatus: 'pending', payment: null }),
    captured(),
    { here: null },
  ],
  [
    'charge_unknown',
    'another payment was settled by hand',
    cancelled({ compensations: [owed({ state: 'resolved', payment: payment(TOTAL, '0') })] }),
    captured(),
    {},
  ],
  [
    'charge_unknown',
    'a refund of it is owed',
    cancelled({ compensations: [owed({ kind: 'refund' })] }),
    captured(),
    {},
  ],
  ['charge_unknown', 'the order has another payment', sent({ payment: payment(TOTAL, '2') }), captured(), {}],
  ['charge_unknown', 'the order waits for another card', declined, captured(), {}],
  [
    'amount_differs',
    'another amount',
    orderIn(),
    recordOf({ amount: 2_000 }),
    { there: { amount: 2_000 }, here: { amount: TOTAL } },
  ],
  [
    'amount_differs',
    'another currency',
    orderIn(),
    recordOf({ currency: 'USD' }),
    { there: { currency: 'USD' }, here: { currency: 'EUR' } },
  ],
  [
    'captured_differs',
    'more',
    sent({ captured: 1_000, payment: payment(TOTAL) }),
    recordOf({ captured: 2_000 }),
    { there: { amount: 2_000 }, here: { amount: 1_000 } },
  ],
  [
    'captured_differs',
    'more, and the rest was released',
    sent({ captured: 1_000, payment: payment(TOTAL) }),
    captured({ captured: 2_000 }),
    { there: { amount: 2_000 }, here: { amount: 1_000 } },
  ],
  [
    'captured_differs',
    'less',
    sent(),
    captured({ captured: 2_000 }),
    { there: { amount: 2_000 }, here: { amount: TOTAL } },
  ],
  [
    'refunded_differs',
    'another amount',
    refunded(),
    captured({ refunds: refund('succeeded', 'ref_1', 400) }),
    { there: { amount: 400 }, here: { amount: 500 } },
  ],
  ['orphan_authorization', 'there is no order', null, recordOf(), { there: { amount: TOTAL }, here: null }],
  ['orphan_authorization', 'the order is rejected', rejected(), recordOf(), {}],
  ['orphan_authorization', 'the order is cancelled', cancelled(), recordOf(), { here: { amount: 0 } }],
  [
    'orphan_authorization',
    'the order has another payment',
    orderIn({ payment: payment(TOTAL, '2') }),
    recordOf(),
    {},
  ],
  [
    'orphan_authorization',
    'the order waits for another card',
    declined,
    recordOf({ status: 'action_required' }),
    {},
  ],
  [
    'orphan_authorization',
    'the rest was given up',
    sent({ captured: 1_000 }),
    recordOf({ captured: 1_000 }),
    { there: { amount: 2_000 } },
  ],
  [
    'orphan_authorization',
    'a refund is owed',
    sent({ captured: 1_000, compensations: [owed({ kind: 'refund', refundId: 'ref_1' })] }),
    recordOf({ captured: 1_000 }),
    {},
  ],
  [
    'orphan_authorization',
    'the rest of another payment was given up',
    sent({ captured: 1_000, compensations: [owed({ kind: 'release', payment: payment(TOTAL, '0') })] }),
    recordOf({ captured: 1_000 }),
    {},
  ],
  [
    'refund_unknown',
    'not here',
    sent(),
    captured({ refunds: refund('pending', 're_1') }),
    { subject: 're_1', there: { amount: 500 }, here: null },
  ],
  [
    'refund_unknown',
    'failed here',
    sent({ refunds: [{ ...refundOf(500, 'ref_1'), status: 'failed' }] }),
    captured({ refunds: refund() }),
    { subject: 'ref_1' },
  ],
  [
    'refund_unknown',
    'pending here, made there',
    sent({ refunds: [pendingElsewhere] }),
    captured({ refunds: refund('succeeded', 're_1') }),
    { subject: 're_1', there: { status: 'succeeded' }, here: { status: 'pending' } },
  ],
  [
    'refund_missing',
    'one of two',
    refunded({ refunded: 700, refunds: [refundOf(500, 'ref_1'), refundOf(200, 'ref_2')] }),
    captured({ refunds: refund() }),
    { subject: 'ref_2', there: null, here: { amount: 200 } },
  ],
  [
    'refund_missing',
    'of a cancelled order',
    cancelled({
      captured: TOTAL,
      refunded: TOTAL,
      refunds: [refundOf(TOTAL, 'ref_1')],
      paymentStatus: 'refunded',
    }),
    captured(),
    { subject: 'ref_1' },
  ],
  [
    'refund_missing',
    'not there',
    refunded(),
    captured(),
    { subject: 'ref_1', there: null, here: { amount: 500 } },
  ],
  [
    'refund_failed',
    'failed there',
    refunded(),
    captured({ refunds: refund('failed') }),
    { subject: 'ref_1', there: { status: 'failed' }, here: { status: 'succeeded' } },
  ],
  [
    'capture_without_shipment',
    'not known here',
    orderIn(),
    captured(),
    { there: { amount: TOTAL }, here: { amount: 0 } },
  ],
  [
    'capture_without_shipment',
    'known here',
    orderIn({ captured: TOTAL, paymentStatus: 'captured', payment: closed }),
    captured(),
    {},
  ],
  [
    'dispute_unknown',
    'not here',
    sent(),
    captured({ disputes: dispute('opened') }),
    { subject: 'dp_1', there: { amount: 500, status: 'opened' }, here: null },
  ],
  [
    'dispute_unknown',
    'decided',
    sent({ disputes: [{ ...dispute('opened')[0]!, at: CREATED }] }),
    captured({ disputes: dispute('won') }),
    { subject: 'dp_1', there: { status: 'won' }, here: { status: 'opened' } },
  ],
  ['payment_missing', 'authorised', orderIn(), null, { there: null, here: { amount: TOTAL } }],
  ['payment_missing', 'waiting for its customer', waiting, null, { here: { status: 'action_required' } }],
  [
    'status_differs',
    'lapsed',
    orderIn(),
    recordOf({ status: 'voided' }),
    { there: { status: 'voided', amount: 0 }, here: { status: 'authorized' } },
  ],
  [
    'status_differs',
    'the rest has lapsed',
    sent({ captured: 1_000, payment: payment(TOTAL) }),
    captured({ captured: 1_000 }),
    { here: { amount: 2_000 } },
  ],
  ['status_differs', 'authorised there, waiting here', waiting, recordOf(), {}],
];

it.each(DIFFERING)('%s: %s', (kind, _, order, record, what) => {
  const found = findingsOf(order, record);
  expect(found).toMatchObject([{ subject: 'ord_1-1', ...what, kind }]);
  expect(findingId(found[0]!)).toBe(`${kind}:${found[0]!.subject}`);
});

it('each kind is found', () => {
  expect(new Set(DIFFERING.map(([kind]) => kind))).toEqual(new Set(FINDING_KINDS));
});

it('whatever happens at the payment service is found, and set right by a look at the payment but for what is not sent', () => {
  const states = [orderIn(), sent({ captured: 1_000, payment: payment(TOTAL) }), refunded(), waiting];
  fc.assert(
    fc.property(
      fc.constantFrom(...states),
      fc.array(happening, { maxLength: 8 }),
      fc.boolean(),
      (order, happenings, looksBetween) => {
        const [status, all] = order.payment!.isClosed
          ? (['captured', TOTAL] as const)
          : (['authorized', order.captured] as const);
        let record = recordOf({
          status,
          captured: all,
          refunds: order.refunds.map(({ id, amount }) => ({ key: id, amount, status: 'pending' })),
        });
        if (order === waiting) record = { ...record, status: 'action_required', authorized: 0 };
        expect(findingsOf(order, record)).toEqual([]);
        let told = order;
        happenings.forEach((one, n) => {
          record = happen(
            order === waiting && n === 0 ? { ...record, status: 'authorized' } : record,
            one,
            n,
          );
          record.captured = Math.max(record.captured, order.captured);
          if (looksBetween) told = reconciledOrder(told, record, context);
        });
        const next = reconciledOrder(told, record, context);
        if (next !== told) expect(findingsOf(told, record)).not.toEqual([]);
        const left = findingsOf(next, record).map(({ kind }) => kind);
        expect(left.filter((kind) => kind !== 'capture_without_shipment')).toEqual([]);
      },
    ),
    { seed: Number(process.env.TEST_SEED) },
  );
});

const context = { at: CREATED, policy };

it('what is being changed, or has just been, is left alone', () => {
  const minute = 60_000;
  const soon = new Date(Date.parse(LATER) + minute - 1).toISOString();
  const later = new Date(Date.parse(LATER) + minute).toISOString();
  const changed = orderIn({ updatedAt: LATER });
  for (const [order, created] of [
    [changed, null],
    [null, { createdAt: LATER }],
  ] as const) {
    expect(isUnsettled(order, created, soon, minute)).toBe(true);
    expect(isUnsettled(order, created, later, minute)).toBe(false);
  }
  expect(isUnsettled(orderIn({ intention: intendedAmendment() }), null, later, minute)).toBe(true);
  expect(isUnsettled(changed, { createdAt: later }, later, minute)).toBe(false); // of an order that is known
  expect(isUnsettled(null, null, later, minute)).toBe(false);
});

it('only an authorisation that nobody has needed for a day is given up without being asked to', () => {
  const later = new Date(Date.parse(LATER) + 1).toISOString();
  for (const kind of FINDING_KINDS) {
    expect(isRepairedAlways({ kind }, CREATED, LATER)).toBe(false);
    expect(isRepairedAlways({ kind }, CREATED, later)).toBe(kind === 'orphan_authorization');
  }
  const byHand = FINDING_KINDS.filter((kind) => repairOf({ kind }) === null);
  expect(byHand).toEqual([
    'charge_unknown',
    'amount_differs',
    'refunded_differs',
    'refund_missing',
    'payment_missing',
  ]);
});

it('looking at a payment again repairs what an order does not know of it, and an orphan is given up', () => {
  const repairs = FINDING_KINDS.map((kind) => [kind, repairOf({ kind })] as const);
  const of = (wanted: string) => repairs.filter(([, repair]) => repair === wanted).map(([kind]) => kind);
  expect(of('check').sort()).toEqual([
    'capture_without_shipment',
    'captured_differs',
    'dispute_unknown',
    'refund_failed',
    'refund_unknown',
    'status_differs',
  ]);
  expect(of('give_up')).toEqual(['orphan_authorization']);
});

it.each([
  ['pending', {}],
  ['declined', { status: 'cancelled', payment: closed }],
  ['voided', { status: 'cancelled', payment: closed }],
] as const)(
  'a payment that is %s does not have to be known to the payment service',
  (paymentStatus, fields) => {
    expect(findingsOf(orderIn({ paymentStatus, ...fields }), null)).toEqual([]);
  },
);
