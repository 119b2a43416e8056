import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PaymentTask } from '../../src/domain/intention';
import type { Owed, OrderSummary } from '../../src/domain/order-summary';
import { detailsOf, reportOf, shortened, type Circumstances } from '../../workflows/order.report';
import { CREATED, LATER } from '../domain/fixtures';

const DAY_MS = 86_400_000;

const confirmed: OrderSummary = {
  number: '7K3DQ-9QXWM',
  version: 2,
  resumedRevision: 0,
  status: 'confirmed',
  paymentStatus: 'authorized',
  fulfillmentStatus: 'unfulfilled',
  currency: 'EUR',
  total: 4_758,
  captured: 0,
  refunded: 0,
  rejection: null,
  waitingSince: CREATED,
  owed: [],
  toPay: null,
};
const calm: Circumstances = {
  since: { at: CREATED, isExact: true },
  doing: null,
  trouble: null,
  fulfillmentDeadlineMs: DAY_MS,
};
const payment = {
  key: 'ord_1-1',
  reference: 'pi_1',
  amount: 4_758,
  currency: 'EUR',
  captures: 'once',
} as const;
const owed: Owed = {
  step: 'voidPayment-1',
  kind: 'void',
  payment,
  amount: 4_758,
  state: 'pending',
  since: CREATED,
  failure: 'The payment service\nis unavailable.',
};
const placing = { status: 'pending', paymentStatus: 'pending', waitingSince: null } as const;
const shipped = { paymentStatus: 'captured', fulfillmentStatus: 'fulfilled', captured: 4_758 } as const;

function callFor(operation: PaymentTask['operation']): PaymentTask {
  const paid = { ...payment, orderId: 'ord_1', paymentMethod: 'pm' };
  return { operation, payment: paid, key: 'c', amount: 4_758, commandId: 'c' };
}

const details = (order: Partial<OrderSummary>, circumstances: Partial<Circumstances> = {}) =>
  detailsOf({ ...confirmed, ...order }, { ...calm, ...circumstances }, {});

