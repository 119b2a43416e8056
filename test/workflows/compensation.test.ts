import type { AmendOrder } from '../../src/domain/amendment';
import type { Order, OrderRequest } from '../../src/domain/order';
import { paymentRef } from '../../src/domain/order-payment';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createSandboxProvider } from '../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { COMMANDS } from '../../workflows/contract';
import { activitiesOn } from '../support/activities';
import { newCommand } from '../support/commands';
import { expectConsistency, ledgerOf } from '../support/consistency';
import { currentDetailsOf } from '../support/current-details';
import { recordHistory } from '../support/histories';
import { eventually } from '../support/eventually';
import { openShop, orderRequest, type Shop } from '../support/shop';

/** The ids of orders whose authorisation succeeds without a response. */
const silent = new Set<string>();
/** The ids of orders for which the payment service is down. */
const down = new Set<string>();

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ own: true });
  await shop.startWorker({ provider: faulty });
});
afterAll(() => shop.close());

function faulty(provider: PaymentProvider): PaymentProvider {
  return {
    ...provider,
    async authorize(authorization) {
      const payment = await provider.authorize(authorization);
      if (silent.has(authorization.orderId)) throw new Error('no response');
      return payment;
    },
    async find(payment) {
      if (silent.has(payment.orderId)) throw new Error('no response');
      return provider.find(payment);
    },
    async void(key, payment) {
      requireUp(payment.orderId);
      return provider.void(key, payment);
    },
    async release(key, payment) {
      requireUp(payment.orderId);
      return provider.release(key, payment);
    },
    async refund(key, payment, amount) {
      requireUp(payment.orderId);
      return provider.refund(key, payment, amount);
    },
  };
}

function requireUp(orderId: string): void {
  if (down.has(orderId)) throw new Error('The payment service is unavailable.');
}

const OPERATOR = 'usr_operator';
const command = () => ({ ...newCommand(), by: OPERATOR });
const cancel = (request: OrderRequest) =>
  shop.workflows.execute(request, COMMANDS.cancel, { ...command(), reason: null });
const amend = (request: OrderRequest, change: Partial<AmendOrder>) =>
  shop.workflows.execute(request, COMMANDS.amend, { ...command(), ifMatch: null, ...change });
const handleOf = ({ orderId }: OrderRequest) => shop.temporal.client.workflow.getHandle(`order-${orderId}`);
const sandbox = () => createSandboxRepository(shop.db.connection);

async function place(request: Partial<OrderRequest> = {}, product = {}) {
  const { id } = await shop.sell(product);
  const sent = orderRequest({ items: [{ productServiceId: id, quantity: 2 }], ...request });
  const order = (await shop.place(sent))!;
  return { request: sent, order, productId: id };
}

/** Cancels an order while the payment service is down: voiding has failed four times. */
async function cancelledInOutage() {
  const placed = await place();
  expect(placed.order).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
  down.add(placed.request.orderId);
  const cancelled = (await cancel(placed.request)) as Order;
  return { ...placed, cancelled };
}

async function attributesOf(request: OrderRequest) {
  const { typedSearchAttributes } = await handleOf(request).describe();
  return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
}

const detailsOf = (request: OrderRequest) => currentDetailsOf(handleOf(request));

