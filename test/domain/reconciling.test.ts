import fc from 'fast-check';
import { cancelledOrder } from '../../src/domain/closing';
import { fulfill } from '../../src/domain/fulfillment';
import type { Order } from '../../src/domain/order';
import { leftToRefund } from '../../src/domain/order-payment';
import { actionRequiredOrder, givenUpOrder, pay, paidOrder, turnedDownOrder } from '../../src/domain/paying';
import { refundedOf, type ProviderDispute, type ProviderPayment } from '../../src/domain/payment';
import { openedOrder } from '../../src/domain/placing';
import { paymentCheck, reconciledOrder } from '../../src/domain/reconciling';
import { refundedOrder } from '../../src/domain/refund';
import {
  command,
  CREATED,
  fulfilling,
  intendedAmendment,
  itemOf,
  LATER,
  line,
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

const patient = { ...policy, retryWindowMs: 60_000 };
const context = { at: LATER, policy };
const contested = (fields: Partial<ProviderDispute> = {}): ProviderDispute => ({
  id: 'dp_1',
  amount: 100,
  status: 'opened',
  reason: 'general',
  ...fields,
});
const card = { ...command, id: 'pay_1', fingerprint: 'f', attemptId: 'a', paymentMethod: 'pm_2' };

/** The part of an order that does not tell when it has learned of what. */
function essenceOf({ status, paymentStatus, captured, refunded, payment: paid, ...order }: Order) {
  return {
    status,
    paymentStatus,
    captured,
    refunded,
    paid,
    refunds: order.refunds.map(({ amount, status: made, by, providerKey }) => ({
      amount,
      made,
      by,
      providerKey,
    })),
    disputes: order.disputes.map(({ id, status: decided, amount }) => ({ id, decided, amount })),
    attempts: order.attempts.map(({ outcome }) => outcome),
  };
}

it('an order is what the payment service knows last, whichever events came, how often and in which order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(happening, fc.nat({ max: 2 })), { maxLength: 12 }), (happenings) => {
      let record = recordOf();
      let told = orderIn();
      happenings.forEach(([one, looks], n) => {
        record = happen(record, one, n);
        // An event may be lost, or come twice; a late one asks for the record of that time.
        for (let look = 0; look < looks; look++) {
          const before = told;
          told = { ...reconciledOrder(told, record, context), revision: told.revision + 1 };
          if (look > 0) expect({ ...told, revision: 0 }).toEqual({ ...before, revision: 0 });
        }
      });
      const last = reconciledOrder(told, record, context);
      expect(essenceOf(last)).toEqual(essenceOf(reconciledOrder(orderIn(), record, context)));
      expect(reconciledOrder(last, record, context)).toBe(last);
      expect(last.captured).toBe(record.captured);
      const succeeded = record.refunds.filter(({ status }) => status === 'succeeded');
      expect(last.refunded).toBe(succeeded.reduce((sum, { amount }) => sum + amount, 0));
      expect(leftToRefund(last)).toBeLessThanOrEqual(record.captured - refundedOf(record));
      expect(new Set(last.refunds.map(({ id }) => id)).size).toBe(last.refunds.length);
    }),
    { seed: Number(process.env.TEST_SEED) },
  );
});

