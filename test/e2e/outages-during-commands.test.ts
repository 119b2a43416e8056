import type { Order } from '../../src/domain/order';
import { unsettled } from '../../src/domain/compensation';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import type { Activities } from '../../src/worker/activities';
import { expectConsistency } from '../support/consistency';
import { eventually } from '../support/eventually';
import { createGates, openOutages, type Outages } from '../support/outages';
import { replaceDeadlines } from '../support/patience';
import { sample } from '../support/sample';
import { orderRequest, type Shop } from '../support/shop';

const gates = createGates();
let outages: Outages;
let shop: Shop;
let service: OrderService;

beforeAll(async () => {
  outages = await openOutages();
  shop = await outages.openShop();
  service = createOrderService(shop);
  await shop.startWorker(gates.sabotage);
});
afterAll(() => outages.close());

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
    const orders = await Promise.all(
      Object.entries(CASES).map(async ([name, one]) => {
        const order = await placed();
        await one.before(order);
        await owesNothing(order);
        const isWritten = gates.hold(order.id, { step: one.step, moment: 'after' });
        return { ...one, ...order, name, isWritten };
      }),
    );
    const giveUp = impatientClients();
    const pending = orders.map((order) => code(order.send(order)));
    await Promise.all(orders.map(({ isWritten }) => isWritten));
    await outages.servers[server].kill();
    gates.open();
    giveUp();
    await Promise.all(pending);
    jest.restoreAllMocks();
    await outages.restart(server);
    await Promise.all(orders.map(expectAgreement));
  },
);