describe('a payment that cannot be voided', () => {
  it.concurrent(
    'is shown on the order, whose stock is released at once, and is voided by a retry',
    async () => {
      const { request, cancelled, productId } = await cancelledInOutage();
      expect(cancelled).toMatchObject({
        status: 'cancelled',
        paymentStatus: 'authorized',
        reservation: 'released',
        compensations: [
          { step: 'voidPayment-1', state: 'pending', failure: expect.stringContaining('is unavailable') },
        ],
      });
      expect(await shop.stockOf(productId)).toEqual({ available: 100, reserved: 0 });
      expect(await attributesOf(request)).toMatchObject({
        OrderStatus: 'cancelled',
        CompensationPending: true,
      });
      expect(await detailsOf(request)).toContain('**compensation_pending**: `voidPayment-1` keeps failing');

      const retry = () =>
        shop.workflows.execute(request, COMMANDS.retryCompensation, { ...command(), step: 'voidPayment-1' });
      // The failure is the same, so the version stays.
      expect(await retry()).toMatchObject({
        compensations: [{ state: 'pending' }],
        version: cancelled.version,
      });
      down.delete(request.orderId);
      expect(await retry()).toMatchObject({ paymentStatus: 'voided', compensations: [] });
      expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
      expect(await attributesOf(request)).toMatchObject({ CompensationPending: false });
      const stored = (await shop.orders.findById(request.orderId))!;
      await expectConsistency(shop, { productId, initial: 100, orders: [stored] });
      await recordHistory('compensation-retried', handleOf(request));
    },
  );

  it.concurrent('is resolved by an operator, whose note is kept', async () => {
    const { request } = await cancelledInOutage();
    const resolution = { ...command(), step: 'voidPayment-1', note: 'Paid back by bank transfer' };
    const resolved = (await shop.workflows.execute(
      request,
      COMMANDS.resolveCompensation,
      resolution,
    )) as Order;
    expect(resolved).toMatchObject({
      paymentStatus: 'voided',
      compensations: [{ state: 'resolved', resolution: { note: resolution.note, by: OPERATOR } }],
    });
    expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
    expect(await shop.orders.findById(request.orderId)).toEqual(resolved);
    await recordHistory('compensation-resolved', handleOf(request));
  });

  it.concurrent(
    'is resolved by a regular activity, so that the workflow learns of it even if Temporal dies',
    async () => {
      const { request } = await cancelledInOutage();
      const resolution = { ...command(), step: 'voidPayment-1', note: 'By hand' };
      await shop.workflows.execute(request, COMMANDS.resolveCompensation, resolution);
      const { events } = await handleOf(request).fetchHistory();
      const scheduled = events!.map(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name,
      );
      expect(scheduled.filter((name) => name === 'resolveCompensation')).toHaveLength(1);
    },
  );

  it.concurrent(
    'stays owed when the order turns its resolution down, and is voided by a later retry',
    async () => {
      const { request, order, productId } = await cancelledInOutage();
      await handleOf(request).terminate('by mistake');
      const step = 'voidPayment-1';
      const retry = () => shop.workflows.execute(request, COMMANDS.retryCompensation, { ...command(), step });
      expect(await retry()).toMatchObject({ compensations: [{ state: 'pending' }] });
      const outdated = { ...command(), step, note: 'By hand', seenRevision: 0 };
      const before = await shop.orders.findById(order.id);
      expect(await shop.workflows.execute(request, COMMANDS.resolveCompensation, outdated)).toBe('outdated');
      expect(await shop.orders.findById(order.id)).toEqual(before);
      down.delete(request.orderId);
      expect(await retry()).toMatchObject({ paymentStatus: 'voided', compensations: [] });
      expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
      const stored = (await shop.orders.findById(order.id))!;
      await expectConsistency(shop, { productId, initial: 100, orders: [stored] });
    },
  );

  it.concurrent('is not found under another name', async () => {
    const { request } = await cancelledInOutage();
    const other = { ...command(), step: 'voidPayment-9' };
    const retried = shop.workflows.execute(request, COMMANDS.retryCompensation, other);
    await expect(retried).rejects.toMatchObject({ code: 'not_found' });
    const resolution = { ...other, id: 'cmd_other', note: 'x' };
    const resolved = shop.workflows.execute(request, COMMANDS.resolveCompensation, resolution);
    await expect(resolved).rejects.toMatchObject({ code: 'not_found' });
  });

  it.concurrent('can be resolved after its workflow was terminated', async () => {
    const { request } = await cancelledInOutage();
    await handleOf(request).terminate('by mistake');
    const resolution = { ...command(), step: 'voidPayment-1', note: 'By hand' };
    expect(await shop.workflows.execute(request, COMMANDS.resolveCompensation, resolution)).toMatchObject({
      compensations: [{ state: 'resolved' }],
    });
    expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
  });

  it.concurrent('answers every operator, even when several act at once', async () => {
    const { request } = await cancelledInOutage();
    const step = 'voidPayment-1';
    const results = await Promise.all([
      shop.workflows.execute(request, COMMANDS.retryCompensation, { ...command(), step }),
      shop.workflows.execute(request, COMMANDS.resolveCompensation, { ...command(), step, note: 'By hand' }),
      shop.workflows.execute(request, COMMANDS.retryCompensation, { ...command(), step }),
    ]);
    expect(results).toHaveLength(3);
    expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
    expect(await shop.orders.findById(request.orderId)).toMatchObject({
      compensations: [{ state: 'resolved' }],
    });
  });
});

