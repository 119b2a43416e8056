import fc from 'fast-check';
import { createCartModel } from '../../src/carts/carts.model';
import { newId } from '../../src/common/ids';
import { isClosed } from '../../src/domain/order-transitions';
import { heldUnits } from '../../src/domain/stock';
import type { Order } from '../../src/domain/order';
import { orderWorkflowId } from '../../workflows/contract';
import { ADDRESS, openCart, type TestCart } from '../support/carts';
import { eventually } from '../support/eventually';
import { createOperator } from '../support/operator';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { repetitions } from '../support/sample';
import type { Activities } from '../../src/worker/activities';

/**
 * Whatever two tabs, retries, crashes of workers, changed prices, holds and a rival do at once: a cart has one live order at
 * most, which is what the cart says, and no unit is lost or sold twice.
 */
const STOCK = 6;

/** What happens to the next run of a step that opens an order: it dies before its effect, or after it. */
type Crash = 'before' | 'after';

let api: OrderApi;
const crashes: Crash[] = [];
beforeAll(async () => {
  api = await openOrderApi({ own: true, env: { CART_HOLD: '10m' } });
  await api.shop.startWorker({ activities: crashing });
});
afterAll(() => api.close());

function crashing(activities: Activities): Activities {
  const wrap =
    <A extends unknown[], R>(step: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const crash = crashes.pop();
      if (crash === 'before') throw new Error('The worker has crashed.');
      const result = await step(...args);
      if (crash === 'after') throw new Error('The worker has crashed.');
      return result;
    };
  return {
    ...activities,
    placeOrder: wrap(activities.placeOrder),
    openOrder: wrap(activities.openOrder),
  };
}

type Action =
  | { what: 'checkOut'; card: string; isAsync: boolean }
  | { what: 'put'; quantity: number }
  | { what: 'hold' | 'expire' | 'terminate' | 'rival' }
  | { what: 'price'; unitPrice: number }
  | { what: 'crash'; crash: Crash };

const checkOut = fc.record({
  what: fc.constant('checkOut' as const),
  card: fc.constantFrom('pm_card_visa', 'pm_card_mastercard', 'pm_card_chargeDeclined'),
  isAsync: fc.boolean(),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: checkOut },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('put' as const), quantity: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constantFrom('hold', 'expire', 'terminate', 'rival') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('price' as const),
      unitPrice: fc.integer({ min: 100, max: 2_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('crash' as const),
      crash: fc.constantFrom<Crash>('before', 'after'),
    }),
  },
);
/** What is done at once, one after the other. */
const rounds = fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 });

/** A cart that may become an order, and the product that all want. */
interface World {
  cart: TestCart;
  rivals: TestCart[];
  productId: string;
}

async function newWorld(isGuests: boolean): Promise<World> {
  const { id: productId } = await api.shop.sell({ available: STOCK });
  const token = isGuests ? undefined : api.tokenOf('CUSTOMER', newId('usr'));
  const cart = await openCart(api, token);
  await cart.call('patch').send({ shippingAddress: ADDRESS }).expect(200);
  await cart.put(productId, 2).expect(200);
  return { cart, rivals: [], productId };
}

const carts = () => createCartModel(api.db.connection);

async function ordersOf(cartId: string): Promise<Order[]> {
  const found = await api.db.connection.collection('orders').find({ 'cart.id': cartId }).toArray();
  return Promise.all(found.map(async ({ _id }) => (await api.shop.orders.findById(String(_id)))!));
}

