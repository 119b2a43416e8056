import type { Order } from '../../src/domain/order';
import { unsettled } from '../../src/domain/compensation';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import type { Activities } from '../../src/worker/activities';
import { expectConsistency } from '../support/consistency';
import { eventually } from '../support/eventually';
import { replaceDeadlines } from '../support/patience';
import { sample } from '../support/sample';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { startStoppableServers, type StoppableServers } from '../support/stoppable-servers';
import { deferred, type Deferred } from '../workflows/saga/deferred';

let servers: StoppableServers;
let shop: Shop;
let service: OrderService;
/** The step after whose write each order waits for the crash, and a promise for that write. */
const crashes = new Map<string, { step: keyof Activities; isWritten: Deferred }>();
let crashed: Deferred;
const usual = { ...process.env };

beforeAll(async () => {
  servers = await startStoppableServers();
  process.env.TEMPORAL_ADDRESS = servers.temporal.address;
  process.env.MONGODB_URI = servers.mongodb.address;
  shop = await openShop({ own: true });
  service = createOrderService(shop);
  await shop.startWorker({ activities: waitingForCrash });
});
afterAll(async () => {
  await shop.close();
  Object.assign(process.env, usual);
  await servers.remove();
});

function waitingForCrash(activities: Activities): Activities {
  const entries = Object.entries(activities).map(([name, run]) => [
    name,
    async (...args: [{ orderId: string }]) => {
      const result: unknown = await (run as (...args: unknown[]) => Promise<unknown>)(...args);
      const crash = crashes.get(args[0].orderId);
      if (crash?.step !== name) return result;
      crash.isWritten.resolve();
      await crashed.promise;
      return result;
    },
  ]);
  return Object.fromEntries(entries) as Activities;
}

const ADMIN = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;
const code = (command: Promise<unknown>): Promise<string> =>
  command.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

interface Placed {
  id: string;
  productId: string;
}

async function placed(): Promise<Placed> {
  const { id: productId } = await shop.sell();
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 2 }] });
  expect((await service.place(request)).order).toMatchObject({ status: 'confirmed' });
  return { id: request.orderId, productId };
}

const read = ({ id }: Placed): Promise<Order> => service.read(id, ADMIN.principal);
const ship = ({ id, productId }: Placed, quantity: number, key: string) => {
  const items = [{ productServiceId: productId, quantity }];
  return service.fulfill(
    id,
    { ...ADMIN, idempotencyKey: key },
    { items, carrier: null, trackingNumber: null },
  );
};
const deliver = async (order: Placed, n: number) => {
  const { id: fulfillmentId } = (await read(order)).fulfillments[n]!;
  return service.deliver(order.id, ADMIN, { fulfillmentId });
};
const undo = async (order: Placed, n: number) => {
  const { id: fulfillmentId } = (await read(order)).fulfillments[n]!;
  return service.undoFulfillment(order.id, ADMIN, { fulfillmentId, reason: 'Lost', restock: false });
};
const amend = ({ id }: Placed, version: number, note: string) =>
  service.amend(id, { ...ADMIN, ifMatch: [version] }, { note });
const refund = ({ id }: Placed, key: string) =>
  service.refund(id, { ...ADMIN, idempotencyKey: key }, { amount: 100, reason: 'A dent' });

interface Case {
  step: keyof Activities;
  before(order: Placed): Promise<unknown>;
  send(order: Placed): Promise<unknown>;
  /** Asserts the state after the outage, whatever response the client got. */
  after(order: Placed): Promise<void>;
}

