import type { mongo } from 'mongoose';
import { createCartRepository } from '../../src/carts/carts.repository';
import { newId } from '../../src/common/ids';
import { auditOrders } from '../../src/audit-orders/follow';
import {
  AUDIT_FINDING_KINDS,
  auditFindingId,
  auditRepairOf,
  UNCOUNTABLE,
  type AuditFindingKind,
} from '../../src/domain/audit-findings';
import { newCart, withHold, withLine, type Cart } from '../../src/domain/cart';
import { cancelledOrder } from '../../src/domain/closing';
import type { OrdersAudit, OrdersAuditRequest } from '../../src/domain/orders-audit';
import { currentPayment, paymentRef } from '../../src/domain/order-payment';
import { cartOrderIdOf } from '../../src/orders/order-request';
import { isUnavailableError } from '../../src/mongodb/errors';
import { createAuditFindingModel } from '../../src/orders-audit/findings.model';
import type { ProductService } from '../../src/product-service/product-service.model';
import { createStockQueue } from '../../src/product-service/stock-queue';
import { createStockRepository } from '../../src/product-service/stock.repository';
import { createOrdersAudit } from '../../src/worker/activities';
import { ORDERS_AUDIT_WORKFLOW, ordersAuditQuery, orderWorkflowId } from '../../workflows/contract';
import { refundOf } from '../domain/fixtures';
import { sandboxService } from '../payments/services';
import { newCommand } from '../support/commands';
import { testWorkerConfig } from '../support/config';
import { currentDetailsOf } from '../support/current-details';
import { eventually, HANG_MS } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { TEST_ORIGIN } from '../support/origin';
import { keepRelaying } from '../support/relay';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { paymentsTaskQueueOf, taskQueueEnv } from '../support/task-queues';
import { customersOf, expectSettled } from './every-state';
import { customerOf, type Customer } from './saga/commands';

const DAY_MS = 86_400_000;

function run(shop: Shop, request: Partial<OrdersAuditRequest> = {}): Promise<OrdersAudit> {
  const { taskQueue } = shop;
  return auditOrders(
    { repair: false, payments: true, histories: true, atRest: false, ...request },
    {
      temporal: shop.temporal,
      queues: { taskQueue, paymentsTaskQueue: paymentsTaskQueueOf(taskQueue) },
      onProgress: () => undefined,
      signal: new AbortController().signal,
    },
  );
}

/** How long orders of a shop that does not rest may differ from their events, on a machine that is busy, in milliseconds. */
const SETTLING_MS = 10_000;

function settlingActivities({ db, temporal, taskQueue }: Shop) {
  const config = testWorkerConfig(taskQueueEnv(taskQueue));
  return createOrdersAudit(config, {
    connection: db.connection,
    temporal,
    settlingMs: SETTLING_MS,
    partMs: 0,
  });
}

/** Returns the states of all findings, by their names. */
async function findingsIn({ db }: Shop): Promise<Record<string, string>> {
  const found = await createAuditFindingModel(db.connection).find().sort({ _id: 1 }).lean();
  return Object.fromEntries(found.map(({ _id, state }) => [_id, state]));
}

function cartsOf({ db }: Shop) {
  return createCartRepository(db.connection, {
    stock: createStockRepository(db.connection),
    stockQueue: createStockQueue(),
  });
}

/** Puts units of a product into a new cart. */
async function cartWith(shop: Shop, product: ProductService, quantity: number): Promise<Cart> {
  const at = new Date().toISOString();
  const owner = { id: newId('cart'), customerId: newId('usr'), tokenHash: null };
  const cart = withLine(
    newCart(owner, at),
    { productServiceId: product.id, quantity },
    [entryIn(product)],
    at,
  );
  await cartsOf(shop).insert(cart);
  return cart;
}

const entryIn = (product: ProductService) => ({
  ...product,
  stock: product.stock && { available: product.stock.available },
});

/** Puts units of a product into a new cart, and holds them for it. */
async function holdInCart(shop: Shop, product: ProductService, quantity: number): Promise<Cart> {
  const cart = await cartWith(shop, product, quantity);
  const held = withHold(cart, [entryIn(product)], new Date().toISOString(), DAY_MS);
  expect(await cartsOf(shop).write({ before: cart, after: held })).toBe('done');
  return held;
}

