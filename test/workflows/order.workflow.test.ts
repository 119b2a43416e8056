import { orderNumberOf } from '../../src/domain/order-number';
import type { Order, OrderRequest } from '../../src/domain/order';
import { newId } from '../../src/common/ids';
import { COMMANDS, getOrderQuery, getTimelineQuery } from '../../workflows/contract';
import { activitiesOn } from '../support/activities';
import { Canaries } from '../support/canaries';
import { newCommand } from '../support/commands';
import { ledgerOf } from '../support/consistency';
import { currentDetailsOf } from '../support/current-details';
import { recordHistory } from '../support/histories';
import { openShop, orderRequest, type Shop } from '../support/shop';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const WHY = { by: 'usr_1', reason: 'Changed my mind' };
const cancel = (request: OrderRequest) =>
  shop.workflows.execute(request, COMMANDS.cancel, { ...newCommand(), ...WHY });
const handleOf = ({ orderId }: OrderRequest) => shop.temporal.client.workflow.getHandle(`order-${orderId}`);
const order = (productServiceId: string, quantity = 1) =>
  orderRequest({ items: [{ productServiceId, quantity }] });

describe('placing an order', () => {
  it('prices it, reserves its stock, authorises its payment, saves it and confirms it', async () => {
    const shirt = await shop.sell();
    const fitting = await shop.sell({ kind: 'service', stock: null, unitPrice: 50, taxRateBps: 0 });
    const request = orderRequest({
      items: [
        { productServiceId: shirt.id, quantity: 2 },
        { productServiceId: fitting.id, quantity: 3 },
      ],
    });
    const placed = await shop.place(request);
    expect(placed).toMatchObject({
      id: request.orderId,
      status: 'confirmed',
      currency: 'EUR',
      subtotal: 4_148,
      tax: 760,
      total: 4_908,
      paymentStatus: 'authorized',
      payment: { key: `${request.orderId}-1`, amount: 4_908, currency: 'EUR' },
      reservation: 'held',
      version: 2,
      attemptId: request.attemptId,
    });
    expect(await shop.orders.findById(request.orderId)).toEqual(placed);
    expect(await shop.stockOf(shirt.id)).toEqual({ available: 98, reserved: 2 });
    expect(await shop.stockOf(fitting.id)).toBeNull();
    expect(await ledgerOf(shop, request.orderId)).toMatchObject({ authorized: 4_908, open: 4_908 });
  });

  it('shows its summary, state and steps in Temporal', async () => {
    const { id } = await shop.sell();
    const request = order(id, 3);
    await shop.place(request);
    const description = await handleOf(request).describe();
    expect(description.typedSearchAttributes.getAll()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          key: expect.objectContaining({ name: 'OrderStatus' }),
          value: 'confirmed',
        }),
        expect.objectContaining({
          key: expect.objectContaining({ name: 'CustomerId' }),
          value: request.customerId,
        }),
        expect.objectContaining({ key: expect.objectContaining({ name: 'Currency' }), value: 'EUR' }),
        expect.objectContaining({ key: expect.objectContaining({ name: 'OrderTotal' }), value: 7_136 }),
      ]),
    );
    const number = orderNumberOf(request.orderId);
    expect(await description.staticSummary()).toBe(`${number}: 1 line, 3 units, for ${request.customerId}`);
    expect(await description.staticDetails()).toContain(`3 × \`${id}\``);
    const currentDetails = await currentDetailsOf(handleOf(request));
    expect(currentDetails).toMatch(
      /^Order [0-9A-Z-]{11} is \*\*confirmed\*\* since \S+Z\.\n\nPayment authorized, fulfillment unfulfilled, total 71\.36 EUR\.\n\n\*\*Waits for\*\* its fulfillment, since \S+Z, until \S+Z\. If nothing of it is fulfilled by then, it is cancelled\.\n\nPlaced in one step: `openOrder` \d+ ms, `pay` \d+ ms\.\n\n\*\*What to do\*\*: Ship it in time: docs\/runbook\.md#an-order-waits-for-its-fulfillment\.$/,
    );
    expect(currentDetails).toContain(number);
    expect(await localSteps(request)).toEqual(['placeOrder']);
  });

  it('answers what it knows and what has happened, without anything personal', async () => {
    const { id } = await shop.sell();
    const canaries = new Canaries();
    const [name, line1, city] = ['name', 'line1', 'city'].map((part) => canaries.make(part)) as [
      string,
      string,
      string,
    ];
    const request: OrderRequest = {
      ...order(id, 3),
      note: canaries.make('note'),
      shippingAddress: { name, line1, city, postalCode: '10115', country: 'DE' },
      externalRef: canaries.make('externalRef'),
      metadata: { key: canaries.make('metadata') },
      address: canaries.add('address', '203.0.113.77'),
    };
    const placed = (await shop.place(request))!;
    await shop.workflows.execute(request, COMMANDS.amend, {
      ...newCommand(),
      ifMatch: null,
      note: canaries.make('other note'),
    });
    await cancel(request);
    const handle = handleOf(request);
    const report = await handle.query(getOrderQuery);
    expect(report).toMatchObject({
      number: placed.number,
      version: 5,
      status: 'cancelled',
      paymentStatus: 'voided',
      fulfillmentStatus: 'cancelled',
      total: 7_136,
      currency: 'EUR',
      waitsFor: null,
      compensations: [],
      lastFailure: null,
      whatToDo: 'Nothing.',
    });
    const timeline = await handle.query(getTimelineQuery);
    expect(timeline.leftOut).toBe(0);
    expect(timeline.entries.map(({ what, detail }) => `${what}: ${detail}`)).toEqual([
      'workflow: started',
      'status: pending → confirmed',
      'paymentStatus: pending → authorized',
      'command: amend: done',
      'status: confirmed → cancelled',
      'fulfillmentStatus: unfulfilled → cancelled',
      'compensation: voidPayment-1 owed',
      'paymentStatus: authorized → voided',
      'compensation: voidPayment-1 settled',
      'command: cancel: done',
    ]);
    const texts = JSON.stringify([report, timeline]) + (await currentDetailsOf(handle));
    expect(canaries.foundIn(texts)).toEqual([]);
  });

  it.each([
    ['an unknown product', 'unknown_product', async () => [newId('ps')]],
    ['a retired product', 'unknown_product', async () => [await retired()]],
    [
      'two currencies',
      'mixed_currencies',
      async () => [(await shop.sell()).id, (await shop.sell({ currency: 'USD' })).id],
    ],
    [
      'a total beyond the safe integers',
      'amount_too_large',
      async () => [(await shop.sell({ unitPrice: Number.MAX_SAFE_INTEGER })).id],
    ],
    ['more than there is', 'out_of_stock', async () => [(await shop.sell({ available: 0 })).id]],
  ])('rejects %s with its reason, and holds nothing', async (_, code, products) => {
    const ids = await products();
    const request = orderRequest({
      items: ids.map((productServiceId) => ({ productServiceId, quantity: 1 })),
    });
    const rejected = await shop.place(request);
    expect(rejected).toMatchObject({
      status: 'rejected',
      rejection: { code, detail: expect.any(String) },
      reservation: 'none',
    });
    expect(await shop.orders.findById(request.orderId)).toEqual(rejected);
    expect(await reservedOf(ids)).toBe(0);
    expect(await handleOf(request).result()).toEqual({ status: 'rejected' });
    // A repeat gets the same rejection.
    expect(await shop.place({ ...request, attemptId: 'another' })).toEqual(rejected);
    await recordHistory(`rejected-${code}`, handleOf(request));
  });

  it('reserves no product when one of them is short', async () => {
    const [plenty, few] = [await shop.sell(), await shop.sell({ available: 3 })];
    const request = orderRequest({
      items: [
        { productServiceId: plenty.id, quantity: 5 },
        { productServiceId: few.id, quantity: 2 },
        { productServiceId: few.id, quantity: 2 },
      ],
    });
    const rejected = await shop.place(request);
    expect(rejected!.rejection!.detail).toContain(`${few.sku} (4 ordered, 3 available)`);
    expect(await reservedOf([plenty.id, few.id])).toBe(0);
  });

  it('places one order for 50 identical requests at once, with one result', async () => {
    const { id } = await shop.sell();
    const request = order(id);
    const attempts = Array.from({ length: 50 }, (_, n) => ({ ...request, attemptId: `attempt-${n}` }));
    const results = await Promise.all(attempts.map((attempt) => shop.place(attempt)));
    expect(results[0]).toMatchObject({ status: 'confirmed' });
    expect(results).toEqual(results.map(() => results[0]));
    expect(await shop.stockOf(id)).toEqual({ available: 99, reserved: 1 });
  });

  it.each([
    ['while the first is open', false],
    ['after the first was closed', true],
  ])('rejects another body under the same key %s', async (_, closed) => {
    const { id } = await shop.sell();
    const request = order(id);
    const placed = await shop.place(request);
    if (closed) await cancel(request);
    const another = shop.place({ ...request, fingerprint: 'another' });
    // A closed workflow takes no updates: the service finds the other fingerprint in the document.
    if (closed) expect(await another).toBeNull();
    else await expect(another).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    expect((await shop.orders.findById(request.orderId))!.fingerprint).toBe(placed!.fingerprint);
  });
});