async function perform(world: World, isGuests: boolean, one: Action): Promise<void> {
  const { cart, productId } = world;
  const email = isGuests ? { email: 'ada@example.com' } : {};
  switch (one.what) {
    case 'checkOut': {
      const { status } = await cart.checkOut(
        { paymentMethod: one.card, ...email },
        one.isAsync ? { Prefer: 'respond-async' } : { Prefer: 'wait=2' },
      );
      return void expect([201, 202, 402, 409]).toContain(status);
    }
    case 'put':
      return void expect([200, 409]).toContain((await cart.put(productId, one.quantity)).status);
    case 'hold':
      return void expect([200, 409]).toContain((await cart.call('post', '/hold').send({})).status);
    case 'expire': {
      const passed = { $set: { 'hold.until': new Date(Date.now() - 1) } };
      return void (await carts().updateMany({ 'hold.items.productServiceId': productId }, passed));
    }
    case 'rival': {
      const rival = await openCart(api, api.tokenOf('CUSTOMER', newId('usr')));
      world.rivals.push(rival);
      await rival.put(productId, 3).expect(200);
      return void expect([201, 202, 409]).toContain((await rival.checkOut()).status);
    }
    case 'price':
      return void (await api
        .call('patch', `/product-services/${productId}`, api.tokenOf('ADMIN'))
        .set('If-Match', '*')
        .send({ unitPrice: one.unitPrice })
        .expect(200));
    case 'crash':
      return void crashes.push(one.crash);
    case 'terminate': {
      const operator = createOperator(api.shop.temporal);
      for (const { id } of await ordersOf(cart.id)) await operator.terminate(orderWorkflowId(id));
    }
  }
}

/** Waits until it is known what becomes of every order, and takes up what an operator has terminated. */
async function settle({ cart, rivals }: World, isGuests: boolean): Promise<Order[]> {
  let orders: Order[] = [];
  await eventually(async () => {
    const query = `TaskQueue = '${api.shop.taskQueue}' AND ExecutionStatus = 'Running'`;
    orders = (await Promise.all([cart, ...rivals].map(({ id }) => ordersOf(id)))).flat();
    const pending = orders.filter(({ status }) => status === 'pending');
    if (pending.some(({ cart: of }) => of?.id === cart.id))
      await cart.checkOut({
        paymentMethod: pending[0]!.paymentMethod,
        ...(isGuests && { email: 'ada@example.com' }),
      });
    expect(pending).toEqual([]);
    // An order that was accepted is stored before long: until then its workflow runs without a document.
    const stored = new Set(orders.map(({ id }) => orderWorkflowId(id)));
    for await (const { workflowId } of api.shop.temporal.client.workflow.list({ query }))
      if (!known.has(workflowId)) expect(stored).toContain(workflowId);
  });
  return orders;
}

/** The workflows of the worlds before, whose orders stay open. */
const known = new Set<string>();

async function expectAgreement(world: World, orders: Order[]): Promise<void> {
  const { cart, rivals, productId } = world;
  for (const { id } of [cart, ...rivals]) {
    const live = orders.filter((order) => order.cart?.id === id && order.status !== 'rejected');
    expect(live.length).toBeLessThanOrEqual(1);
    const { status, orderId } = (await carts().findById(id).lean())!;
    const isRejected = orders.some((order) => order.id === orderId && order.status === 'rejected');
    if (!isRejected) expect([status, orderId]).toEqual(live[0] ? ['ordered', live[0].id] : ['open', null]);
  }
  const reserved = orders
    .filter((order) => !isClosed(order))
    .reduce((sum, order) => sum + (heldUnits(order).get(productId) ?? 0), 0);
  const holding = await carts().find({ 'hold.items.productServiceId': productId }).lean();
  const held = holding.flatMap(({ hold }) => hold!.items).reduce((sum, { quantity }) => sum + quantity, 0);
  const stock = (await api.shop.stockOf(productId))!;
  expect({ ...stock, held: stock.held ?? 0 }).toEqual({ available: STOCK - reserved - held, reserved, held });
}

it('keeps one live order of a cart at most, and every unit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), rounds, async (isGuests, steps) => {
      const world = await newWorld(isGuests);
      let orders: Order[] = [];
      for (const round of steps) {
        await Promise.all(round.map((one) => perform(world, isGuests, one)));
        orders = await settle(world, isGuests);
        await expectAgreement(world, orders);
      }
      crashes.length = 0;
      for (const { id } of orders) known.add(orderWorkflowId(id));
    }),
    { numRuns: repetitions('carts: interleavings'), endOnFailure: true },
  );
});
