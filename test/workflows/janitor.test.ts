import { join } from 'node:path';
import { ulid } from 'ulid';
import type { JanitorReport } from '../../activities/janitor.activities';

import type { Order } from '../../src/domain/order';
import { createOrderService, type OrderService } from '../../src/orders/orders.service';
import type { OrderDocument } from '../../src/orders/orders.model';
import { createSandboxActions } from '../../src/payments/sandbox/actions';
import { createSandboxRepository, type SandboxRepository } from '../../src/payments/sandbox/repository';
import { closedOrderWorkflowId, JANITOR_WORKFLOW, orderWorkflowId } from '../../workflows/contract';
import { expectConsistency } from '../support/consistency';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { createOperator, type Operator } from '../../tools/chaos/operator';
import { spawnNode } from '../support/process';
import { openShop, orderRequest, type Shop } from '../support/shop';
import type { TestWorker } from '../support/worker';

/** Orders whose workflow is gone, and that the janitor has finished: nobody else asks for them. */
const CHALLENGED = 'pm_card_threeDSecure2Required';
const DECLINED = 'pm_card_chargeDeclined';
/** Works only while the sandbox is available. */
const OUTAGE = 'pm_sandbox_outage';
const STOCK = 10;
const caller = { principal: { id: 'usr_admin', role: 'ADMIN' }, requestId: 'test' } as const;

let shop: Shop;
let service: OrderService;
let sandbox: SandboxRepository;
let operator: Operator;
let worker: TestWorker;
const startWorker = () => shop.startWorker({}, undefined, { PAYMENT_RETRY_WINDOW: '15m' });
beforeAll(async () => {
  shop = await openShop({ own: true });
  worker = await startWorker();
  service = createOrderService(shop);
  sandbox = createSandboxRepository(shop.db.connection);
  operator = createOperator(shop.temporal);
});
afterAll(() => shop?.close());

interface Stuck {
  id: string;
  productId: string;
}

const documents = () => shop.db.connection.collection<OrderDocument>('orders');
const stored = async ({ id }: Stuck) => (await shop.orders.findById(id))!;

/** Has the order placed, without waiting for the outcome. */
async function order(paymentMethod: string): Promise<Stuck> {
  const { id: productId } = await shop.sell({ available: STOCK });
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: 2 }], paymentMethod });
  await shop.withPolicy({ inlinePayments: false }).workflows.start(request);
  return { id: request.orderId, productId };
}

async function orderUntil(paymentMethod: string, state: object): Promise<Stuck> {
  const one = await order(paymentMethod);
  await eventually(async () => expect(await shop.orders.findById(one.id)).toMatchObject(state));
  return one;
}

const confirmed = () => orderUntil(OUTAGE, { status: 'confirmed' });
const challenged = () => orderUntil(CHALLENGED, { paymentStatus: 'action_required' });

async function terminate(id: string): Promise<void> {
  await operator.terminate(orderWorkflowId(id));
  await operator.terminate(closedOrderWorkflowId(id));
}

/** Has the order wait for an hour by now. @param fields more times that have passed by now */
async function age({ id }: Stuck, ...fields: ('payBy' | 'retryUntil')[]): Promise<void> {
  const { intention, compensations } = (await documents().findOne({ _id: id }))!;
  const at = new Date(Date.now() - 3_600_000);
  const times = ['createdAt', 'updatedAt', ...fields].map((field) => [field, at]);
  await documents().updateOne(
    { _id: id },
    {
      $set: {
        ...Object.fromEntries(times),
        ...(intention && { 'intention.since': at }),
        ...(compensations.length > 0 && {
          compensations: compensations.map((one) => ({ ...one, since: at })),
        }),
      },
    },
  );
}

/** Begins a command that needs the payment service, which is away, and terminates the workflow meanwhile. */
async function interrupt(
  one: Stuck,
  command: () => Promise<unknown>,
  reached: (order: Order) => boolean,
): Promise<Stuck> {
  await sandbox.setAvailable(false);
  const begun = command().catch(() => undefined);
  await eventually(async () => expect(reached(await stored(one))).toBe(true));
  await terminate(one.id);
  await begun;
  await sandbox.setAvailable(true);
  return one;
}

const fulfilling = (id: string, quantity: number, productServiceId: string) =>
  service.fulfill(
    id,
    { ...caller, idempotencyKey: ulid() },
    { items: [{ productServiceId, quantity }], carrier: null, trackingNumber: null },
  );

async function completed(): Promise<Stuck> {
  const one = await confirmed();
  const { fulfillments } = await fulfilling(one.id, 2, one.productId);
  await service.deliver(one.id, caller, { fulfillmentId: fulfillments[0]!.id });
  return one;
}