it.each<[string, Partial<OrderSummary>, Partial<Circumstances>, RegExp]>([
  [
    'being placed',
    { ...placing, total: null, currency: null },
    { doing: { step: 'Authorise 47.58 EUR', since: LATER } },
    /is \*\*pending\*\* since 2026-01-01T[^ ]*\.\n\nPayment pending, fulfillment unfulfilled\..*Waits for\*\* its stock and its payment, since 2026-01-01T.*\*\*Now\*\*, since 2026-01-02T[^ ]*: Authorise 47\.58 EUR\..*#an-order-stays-pending/s,
  ],
  [
    'that waits for its customer',
    {
      status: 'pending',
      paymentStatus: 'action_required',
      waitingSince: null,
      awaits: { what: 'action', until: LATER, paymentKey: 'ord_1-1' },
    },
    {},
    /Payment action required,.*\*\*Waits for\*\* the customer to confirm the payment at the bank, since 2026-01-01T[^ ]*, until 2026-01-02T[^ ]*\.\n.*#an-order-waits-for-its-customer/s,
  ],
  [
    'whose customer may try another card',
    { paymentStatus: 'declined', awaits: { what: 'card', until: LATER, paymentKey: 'ord_1-1' } },
    {},
    /\*\*Waits for\*\* the customer to try another card, since 2026-01-01T[^ ]*, until 2026-01-02T[^ ]*\.\n/,
  ],
  [
    'that waits for its fulfillment',
    {},
    {},
    /total 47\.58 EUR\..*its fulfillment, since 2026-01-01T[^ ]*, until 2026-01-02T00:00:00\.000Z\. If nothing of it is fulfilled by then, it is cancelled\..*#an-order-waits-for-its-fulfillment/s,
  ],
  [
    'of which a part is shipped',
    { fulfillmentStatus: 'partially_fulfilled' },
    {},
    /If the rest is not fulfilled by then, it is overdue\./,
  ],
  [
    'that is overdue',
    { fulfillmentStatus: 'partially_fulfilled', waitingSince: null, isOverdue: true },
    {},
    /\*\*Overdue\*\*.*the fulfillment of its rest.*#an-order-is-overdue/s,
  ],
  [
    'that is shipped',
    { ...shipped, waitingSince: null },
    { since: { at: LATER, isExact: false } },
    /since 2026-01-02T[^ ]* at the latest\..*captured, 47\.58 EUR taken, fulfillment fulfilled,.*its delivery.*#an-order-waits-for-its-delivery/s,
  ],
  [
    'that has lost its payment',
    { paymentStatus: 'voided' },
    {},
    /\*\*Waits for\*\* another payment,.*#an-order-has-lost-its-payment/s,
  ],
  [
    'whose payment was voided, since what is left of it is free',
    { paymentStatus: 'voided', fulfillmentStatus: 'fulfilled', waitingSince: null },
    {},
    /its delivery.*#an-order-waits-for-its-delivery/s,
  ],
  [
    'whose payment is captured right now',
    { toPay: callFor('capture') },
    { doing: { step: 'Capture 47.58 EUR', since: LATER } },
    /Capture 47\.58 EUR\..*#a-payment-takes-long/s,
  ],
  [
    'that is closed, and refunded right now',
    { status: 'completed', waitingSince: null, toPay: callFor('refund') },
    { doing: { step: 'Refund 47.58 EUR', since: LATER } },
    /Refund 47\.58 EUR\..*#a-payment-takes-long/s,
  ],
  [
    'with a compensation that keeps failing',
    { status: 'cancelled', waitingSince: null, owed: [owed] },
    {},
    /- \*\*compensation_pending\*\*: `voidPayment-1` keeps failing \(The payment service is unavailable\.\) and is being retried: void 47\.58 EUR, owed since 2026-01-01T.*`POST \/orders\/\{id\}\/compensations\/\{step\}\/retry`.*#a-compensation-is-pending/s,
  ],
  [
    'with a compensation under way',
    { status: 'cancelled', waitingSince: null, owed: [{ ...owed, state: 'owed', failure: null }] },
    {},
    /- `voidPayment-1` is under way: void 47\.58 EUR.*unless it lasts longer than two minutes/s,
  ],
  [
    'with a step that keeps failing',
    {},
    { trouble: { step: 'recordPayment', failure: 'It is down.', at: LATER, isNow: true } },
    /\*\*Failed last\*\*: `recordPayment` keeps failing \(It is down\.\) since 2026-01-02T.*#a-step-keeps-failing/s,
  ],
  [
    'with a compensation in the database that keeps failing',
    {},
    { trouble: { step: 'freeStock', failure: 'It is down.', at: LATER, isNow: true, isCompensation: true } },
    /\*\*compensation_pending\*\*: `freeStock` keeps failing \(It is down\.\) since 2026-01-02T/,
  ],
  [
    'with a step that has worked since',
    {},
    { trouble: { step: 'recordPayment', failure: 'It is down.', at: LATER, isNow: false } },
    /`recordPayment` \(It is down\.\), at 2026-01-02T[^ ]*; it has worked since\..*#an-order-waits-for-its-fulfillment/s,
  ],
  [
    'that was rejected',
    { status: 'rejected', rejection: { code: 'out_of_stock', detail: 'Sold out.' }, waitingSince: null },
    {},
    /\*\*rejected\*\* since 2026-01-01T[^ ]*: out_of_stock \(Sold out\.\).*\*\*What to do\*\*: Nothing\.$/s,
  ],
])(
  'says of an order %s where it is, what it waits for and what to do',
  (_what, order, circumstances, text) => {
    expect(details(order, circumstances)).toMatch(text);
  },
);

