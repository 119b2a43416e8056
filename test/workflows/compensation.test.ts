import type { Order, OrderRequest } from '../../src/domain/order';
import { openedOrder } from '../../src/domain/placing';
import { paymentRef } from '../../src/domain/order-payment';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createSandboxProvider } from '../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { COMMANDS } from '../../workflows/contract';
import { activitiesOn } from '../support/activities';
import { expectConsistency, ledgerOf } from '../support/consistency';
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
      if (down.has(payment.orderId)) throw new Error('The payment service is unavailable.');
      return provider.void(key, payment);
    },
  };
}

const by = { by: 'usr_operator', requestId: 'test', seenVersion: 0 };
const cancel = (request: OrderRequest) =>
  shop.workflows.execute(request, COMMANDS.cancel, { ...by, reason: null });
const handleOf = ({ orderId }: OrderRequest) => shop.temporal.client.workflow.getHandle(`order-${orderId}`);
const sandbox = () => createSandboxRepository(shop.db.connection);

async function place(request: Partial<OrderRequest> = {}, product = {}) {
  const { id } = await shop.sell(product);
  const sent = orderRequest({ items: [{ productServiceId: id, quantity: 2 }], ...request });
  const order = (await shop.workflows.place(sent))!;
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

async function detailsOf(request: OrderRequest): Promise<string> {
  const metadata = await handleOf(request).query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails;
}

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
        shop.workflows.execute(request, COMMANDS.retryCompensation, { ...by, step: 'voidPayment-1' });
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
    const command = { ...by, step: 'voidPayment-1', note: 'Paid back by bank transfer' };
    const resolved = (await shop.workflows.execute(request, COMMANDS.resolveCompensation, command)) as Order;
    expect(resolved).toMatchObject({
      paymentStatus: 'voided',
      compensations: [{ state: 'resolved', resolution: { note: command.note, by: by.by } }],
    });
    expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
    expect(await shop.orders.findById(request.orderId)).toEqual(resolved);
    await recordHistory('compensation-resolved', handleOf(request));
  });

  it.concurrent('is not found under another name', async () => {
    const { request } = await cancelledInOutage();
    for (const type of [COMMANDS.retryCompensation, COMMANDS.resolveCompensation]) {
      const result = shop.workflows.execute(request, type as typeof COMMANDS.resolveCompensation, {
        ...by,
        step: 'voidPayment-9',
        note: 'x',
      });
      await expect(result).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it.concurrent('can be resolved after its workflow was terminated', async () => {
    const { request } = await cancelledInOutage();
    await handleOf(request).terminate('by mistake');
    const command = { ...by, step: 'voidPayment-1', note: 'By hand' };
    expect(await shop.workflows.execute(request, COMMANDS.resolveCompensation, command)).toMatchObject({
      compensations: [{ state: 'resolved' }],
    });
    expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
  });

  it.concurrent('answers every operator, even when several act at once', async () => {
    const { request } = await cancelledInOutage();
    const step = 'voidPayment-1';
    const results = await Promise.all([
      shop.workflows.execute(request, COMMANDS.retryCompensation, { ...by, step }),
      shop.workflows.execute(request, COMMANDS.resolveCompensation, { ...by, step, note: 'By hand' }),
      shop.workflows.execute(request, COMMANDS.retryCompensation, { ...by, step }),
    ]);
    expect(results).toHaveLength(3);
    expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
    expect(await shop.orders.findById(request.orderId)).toMatchObject({
      compensations: [{ state: 'resolved' }],
    });
  });
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
    });
    await expect(provider.authorize(late)).rejects.toMatchObject({ name: 'PaymentRefused' });
    await recordHistory('cancelled-while-authorising', handle);
  });
});