describe('an order whose payment waits for its customer', () => {
  const opened = openedOrder(requestFor(), pricingOf(priced('ps_a', 3)));
  const waiting = actionRequiredOrder(opened, payment(TOTAL), CREATED, policy);
  const soon = { at: CREATED, policy };

  it('stays as it is while the payment service says so, and is confirmed when it is authorised', () => {
    const asked = recordOf({ status: 'action_required', authorized: 0 });
    expect(reconciledOrder(waiting, asked, soon)).toBe(waiting);
    expect(reconciledOrder(waiting, null, soon)).toBe(waiting);
    expect(reconciledOrder(waiting, recordOf({ captures: 'many' }), soon)).toMatchObject({
      status: 'confirmed',
      paymentStatus: 'authorized',
      payment: { captures: 'many', reference: 'pi_1' },
      payBy: null,
      version: waiting.version + 1,
      attempts: [{ outcome: 'authorized' }],
    });
  });

  it('is told by the bank, or by us, why nothing is charged', () => {
    const failed = (fields: Partial<ProviderPayment>, of = soon) =>
      reconciledOrder(waiting, recordOf({ status: 'declined', ...fields }), of).rejection;
    expect(failed({ declineReason: 'Too little money.' })).toMatchObject({ detail: 'Too little money.' });
    expect(failed({})).toMatchObject({
      detail: expect.stringMatching(/^The payment was not confirmed/) as string,
    });
    expect(failed({}, { at: waiting.payBy!, policy })).toMatchObject({
      code: 'payment_action_expired',
      detail: expect.stringMatching(/ was not done in time, so nothing is charged\.$/) as string,
    });
  });

  it('is late when its time has come, and not before', () => {
    const before = new Date(Date.parse(waiting.payBy!) - 1).toISOString();
    expect(reconciledOrder(waiting, null, { at: before, policy })).toBe(waiting);
    expect(reconciledOrder(waiting, null, { at: waiting.payBy!, policy })).toMatchObject({
      status: 'rejected',
    });
  });

  it.each(['declined', 'voided'] as const)(
    'is rejected when the payment is %s, with nothing to void',
    (status) => {
      const failed = reconciledOrder(waiting, recordOf({ status, authorized: 0 }), soon);
      expect(failed).toMatchObject({
        status: 'rejected',
        paymentStatus: 'declined',
        rejection: { code: 'payment_action_failed' },
        compensations: [],
        reservation: 'released',
      });
    },
  );

  it.each([
    ['it is late by our clock', { at: LATER, policy }],
    ['it is late by that of the workflow', { ...soon, passed: waiting.payBy! }],
  ])('is rejected when %s, and its payment voided, unless it is authorised at last', (_, late) => {
    const asked = recordOf({ status: 'action_required', authorized: 0 });
    for (const record of [asked, null])
      expect(reconciledOrder(waiting, record, late)).toMatchObject({
        status: 'rejected',
        rejection: { code: 'payment_action_expired' },
        compensations: [{ kind: 'void', payment: { key: 'ord_1-1' } }],
      });
    expect(reconciledOrder(waiting, recordOf(), late)).toMatchObject({ status: 'confirmed' });
  });

  it('may be paid with another card when the payment that expired is voided, and is given up after that', () => {
    const late = { at: LATER, policy: patient };
    const expired = reconciledOrder(waiting, null, late);
    expect(expired).toMatchObject({ status: 'pending', paymentStatus: 'declined', reservation: 'held' });
    expect(() => pay(expired, card, LATER)).toThrow('still being given up');
    const dead = { ...expired, compensations: [], revision: 3 };
    const paying = pay(dead, card, LATER);
    expect(paying.intention).toMatchObject({
      kind: 'payment',
      payment: { paymentMethod: 'pm_2', amount: TOTAL },
    });
    expect(paying.intention).not.toMatchObject({ payment: { key: 'ord_1-1' } });
    expect(() => pay(dead, card, dead.retryUntil!)).toThrow('is over');
    expect(givenUpOrder(dead, LATER, LATER)).toBe(dead); // another deadline
    expect(givenUpOrder(dead, dead.retryUntil!, LATER)).toMatchObject({
      status: 'rejected',
      rejection: { code: 'payment_action_expired' },
      reservation: 'released',
    });
  });
});

