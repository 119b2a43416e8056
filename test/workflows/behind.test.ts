import type { Order } from '../../src/domain/order';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { COMMANDS } from '../../workflows/contract';
import { activitiesOn } from '../support/activities';
import { newCommand } from '../support/commands';
import { expectConsistency, ledgerOf } from '../support/consistency';
import { eventually } from '../support/eventually';
import { orderRequest, type Shop } from '../support/shop';
import { deferred, type Deferred } from './saga/deferred';
import { beginSaga, openFaultyShop, outcomeOf, type FaultyShop, type Saga } from './saga/saga';
import { SCENARIOS, type Scenario } from './saga/scenarios';

/** Writes that a workflow does not know of, and writes that come too late: the document decides what counts. */
let faulty: FaultyShop;
let shop: Shop;
let service: OrderService;
beforeAll(async () => {
  faulty = await openFaultyShop();
  ({ shop } = faulty);
  service = createOrderService(shop);
  freezeWrites();
  const { activities, provider } = faulty.injector.sabotage;
  await shop.startWorker({ activities, provider: (real) => freezing(provider!(real)) });
});
afterAll(() => shop.close());

const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;
const read = (id: string): Promise<Order> => service.read(id, ADMIN.principal);

async function placed(unitPrice = 1_999) {
  const { id: productId } = await shop.sell({ unitPrice });
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 3 }] });
  const order = (await shop.place(request))!;
  const items = (quantity: number) => [{ productServiceId: productId, quantity }];
  return { productId, request, order, items };
}

describe('a command that was carried out, whose update Temporal has lost', () => {
  it('is answered as before, once it is sent again', async () => {
    const { request, order, items } = await placed();
    const amendment = { ...newCommand(), ifMatch: [order.version], items: items(2) };
    await activitiesOn(shop.db).amendOrder({ ...amendment, orderId: order.id }, { inline: true });
    const amended = await read(order.id);
    expect(await shop.workflows.execute(request, COMMANDS.amend, amendment)).toMatchObject({
      total: amended.total,
      items: [{ quantity: 2 }],
    });
    // What it has made the order owe is done as well.
    await eventually(async () => expect(await read(order.id)).toMatchObject({ compensations: [] }));
    expect(await ledgerOf(shop, order.id)).toMatchObject({ open: amended.total });
  });

  it('is still turned down if it was turned down, although it would now be possible', async () => {
    const { request, order, productId, items } = await placed();
    const amendment = { ...newCommand(), ifMatch: null, items: items(150) };
    await activitiesOn(shop.db).amendOrder({ ...amendment, orderId: order.id }, { inline: true });
    await shop.stockUp(productId, 99);
    const again = shop.workflows.execute(request, COMMANDS.amend, amendment);
    await expect(again).rejects.toMatchObject({ code: 'out_of_stock' });
    expect(await read(order.id)).toMatchObject({ total: order.total });
  });
});

describe('a write that the workflow has missed', () => {
  it('is what the next command is decided on', async () => {
    const { order } = await placed();
    const lost = { ...newCommand(), orderId: order.id, ifMatch: null, note: 'lost' };
    await activitiesOn(shop.db).amendOrder(lost, { inline: true });
    const stale = service.amend(order.id, { ...ADMIN, ifMatch: [2] }, { note: 'stale' });
    await expect(stale).rejects.toMatchObject({ code: 'precondition_failed', headers: { ETag: '"3"' } });
    expect(await service.amend(order.id, { ...ADMIN, ifMatch: [3] }, { note: 'mine' })).toMatchObject({
      version: 4,
    });
  });

  it('completes the order with the deliveries that follow', async () => {
    const { order, productId, items } = await placed();
    const keyed = { ...newCommand(), orderId: order.id, fingerprint: 'f', attemptId: 'a' };
    const lost = { ...keyed, items: items(3), carrier: null, trackingNumber: null };
    await activitiesOn(shop.db).fulfillOrder(lost, { inline: true });
    const [fulfillment] = (await read(order.id)).fulfillments;
    const completed = await service.deliver(order.id, ADMIN, { fulfillmentId: fulfillment!.id });
    expect(completed).toMatchObject({ status: 'completed', captured: 7_136 });
    const { client } = shop.temporal;
    expect(await client.workflow.getHandle(`order-${order.id}`).result()).toEqual({ status: 'completed' });
    await expectConsistency(shop, { productId, initial: 100, orders: [completed] });
  });

  it('can have made the order owe a compensation, which is found and retried', async () => {
    const { order, items } = await placed();
    const lost = { ...newCommand(), orderId: order.id, ifMatch: null, items: items(1) };
    await activitiesOn(shop.db).amendOrder(lost, { inline: true });
    const { step } = (await read(order.id)).compensations[0]!;
    expect(await service.retryCompensation(order.id, ADMIN, { step })).toMatchObject({ compensations: [] });
    expect(await ledgerOf(shop, order.id)).toMatchObject({ open: 2_379 });
  });
});