/** The ways to get stuck, each with what has to become of the order. */
const KINDS: Record<string, [leave: () => Promise<Stuck>, end: object]> = {
  'is being placed': [
    async () => {
      await sandbox.setAvailable(false);
      const one = await orderUntil(OUTAGE, { status: 'pending' });
      await terminate(one.id);
      await sandbox.setAvailable(true);
      await age(one);
      return one;
    },
    { status: 'confirmed', paymentStatus: 'authorized' },
  ],
  'waited too long for its customer to confirm the payment': [
    async () => {
      const one = await challenged();
      await terminate(one.id);
      await age(one, 'payBy');
      return one;
    },
    { status: 'pending', paymentStatus: 'declined', payBy: null, attempts: [{ outcome: 'expired' }] },
  ],
  'waited too long for another card': [
    async () => {
      const one = await orderUntil(DECLINED, { paymentStatus: 'declined' });
      await terminate(one.id);
      await age(one, 'retryUntil');
      return one;
    },
    { status: 'rejected', reservation: 'released', rejection: { code: 'payment_declined' } },
  ],
  'waits for its customer, who has confirmed the payment': [
    async () => {
      const one = await challenged();
      await terminate(one.id);
      await operator.delete(orderWorkflowId(one.id));
      await eventually(async () => expect(await shop.workflows.find(one.id)).toBeNull());
      await createSandboxActions(sandbox).answer((await sandbox.ofOrder(one.id)).at(-1)!, 'authorise');
      await age(one);
      return one;
    },
    { status: 'confirmed', paymentStatus: 'authorized', payBy: null },
  ],
  'captures its payment for a fulfillment': [
    async () => {
      const one = await confirmed();
      await interrupt(
        one,
        () => fulfilling(one.id, 1, one.productId),
        ({ intention }) => intention !== null,
      );
      await age(one);
      return one;
    },
    { fulfillmentStatus: 'partially_fulfilled', paymentStatus: 'captured' },
  ],
  'authorises an amendment': [
    async () => {
      const one = await confirmed();
      const items = [{ productServiceId: one.productId, quantity: 3 }];
      await interrupt(
        one,
        () => service.amend(one.id, caller, { items }),
        ({ intention }) => !!intention,
      );
      await age(one);
      return one;
    },
    { status: 'confirmed', items: [{ quantity: 2 }] },
  ],
  'is paid back after its own workflow has ended': [
    async () => {
      const one = await completed();
      const refund = { amount: 100, reason: 'Scratched' };
      const key = { ...caller, idempotencyKey: ulid() };
      await interrupt(
        one,
        () => service.refund(one.id, key, refund),
        ({ intention }) => !!intention,
      );
      await age(one);
      return one;
    },
    { status: 'completed', paymentStatus: 'partially_refunded', refunded: 100 },
  ],
  'is cancelled, and its payment is to be voided': [
    async () => {
      const one = await confirmed();
      const cancel = () => service.cancel(one.id, caller, { reason: null });
      await interrupt(one, cancel, ({ compensations }) => compensations.length > 0);
      await age(one);
      return one;
    },
    { status: 'cancelled', paymentStatus: 'voided' },
  ],
};

async function start(): Promise<{ result(): Promise<JanitorReport>; id: string }> {
  const id = `${shop.taskQueue}-janitor-${ulid()}`;
  const handle = await shop.temporal.client.workflow.start(JANITOR_WORKFLOW, {
    taskQueue: shop.taskQueue,
    workflowId: id,
  });
  return { id, result: () => handle.result() as Promise<JanitorReport> };
}

async function expectEnd(one: Stuck, end: object): Promise<void> {
  await eventually(async () =>
    expect(await stored(one)).toMatchObject({ ...end, compensations: [], intention: null }),
  );
  await expectConsistency(shop, { productId: one.productId, initial: STOCK, orders: [await stored(one)] });
}

describe('the janitor', () => {
  it('has each kind of stuck order finished by one run, also by two at once, and touches nothing else', async () => {
    await sandbox.setAvailable(true);
    const stuck = [];
    for (const [name, [leave, end]] of Object.entries(KINDS)) stuck.push({ name, one: await leave(), end });
    const others = [await confirmed(), await challenged(), await completed()];
    await terminate(others[0]!.id); // waits for nothing but its fulfillment
    for (const other of others) await age(other);
    const recent = await challenged();
    await terminate(recent.id);
    others.push(recent);
    const before = await Promise.all(others.map(stored));

    const runs = [await start(), await start()];
    const reports = await Promise.all(runs.map((run) => run.result()));
    for (const { one, end } of stuck) await expectEnd(one, end);
    for (const { failed, underWay, moved } of reports) {
      expect([failed, underWay]).toEqual([0, 0]);
      expect(moved).toBeLessThanOrEqual(stuck.length);
    }
    expect(reports[0]!.moved + reports[1]!.moved).toBeGreaterThanOrEqual(stuck.length);
    expect(await Promise.all(others.map(stored))).toEqual(before);

    const next = await start();
    expect(await next.result()).toMatchObject({ moved: 0, failed: 0 });
    await recordHistory('janitor', shop.temporal.client.workflow.getHandle(next.id));
  });

  it('continues on another worker when its own is killed', async () => {
    const quick = await KINDS['is cancelled, and its payment is to be voided']![0]();
    const slow = await KINDS['is being placed']![0]();
    await sandbox.setAvailable(false);
    await worker.stop();
    const script = join(__dirname, '..', 'support', 'shared-worker.ts');
    const env = { ...process.env, TASK_QUEUE: shop.taskQueue, MONGODB_URI: shop.db.uri };
    const doomed = spawnNode(['--import', 'tsx', script], env);
    const { id, result } = await start();
    // It waits for the slow order, whose payment service is away.
    const handle = shop.temporal.client.workflow.getHandle(orderWorkflowId(slow.id));
    await eventually(async () => expect((await handle.describe()).status.name).toBe('RUNNING'));
    doomed.kill('SIGKILL');
    await doomed.ended;
    await sandbox.setAvailable(true);
    worker = await startWorker();
    expect(await result()).toMatchObject({ failed: 0 });
    for (const one of [quick, slow]) {
      await eventually(async () => expect((await stored(one)).status).not.toBe('pending'));
    }
    await expectEnd(slow, { status: 'confirmed' });
    await expectEnd(quick, { status: 'cancelled', paymentStatus: 'voided' });
    await recordHistory('janitor-on-another-worker', shop.temporal.client.workflow.getHandle(id));
  });
});