it('an order that is being placed or changed, rejected, cancelled or left unpaid stays as it is', () => {
  const records = [
    recordOf(),
    recordOf({ status: 'voided' }),
    recordOf({ status: 'captured', captured: TOTAL }), // just before it was voided, which pays it back
  ];
  const opened = openedOrder(requestFor(), pricingOf(priced('ps_a', 3)));
  const others = [
    opened,
    orderIn({ intention: intendedAmendment() }),
    orderIn({ status: 'rejected', paymentStatus: 'declined' }),
    orderIn({ paymentStatus: 'voided', payment: { ...payment(TOTAL), isClosed: true } }),
    orderIn({ paymentStatus: 'declined', payment: { ...payment(TOTAL), isClosed: true } }),
    orderIn({ status: 'cancelled', paymentStatus: 'authorized', compensations: [owed()] }),
    orderIn({ status: 'cancelled', paymentStatus: 'action_required', compensations: [owed()] }),
    orderIn({ payment: payment(TOTAL, '2') }),
  ];
  for (const order of others)
    for (const record of records) expect(reconciledOrder(order, record, context)).toBe(order);
});

it('an order that is rejected learns of nothing, not even of a dispute', () => {
  const rejected = orderIn({ status: 'rejected', paymentStatus: 'declined' });
  expect(reconciledOrder(rejected, recordOf({ disputes: [contested()] }), context)).toBe(rejected);
});

it('a payment check is about the order as it was read', () => {
  const named = { id: 'look_1', by: 'system', paymentKey: 'ord_1-1' };
  expect(paymentCheck(orderIn({ requestId: 'r7', revision: 9 }), named)).toEqual({
    ...named,
    requestId: 'r7',
    seenRevision: 9,
  });
});

it.each<[string, Order]>([
  ['costs nothing', orderIn({ payment: payment(0) })],
  [
    'was captured, whatever the payment service says',
    orderIn({ captured: TOTAL, paymentStatus: 'captured' }),
  ],
])('the authorisation does not lapse of an order that %s', (_, order) => {
  expect(reconciledOrder(order, recordOf({ status: 'voided' }), context)).toBe(order);
});

it('an order tells who has captured and refunded its payment', () => {
  const id = 'ord_01HZX3K5Q8W9R2T4Y6U7V8X9Z0';
  const record = recordOf({
    status: 'captured',
    captured: TOTAL,
    refunds: [
      { key: 're_1', amount: 300, status: 'succeeded' },
      { key: 're_2', amount: 20, status: 'pending' },
    ],
  });
  const told = reconciledOrder(orderIn({ id }), record, context);
  expect(told.statusHistory.slice(1)).toMatchObject([
    { to: 'captured', by: 'provider', reason: 'captured_elsewhere' },
    { to: 'partially_refunded', by: 'provider', reason: 'refunded_elsewhere' },
  ]);
  const elsewhere = {
    items: [],
    reason: 'Refunded at the payment service',
    fingerprint: 'provider',
    attemptId: 'provider',
    by: 'provider',
    createdAt: LATER,
  };
  expect(told.refunds).toStrictEqual([
    {
      ...elsewhere,
      id: 'ref_01HZX3K5Q8W9R2Tf0000000003',
      amount: 300,
      status: 'succeeded',
      providerKey: 're_1',
    },
    {
      ...elsewhere,
      id: 'ref_01HZX3K5Q8W9R2Tf0010000003',
      amount: 20,
      status: 'pending',
      providerKey: 're_2',
    },
  ]);
  const refunds = record.refunds.map((one) => ({ ...one, status: 'failed' as const }));
  const failed = reconciledOrder({ ...told, revision: 3 }, { ...record, refunds }, context);
  expect(failed.statusHistory.at(-1)).toMatchObject({
    to: 'captured',
    by: 'provider',
    reason: 'refund_failed',
  });
});

it('an order learns of each dispute, and of what becomes of it', () => {
  const disputes = [contested(), contested({ id: 'dp_2', amount: 200 })];
  const disputed = reconciledOrder(orderIn(), recordOf({ disputes }), context);
  expect(disputed.disputes).toEqual(disputes.map((one) => ({ ...one, at: LATER })));
  const next = { at: '2026-01-03T00:00:00.000Z', policy };
  expect(reconciledOrder(disputed, recordOf({ disputes }), next)).toBe(disputed);
  for (const change of [{ amount: 201 }, { status: 'lost' as const }]) {
    const [first, second] = [contested(), contested({ id: 'dp_2', amount: 200, ...change })];
    const decided = reconciledOrder(disputed, recordOf({ disputes: [first, second] }), next);
    expect(decided.disputes).toEqual([
      { ...first, at: LATER },
      { ...second, at: next.at },
    ]);
  }
});