/** Orders what is in a cart. */
async function orderCart(shop: Shop, cart: Cart, paymentMethod = 'pm_card_visa'): Promise<Customer> {
  const { id, customerId, contentVersion } = cart;
  const items = cart.items.map(({ productServiceId, quantity }) => ({ productServiceId, quantity }));
  const request = orderRequest({ items, paymentMethod, customerId, cart: { id, contentVersion } });
  const customer = customerOf(shop, shop, { ...request, orderId: cartOrderIdOf(cart) });
  await customer.place();
  return customer;
}

describe('in a shop with orders in every state', () => {
  let shop: Shop;
  let relay: ReturnType<typeof keepRelaying>;
  let feed: () => Promise<void>;
  beforeAll(async () => {
    shop = await openShop({ own: true });
    relay = keepRelaying(shop.db.connection);
    await relay.following;
    await shop.startWorker({
      activities: (activities) => ({
        ...activities,
        placeOrder: (request, inline) => refusing(request.orderId) ?? activities.placeOrder(request, inline),
        openOrder: (request) => refusing(request.orderId) ?? activities.openOrder(request),
      }),
    });
    feed = async () => {
      const newest = await collection('orders').find().sort({ updatedAt: -1 }).limit(1).next();
      await eventually(async () => {
        const known = await collection('relay').findOne();
        expect((known!.followedAt as Date).getTime()).toBeGreaterThan((newest!.updatedAt as Date).getTime());
      });
    };
  });
  afterAll(async () => {
    await relay.stop();
    await shop.close();
  });

  /** Orders that cannot be stored. */
  const refused = new Set<string>();
  const refusing = (orderId: string) =>
    refused.has(orderId) ? Promise.reject(new Error('It cannot be stored.')) : undefined;

  const collection = (name: string) => shop.db.connection.collection<mongo.Document & { _id: string }>(name);
  /** Sets right, one after the other, what makes it unknown which units orders have. */
  const remedies: (() => Promise<unknown>)[] = [];
  /** Has a document be set right as it is now. */
  async function remember(name: string, _id: string): Promise<void> {
    const before = (await collection(name).findOne({ _id }))!;
    remedies.push(() => collection(name).replaceOne({ _id }, before, { upsert: true }));
  }
  const changeOrder = (orderId: string, update: object) =>
    collection('orders').updateOne({ _id: orderId }, update);
  const changeCart = (id: string, update: object) => collection('carts').updateOne({ _id: id }, update);
  const changeProduct = (id: string, update: object) =>
    collection('product_services').updateOne({ _id: id }, update);
  const workflowOf = (orderId: string) => shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId));

  /** Places an order for a service, which has no stock that damage could be found in as well. */
  async function served({ quantity = 2, unitPrice = 1_000 } = {}) {
    const { id } = await shop.sell({ kind: 'service', stock: null, unitPrice });
    const request = orderRequest({ items: [{ productServiceId: id, quantity }] });
    const customer = customerOf(shop, shop, request);
    await customer.place();
    const units = (n: number) => [{ productServiceId: id, quantity: n }];
    return { ...customer, orderId: request.orderId, request, units };
  }

  async function orderedCart(paymentMethod?: string): Promise<Cart> {
    const cart = await cartWith(shop, await shop.sell(), 1);
    await orderCart(shop, cart, paymentMethod);
    return cart;
  }

  async function sold(quantity = 2) {
    const product = await shop.sell();
    await customersOf(shop, product.id).ordered('pm_card_visa', quantity);
    return product.id;
  }

  /** Does each kind of damage by hand, and returns what it is about. */
  const DAMAGES: Record<AuditFindingKind, () => Promise<string>> = {
    async stock_reserved_differs() {
      const id = await sold();
      await changeProduct(id, { $inc: { 'stock.reserved': 3 } });
      return id;
    },
    async stock_held_differs() {
      const product = await shop.sell();
      await holdInCart(shop, product, 2);
      await changeProduct(product.id, { $inc: { 'stock.held': -1 } });
      return product.id;
    },
    async stock_available_differs() {
      const id = await sold();
      await changeProduct(id, { $inc: { 'stock.available': 5 } });
      return id;
    },
    async stock_oversold() {
      const id = await sold();
      await changeProduct(id, { $set: { stockReceived: 1 } });
      return id;
    },
    async order_malformed() {
      const { orderId } = await served();
      await remember('orders', orderId);
      await changeOrder(orderId, { $unset: { items: 1 } });
      return orderId;
    },
    async order_amounts_differ() {
      const { orderId } = await served();
      await changeOrder(orderId, { $inc: { total: 1 } });
      return orderId;
    },
    async order_units_differ() {
      const { orderId } = await served();
      await remember('orders', orderId);
      await changeOrder(orderId, { $set: { 'items.0.refundedQuantity': 1 } });
      return orderId;
    },
    async order_reservation_differs() {
      const { id } = await shop.sell();
      const order = (await (await customersOf(shop, id).sent()).stored())!;
      await remember('orders', order.id);
      await changeOrder(order.id, { $set: { reservation: 'held' } });
      return order.id;
    },
    async order_history_broken() {
      const { orderId } = await served();
      await changeOrder(orderId, { $pop: { statusHistory: 1 } });
      return orderId;
    },
    async order_missing() {
      const { orderId } = await served({ unitPrice: 0 }); // so that it has no payment that would be missed, too
      await remember('orders', orderId);
      await collection('orders').deleteOne({ _id: orderId });
      return orderId;
    },
    async order_not_stored() {
      const request = orderRequest({ items: [{ productServiceId: (await shop.sell()).id, quantity: 2 }] });
      refused.add(request.orderId);
      await shop.workflows.start(request);
      return request.orderId;
    },
    async order_without_workflow() {
      const { orderId } = await served();
      await workflowOf(orderId).terminate();
      return orderId;
    },
    async order_stuck() {
      const { orderId } = await served();
      const command = { id: 'lost', fingerprint: null, attemptId: null };
      const refund = { ...refundOf(100, 'ref_lost'), createdAt: new Date() };
      const since = new Date(Date.now() - 2 * DAY_MS);
      await changeOrder(orderId, { $set: { intention: { kind: 'refund', command, since, refund } } });
      return orderId;
    },
    async order_behind_events() {
      const { orderId } = await served();
      await feed();
      const last = (await collection('events').find({ object: orderId }).sort({ version: -1 }).next())!;
      const _id = `${orderId}-later`;
      await collection('events').insertOne({ ...last, _id, version: 9, position: 0 });
      remedies.push(() => collection('events').deleteOne({ _id }));
      return orderId;
    },
    async order_behind_workflow() {
      const { orderId, cancelUnits, units } = await served({ unitPrice: 0 });
      await feed();
      const before = (await collection('orders').findOne({ _id: orderId }))!;
      await cancelUnits('one', units(1));
      await feed();
      const last = (await collection('events').findOne({
        object: orderId,
        version: { $gt: before.version },
      }))!;
      await remember('orders', orderId);
      await remember('events', last._id);
      await collection('orders').replaceOne({ _id: orderId }, before);
      await collection('events').deleteOne({ _id: last._id });
      return orderId;
    },
    async events_missing() {
      const { orderId } = await served();
      await feed();
      await collection('events').deleteOne({ object: orderId, version: 2 });
      return orderId;
    },
    async cart_not_ordered() {
      const cart = await holdInCart(shop, await shop.sell(), 1);
      const order = (await (await orderCart(shop, cart)).stored())!;
      await changeCart(cart.id, { $set: { status: 'open', orderId: null } });
      return order.id;
    },
    async cart_ordered_twice() {
      const { id, contentVersion } = await orderedCart();
      const { orderId } = await served();
      await changeOrder(orderId, { $set: { cart: { id, contentVersion } } });
      return orderId;
    },
    async cart_malformed() {
      const { id } = await cartWith(shop, await shop.sell(), 1);
      await changeCart(id, { $unset: { items: 1 } });
      return id;
    },
    async cart_without_order() {
      const { id } = await cartWith(shop, await shop.sell(), 1);
      await remember('carts', id);
      await changeCart(id, { $set: { status: 'ordered', orderId: 'ord_lost' } });
      return id;
    },
    async cart_not_reopened() {
      const { id } = await orderedCart('pm_card_chargeDeclined');
      const { status, attempt } = (await cartsOf(shop).find(id))!;
      expect({ status, attempt }).toEqual({ status: 'open', attempt: 2 });
      const order = (await collection('orders').findOne({ 'cart.id': id }))!;
      await changeCart(id, { $set: { status: 'ordered', orderId: order._id, attempt: 1 } });
      return id;
    },
    async cart_hold_differs() {
      const { id } = await holdInCart(shop, await shop.sell(), 3);
      await changeCart(id, { $set: { 'items.0.quantity': 1 } });
      return id;
    },
    async cart_hold_overdue() {
      const { id } = await holdInCart(shop, await shop.sell(), 2);
      await changeCart(id, { $set: { 'hold.until': new Date(Date.now() - DAY_MS) } });
      return id;
    },
    async unpaid_order_differs() {
      const { id } = await shop.sell();
      const waiting = await customersOf(shop, id).ordered('pm_card_threeDSecure2Required');
      const order = (await waiting.stored())!;
      await collection('unpaid_orders').deleteOne({ _id: order.customerId });
      return order.id;
    },
    async workflow_not_ended() {
      const { orderId, stored } = await served({ unitPrice: 0 });
      const order = (await stored())!;
      const cancelled = cancelledOrder(order, { ...newCommand(), reason: null }, new Date().toISOString());
      expect(await shop.orders.save({ ...cancelled, revision: order.revision + 1 })).toBe(true);
      return orderId;
    },
    async workflow_differs() {
      const { orderId, stored, units } = await served({ unitPrice: 0 });
      const order = (await stored())!;
      const command = { ...newCommand(), items: units(1), reason: null };
      const cancelled = cancelledOrder(order, command, new Date().toISOString());
      expect(await shop.orders.save({ ...cancelled, revision: order.revision + 1 })).toBe(true);
      return orderId;
    },
    async workflow_task_failing() {
      const workflowId = `unknown-${newId('usr')}`;
      const { taskQueue } = shop;
      await shop.temporal.client.workflow.start('noSuchWorkflow', { workflowId, taskQueue });
      const query = `WorkflowId = '${workflowId}' AND TemporalReportedProblems IS NOT NULL`;
      await eventually(async () =>
        expect(await shop.temporal.client.workflow.count(query)).toMatchObject({ count: 1 }),
      );
      return workflowId;
    },
  };

  it(
    'finds nothing, then each kind of damage and nothing else, sets right what has one answer, and then finds no more of it',
    async () => {
      const { id } = await shop.sell({ available: 1_000 });
      await customersOf(shop, id).placeInEveryState();

      const product = (await shop.products.find(id))!;
      await holdInCart(shop, product, 3);
      await orderCart(shop, await holdInCart(shop, product, 1));
      await orderCart(shop, await holdInCart(shop, product, 1), 'pm_card_chargeDeclined');

      const renamed = await sold();
      await shop.products.update((await shop.products.find(renamed))!, { sku: newId('ps') }, TEST_ORIGIN);
      await customersOf(shop, renamed).ordered();
      await expectSettled(shop);

      await feed();

      const clean = await run(shop);

      expect({ open: clean.open, findings: await findingsIn(shop) }).toEqual({ open: {}, findings: {} });
      expect(clean.counts).toMatchObject({ unanswered: 0, findings: 0, products: 2, carts: 3 });
      expect(clean.counts.orders).toBeGreaterThanOrEqual(16);
      expect(clean.counts.workflows).toBeGreaterThanOrEqual(16);
      const { client } = shop.temporal;
      const handle = client.workflow.getHandle(`${shop.taskQueue}-audit-orders`);
      expect(await currentDetailsOf(handle)).toMatch(/Done; 0 findings are open/);
      await recordHistory('orders-audit', handle);

      const subjects = new Map<AuditFindingKind, string>();
      for (const kind of AUDIT_FINDING_KINDS) subjects.set(kind, await DAMAGES[kind]());
      const drifted = await served();
      const order = (await drifted.stored())!;
      await sandboxService(shop.db.connection).capture(paymentRef(order, currentPayment(order)));
      await feed();
      const stateOf = (state: (kind: AuditFindingKind) => string) =>
        Object.fromEntries(
          [...subjects].map(([kind, subject]) => [auditFindingId({ kind, subject }), state(kind)]),
        );
      const found = await run(shop);
      expect(await findingsIn(shop)).toEqual(stateOf(() => 'open'));
      expect(found.open).toEqual({
        ...Object.fromEntries(AUDIT_FINDING_KINDS.map((kind) => [kind, 1])),
        capture_without_shipment: 1,
      });
      expect(found.counts).toMatchObject({ unanswered: 0, repaired: 0, gone: 0 });

      // While it is not known which units orders have, stock is not counted anew.
      const stateAfter = (kind: AuditFindingKind) => (auditRepairOf({ kind }) ? 'repaired' : 'open');
      const isOfStock = (kind: AuditFindingKind) => auditRepairOf({ kind }) === 'recount';
      const countOf = (isCounted: (kind: AuditFindingKind) => boolean) =>
        AUDIT_FINDING_KINDS.filter((kind) => auditRepairOf({ kind }) && isCounted(kind)).length;
      const first = await run(shop, { repair: true, payments: false });
      expect(await findingsIn(shop)).toEqual(
        stateOf((kind) => (isOfStock(kind) ? 'open' : stateAfter(kind))),
      );
      const others = countOf((kind) => !isOfStock(kind));
      expect(first.counts).toMatchObject({ unanswered: 0, repaired: others, gone: 0 });

      for (const setRight of remedies) await setRight();
      await feed();
      const repaired = await run(shop, { repair: true, payments: false });
      const left = stateOf((kind) => (UNCOUNTABLE.includes(kind) ? 'gone' : stateAfter(kind)));
      expect(await findingsIn(shop)).toEqual(left);
      expect(repaired.counts).toMatchObject({
        unanswered: 0,
        repaired: countOf(isOfStock),
        gone: UNCOUNTABLE.length,
      });
      await feed();
      const again = await run(shop, { repair: true, payments: false });
      expect(await findingsIn(shop)).toEqual(left);
      expect(again.counts).toMatchObject({ repaired: 0, gone: 0 });

      const cartOf = async (kind: AuditFindingKind) => (await cartsOf(shop).find(subjects.get(kind)!))!;
      expect(await cartOf('cart_not_reopened')).toMatchObject({ status: 'open', orderId: null, attempt: 2 });
      expect((await cartOf('cart_hold_differs')).hold).toMatchObject({ items: [{ quantity: 1 }] });
      expect((await cartOf('cart_hold_overdue')).hold).toBeNull();

      // What people set right is gone at the next run.
      await changeOrder(subjects.get('order_amounts_differ')!, { $inc: { total: -1 } });
      expect((await run(shop, { payments: false })).counts).toMatchObject({ repaired: 0, gone: 1 });
    },
    HANG_MS,
  );

  it(
    'frees no units of orders that have lost their lines, or are lost, until these are set right',
    async () => {
      const product = await shop.sell({ available: 10 });
      const { ordered } = customersOf(shop, product.id);
      const [damaged, lost] = await Promise.all(
        [5, 3].map(async (units) => (await (await ordered('pm_card_visa', units)).stored())!.id),
      );
      await feed();
      remedies.splice(0);
      await remember('orders', damaged!);
      await remember('orders', lost!);
      await changeOrder(damaged!, { $unset: { items: 1 } });
      await collection('orders').deleteOne({ _id: lost });
      await workflowOf(lost!).terminate(); // it has events, too
      const states = async () => {
        const found = Object.entries(await findingsIn(shop));
        return Object.fromEntries(
          found.filter(([id]) => [product.id, damaged!, lost!].some((subject) => id.endsWith(subject))),
        );
      };
      const names = [
        `order_malformed:${damaged}`,
        `order_missing:${lost}`,
        `stock_reserved_differs:${product.id}`,
        `stock_available_differs:${product.id}`,
      ];
      const all = (state: string) => Object.fromEntries(names.map((name) => [name, state]));

      await run(shop, { repair: true, payments: false });
      expect(await shop.stockOf(product.id)).toMatchObject({ available: 2, reserved: 8 });
      expect(await states()).toEqual(all('open'));

      for (const setRight of remedies) await setRight();
      await run(shop, { repair: true, payments: false });
      expect(await shop.stockOf(product.id)).toMatchObject({ available: 2, reserved: 8 });
      expect(await states()).toEqual({ ...all('gone'), [`order_without_workflow:${lost}`]: 'repaired' });
    },
    HANG_MS,
  );
});