type Moment = 'reads' | 'pays' | 'writes';
interface Freeze {
  moment: Moment;
  reached: Deferred;
  thawed: Deferred;
}
/** The worker that freezes at its next step for an order. */
const freezes = new Map<string, Freeze>();

async function freezeBefore(moment: Moment, orderId: string): Promise<void> {
  const freeze = freezes.get(orderId);
  if (freeze?.moment !== moment) return;
  freezes.delete(orderId);
  freeze.reached.resolve();
  await freeze.thawed.promise;
}

function freezeWrites(): void {
  const orders = shop.db.connection.collection('orders');
  const replaceOne = orders.replaceOne.bind(orders);
  jest.spyOn(orders, 'replaceOne').mockImplementation(async (filter, ...rest) => {
    await freezeBefore('writes', filter._id as never);
    return replaceOne(filter, ...rest);
  });
}

function freezing(provider: PaymentProvider): PaymentProvider {
  return {
    ...provider,
    async authorize(authorization) {
      await freezeBefore('pays', authorization.orderId);
      return provider.authorize(authorization);
    },
  };
}

/** Has a command sent whose worker freezes before it reads the order, pays or writes. */
async function frozen(saga: Saga, step: string, moment: Moment, send: () => Promise<unknown>) {
  const freeze = { moment, reached: deferred(), thawed: deferred() };
  const ended = deferred();
  freezes.set(saga.orderId, freeze);
  saga.inject(step, async ({ number }, effect) => {
    if (number > 1) return effect();
    await freezeBefore('reads', saga.orderId);
    return effect().finally(ended.resolve);
  });
  const sent = send();
  await freeze.reached.promise;
  return {
    sent,
    async thaw(): Promise<void> {
      freeze.thawed.resolve();
      await ended.promise;
    },
  };
}

const scenarioOf = (name: string): Scenario => SCENARIOS.find((scenario) => scenario.name === name)!;

async function begun(name: string, moves: number): Promise<Saga> {
  const saga = await beginSaga(faulty, scenarioOf(name));
  for (let move = 0; move < moves; move++) await saga.make(move);
  return saga;
}

const MOMENTS: [Moment, string][] = [
  ['reads', 'amended to more'],
  ['writes', 'amended to more'],
  ['pays', 'amended at once'],
];

describe('a worker that freezes in an amendment', () => {
  it.concurrent.each(MOMENTS)(
    'before it %s changes nothing when it wakes up after another worker has amended the order (%s)',
    async (moment, name) => {
      const saga = await begun(name, 1);
      const { sent, thaw } = await frozen(saga, 'amendOrder', moment, () => saga.make(1));
      expect(await sent).toMatchObject({ status: 'confirmed', total: 11_894 });
      await saga.settled();
      const amended = await saga.customer.stored();
      await thaw();
      expect(await saga.customer.stored()).toEqual(amended);
      await saga.end();
    },
  );

  it.concurrent.each(MOMENTS)(
    'before it %s changes nothing when it wakes up after its workflow was terminated and the order changed (%s)',
    async (moment, name) => {
      const saga = await begun(name, 1);
      const items = [{ productServiceId: saga.productId, quantity: 5 }];
      const { sent, thaw } = await frozen(saga, 'amendOrder', moment, () => saga.customer.amend({ items }));
      await shop.temporal.client.workflow.getHandle(`order-${saga.orderId}`).terminate();
      await sent;
      expect(outcomeOf(await saga.customer.amend({ note: 'Ring twice' }))).toBe('confirmed');
      await saga.settled();
      const amended = await saga.customer.stored();
      await thaw();
      expect(await saga.customer.stored()).toEqual(amended);
      await saga.end();
    },
  );
});

it.concurrent.each([
  ['fulfillOrder', 'refunded', 1],
  ['refundOrder', 'refunded', 2],
  ['deliverFulfillment', 'delivered in parts', 3],
  ['cancelOrder', 'cancelled', 1],
])(
  'a worker that freezes in %s changes nothing when it wakes up after the order was resumed (%s)',
  async (step, name, move) => {
    const saga = await begun(name, move);
    const { sent, thaw } = await frozen(saga, step, 'reads', () => saga.make(move));
    await shop.temporal.client.workflow.getHandle(`order-${saga.orderId}`).terminate();
    await sent;
    await saga.customer.amend({ note: 'Ring twice' });
    const resumed = await saga.customer.stored();
    await thaw();
    expect(await saga.customer.stored()).toEqual(resumed);
    await saga.end();
  },
);