it('a refund of ours that fails at the bank counts no more, and one that a compensation is to make is left to it', () => {
  const captured = orderIn({ captured: TOTAL, paymentStatus: 'captured', fulfillmentStatus: 'fulfilled' });
  const refunded = refundedOrder(captured, refundOf(500, 'ref_1'), CREATED);
  const record = recordOf({ status: 'captured', captured: TOTAL });
  const failed = recordOf({ ...record, refunds: [{ key: 'ref_1', amount: 500, status: 'failed' }] });
  const next = reconciledOrder(
    { ...refunded, payment: { ...payment(TOTAL), isClosed: true } },
    failed,
    context,
  );
  expect(next).toMatchObject({ refunded: 0, paymentStatus: 'captured', refunds: [{ status: 'failed' }] });
  expect(leftToRefund(next)).toBe(TOTAL);
  const owing = {
    ...captured,
    refunds: [{ ...refundOf(500, 'ref_1'), by: 'system', status: 'pending' as const }],
  };
  expect(
    reconciledOrder({ ...owing, payment: { ...payment(TOTAL), isClosed: true } }, failed, context).refunds,
  ).toEqual(owing.refunds);
});

const partlySent: Partial<Order> = {
  captured: 1_000,
  paymentStatus: 'captured',
  fulfillmentStatus: 'partially_fulfilled',
  items: [itemOf(priced('ps_a', 2), 1), itemOf(priced('ps_s', 1, 'service'))],
};

it.each([
  ['captured in part elsewhere', {}],
  ['released after a part was sent', partlySent],
])('a payment that was %s pays for no more than was captured', (_, fields) => {
  const record = recordOf({ status: 'captured', captured: 1_000 });
  const told = reconciledOrder(orderIn(fields), record, context);
  expect(told).toMatchObject({ captured: 1_000, payment: { isClosed: true } });
  const rest = told.items.map((item) => line(item.productServiceId, item.quantity - item.fulfilledQuantity));
  expect(() => fulfill(told, fulfilling(rest), LATER)).toThrow('20.00 EUR of what this costs were not');
  const units = told.items[0]!.fulfilledQuantity === 0 ? [line('ps_a')] : [];
  for (const unit of units) expect(fulfill(told, fulfilling([unit]), LATER).fulfillments).toHaveLength(1);
  const cancelled = cancelledOrder(told, { ...command, reason: null, items: [line('ps_s')] }, LATER);
  expect(cancelled.refunds).toEqual([]); // what is captured is not more than what is left
});

it('an order of which only what was free is sent can still be paid with another card', () => {
  const lapsed = { paymentStatus: 'voided', fulfillmentStatus: 'partially_fulfilled' } as const;
  expect(
    pay(orderIn({ ...lapsed, payment: { ...payment(TOTAL), isClosed: true } }), card, LATER),
  ).toMatchObject({
    intention: { kind: 'payment', payment: { amount: TOTAL } },
  });
});