/** How many runs in a row must find nothing. */
const QUIET_RUNS = 10;

it(
  'finds nothing, ten times in a row, in a shop whose orders, payments, carts and stock move while it looks',
  async () => {
    const shop = await openShop({ own: true });
    const relay = keepRelaying(shop.db.connection);
    await relay.following;
    await shop.startWorker({
      activities: (activities) => ({ ...activities, ...settlingActivities(shop) }),
    });
    const product = await shop.sell({ available: 60 });
    const scarce = await shop.sell({ available: 3 });
    const { newCustomer, units, sent, placeInEveryState } = customersOf(shop, product.id);
    const carts = cartsOf(shop);
    await placeInEveryState();
    let isOver = false;
    const found = async ({ id }: ProductService) => (await shop.products.find(id))!;
    /** What customers and staff do again and again. Each leaves the stock as it was, so that it never runs out. */
    const TRAFFIC: Record<string, () => Promise<unknown>> = {
      async cancelled() {
        const customer = newCustomer();
        await customer.place();
        await customer.amend({ items: units(3) });
        await customer.fulfill('part', units(1));
        await customer.undo('part', true);
        await customer.cancel();
      },
      async refunded() {
        const customer = await sent();
        for (const id of ['one', 'other'])
          await customer.refund(id, null, [{ ...units(1)[0]!, restock: true }]);
        await customer.deliver('all');
      },
      async declined() {
        await newCustomer('pm_card_chargeDeclined').place();
      },
      async unpaid() {
        const customer = newCustomer('pm_card_threeDSecure2Required');
        await customer.place();
        await customer.confirm();
        await customer.cancel();
      },
      async held() {
        const cart = await holdInCart(shop, await found(product), 1);
        await carts.write({ before: cart, after: null });
      },
      async checkedOut() {
        const customer = await orderCart(shop, await holdInCart(shop, await found(product), 2));
        await customer.cancel();
      },
      async declinedCart() {
        const cart = await holdInCart(shop, await found(product), 1);
        await orderCart(shop, cart, 'pm_card_chargeDeclined');
        await (await orderCart(shop, (await carts.find(cart.id))!)).cancel();
      },
      async soldOut() {
        await Promise.all(
          [1, 2].map(async () => {
            const customer = await customersOf(shop, scarce.id).ordered();
            await customer.cancel();
          }),
        );
      },
    };
    const moved = new Map(Object.keys(TRAFFIC).map((name) => [name, 0]));
    const lanes = Object.entries(TRAFFIC).map(async ([name, once]) => {
      for (; !isOver; moved.set(name, moved.get(name)! + 1)) {
        await once().catch((error: unknown) => {
          // Too many want the same units: clients are told to come back.
          if (!isUnavailableError(error)) throw error;
        });
      }
    });
    const traffic = Promise.all(lanes);
    const total = () => [...moved.values()].reduce((sum, count) => sum + count, 0);
    /** Fails at once if one of them does. */
    const moving = (assertion: () => Promise<unknown>) => Promise.race([eventually(assertion), traffic]);
    try {
      for (let n = 0; n < QUIET_RUNS; n++) {
        const before = total();
        const { open, counts } = await run(shop, { payments: false });
        expect({ n, open, findings: await findingsIn(shop) }).toEqual({ n, open: {}, findings: {} });
        expect(counts).toMatchObject({ products: 2, unanswered: 0 });
        await moving(async () => expect(total()).toBeGreaterThan(before));
      }
      await moving(async () => expect([...moved].filter(([, count]) => count === 0)).toEqual([]));
    } finally {
      isOver = true;
      await traffic;
    }
    await relay.stop();
    await shop.close();
  },
  HANG_MS,
);

