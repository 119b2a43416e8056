import { orderNumberOf } from '../../src/domain/order-number';
import {
  amendedAnswer,
  answerOf,
  isPlacedAnswer,
  isSummary,
  refusal,
  snapshotOf,
  summaryOf,
  undoneAnswer,
} from '../../src/domain/order-summary';
import { paymentTaskOf } from '../../src/domain/intention';
import type { Order } from '../../src/domain/order';
import { changeOrder } from '../../src/domain/order-transitions';
import { confirmedOrder, draftOrder, openedOrder } from '../../src/domain/placing';
import {
  answered,
  CREATED,
  fulfillment,
  intendedAmendment,
  intendedFulfillment,
  intendedRefund,
  itemOf,
  LATER,
  orderIn,
  owed,
  payment,
  priced,
  pricingOf,
  refundOf,
  refused,
  requestFor,
} from './fixtures';

const KILOBYTE = 1_024;
/** An order that owes 20 payments cannot be amended any more; one that is then cancelled owes one more. */
const MOST_OWED = 21;
const opened = openedOrder(requestFor(), pricingOf(priced('ps_a', 2)));

describe('summaryOf', () => {
  it('has the states and the money of the order', () => {
    const money = { paymentStatus: 'captured', captured: 3_000, refunded: 10 } as const;
    expect(summaryOf(orderIn({ ...money, resumedRevision: 1 }))).toEqual({
      number: orderNumberOf('ord_1'),
      version: 2,
      resumedRevision: 1,
      status: 'confirmed',
      paymentStatus: 'captured',
      fulfillmentStatus: 'unfulfilled',
      currency: 'EUR',
      total: 3_000,
      captured: 3_000,
      refunded: 10,
      rejection: null,
      waitingSince: CREATED,
      owed: [],
      toPay: null,
    });
  });

  it('has the time since when the order waits for a fulfillment', () => {
    const by = { at: CREATED, by: 'system', reason: null };
    const authorized = changeOrder(opened, { paymentStatus: 'authorized' }, by);
    const confirmed = confirmedOrder(authorized, payment(2_000), LATER);
    expect([authorized, confirmed].map((order) => summaryOf(order).waitingSince)).toEqual([null, LATER]);
  });

  it('tells that the order is overdue, and that nothing more can be captured, only if it is so', () => {
    const closed = { ...payment(3_000), isClosed: true } as const;
    const order = orderIn({ overdueSince: LATER, payment: closed });
    expect(summaryOf(order)).toMatchObject({ waitingSince: null, isOverdue: true, isPaymentClosed: true });
    expect(Object.keys(summaryOf(orderIn()))).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/isOverdue|isPaymentClosed/)]),
    );
  });

  it('has what the order waits for its customer to do, only if it does', () => {
    const waiting = { status: 'pending', paymentStatus: 'action_required', payBy: LATER } as const;
    expect(summaryOf(orderIn(waiting))).toMatchObject({
      awaits: { what: 'action', until: LATER, paymentKey: 'ord_1-1' },
    });
    expect(summaryOf(orderIn())).not.toHaveProperty('awaits');
  });

  it('names the refund that a compensation makes', () => {
    const compensations = [owed({ kind: 'refund', step: 'refundPayment-3', refundId: 'ref_1' })];
    expect(summaryOf(orderIn({ compensations })).owed).toMatchObject([{ kind: 'refund', refundId: 'ref_1' }]);
  });

  it('has why the order was rejected', () => {
    const rejection = { code: 'out_of_stock', detail: 'none left' } as const;
    expect(summaryOf(orderIn({ rejection }))).toMatchObject({ rejection });
  });

  it('has the payment that the order waits for', () => {
    const order = orderIn({ intention: intendedFulfillment() });
    expect(summaryOf(order).toPay).toEqual(paymentTaskOf(order));
  });

  it('has the compensations that are not settled', () => {
    const compensations = [
      owed({ step: 'a' }),
      owed({ step: 'b', state: 'resolved' }),
      owed({ step: 'c', state: 'pending', failure: 'down' }),
    ];
    expect(summaryOf(orderIn({ compensations })).owed).toStrictEqual([
      {
        step: 'a',
        kind: 'void',
        amount: 3_000,
        payment: payment(3_000),
        state: 'owed',
        since: CREATED,
        failure: null,
      },
      {
        step: 'c',
        kind: 'void',
        amount: 3_000,
        payment: payment(3_000),
        state: 'pending',
        since: CREATED,
        failure: 'down',
      },
    ]);
  });

  it('has all of them, since an order never has many', () => {
    const compensations = Array.from({ length: MOST_OWED }, (_, n) => owed({ step: `s${n}` }));
    const { owed: inSummary } = summaryOf(orderIn({ compensations }));
    expect(inSummary.map(({ step }) => step)).toEqual(compensations.map(({ step }) => step));
  });

  it('stays below 16 kB for the largest order', () => {
    const order = orderIn({
      items: Array.from({ length: 100 }, (_, n) => itemOf(priced(`ps_${n}`, 500))),
      fulfillments: Array.from({ length: 500 }, (_, n) =>
        fulfillment({
          id: `k${n}`,
          items: Array.from({ length: 100 }, (_, m) => ({ productServiceId: `ps_${m}`, quantity: 1 })),
        }),
      ),
      refunds: Array.from({ length: 500 }, (_, n) => refundOf(1, `r${n}`)),
      compensations: Array.from({ length: MOST_OWED }, (_, n) =>
        owed({ step: `voidPayment-${n}`, failure: 'x'.repeat(200) }),
      ),
      commands: Array.from({ length: 50 }, (_, n) => answered(`cmd_${n}`, { error: refused })),
      intention: intendedRefund(1),
    });
    expect(JSON.stringify(order).length).toBeGreaterThan(2_000 * KILOBYTE);
    expect(JSON.stringify(answerOf(order, 'k499')).length).toBeLessThan(16 * KILOBYTE);
  });
});