describe('an order that owes a part of what was captured', () => {
  const paid = orderIn({
    captured: TOTAL,
    paymentStatus: 'captured',
    payment: { ...payment(TOTAL), isClosed: true },
  });
  const cancelling = { id: 'c', by: 'usr_9', requestId: 'r', seenRevision: 9, reason: 'Broken' };
  const items = [{ productServiceId: 'ps_a', quantity: 1 }];
  const owing = { ...cancelledOrder(paid, { ...cancelling, items }, CREATED), revision: 3 };
  const captured = recordOf({ status: 'captured', captured: TOTAL });
  const dispute = (amount: number, status: 'opened' | 'won' | 'lost') => [
    { id: 'dp_1', amount, status, reason: 'general' },
  ];

  it('owes it no more if others have paid that much back, so that nothing waits for what is impossible', () => {
    expect(owing.compensations).toMatchObject([{ kind: 'refund', amount: 1_000 }]);
    const refunds = [{ key: 're_1', amount: TOTAL, status: 'succeeded' as const }];
    const told = reconciledOrder(owing, { ...captured, refunds }, context);
    expect(told).toMatchObject({
      paymentStatus: 'refunded',
      refunded: TOTAL,
      compensations: [],
      refunds: [{ by: 'system', status: 'failed' }, { by: 'provider' }],
    });
  });

  it('owes what is left if that is less, and all of it if less was paid back', () => {
    const back = (amount: number) => [{ key: 're_1', amount, status: 'succeeded' as const }];
    const disputed = reconciledOrder(owing, { ...captured, disputes: dispute(2_400, 'opened') }, context);
    expect(disputed.compensations).toEqual(owing.compensations); // until the bank has decided
    const told = reconciledOrder(disputed, { ...captured, disputes: dispute(2_400, 'lost') }, context);
    expect(told.compensations).toMatchObject([{ kind: 'refund', amount: 600, since: LATER }]);
    expect(told.refunds.at(-1)).toMatchObject({ amount: 600, reason: 'cancelled', createdAt: LATER });
    const most = reconciledOrder(owing, { ...captured, refunds: back(1_000) }, context);
    expect(most.compensations).toEqual(owing.compensations);
  });

  it('owes it still when the payment service has made it, and nobody has heard of that yet', () => {
    const [refundId] = owing.refunds.map(({ id }) => id);
    const refunds = [
      { key: refundId!, amount: 1_000, status: 'succeeded' as const },
      { key: 're_1', amount: 2_000, status: 'succeeded' as const },
    ];
    const told = reconciledOrder(owing, { ...captured, refunds }, context);
    expect(told.compensations).toEqual(owing.compensations);
  });

  it('owes what another payment has to pay back, however little is left of this one', () => {
    const other = owed({ kind: 'refund', payment: payment(9_000, '0'), amount: 9_000, refundId: 'ref_0' });
    const told = reconciledOrder({ ...owing, compensations: [other] }, captured, context);
    expect(told.compensations).toEqual([other]);
  });

  it('owes as many of several refunds as can be made, the others being made up for', () => {
    const services = [{ productServiceId: 'ps_s', quantity: 1 }];
    const both = { ...cancelledOrder(owing, { ...cancelling, items: services }, CREATED), revision: 4 };
    expect(both.compensations.map(({ amount }) => amount)).toEqual([1_000, 1_000]);
    const refunds = [{ key: 're_1', amount: 1_500, status: 'succeeded' as const }];
    const told = reconciledOrder(both, { ...captured, refunds }, context);
    expect(told.compensations.map(({ amount }) => amount)).toEqual([1_000]);
    expect(told.compensations[0]).toEqual(both.compensations[0]);
    expect(told.refunds.map(({ amount, status }) => [amount, status])).toEqual([
      [1_000, 'pending'],
      [1_000, 'failed'],
      [1_500, 'succeeded'],
    ]);
  });

  it('owes no more than is left when all of it was captured and refunded elsewhere at once', () => {
    const authorized = cancelledOrder(orderIn(), { ...cancelling, items }, CREATED);
    const refunds = [{ key: 're_1', amount: 2_500, status: 'succeeded' as const }];
    const told = reconciledOrder(authorized, { ...captured, refunds }, context);
    expect(told.compensations).toMatchObject([{ kind: 'refund', amount: 500 }]);
    expect(told.refunds.map(({ amount, status }) => [amount, status])).toEqual([
      [2_500, 'succeeded'],
      [500, 'pending'],
    ]);
  });

  it('owes a refund that the bank has returned not anew, though a dispute was won before', () => {
    const disputes = [contested({ status: 'won' }), contested({ id: 'dp_2' })];
    const refunds = [{ key: owing.refunds[0]!.id, amount: 1_000, status: 'failed' as const }];
    const returned: Order = {
      ...owing,
      compensations: [],
      refunds: owing.refunds.map((one) => ({ ...one, status: 'failed' })),
      disputes: disputes.map((one) => ({ ...one, at: CREATED })),
    };
    expect(reconciledOrder(returned, { ...captured, refunds, disputes }, context)).toBe(returned);
  });

  it('owes what a won dispute brings back, whatever becomes of another', () => {
    const both = (first: 'opened' | 'won') => [
      contested({ amount: 2_000, status: first }),
      contested({ id: 'dp_2', amount: 1_000 }),
    ];
    const disputed = reconciledOrder(paid, { ...captured, disputes: both('opened') }, context);
    const cancelled = { ...cancelledOrder(disputed, { ...cancelling, items }, CREATED), revision: 3 };
    expect(cancelled.compensations).toEqual([]);
    const won = reconciledOrder(cancelled, { ...captured, disputes: both('won') }, context);
    expect(won.compensations).toMatchObject([{ kind: 'refund', amount: 1_000 }]);
  });

  it('owes it when the dispute is won in which the units were cancelled', () => {
    const disputed = reconciledOrder(paid, { ...captured, disputes: dispute(TOTAL, 'opened') }, context);
    const cancelled = { ...cancelledOrder(disputed, { ...cancelling, items }, CREATED), revision: 3 };
    expect(cancelled.compensations).toEqual([]);
    const lost = reconciledOrder(cancelled, { ...captured, disputes: dispute(TOTAL, 'lost') }, context);
    expect(lost.compensations).toEqual([]);
    const won = reconciledOrder(cancelled, { ...captured, disputes: dispute(TOTAL, 'won') }, context);
    expect(won.compensations).toMatchObject([{ kind: 'refund', amount: 1_000 }]);
  });
});