it('is continued where it was when its worker has died', async () => {
  const shop = await openShop({ own: true });
  const cursors: (string | null)[] = [];
  /** Looks at two orders, and then at the rest, if it can. */
  const startWorker = (isBroken: boolean) =>
    shop.startWorker({
      activities: (activities) => ({
        ...activities,
        async auditOrders({ cursor }) {
          cursors.push(cursor);
          if (cursor === null) return { counts: { orders: 2 }, nextCursor: 'ord_2' };
          if (isBroken) throw new Error('The connection was lost.');
          return { counts: { orders: 1 }, nextCursor: null };
        },
      }),
    });
  const first = await startWorker(true);
  const { taskQueue } = shop;
  const workflowId = `${taskQueue}-killed`;
  const args = [{ paymentsTaskQueue: paymentsTaskQueueOf(taskQueue) }];
  const handle = await shop.temporal.client.workflow.start(ORDERS_AUDIT_WORKFLOW, {
    workflowId,
    taskQueue,
    args,
  });
  await eventually(async () =>
    expect(await handle.query(ordersAuditQuery)).toMatchObject({ cursor: 'ord_2', counts: { orders: 2 } }),
  );
  expect(await currentDetailsOf(handle)).toMatch(/Audits orders.*; so far .* 2 orders.*#orders-audit-lasts/s);
  await first.stop();
  await startWorker(false);
  expect(await handle.result()).toMatchObject({ phase: 'done', counts: { orders: 3 }, open: {} });
  expect(cursors.filter((cursor) => cursor === null)).toEqual([null]);
  await shop.close();
});
