import type { Order } from '../../src/domain/order';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import { COMMANDS } from '../../workflows/contract';
import { activitiesOn } from '../support/activities';
import { newCommand } from '../support/commands';
import { expectConsistency } from '../support/consistency';
import { currentDetailsOf } from '../support/current-details';
import { recordHistory } from '../support/histories';
import { eventually } from '../support/eventually';
import { sample } from '../support/sample';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { openTimeSkippingShop, type TimeSkippingShop } from '../support/time-skipping';
import { findTimeSkippingServer } from '../support/time-skipping-server';
import { deferred } from './saga/deferred';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
/** A deadline that passes while the test waits for it. */
const DEADLINE_MS = 500;
const STOCK = 10;

const caller = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

const { executable, missing } = findTimeSkippingServer();
if (!executable) console.warn(`The days until an order expires are not skipped: ${missing}.`);

interface Placed {
  order: Order;
  productId: string;
}

/** An order of two units that is confirmed. */
async function placeOne(shop: Shop): Promise<Placed> {
  const { id: productId } = await shop.sell({ available: STOCK });
  const order = await shop.place(orderRequest({ items: [{ productServiceId: productId, quantity: 2 }] }));
  expect(order).toMatchObject({ status: 'confirmed', paymentStatus: 'authorized' });
  return { order: order!, productId };
}

const handleOf = ({ temporal }: Shop, { id }: Order) => temporal.client.workflow.getHandle(`order-${id}`);

async function expectExpired(shop: Shop, { order: { id }, productId }: Placed): Promise<Order> {
  const order = (await shop.orders.findById(id))!;
  const cancelled = { status: 'cancelled', fulfillmentStatus: 'cancelled', paymentStatus: 'voided' };
  expect(order).toMatchObject({ ...cancelled, reservation: 'released', compensations: [] });
  expect(order.statusHistory.find(({ to }) => to === 'cancelled')).toMatchObject({
    axis: 'status',
    from: 'confirmed',
    by: 'system',
    reason: 'expired',
  });
  expect(await shop.stockOf(productId)).toEqual({ available: STOCK, reserved: 0 });
  await expectConsistency(shop, { productId, initial: STOCK, orders: [order] });
  return order;
}

(executable ? describe : describe.skip)('an order of which nothing is fulfilled within six days', () => {
  let shop: TimeSkippingShop;
  let service: OrderService;

  // Each test has a server of its own, since the clock of the workers does not skip.
  beforeEach(async () => {
    shop = await openTimeSkippingShop(executable!);
    service = createOrderService(shop);
  });
  afterEach(() => shop?.close());

  /** Returns the order once its workflow has done everything that was due. */
  async function settled({ order }: Placed): Promise<Order> {
    await currentDetailsOf(handleOf(shop, order));
    return (await shop.orders.findById(order.id))!;
  }

  const tests: Record<string, () => Promise<void>> = {
    async 'is cancelled then and not earlier, its payment voided and its stock released'() {
      const placed = await placeOne(shop);
      await shop.skip(6 * DAY_MS - HOUR_MS);
      expect(await settled(placed)).toEqual(placed.order);
      await shop.skip(HOUR_MS);
      expect(await handleOf(shop, placed.order).result()).toEqual({ status: 'cancelled' });
      await expectExpired(shop, placed);
    },

    async 'or whose payment the customer does not confirm in half an hour, is rejected then and not earlier'() {
      const { id: productId } = await shop.sell({ available: STOCK });
      const request = orderRequest({
        items: [{ productServiceId: productId, quantity: 2 }],
        paymentMethod: 'pm_card_threeDSecure2Required',
      });
      await shop.workflows.start(request);
      const stored = async () => (await shop.orders.findById(request.orderId))!;
      await eventually(async () =>
        expect(await stored()).toMatchObject({ status: 'pending', paymentStatus: 'action_required' }),
      );
      const placed = { order: await stored(), productId };
      await shop.skip(HOUR_MS / 2 - 60_000);
      expect(await settled(placed)).toEqual(placed.order);
      await shop.skip(2 * 60_000);
      expect(await handleOf(shop, placed.order).result()).toEqual({ status: 'rejected' });
      const rejected = await stored();
      expect(rejected).toMatchObject({
        rejection: { code: 'payment_action_expired' },
        paymentStatus: 'voided',
        compensations: [],
      });
      await expectConsistency(shop, { productId, initial: STOCK, orders: [rejected] });
    },

    async 'keeps its deadline when it is amended'() {
      const placed = await placeOne(shop);
      const { order, productId } = placed;
      await shop.skip(5 * DAY_MS);
      const items = [{ productServiceId: productId, quantity: 3 }];
      const amended = await service.amend(order.id, { ...caller, ifMatch: [order.version] }, { items });
      expect(amended).toMatchObject({ status: 'confirmed', total: 7_136 });
      await shop.skip(DAY_MS - HOUR_MS);
      // The earlier payment has been voided in the meantime.
      const revision = expect.any(Number) as number;
      expect(await settled(placed)).toEqual({ ...amended, revision, compensations: [] });
      await shop.skip(HOUR_MS);
      expect(await handleOf(shop, order).result()).toEqual({ status: 'cancelled' });
      const expired = await expectExpired(shop, placed);
      expect(expired.payment).toEqual({ ...amended.payment, isClosed: true });
    },

    async 'stays open when its fulfillment has begun, and can be completed at any time'() {
      const placed = await placeOne(shop);
      const { order, productId } = placed;
      const fulfill = (key: string) => {
        const items = [{ productServiceId: productId, quantity: 1 }];
        return service.fulfill(
          order.id,
          { ...caller, idempotencyKey: key },
          { items, carrier: null, trackingNumber: null },
        );
      };
      await shop.skip(5 * DAY_MS);
      const begun = await fulfill('first');
      await shop.skip(100 * DAY_MS);
      const late = await settled(placed);
      expect(late).toMatchObject({
        status: 'confirmed',
        items: begun.items,
        overdueSince: expect.any(String),
      });

      const fulfilled = await fulfill('last');
      for (const { id: fulfillmentId } of fulfilled.fulfillments) {
        await service.deliver(order.id, caller, { fulfillmentId });
      }
      expect(await handleOf(shop, order).result()).toEqual({ status: 'completed' });
      const completed = await settled(placed);
      expect(completed).toMatchObject({
        status: 'completed',
        captured: order.total,
        reservation: 'committed',
      });
      await expectConsistency(shop, { productId, initial: STOCK, orders: [completed] });
    },
  };

  for (const [name, test] of sample('workflows/expiry: days that are skipped', Object.entries(tests)))
    it(name, test);
});