const CASES: Record<string, Case> = {
  'an amendment': {
    step: 'amendOrder',
    before: async () => undefined,
    send: (order) => amend(order, 2, 'mine'),
    async after(order) {
      expect(await read(order)).toMatchObject({ version: 3, note: 'mine' });
      expect(await code(amend(order, 2, 'mine'))).toBe('precondition_failed');
      expect(await amend(order, 3, 'again')).toMatchObject({ version: 4, note: 'again' });
    },
  },
  'a second fulfillment': {
    step: 'fulfillOrder',
    before: async (order) => {
      await ship(order, 1, 'first');
      await deliver(order, 0);
    },
    send: (order) => ship(order, 1, 'second'),
    async after(order) {
      expect((await ship(order, 1, 'second')).fulfillments).toHaveLength(2);
      expect(await deliver(order, 1)).toMatchObject({ status: 'completed', captured: 4_758 });
    },
  },
  'a delivery that is not the last': {
    step: 'deliverFulfillment',
    before: async (order) => {
      await ship(order, 1, 'first');
      await ship(order, 1, 'second');
    },
    send: (order) => deliver(order, 0),
    async after(order) {
      expect(await code(deliver(order, 0))).toBe('invalid_transition');
      expect(await deliver(order, 1)).toMatchObject({ status: 'completed' });
    },
  },
  'a refund': {
    step: 'refundOrder',
    before: (order) => ship(order, 2, 'first'),
    send: (order) => refund(order, 'dent'),
    async after(order) {
      expect(await refund(order, 'dent')).toMatchObject({ refunded: 100 });
      expect(await refund(order, 'another')).toMatchObject({ refunded: 200 });
    },
  },
  'a cancellation': {
    step: 'cancelOrder',
    before: async () => undefined,
    send: ({ id }) => service.cancel(id, ADMIN, { reason: null }),
    async after(order) {
      expect(await code(service.cancel(order.id, ADMIN, { reason: null }))).toBe('invalid_transition');
      await owesNothing(order);
      expect(await read(order)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' });
    },
  },
  'a cancellation of the rest': {
    step: 'cancelOrder',
    before: (order) => ship(order, 1, 'first'),
    send: ({ id }) => service.cancel(id, ADMIN, { reason: null }),
    async after(order) {
      expect(await code(service.cancel(order.id, ADMIN, { reason: null }))).toBe('invalid_transition');
      const now = { fulfillmentStatus: 'fulfilled', captured: 2_379, refunds: [] };
      expect(await read(order)).toMatchObject(now);
      expect(await deliver(order, 0)).toMatchObject({ status: 'completed' });
    },
  },
  'an undone fulfillment whose goods are lost': {
    step: 'undoFulfillment',
    before: (order) => ship(order, 2, 'first'),
    send: (order) => undo(order, 0),
    async after(order) {
      expect(await code(undo(order, 0))).toBe('invalid_transition');
      expect(await read(order)).toMatchObject({ fulfillmentStatus: 'unfulfilled', captured: 4_758 });
      expect(await ship(order, 2, 'second')).toMatchObject({ captured: 4_758 });
    },
  },
  'an archiving': {
    step: 'archiveOrder',
    before: ({ id }) => service.cancel(id, ADMIN, { reason: null }),
    send: ({ id }) => service.archive(id, ADMIN),
    async after(order) {
      expect(await code(service.archive(order.id, ADMIN))).toBe('done');
      expect((await read(order)).archivedAt).not.toBeNull();
    },
  },
};

async function owesNothing(order: Placed): Promise<void> {
  await eventually(async () => expect(unsettled(await read(order))).toEqual([]));
}

/**
 * Starts the server and waits until it responds. Its outstanding work may take longer, for which the commands
 * that follow wait.
 */
async function restart(server: 'temporal' | 'mongodb'): Promise<void> {
  await servers[server].start();
  await eventually(() => Promise.all([shop.temporal.checkHealth(), shop.products.findActiveByIds([])]));
}

/** Makes clients give up when the function that it returns is called, and at once if Temporal is down. */
function impatientClients(): () => void {
  const patience = replaceDeadlines(shop.temporal);
  jest.spyOn(shop.temporal, 'lastAnswerAt').mockReturnValue(0);
  return () => patience.abort();
}

async function expectAgreement(order: Case & Placed & { name: string }): Promise<void> {
  await order.after(order).catch((error: Error) => {
    throw new Error(`after ${order.name}: ${error.message}`, { cause: error });
  });
  await owesNothing(order);
  const { productId } = order;
  await expectConsistency(shop, { productId, initial: 100, orders: [await read(order)] });
}

it.each(sample('e2e/outages-during-commands: servers that crash', ['temporal', 'mongodb'] as const))(
  'when %s crashes right after the write of each command, reads and commands agree, and so do stock and payments',
  async (server) => {
    crashed = deferred();
    const orders = await Promise.all(
      Object.entries(CASES).map(async ([name, one]) => {
        const order = await placed();
        await one.before(order);
        await owesNothing(order);
        const isWritten = deferred();
        crashes.set(order.id, { step: one.step, isWritten });
        return { ...one, ...order, name, isWritten };
      }),
    );
    const giveUp = impatientClients();
    const pending = orders.map((order) => code(order.send(order)));
    await Promise.all(orders.map(({ isWritten }) => isWritten.promise));
    await servers[server].kill();
    crashed.resolve();
    crashes.clear();
    giveUp();
    await Promise.all(pending);
    jest.restoreAllMocks();
    await restart(server);
    await Promise.all(orders.map(expectAgreement));
  },
);