describe('an order that Temporal has forgotten', () => {
  /** Leaves the document without a workflow, as after the namespace's retention. */
  async function placedAndForgotten(): Promise<{
    request: OrderRequest;
    cancelled: Order;
    productId: string;
  }> {
    const { id } = await shop.sell();
    const request = order(id);
    const { openOrder, cancelOrder } = activitiesOn(shop.db);
    await openOrder(request);
    await cancelOrder({ ...newCommand(), ...WHY, orderId: request.orderId }, request);
    return { request, cancelled: (await shop.orders.findById(request.orderId))!, productId: id };
  }

  it('is returned from MongoDB and not placed again', async () => {
    const { request, cancelled, productId } = await placedAndForgotten();
    const { revision, resumedRevision, resumedBy, ...returned } = (await shop.place({
      ...request,
      attemptId: 'another',
    }))!;
    expect({ ...cancelled, ...returned }).toEqual(cancelled);
    expect({ revision, resumedRevision, resumedBy }).toEqual({
      revision: 3,
      resumedRevision: 2,
      resumedBy: expect.any(String),
    });
    expect(await shop.stockOf(productId)).toEqual({ available: 100, reserved: 0 });
  });

  it.each([
    ['another body', {}],
    ['another body that would be rejected', { items: [{ productServiceId: 'ps_unknown', quantity: 1 }] }],
  ])('still rejects %s under its key', async (what, items) => {
    const { request, cancelled } = await placedAndForgotten();
    const another = shop.place({ ...request, ...items, fingerprint: 'another' });
    await expect(another).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    await recordHistory(`key-reused-for-${what.replaceAll(' ', '-')}`, handleOf(request));
    expect(await shop.orders.findById(request.orderId)).toEqual(cancelled);
  });
});