describe('an order that is closed short while the payment service is down', () => {
  const fulfill = (request: OrderRequest, quantity: number) =>
    shop.workflows.execute(request, COMMANDS.fulfill, {
      ...command(),
      fingerprint: 'f',
      attemptId: 'a',
      items: [{ ...request.items[0]!, quantity }],
      carrier: null,
      trackingNumber: null,
    });
  const ONCE = 'pm_card_credit_disableEnterpriseCardFeatures';
  const retry = (request: OrderRequest, step: string) =>
    shop.workflows.execute(request, COMMANDS.retryCompensation, { ...command(), step });
  async function expectSettled({ orderId }: OrderRequest, productId: string): Promise<void> {
    const stored = (await shop.orders.findById(orderId))!;
    expect(stored.compensations.filter(({ state }) => state !== 'resolved')).toEqual([]);
    await expectConsistency(shop, { productId, initial: 100, orders: [stored] });
  }

  it.concurrent('owes what was captured of cancelled units, and pays it back by a retry', async () => {
    const { request, productId } = await place({ paymentMethod: ONCE });
    await fulfill(request, 1);
    down.add(request.orderId);
    const closed = (await cancel(request)) as Order;
    expect(closed).toMatchObject({
      fulfillmentStatus: 'fulfilled',
      paymentStatus: 'captured',
      captured: 4_758,
      refunded: 0,
      refunds: [{ amount: 2_379, status: 'pending', by: 'system' }],
      compensations: [{ kind: 'refund', state: 'pending', amount: 2_379 }],
    });
    expect(await detailsOf(request)).toContain('**compensation_pending**: `refundPayment-');
    const refund = { ...command(), fingerprint: 'f', attemptId: 'a', amount: 2_380, reason: 'Too much' };
    const tooMuch = shop.workflows.execute(request, COMMANDS.refund, refund);
    await expect(tooMuch).rejects.toMatchObject({ code: 'invalid_transition' }); // it would be paid back twice
    down.delete(request.orderId);
    expect(await retry(request, closed.compensations[0]!.step)).toMatchObject({
      paymentStatus: 'partially_refunded',
      refunded: 2_379,
      refunds: [{ status: 'succeeded' }],
      compensations: [],
    });
    await expectSettled(request, productId);
    await recordHistory('paid-back-by-a-retry', handleOf(request));
  });

  it.concurrent('counts what an operator paid back by hand as refunded', async () => {
    const { request } = await place({ paymentMethod: ONCE });
    await fulfill(request, 1);
    down.add(request.orderId);
    const { compensations } = (await cancel(request)) as Order;
    const resolution = { ...command(), step: compensations[0]!.step, note: 'By bank transfer' };
    expect(await shop.workflows.execute(request, COMMANDS.resolveCompensation, resolution)).toMatchObject({
      paymentStatus: 'partially_refunded',
      refunded: 2_379,
      refunds: [{ status: 'succeeded' }],
      compensations: [{ state: 'resolved' }],
    });
  });

  it.concurrent(
    'owes the release of what was not captured, even after its workflow was terminated',
    async () => {
      const { request, productId } = await place();
      await fulfill(request, 1);
      down.add(request.orderId);
      const closed = (await cancel(request)) as Order;
      expect(closed).toMatchObject({
        captured: 2_379,
        refunds: [],
        compensations: [{ step: 'releasePayment-1', kind: 'release', state: 'pending', amount: 2_379 }],
      });
      expect(await ledgerOf(shop, request.orderId)).toMatchObject({ captured: 2_379, open: 2_379 });
      await handleOf(request).terminate('by mistake');
      down.delete(request.orderId);
      expect(await retry(request, 'releasePayment-1')).toMatchObject({ compensations: [] });
      await expectSettled(request, productId);
      await recordHistory('released-when-resumed', handleOf(request));
    },
  );
});

describe('an authorisation without a known outcome', () => {
  it.concurrent('is voided by its key, and one that comes late is rejected', async () => {
    const { id } = await shop.sell({ available: 2 });
    const request = orderRequest({ items: [{ productServiceId: id, quantity: 2 }] });
    silent.add(request.orderId);
    const handle = handleOf(request);
    await shop.workflows.start(request);
    await eventually(async () => expect((await ledgerOf(shop, request.orderId)).open).toBeGreaterThan(0));
    await handle.cancel(); // instead of waiting two minutes for the time-out
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    const order = (await shop.orders.findById(request.orderId))!;
    expect(order).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', compensations: [] });
    expect(order.statusHistory.map(({ to }) => to)).toEqual(
      expect.arrayContaining(['authorized', 'voided', 'cancelled']),
    );
    await expectConsistency(shop, { productId: id, initial: 2, orders: [order] });
    const provider = createSandboxProvider({ repository: sandbox() });
    const late = paymentRef(order, {
      key: `${order.id}-1`,
      reference: null,
      amount: order.total!,
      currency: 'EUR',
      captures: 'once',
    });
    await expect(provider.authorize(late)).rejects.toMatchObject({ name: 'PaymentRefused' });
    await recordHistory('cancelled-while-authorising', handle);
  });
});

