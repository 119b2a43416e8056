import type { Connection } from 'mongoose';
import { FINDING_KINDS, findingId, type FindingKind } from '../../src/domain/findings';
import type { Order } from '../../src/domain/order';
import { currentPayment, paymentRef } from '../../src/domain/order-payment';
import type { PaymentRef } from '../../src/domain/payment';
import type { Reconciliation, ReconciliationRequest } from '../../src/domain/reconciliation';
import { createOrderModel } from '../../src/orders/orders.model';
import { createFindingModel } from '../../src/payments/findings/findings.model';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { reconcile } from '../../src/reconcile/follow';
import { RECONCILIATION_WORKFLOW, reconciliationQuery } from '../../workflows/contract';
import { refundOf } from '../domain/fixtures';
import { newKey, newPayment, WHOLE } from '../payments/fixtures';
import { sandboxService, stripeService, type Service } from '../payments/services';
import { startFakeStripe } from '../payments/stripe/fake-stripe';
import { currentDetailsOf } from '../support/current-details';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { openShop, type Shop } from '../support/shop';
import { paymentsTaskQueueOf } from '../support/task-queues';
import { customersOf, expectSettled } from './every-state';
import type { Customer } from './saga/commands';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Returns the period of all that the tests do. */
function period(): { from: string; to: string } {
  const now = Date.now();
  return { from: new Date(now - 4 * DAY_MS).toISOString(), to: new Date(now + HOUR_MS).toISOString() };
}

function queuesOf({ taskQueue }: Shop) {
  return { taskQueue, paymentsTaskQueue: paymentsTaskQueueOf(taskQueue) };
}

function run(shop: Shop, request: ReconciliationRequest = {}): Promise<Reconciliation> {
  const { signal } = new AbortController();
  const deps = { temporal: shop.temporal, queues: queuesOf(shop), onProgress: () => undefined, signal };
  return reconcile({ ...period(), ...request }, deps);
}

/** Returns the states of all findings, by their names. */
async function findingsIn(connection: Connection): Promise<Record<string, string>> {
  const found = await createFindingModel(connection).find().sort({ _id: 1 }).lean();
  return Object.fromEntries(found.map(({ _id, state }) => [_id, state]));
}

