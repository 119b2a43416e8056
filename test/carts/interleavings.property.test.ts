import { WorkflowNotFoundError } from '@temporalio/client';
import fc from 'fast-check';
import { trusted } from 'mongoose';
import type { Test } from 'supertest';
import type { CartView } from '../../src/carts/cart-view';
import { createCartModel } from '../../src/carts/carts.model';
import { createCartRepository, type CartRepository } from '../../src/carts/carts.repository';
import { createCartService, type CartService } from '../../src/carts/carts.service';
import { newId } from '../../src/common/ids';
import { unsettled } from '../../src/domain/compensation';
import type { Order, OrderLine } from '../../src/domain/order';
import { requestOf } from '../../src/domain/placing';
import { AppError } from '../../src/errors/app-error';
import { createStockQueue } from '../../src/product-service/stock-queue';
import { createStockRepository } from '../../src/product-service/stock.repository';
import type { Activities } from '../../src/worker/activities';
import { orderWorkflowId } from '../../workflows/contract';
import { ADDRESS, openCart, type TestCart } from '../support/carts';
import { expectConsistency } from '../support/consistency';
import { eventually } from '../support/eventually';
import { createOperator } from '../support/operator';
import { openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import { repetitions } from '../support/sample';

/**
 * Whatever two tabs, retries, crashes of workers and of the API, changed prices, holds, merges, deletions, the sweep and a rival
 * do at once: a cart has one live order at most, which is what the cart says and what the customer has seen, no unit is lost or
 * sold twice, and nothing is paid but what is ordered.
 */
const STOCK = 6;

/** What happens to the next run of a step that opens an order: it dies before its effect, or after it. */
type Crash = 'before' | 'after';

let api: OrderApi;
let repository: CartRepository;
let service: CartService;
const crashes: Crash[] = [];
beforeAll(async () => {
  api = await openOrderApi({ own: true, env: { CART_HOLD: '10m' } });
  const stock = createStockRepository(api.db.connection);
  repository = createCartRepository(api.db.connection, { stock, stockQueue: createStockQueue() });
  const { orders, products: catalogue } = api.shop;
  const limitGuests = () => Promise.resolve();
  service = createCartService({ carts: repository, orders, catalogue, holdMs: 0, limitGuests });
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
  | { what: 'checkOut'; card: string; isAsync: boolean; seen: 'nothing' | 'total' | 'version' }
  | { what: 'put'; quantity: number }
  | { what: (typeof HOLDS)[number] | (typeof EVENTS)[number] | (typeof ENDS)[number] }
  | { what: 'price'; unitPrice: number }
  | { what: 'crash'; crash: Crash };

/** What becomes of units that are held. */
const HOLDS = ['hold', 'expire', 'sweep'] as const;
/** What else can happen. `die`: the API crashes once another attempt has begun. */
const EVENTS = ['terminate', 'rival', 'merge', 'retire', 'die'] as const;
/** What the cart is gone after; `timeOut`: its time is up, so MongoDB deletes it. */
const ENDS = ['delete', 'mergeAway', 'timeOut'] as const;

const checkOut = fc.record({
  what: fc.constant('checkOut' as const),
  card: fc.constantFrom('pm_card_visa', 'pm_card_mastercard', 'pm_card_chargeDeclined'),
  isAsync: fc.boolean(),
  seen: fc.constantFrom('nothing', 'total', 'version'),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: checkOut },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('put' as const), quantity: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom(...HOLDS) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom(...EVENTS) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom(...ENDS) }) },
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
  isGuests: boolean;
  cart: TestCart & { token: string };
  /** Those before it, and those of others. */
  others: TestCart[];
  /** The orders whose answer was 202, or 503 with their id: their workflows may run without a document for a while. */
  accepted: Set<string>;
  productId: string;
}

const newCustomer = () => api.tokenOf('CUSTOMER', newId('usr'));

async function newCart(isGuests: boolean, productId: string): Promise<World['cart']> {
  const cart = await openCart(api, isGuests ? undefined : newCustomer());
  await cart.call('patch').send({ shippingAddress: ADDRESS }).expect(200);
  await cart.put(productId, 2).expect(200);
  return cart;
}