describe('answerOf', () => {
  it.each([
    ['carried out', null],
    ['turned down', refused],
  ])('has the version at which the command was %s, and not a later one', (_, error) => {
    const order = orderIn({ version: 9, commands: [answered('cmd_1', { version: 4, error })] });
    expect(answerOf(order, 'cmd_1')).toEqual({ ...summaryOf(order), answer: { version: 4, error } });
  });

  it.each<[string, Partial<Order>]>([
    ['fulfillment', { fulfillments: [fulfillment()] }],
    ['refund', { refunds: [refundOf(1, 'k1')] }],
  ])('has a command that the order has forgotten, but whose %s it has', (_, added) => {
    expect(answerOf(orderIn(added), 'k1').answer).toEqual({ version: 2, error: null });
  });

  it('is null for a command that added nothing', () => {
    const order = orderIn({ fulfillments: [fulfillment({ id: 'k7' })], refunds: [refundOf(1, 'k8')] });
    expect(answerOf(order, 'k1').answer).toBeNull();
  });

  it('is null for a command that is not answered', () => {
    const order = orderIn({ commands: [answered('cmd_1')], intention: intendedFulfillment() });
    expect(answerOf(order, 'k1').answer).toBeNull();
  });
});

it('refusal answers with an error at the version that the order has', () => {
  expect(refusal(orderIn(), refused)).toEqual({
    ...summaryOf(orderIn()),
    answer: { version: 2, error: refused },
  });
});

it('undoneAnswer tells how many units of each line are cancelled', () => {
  const items = orderIn().items.map((item, n) => ({ ...item, cancelledQuantity: n }));
  const answer = answerOf(orderIn(), 'k1');
  expect(undoneAnswer(answer, orderIn({ items }))).toEqual({ ...answer, cancelledQuantities: [0, 1] });
});

describe('snapshotOf', () => {
  it('has the price of each line in its order, the totals, and the reference of the payment', () => {
    const order = orderIn({
      items: [itemOf(priced('ps_b')), itemOf({ ...priced('ps_a'), taxRateBps: 700 })],
    });
    expect(snapshotOf(order)).toEqual({
      lines: [
        ['SKU-ps_b', 1_000, 0],
        ['SKU-ps_a', 1_000, 700],
      ],
      subtotal: 3_000,
      tax: 0,
      reference: 'pi_1',
    });
  });

  it('tells which prices contain the tax, and that the payment is captured in parts', () => {
    const order = orderIn({
      items: [itemOf({ ...priced('ps_b'), priceIncludesTax: true }), itemOf(priced('ps_a'))],
      payment: { ...payment(3_000), captures: 'many' },
    });
    expect(snapshotOf(order)).toMatchObject({
      lines: [
        ['SKU-ps_b', 1_000, 0, true],
        ['SKU-ps_a', 1_000, 0],
      ],
      captures: 'many',
    });
    expect(snapshotOf(orderIn())).not.toHaveProperty('captures');
  });

  it('has no prices for an order that was never priced', () => {
    expect(snapshotOf(draftOrder(requestFor()))).toEqual({
      lines: [[null, null, null]],
      subtotal: null,
      tax: null,
      reference: null,
    });
  });

  it('stays below 10 kB for 100 lines', () => {
    const items = Array.from({ length: 100 }, (_, n) =>
      itemOf({ ...priced(`ps_${n}`), sku: 'S'.repeat(64) }),
    );
    expect(JSON.stringify(snapshotOf(orderIn({ items }))).length).toBeLessThan(10 * KILOBYTE);
  });
});