describe.each<[string, () => Promise<{ open(connection: Connection): Service; close(): Promise<void> }>]>([
  ['the sandbox', async () => ({ open: sandboxService, close: async () => undefined })],
  [
    'Stripe',
    async () => {
      const fake = await startFakeStripe();
      return { open: (connection) => stripeService(connection, fake), close: fake.close };
    },
  ],
])('with %s', (_name, start) => {
  let shop: Shop;
  let service: Service;
  let close: () => Promise<void>;
  let productId: string;
  let customers: ReturnType<typeof customersOf>;
  beforeAll(async () => {
    const started = await start();
    close = started.close;
    shop = await openShop({ own: true });
    service = started.open(shop.db.connection);
    await shop.startWorker({ provider: () => service.provider });
    productId = (await shop.sell({ available: 1_000 })).id;
    customers = customersOf(shop, productId);
  });
  afterAll(async () => {
    await shop.close();
    await close();
  });

  const units = (quantity: number) => customers.units(quantity);
  const ordered = () => customers.ordered();
  const sent = () => customers.sent();
  const paymentOf = async (customer: Customer): Promise<PaymentRef> => {
    const order = (await customer.stored())!;
    return paymentRef(order, currentPayment(order));
  };
  const change = async ({ orderId }: PaymentRef, update: object) => {
    await createOrderModel(shop.db.connection).updateOne({ _id: orderId }, update);
  };

  /** Makes each kind of drift by hand, and returns its subject. */
  const DRIFTS: Record<FindingKind, () => Promise<string>> = {
    async charge_unknown() {
      const payment = newPayment();
      await service.provider.authorize(payment);
      await service.provider.capture(newKey(), payment, WHOLE);
      return payment.key;
    },
    async orphan_authorization() {
      const payment = newPayment();
      await service.provider.authorize(payment);
      return payment.key;
    },
    async amount_differs() {
      const payment = await paymentOf(await ordered());
      await change(payment, { 'payment.amount': payment.amount - 1 });
      return payment.key;
    },
    async captured_differs() {
      const customer = await ordered();
      await customer.fulfill('part', units(1));
      const payment = await paymentOf(customer);
      await service.capture(payment);
      return payment.key;
    },
    async capture_without_shipment() {
      const payment = await paymentOf(await ordered());
      await service.capture(payment);
      return payment.key;
    },
    async refunded_differs() {
      const customer = await sent();
      await customer.refund('part', 500);
      const payment = await paymentOf(customer);
      await change(payment, { 'refunds.0.amount': 400 });
      return payment.key;
    },
    async refund_unknown() {
      const payment = await paymentOf(await sent());
      await service.refund(payment, 300);
      return (await service.provider.find(payment))!.refunds[0]!.key;
    },
    async refund_missing() {
      const refund = { ...refundOf(300, `lost-${newKey()}`), createdAt: new Date() };
      await change(await paymentOf(await sent()), { $push: { refunds: refund } });
      return refund.id;
    },
    async refund_failed() {
      const customer = await sent();
      const { refunds } = (await customer.refund('part', 500)) as Order;
      await service.failRefund(await paymentOf(customer));
      return refunds[0]!.id;
    },
    async dispute_unknown() {
      const payment = await paymentOf(await sent());
      await service.dispute(payment);
      return (await service.provider.find(payment))!.disputes[0]!.id;
    },
    async payment_missing() {
      const payment = await paymentOf(await ordered());
      await service.forget(payment);
      return payment.key;
    },
    async status_differs() {
      const payment = await paymentOf(await ordered());
      await service.expire(payment);
      return payment.key;
    },
  };

  /** The kinds of which only a person can say what is right. */
  const BY_HAND: readonly FindingKind[] = [
    'charge_unknown',
    'amount_differs',
    'refunded_differs',
    'refund_missing',
    'capture_without_shipment',
    'payment_missing',
  ];

  it('finds nothing in orders of every state, each kind of drift, sets right what has one answer, and then finds no more', async () => {
    await customers.placeInEveryState();
    await expectSettled(shop);
    const clean = await run(shop);
    expect(clean).toMatchObject({
      phase: 'done',
      open: {},
      counts: { skipped: 0, unanswered: 0, findings: 0 },
    });
    expect(clean.counts.orders).toBeGreaterThanOrEqual(14);
    expect(clean.counts.payments).toBeGreaterThanOrEqual(15);

    const subjects = new Map<FindingKind, string>();
    await Promise.all(FINDING_KINDS.map(async (kind) => subjects.set(kind, await DRIFTS[kind]())));
    const stateOf = (state: (kind: FindingKind) => string) =>
      Object.fromEntries([...subjects].map(([kind, subject]) => [findingId({ kind, subject }), state(kind)]));
    const found = await run(shop);
    expect(await findingsIn(shop.db.connection)).toEqual(stateOf(() => 'open'));
    expect(found.open).toEqual(Object.fromEntries(FINDING_KINDS.map((kind) => [kind, 1])));
    expect(found.counts).toMatchObject({ skipped: 0, unanswered: 0, repaired: 0, gone: 0 });

    const repaired = await run(shop, { repair: true });
    const left = stateOf((kind) => (BY_HAND.includes(kind) ? 'open' : 'repaired'));
    expect(await findingsIn(shop.db.connection)).toEqual(left);
    const count = FINDING_KINDS.length - BY_HAND.length;
    expect(repaired.counts).toMatchObject({ unanswered: 0, repaired: count, gone: 0 });
    const again = await run(shop, { repair: true });
    expect(await findingsIn(shop.db.connection)).toEqual(left);
    expect(again.counts).toMatchObject({ repaired: 0, gone: 0 });

    // What people set right is gone at the next run.
    const wrong = subjects.get('amount_differs')!;
    await createOrderModel(shop.db.connection).updateOne(
      { 'payment.key': wrong },
      { $inc: { 'payment.amount': 1 } },
    );
    expect((await run(shop)).counts).toMatchObject({ repaired: 0, gone: 1 });
    expect(await findingsIn(shop.db.connection)).toEqual({
      ...left,
      [`amount_differs:${wrong}`]: 'gone',
    });
  });

  it('gives up an authorisation that nobody has needed for a day, without being asked to', async () => {
    const [old, recent] = [newPayment(), newPayment()];
    for (const payment of [old, recent]) await service.provider.authorize(payment);
    await service.backdate(old, DAY_MS + HOUR_MS);
    await run(shop);
    expect(await service.provider.find(old)).toMatchObject({ status: 'voided' });
    expect(await service.provider.find(recent)).toMatchObject({ status: 'authorized' });
    expect(await findingsIn(shop.db.connection)).toMatchObject({
      [`orphan_authorization:${old.key}`]: 'repaired',
      [`orphan_authorization:${recent.key}`]: 'open',
    });
  });
});

it('is continued where it was when its worker has died', async () => {
  const shop = await openShop({ own: true });
  const listed: string[] = [];
  let isBroken = true;
  /** Lists one payment at a time, and fails at the third. */
  const slowly = (provider: PaymentProvider): PaymentProvider => ({
    ...provider,
    async list({ cursor = null, ...request }) {
      const place = Number(cursor ?? 0);
      if (place === 2 && isBroken) throw new Error('The connection was lost.');
      const { payments } = await provider.list(request);
      listed.push(payments[place]!.key);
      return {
        payments: payments.slice(place, place + 1),
        nextCursor: place + 1 < payments.length ? String(place + 1) : null,
      };
    },
  });
  const { provider } = sandboxService(shop.db.connection);
  const charges = Array.from({ length: 4 }, () => newPayment());
  for (const charge of charges) await provider.authorize(charge);

  const first = await shop.startWorker({ provider: slowly });
  const { client } = shop.temporal;
  const workflowId = `${shop.taskQueue}-killed`;
  const { taskQueue, ...queues } = queuesOf(shop);
  const args = [{ ...period(), ...queues }];
  const handle = await client.workflow.start(RECONCILIATION_WORKFLOW, { workflowId, taskQueue, args });
  await eventually(async () =>
    expect(await handle.query(reconciliationQuery)).toMatchObject({ cursor: '2', counts: { payments: 2 } }),
  );
  expect(await currentDetailsOf(handle)).toMatch(
    /Compares payments from .*; so far 2 payments.*#reconciliation-lasts/s,
  );
  await first.stop();
  isBroken = false;
  await shop.startWorker({ provider: slowly });
  expect(await handle.result()).toMatchObject({
    phase: 'done',
    counts: { payments: 4 },
    open: { orphan_authorization: 4 },
  });
  expect(await currentDetailsOf(handle)).toMatch(
    /Done; 4 findings are open.*#reconciliation-finds-something/s,
  );
  await recordHistory('reconciliation-on-another-worker', handle);
  expect(listed.sort()).toEqual(charges.map(({ key }) => key).sort());
  await shop.close();
});