async function newWorld(isGuests: boolean, isHeld: boolean): Promise<World> {
  const { id: productId } = await api.shop.sell({ available: STOCK });
  const cart = await newCart(isGuests, productId);
  if (isHeld) await cart.call('post', '/hold').send({}).expect(200);
  return { isGuests, cart, others: [], accepted: new Set(), productId };
}

const carts = () => createCartModel(api.db.connection);

async function ordersOf(cartId: string): Promise<Order[]> {
  const found = await api.db.connection.collection('orders').find({ 'cart.id': cartId }).toArray();
  return Promise.all(found.map(async ({ _id }) => (await api.shop.orders.findById(String(_id)))!));
}

const emailOf = ({ isGuests }: World) => (isGuests ? { email: 'ada@example.com' } : {});

/** Orders what the customer has seen of the cart before, or whatever is in it. */
async function checkOutAs(
  world: World,
  { card, isAsync, seen }: Extract<Action, { what: 'checkOut' }>,
): Promise<number> {
  const { cart } = world;
  const read = seen === 'nothing' ? null : await cart.call('get');
  const before = read?.status === 200 ? (read.body as { data: CartView }).data : null;
  const { status, body } = await cart.checkOut(
    {
      paymentMethod: card,
      ...emailOf(world),
      ...(before && seen === 'total' && { expectedTotal: before.total }),
    },
    {
      Prefer: isAsync ? 'respond-async' : 'wait=2',
      ...(before && seen === 'version' && { 'If-Match': `"${before.version}"` }),
    },
  );
  const order = noteAccepted(world, status, body);
  if (before && status === 201 && seen === 'total') expect(order.total).toBe(before.total);
  if (before && status === 201 && seen === 'version') expect(unitsIn(order)).toEqual(unitsIn(before));
  return status;
}

/** Returns the order in the response, if it has one. */
function noteAccepted({ accepted }: World, status: number, body: unknown): OrderBody {
  const { data: order, orderId } = body as { data: OrderBody; orderId?: string };
  if (status === 202) accepted.add(order.id);
  if (status === 503 && orderId !== undefined) accepted.add(orderId);
  return order;
}

const unitsIn = ({ items }: { items: readonly OrderLine[] }) =>
  items.map(({ productServiceId, quantity }) => [productServiceId, quantity]);

async function expireHolds(productId: string): Promise<void> {
  const passed = { $set: { 'hold.until': new Date(Date.now() - 1) } };
  await carts().updateMany({ 'hold.items.productServiceId': productId }, passed);
}

/** Returns the status of the response, if there is one. */
async function perform(world: World, one: Action): Promise<number | void> {
  const { cart, productId } = world;
  const statusOf = async (sent: Test) => (await sent).status;
  const admin = api.tokenOf('ADMIN');
  switch (one.what) {
    case 'checkOut':
      return checkOutAs(world, one);
    case 'put':
      return statusOf(cart.put(productId, one.quantity));
    case 'hold':
      return statusOf(cart.call('post', '/hold').send({}));
    case 'expire':
      return expireHolds(productId);
    case 'sweep':
      await expireHolds(productId);
      await repository.releaseExpired();
      return void (await repository.markAbandoned(new Date()));
    case 'rival': {
      const rival = await openCart(api, newCustomer());
      world.others.push(rival);
      await rival.put(productId, 3);
      const { status, body } = await rival.checkOut();
      noteAccepted(world, status, body);
      return status;
    }
    case 'merge': {
      const guests = await openCart(api);
      world.others.push(guests);
      await guests.put(productId, 1);
      await guests.call('post', '/hold').send({});
      return statusOf(cart.call('post', '/merge').send({ cartId: guests.id, token: guests.token }));
    }
    case 'mergeAway': {
      if (!world.isGuests) return;
      const own = await openCart(api, newCustomer());
      world.others.push(own);
      return statusOf(own.call('post', '/merge').send({ cartId: cart.id, token: cart.token }));
    }
    case 'delete':
      return statusOf(cart.call('delete'));
    case 'timeOut':
      return void (await carts().deleteOne({ _id: cart.id, expiresAt: trusted({ $ne: null }) }));
    case 'die': {
      const stored = await repository.find(cart.id);
      if (!stored || stored.status === 'merged') return;
      try {
        await service.current(stored);
      } catch (error) {
        // Another action of the round may delete the cart between the two reads; the answer is 404 then.
        if (error instanceof AppError) return error.status;
        throw error;
      }
      return;
    }
    case 'price': {
      const { status } = await api
        .call('patch', `/product-services/${productId}`, admin)
        .set('If-Match', '*')
        .send({ unitPrice: one.unitPrice });
      return status === 404 ? undefined : status; // what is retired at this moment cannot be changed
    }
    case 'retire':
      await api.call('delete', `/product-services/${productId}`, admin);
      return statusOf(api.call('post', `/product-services/${productId}/restore`, admin));
    case 'crash':
      return void crashes.push(one.crash);
    case 'terminate': {
      const operator = createOperator(api.shop.temporal);
      for (const { id } of await ordersOf(cart.id)) await operator.terminate(orderWorkflowId(id));
    }
  }
}