describe('amendedAnswer', () => {
  const amended = (order: Order) => amendedAnswer(answerOf(order, 'cmd_1'), order);

  it('has the prices and the payment of the order that was amended', () => {
    const order = orderIn({ commands: [answered('cmd_1')] });
    expect(amended(order)).toEqual({
      ...answerOf(order, 'cmd_1'),
      snapshot: snapshotOf(order),
      quantities: [2, 1],
      paymentKey: 'ord_1-1',
    });
  });

  it('has what the amendment intends while its payment is not authorised yet', () => {
    const order = orderIn({ intention: intendedAmendment() });
    expect(amended(order)).toEqual({
      ...answerOf(order, 'cmd_1'),
      snapshot: { lines: [['SKU-ps_b', 1_000, 0]], subtotal: 5_000, tax: 0, reference: null },
      quantities: [5],
      paymentKey: 'ord_1-3',
    });
  });

  it('has the prices of the order if the amendment changes no lines', () => {
    const { amendment } = intendedAmendment();
    const order = orderIn({
      intention: intendedAmendment({ amendment: { ...amendment, pricing: null } }),
    });
    expect(amended(order)).toMatchObject({
      snapshot: { ...snapshotOf(order), reference: null },
      quantities: [2, 1],
      paymentKey: 'ord_1-3',
    });
  });

  it('has no payment if the order has none', () => {
    expect(amended(orderIn({ payment: null })).paymentKey).toBeNull();
  });

  it('has those of the order while another command waits for its payment', () => {
    const order = orderIn({ intention: intendedFulfillment() });
    expect(amended(order)).toMatchObject({ snapshot: snapshotOf(order), paymentKey: 'ord_1-1' });
  });

  it('stays below 64 kB for 100 lines and all payments that an order can owe', () => {
    const items = Array.from({ length: 100 }, (_, n) => ({ ...priced(`ps_${n}`), sku: 'S'.repeat(64) }));
    const compensations = Array.from({ length: MOST_OWED }, (_, n) =>
      owed({ step: `voidPayment-${n}`, failure: 'x'.repeat(200) }),
    );
    const amendment = { pricing: pricingOf(...items), note: 'n'.repeat(500), shippingAddress: null };
    const order = orderIn({ compensations, intention: intendedAmendment({ amendment }) });
    expect(amended(order).snapshot.lines).toHaveLength(100);
    expect(JSON.stringify(amended(order)).length).toBeLessThan(64 * KILOBYTE);
  });
});

describe('isSummary', () => {
  it.each([
    ['a summary', summaryOf(orderIn())],
    ['the summary of an order that waits for a payment', summaryOf(opened)],
    ['an answer', answerOf(orderIn(), 'cmd_1')],
    ['a summary that went through JSON', JSON.parse(JSON.stringify(summaryOf(orderIn())))],
  ])('accepts %s', (_, value) => {
    expect(isSummary(value)).toBe(true);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'done'],
    ['an empty object', {}],
    ['a list', []],
    ['an unknown status', { ...summaryOf(orderIn()), status: 'happy' }],
    ['a version that is a text', { ...summaryOf(orderIn()), version: '2' }],
    ['no list of what is owed', { ...summaryOf(orderIn()), owed: null }],
    [
      'no word of what is to be paid',
      JSON.parse(JSON.stringify({ ...summaryOf(orderIn()), toPay: undefined })),
    ],
    ['a whole order', orderIn()],
  ])('rejects what an operator may complete an activity with: %s', (_, value) => {
    expect(isSummary(value)).toBe(false);
  });
});

describe('isPlacedAnswer', () => {
  const placed = { ...answerOf(opened, ''), answer: { version: 1, error: null }, isNew: true, took: {} };

  it('accepts the answer to placing an order, also one that went through JSON', () => {
    expect(isPlacedAnswer(placed)).toBe(true);
    expect(isPlacedAnswer(JSON.parse(JSON.stringify(placed)))).toBe(true);
  });

  it.each([
    ['a summary', summaryOf(opened)],
    ['a summary without an answer', { ...placed, answer: undefined }],
    ['an answer that is null', { ...placed, answer: null }],
    ['no word of whether the order is new', { ...placed, isNew: undefined }],
    ['no times', { ...placed, took: undefined }],
    ['times that are null', { ...placed, took: null }],
    ['an answer without a summary', { answer: placed.answer, isNew: true, took: {} }],
  ])('rejects what an operator may complete openOrder with: %s', (_, value) => {
    expect(isPlacedAnswer(value)).toBe(false);
  });
});