describe('cancelling an order', () => {
  it('releases its stock and closes it', async () => {
    const { id } = await shop.sell();
    const request = order(id, 4);
    await shop.place(request);
    const cancelled = (await cancel(request)) as Order;
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      fulfillmentStatus: 'cancelled',
      paymentStatus: 'voided',
      reservation: 'released',
      compensations: [],
    });
    const cancellation = cancelled.statusHistory.find(({ to }) => to === 'cancelled');
    expect(cancellation).toMatchObject(WHY);
    expect(await ledgerOf(shop, request.orderId)).toMatchObject({ open: 0, captured: 0 });
    expect(await shop.orders.findById(request.orderId)).toEqual(cancelled);
    expect(await shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
    expect(await handleOf(request).result()).toEqual({ status: 'cancelled' });
  });

  it('happens once, however many requests come at once', async () => {
    const { id } = await shop.sell();
    const request = order(id, 4);
    await shop.place(request);
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => cancel(request)));
    const cancelled = results.filter(
      (result) => result.status === 'fulfilled' && typeof result.value === 'object',
    );
    expect(cancelled).toHaveLength(1);
    expect(await shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });

  it('happens when the workflow is cancelled in Temporal', async () => {
    const { id } = await shop.sell();
    const request = order(id, 4);
    await shop.place(request);
    await handleOf(request).cancel();
    await expect(handleOf(request).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await shop.orders.findById(request.orderId)).toMatchObject({
      status: 'cancelled',
      reservation: 'released',
    });
    expect(await shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
    await recordHistory('cancelled-in-temporal', handleOf(request));
  });
});

describe('an order whose workflow was terminated', () => {
  it('still returns the order, and is restarted by the next command', async () => {
    const { id } = await shop.sell();
    const request = order(id, 4);
    const placed = await shop.place(request);
    await handleOf(request).terminate('by mistake');
    expect(await shop.place({ ...request, attemptId: 'another' })).toEqual(placed);
    expect(await shop.stockOf(id)).toEqual({ available: 96, reserved: 4 });
    expect(await cancel(request)).toMatchObject({ status: 'cancelled' });
    expect(await shop.stockOf(id)).toEqual({ available: 100, reserved: 0 });
  });
});

async function retired(): Promise<string> {
  const { id } = await shop.sell();
  await shop.retire(id);
  return id;
}

async function reservedOf(ids: string[]): Promise<number> {
  const found = await shop.products.findActiveByIds(ids);
  return found.reduce((sum, { stock }) => sum + (stock?.reserved ?? 0), 0);
}

/** Returns the names of the local activities in the history of an order. */
async function localSteps(request: OrderRequest): Promise<string[]> {
  const { events } = await handleOf(request).fetchHistory();
  const markers = (events ?? []).flatMap(
    ({ markerRecordedEventAttributes: marker }) => marker?.details?.data ?? [],
  );
  return markers.map(({ payloads }) => {
    const data = JSON.parse(Buffer.from(payloads![0]!.data!).toString()) as { activity_type: string };
    return data.activity_type;
  });
}