describe('an amendment that fails', () => {
  it.concurrent.each([
    ['out of stock', { productQuantity: 200 }, 'out_of_stock'],
    ['of an unknown product', { productId: 'ps_unknown' }, 'unknown_product'],
  ])('%s changes nothing but the version, and its own payment is voided', async (_, change, code) => {
    const { request, order, productId } = await place();
    const items = [
      { productServiceId: productId, quantity: 1 },
      {
        productServiceId: (change as { productId?: string }).productId ?? productId,
        quantity: (change as { productQuantity?: number }).productQuantity ?? 1,
      },
    ];
    const result = shop.workflows.execute(request, COMMANDS.amend, { ...by, ifMatch: null, items });
    await expect(result).rejects.toMatchObject({ code });
    await eventually(async () =>
      expect(await shop.orders.findById(order.id)).toMatchObject({ compensations: [] }),
    );
    const { version: _v, updatedAt: _u, ...stored } = (await shop.orders.findById(order.id))!;
    const { version: _w, updatedAt: _x, ...before } = order;
    expect(stored).toEqual(before);
    await expectConsistency(shop, {
      productId,
      initial: 100,
      orders: [(await shop.orders.findById(order.id))!],
    });
  });

  it.concurrent('is not carried out by a run that comes late', async () => {
    const { request, order, productId } = await place({}, { available: 3 });
    const items = [{ productServiceId: productId, quantity: 9 }];
    const result = shop.workflows.execute(request, COMMANDS.amend, { ...by, ifMatch: null, items });
    await expect(result).rejects.toMatchObject({ code: 'out_of_stock' });
    // The run that the workflow has abandoned, now with enough stock.
    await shop.products.adjustStock({ productServiceId: productId, delta: 50, reason: 'more', by: 'usr_1' });
    const late = {
      ...order,
      version: order.version + 1,
      items: order.items.map((i) => ({ ...i, quantity: 9 })),
    };
    expect(await activitiesOn(shop.db).amendOrder(late)).not.toBeNull();
    expect((await shop.orders.findById(order.id))!.items[0]!.quantity).toBe(2);
    expect(await shop.stockOf(productId)).toEqual({ available: 51, reserved: 2 });
  });
});

it.concurrent('a free order never needs the payment service', async () => {
  const { request, order, productId } = await place({ paymentMethod: 'pm_sandbox_outage' }, { unitPrice: 0 });
  expect(order).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized', total: 0 });
  const items = [{ productServiceId: productId, quantity: 1 }];
  const keyed = { id: 'ful_1', fingerprint: 'f', attemptId: 'a' };
  const shipped = await shop.workflows.execute(request, COMMANDS.fulfill, {
    ...by,
    ...keyed,
    items,
    carrier: null,
    trackingNumber: null,
  });
  expect(shipped).toMatchObject({ paymentStatus: 'captured', captured: 0 });
  const another = await place({ paymentMethod: 'pm_sandbox_outage' }, { unitPrice: 0 });
  expect(await cancel(another.request)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
});

it.concurrent('a command is decided again when another writer has changed the order', async () => {
  const { request, order } = await place();
  await shop.db.connection
    .collection('orders')
    .updateOne({ _id: order.id as never }, { $inc: { version: 1 }, $set: { note: 'by hand' } });
  const amended = await shop.workflows.execute(request, COMMANDS.amend, {
    ...by,
    ifMatch: null,
    shippingAddress: null,
  });
  expect(amended).toMatchObject({ note: 'by hand', version: order.version + 2 });
});

it.concurrent(
  'an order with many commands continues in new runs, and a repeated POST gets the first result',
  async () => {
    const { request, order } = await place();
    let latest = order;
    for (let n = 0; n < 100; n++) {
      latest = (await shop.workflows.execute(request, COMMANDS.amend, {
        ...by,
        ifMatch: [latest.version],
        note: `note ${n}`,
      })) as Order;
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
    expect(await shop.workflows.place({ ...request, attemptId: 'another' })).toEqual(order);
    expect(await cancel(request)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
    await recordHistory('continued-from-another-run', handleOf(request));
  },
);

it.concurrent('a rejected order stays rejected when openOrder comes late', async () => {
  const { id } = await shop.sell({ available: 2 });
  const request = orderRequest({ items: [{ productServiceId: id, quantity: 2 }] });
  const { priceOrder, openOrder, rejectOrder } = activitiesOn(shop.db);
  const pricing = await priceOrder(request);
  const rejected = await rejectOrder(request, pricing, { code: 'out_of_stock', detail: 'none left' });
  expect(await openOrder(openedOrder(request, pricing))).toEqual(rejected);
  expect(await shop.stockOf(id)).toEqual({ available: 2, reserved: 0 });
});