it('says of a closed order nothing but what it is and what to do', () => {
  const closed = { status: 'completed', fulfillmentStatus: 'delivered', waitingSince: null } as const;
  const paid = { captured: 4_758, refunded: 1_000, total: null } as const;
  expect(details({ ...closed, ...paid })).toBe(
    `Order 7K3DQ-9QXWM is **completed** since ${CREATED}.\n\n` +
      'Payment authorized, 37.58 EUR taken, fulfillment delivered.\n\n**What to do**: Nothing.',
  );
});

it('says of an order that waits without an end only since when', () => {
  expect(details({ ...shipped, waitingSince: null })).toContain(`its delivery, since ${CREATED}.`);
});

it('takes a payment that nobody makes right now for none under way', () => {
  expect(details({ toPay: callFor('capture') })).toContain('#an-order-waits-for-its-fulfillment');
});

it('shortens a failure to one line of 300 characters', () => {
  expect(shortened(' The service\n  is down. ')).toBe('The service is down.');
  expect(shortened('x'.repeat(300))).toBe('x'.repeat(300));
  expect(shortened('x'.repeat(301))).toBe(`${'x'.repeat(299)}…`);
});

it('says how long the parts took in which it was placed', () => {
  expect(detailsOf(confirmed, calm, { stock: 3, payment: 40 })).toContain(
    'Placed in one step: `stock` 3 ms, `payment` 40 ms.',
  );
});

it('reports no version of an order that is not saved, and why it was rejected', () => {
  const rejection = { code: 'out_of_stock', detail: 'Sold out: secret.' } as const;
  const report = reportOf({ ...confirmed, ...placing, version: 0, rejection }, calm);
  expect(report).toMatchObject({ version: null, rejection: 'out_of_stock' });
});

it('reports the same to programs', () => {
  const report = reportOf({ ...confirmed, owed: [owed] }, calm);
  expect(report).toEqual({
    number: '7K3DQ-9QXWM',
    version: 2,
    status: 'confirmed',
    paymentStatus: 'authorized',
    fulfillmentStatus: 'unfulfilled',
    currency: 'EUR',
    total: 4_758,
    captured: 0,
    refunded: 0,
    rejection: null,
    since: CREATED,
    isSinceExact: true,
    waitsFor: { what: 'its fulfillment', since: CREATED, until: LATER },
    doing: null,
    overdue: false,
    compensations: [
      {
        step: 'voidPayment-1',
        kind: 'void',
        amount: 4_758,
        state: 'pending',
        since: CREATED,
        failure: 'The payment service is unavailable.',
      },
    ],
    lastFailure: null,
    whatToDo: expect.stringContaining('docs/runbook.md#a-compensation-is-pending') as string,
  });
});

it('stays small however much an order owes, and whatever has failed', () => {
  const many = Array.from({ length: 1_000 }, () => ({ ...owed, failure: 'x'.repeat(10_000) }));
  const order = { ...confirmed, owed: many };
  expect(JSON.stringify(reportOf(order, calm)).length).toBeLessThan(12_000);
  expect(detailsOf(order, calm, {}).length).toBeLessThan(12_000);
  expect(shortened('x'.repeat(10_000))).toHaveLength(300);
});

it('names pages of the runbook that docs/temporal-ui.md lists, and lists no others', () => {
  const root = join(__dirname, '../..');
  const sources = readdirSync(join(root, 'workflows')).map((file) =>
    readFileSync(join(root, 'workflows', file), 'utf8'),
  );
  const page = readFileSync(join(root, 'docs/temporal-ui.md'), 'utf8');
  const named = sources.join('\n').matchAll(/(?:runbook\.md|\$\{RUNBOOK\})#([a-z-]+)/g);
  const listed = [...page.matchAll(/`#([a-z-]+)`/g)].map(([, anchor]) => anchor!);
  expect([...new Set([...named].map(([, anchor]) => anchor!))].sort()).toEqual(listed.sort());
});