it("what happens to a payment that is given up is not the order's: it is voided or refunded", () => {
  const [unpaid, expired] = [orderIn(), { outcome: 'expired', reason: 'Late.' } as const];
  const lapsed = reconciledOrder(unpaid, recordOf({ status: 'voided' }), context);
  const asked = actionRequiredOrder(lapsed, payment(TOTAL, '2'), LATER, policy);
  const late = turnedDownOrder(asked, payment(TOTAL, '2'), expired, LATER, policy);
  expect(late).toMatchObject({ status: 'confirmed', compensations: [{ kind: 'void' }] });
  const record = recordOf({ key: 'ord_1-2', status: 'captured', captured: TOTAL });
  expect(reconciledOrder(late, record, context)).toBe(late);
});

it('the customer of an order has a limited time, and a limited number of cards', () => {
  const opened = openedOrder(requestFor(), pricingOf(priced('ps_a', 3)));
  const declined = { outcome: 'declined', reason: 'No.' } as const;
  const first = turnedDownOrder(opened, payment(TOTAL), declined, CREATED, patient);
  expect(first).toMatchObject({ status: 'pending', retryUntil: expect.any(String) });
  // A later failure does not prolong it.
  const again = turnedDownOrder(first, payment(TOTAL, '2'), declined, first.retryUntil!, patient);
  expect(again).toMatchObject({ status: 'rejected', rejection: { code: 'payment_declined' } });
  const attempts = Array.from({ length: 20 }, () => first.attempts[0]!);
  expect(() => pay({ ...first, attempts }, card, CREATED)).toThrow('20 payments');
  expect(() => pay(orderIn(), card, CREATED)).toThrow('nothing to pay');
  const items = orderIn().items.map((one) => ({ ...one, fulfilledQuantity: one.quantity }));
  const sent = orderIn({ paymentStatus: 'voided', fulfillmentStatus: 'fulfilled', items });
  expect(() => pay(sent, card, CREATED)).toThrow('nothing to pay');
  expect(paidOrder(opened, payment(TOTAL), LATER).attempts).toEqual([]); // a plain card leaves no trace
});