/** Waits until it is known what becomes of every order, and takes up what an operator has terminated. */
async function settle({ cart, others, accepted }: World): Promise<Order[]> {
  let orders: Order[] = [];
  await eventually(async () => {
    // Visibility lags behind, so a list of what runs may lack the order that was accepted last: each is described.
    const running: string[] = [];
    for (const id of accepted) if (await isRunning(id)) running.push(id);
    orders = (await Promise.all([cart, ...others].map(({ id }) => ordersOf(id)))).flat();
    const pending = orders.filter(({ status }) => status === 'pending');
    for (const order of pending.filter((one) => one.cart?.id === cart.id))
      await api.shop.workflows.start(requestOf(order));
    expect(pending).toEqual([]);
    expect(orders.filter((order) => order.intention || unsettled(order).length > 0)).toEqual([]);
    const stored = orders.map(({ id }) => id);
    expect(stored).toEqual(expect.arrayContaining(running));
  });
  return orders;
}

async function isRunning(orderId: string): Promise<boolean> {
  const handle = api.shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId));
  try {
    const { status } = await handle.describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false; // its 503 was true: nothing has begun
    throw error;
  }
}

async function expectAgreement({ cart, others, productId }: World, orders: Order[]): Promise<void> {
  for (const { id } of [cart, ...others]) {
    const live = orders.filter((order) => order.cart?.id === id && order.status !== 'rejected');
    expect(live.length).toBeLessThanOrEqual(1);
    const stored = await carts().findById(id).lean();
    if (!stored) continue;
    const [order] = live;
    const { status, orderId } = stored;
    if (!order) expect([['open', 'merged'], null]).toEqual([expect.arrayContaining([status]), orderId]);
    else expect([status, orderId, unitsIn(stored)]).toEqual(['ordered', order.id, unitsIn(order)]);
  }
  const holding = await carts().find({ 'hold.items.productServiceId': productId }).lean();
  const held = holding.flatMap(({ hold }) => hold!.items).reduce((sum, { quantity }) => sum + quantity, 0);
  await expectConsistency(api.shop, { productId, initial: STOCK, orders, held });
}

/** Returns what a request can come to while the others are made; 503 on a machine so slow that a server does not answer in time. */
function answersTo(round: readonly Action[]): number[] {
  const isEnded = round.some(({ what }) => ENDS.some((end) => end === what));
  const isRetired = round.some(({ what }) => what === 'retire');
  const hasVersion = round.some((one) => one.what === 'checkOut' && one.seen === 'version');
  const atTimes = [isEnded ? 404 : 0, isRetired ? 422 : 0, hasVersion ? 412 : 0];
  return [200, 201, 202, 204, 402, 409, 503, ...atTimes];
}

it('keeps one live order of a cart at most, and every unit', async () => {
  const seen = new Set<number | void>();
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.boolean(), rounds, async (isGuests, isHeld, steps) => {
      const world = await newWorld(isGuests, isHeld);
      for (const round of steps) {
        const answers = await Promise.all(round.map((one) => perform(world, one)));
        for (const answer of answers) if (answer !== undefined) expect(answersTo(round)).toContain(answer);
        for (const answer of answers) seen.add(answer);
        await expectAgreement(world, await settle(world));
        if ((await world.cart.call('get')).status === 404) {
          world.others.push(world.cart);
          world.cart = await newCart(isGuests, world.productId);
        }
      }
      crashes.length = 0;
    }),
    { numRuns: repetitions('carts: interleavings'), endOnFailure: true },
  );
  expect([...seen]).toEqual(expect.arrayContaining([200, 201, 409]));
});