describe('an amendment that fails', () => {
  /** Returns what an amendment could have changed. */
  function contentOf(order: Order): Partial<Order> {
    const { version: _v, revision: _r, updatedAt: _u, commands: _c, ...content } = order;
    return content;
  }

  it.concurrent('out of stock changes nothing, and its own payment is voided', async () => {
    const { request, order, productId } = await place();
    const items = [{ productServiceId: productId, quantity: 201 }];
    await expect(amend(request, { items })).rejects.toMatchObject({ code: 'out_of_stock' });
    await eventually(async () =>
      expect(await shop.orders.findById(order.id)).toMatchObject({ compensations: [] }),
    );
    const stored = (await shop.orders.findById(order.id))!;
    expect(contentOf(stored)).toEqual(contentOf(order));
    expect(await ledgerOf(shop, order.id)).toMatchObject({ voided: 478_141, open: order.total });
    await expectConsistency(shop, { productId, initial: 100, orders: [stored] });
  });

  it.concurrent('of an unknown product changes nothing, and asks for no payment', async () => {
    const { request, order } = await place();
    const items = [{ productServiceId: 'ps_unknown', quantity: 1 }];
    await expect(amend(request, { items })).rejects.toMatchObject({ code: 'unknown_product' });
    const stored = (await shop.orders.findById(order.id))!;
    expect(contentOf(stored)).toEqual(contentOf(order));
    expect(stored.version).toBe(order.version);
    expect(await ledgerOf(shop, order.id)).toMatchObject({ authorized: order.total });
  });

  it.concurrent('is not carried out by a run that comes late', async () => {
    const { request, order, productId } = await place({}, { available: 3 });
    const amendment = {
      ...command(),
      ifMatch: null,
      items: [{ productServiceId: productId, quantity: 9 }],
    };
    const refused = shop.workflows.execute(request, COMMANDS.amend, amendment);
    await expect(refused).rejects.toMatchObject({ code: 'out_of_stock' });
    // The run that the workflow has abandoned, now with enough stock.
    await shop.stockUp(productId, 50);
    const late = { ...amendment, orderId: order.id };
    const { answer } = await activitiesOn(shop.db).amendOrder(late, { inline: true });
    expect(answer).toMatchObject({ error: { type: 'OutOfStock' } });
    expect((await shop.orders.findById(order.id))!.items[0]!.quantity).toBe(2);
    expect(await shop.stockOf(productId)).toEqual({ available: 51, reserved: 2 });
  });
});

it.concurrent('a free order never needs the payment service', async () => {
  const { request, order, productId } = await place({ paymentMethod: 'pm_sandbox_outage' }, { unitPrice: 0 });
  expect(order).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized', total: 0 });
  const items = [{ productServiceId: productId, quantity: 1 }];
  const shipped = await shop.workflows.execute(request, COMMANDS.fulfill, {
    ...command(),
    fingerprint: 'f',
    attemptId: 'a',
    items,
    carrier: null,
    trackingNumber: null,
  });
  expect(shipped).toMatchObject({ paymentStatus: 'captured', captured: 0 });
  const another = await place({ paymentMethod: 'pm_sandbox_outage' }, { unitPrice: 0 });
  expect(await cancel(another.request)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
});

it.concurrent(
  'an order with many commands continues in new runs, and a repeated POST places nothing',
  async () => {
    const { request, order } = await place();
    let latest = order;
    for (let n = 0; n < 100; n++) {
      latest = (await amend(request, { ifMatch: [latest.version], note: `note ${n}` })) as Order;
    }
    expect(latest).toMatchObject({ note: 'note 99', version: order.version + 100 });
    const { runId, historyLength } = await handleOf(request).describe();
    expect(historyLength).toBeLessThan(1_000);
    const executions = shop.temporal.client.workflow.list({ query: `WorkflowId = 'order-${order.id}'` });
    await eventually(async () => {
      const runs = [];
      for await (const run of executions) runs.push(run);
      expect(runs.length).toBeGreaterThan(1);
      expect(Math.max(...runs.map((run) => run.historyLength))).toBeLessThan(1_000);
      const first = runs.find((run) => run.runId !== runId)!;
      await recordHistory(
        'continued-as-new',
        shop.temporal.client.workflow.getHandle(`order-${order.id}`, first.runId),
      );
    });
    expect(await shop.place({ ...request, attemptId: 'another' })).toEqual(latest);
    expect(await cancel(request)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
    await recordHistory('continued-from-another-run', handleOf(request));
  },
);

it.concurrent('a rejected order stays rejected when openOrder comes late', async () => {
  const { id } = await shop.sell({ available: 1 });
  const request = orderRequest({ items: [{ productServiceId: id, quantity: 2 }] });
  const { openOrder } = activitiesOn(shop.db);
  expect(await openOrder(request)).toMatchObject({ status: 'rejected', rejection: { code: 'out_of_stock' } });
  await shop.stockUp(id, 1);
  expect(await openOrder(request)).toMatchObject({ status: 'rejected' });
  expect(await shop.stockOf(id)).toEqual({ available: 2, reserved: 0 });
});