/** Runs on a real Temporal server, whose clock cannot be skipped. */
describe('an order of which nothing is fulfilled within half a second', () => {
  let shop: Shop;
  /** The expiry waits for this promise before its write. */
  let mayExpire: Promise<void>;

  beforeAll(async () => {
    shop = await openShop({ own: true, policy: { fulfillmentDeadlineMs: DEADLINE_MS } });
    await shop.startWorker({
      activities: (activities) => ({
        ...activities,
        async cancelOrder(...args) {
          await mayExpire;
          return activities.cancelOrder(...args);
        },
      }),
    });
  });
  afterAll(() => shop?.close());

  it('is cancelled, its payment voided and its stock released', async () => {
    mayExpire = Promise.resolve();
    const placed = await placeOne(shop);
    expect(await handleOf(shop, placed.order).result()).toEqual({ status: 'cancelled' });
    const { statusHistory } = await expectExpired(shop, placed);
    const [confirmed, cancelled] = ['confirmed', 'cancelled'].map((state) =>
      Date.parse(statusHistory.find(({ to }) => to === state)!.at),
    );
    expect(cancelled! - confirmed!).toBeGreaterThanOrEqual(DEADLINE_MS);
    await recordHistory('expired', handleOf(shop, placed.order));
  });

  it('says so if only a part is fulfilled, until the next fulfillment', async () => {
    mayExpire = Promise.resolve();
    const { order, productId } = await placeOne(shop);
    const fulfill = (key: string) => {
      const items = [{ productServiceId: productId, quantity: 1 }];
      const content = { items, carrier: null, trackingNumber: null };
      return createOrderService(shop).fulfill(order.id, { ...caller, idempotencyKey: key }, content);
    };
    const attributes = async () => (await handleOf(shop, order).describe()).searchAttributes;
    await fulfill('first');
    await eventually(async () => expect(await attributes()).toMatchObject({ Overdue: [true] }));
    const overdue = (await shop.orders.findById(order.id))!;
    expect(overdue).toMatchObject({ status: 'confirmed', fulfillmentStatus: 'partially_fulfilled' });
    expect(Date.parse(overdue.overdueSince!)).toBeGreaterThanOrEqual(
      Date.parse(overdue.fulfillments[0]!.createdAt) + DEADLINE_MS,
    );
    expect(await fulfill('last')).toMatchObject({ overdueSince: null, fulfillmentStatus: 'fulfilled' });
    await eventually(async () => expect(await attributes()).toMatchObject({ Overdue: [false] }));
    await recordHistory('overdue', handleOf(shop, order));
  });

  it('stays open when its fulfillment has begun without its workflow knowing', async () => {
    const isWritten = deferred();
    mayExpire = isWritten.promise;
    const { id: productId } = await shop.sell({ available: STOCK, unitPrice: 0 });
    const request = orderRequest({ items: [{ productServiceId: productId, quantity: 1 }] });
    const order = (await shop.place(request))!;
    // A write that the workflow has missed, as when Temporal dies just after it.
    const { items } = request;
    const keyed = { ...newCommand(), fingerprint: 'f', attemptId: 'a' };
    const shipment = { ...keyed, orderId: order.id, items, carrier: null, trackingNumber: null };
    const { answer } = await activitiesOn(shop.db).fulfillOrder(shipment, { inline: true });
    expect(answer).toMatchObject({ error: null });
    const fulfilled = (await shop.orders.findById(order.id))!;
    isWritten.resolve();
    // The timer has fired once the workflow knows the stored order.
    await eventually(async () => {
      expect(await currentDetailsOf(handleOf(shop, order))).toContain('fulfillment fulfilled');
    });
    const { revision: _, commands, ...now } = (await shop.orders.findById(order.id))!;
    expect(fulfilled).toMatchObject(now);
    expect(commands.at(-1)).toMatchObject({ error: { type: 'InvalidTransition' } });
    expect((await handleOf(shop, order).describe()).status.name).toBe('RUNNING');
    const delivery = { ...newCommand(), fulfillmentId: keyed.id };
    expect(await shop.workflows.execute(request, COMMANDS.deliver, delivery)).toMatchObject({
      status: 'completed',
    });
    expect(await handleOf(shop, order).result()).toEqual({ status: 'completed' });
  });
});
