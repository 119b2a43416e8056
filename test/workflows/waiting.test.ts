import { setTimeout as delay } from 'node:timers/promises';
import type { OrderRequest } from '../../src/domain/order';
import type { AppError } from '../../src/errors/app-error';
import { COMMANDS, orderWorkflowId, type OrderPolicy } from '../../workflows/contract';
import { newCommand } from '../support/commands';
import { expectConsistency, ledgerOf } from '../support/consistency';
import { eventually } from '../support/eventually';
import { repetitions } from '../support/sample';
import { orderRequest } from '../support/shop';
import { paymentsTaskQueueOf } from '../support/task-queues';
import { startTestWorker, type Sabotage, type TestWorker } from '../support/worker';
import { deferred } from './saga/deferred';
import { beginSaga, openFaultyShop, type FaultyShop } from './saga/saga';
import { SCENARIOS } from './saga/scenarios';

/** Payments that wait before they are tried: that is not the payment service's silence. */
let faulty: FaultyShop;
beforeAll(async () => {
  faulty = await openFaultyShop();
  await faulty.startWorker();
});
afterAll(() => faulty.shop.close());

const DAY_S = 24 * 60 * 60;
/** In a whole run, longer than all attempts would take, which is about two minutes. */
const WAITING_MS = repetitions('workflows/waiting: milliseconds before a payment is tried');

/** Returns what the Temporal UI shows of the pending activity of an order. */
async function pendingActivity({ orderId }: { orderId: string }) {
  const { raw } = await faulty.shop.temporal.client.workflow.getHandle(`order-${orderId}`).describe();
  return raw.pendingActivities![0]!;
}

/** Fails unless nothing but the policy of the order, a day, ends what it is waiting for. */
async function expectToWaitForDays(order: { orderId: string }): Promise<void> {
  await delay(WAITING_MS);
  const { scheduledTime, expirationTime } = await pendingActivity(order);
  expect(Number(expirationTime!.seconds) - Number(scheduledTime!.seconds)).toBe(DAY_S);
}

it.concurrent(
  'a payment that an operator pauses is not tried, and authorised when it is unpaused',
  async () => {
    const saga = await beginSaga(
      faulty,
      SCENARIOS.find(({ name }) => name === 'placed')!,
    );
    const [isTried, isPaused] = [deferred(), deferred()];
    let attempts = 0;
    saga.inject('authorizePayment', async (_attempt, effect) => {
      attempts++;
      if (isPaused.isResolved()) return effect();
      isTried.resolve();
      await isPaused.promise;
      throw new Error('The payment service is being maintained.');
    });
    const placed = saga.make(0);
    await isTried.promise;
    const { workflowService, options } = faulty.shop.temporal.client;
    const activity = {
      namespace: options.namespace,
      execution: { workflowId: `order-${saga.orderId}` },
      type: 'authorizePayment',
      identity: 'operator',
    };
    await workflowService.pauseActivity({ ...activity, reason: 'Maintenance' });
    isPaused.resolve();
    await eventually(async () =>
      expect(await pendingActivity(saga)).toMatchObject({ paused: true, attempt: 2, maximumAttempts: 10 }),
    );
    await expectToWaitForDays(saga);
    expect(attempts).toBe(1);
    await workflowService.unpauseActivity(activity);
    expect(await placed).toMatchObject({ status: 'confirmed' });
    await saga.end();
  },
);

const workers = new Set<TestWorker>();
afterAll(() => Promise.all([...workers].map((worker) => worker.stop())));

const QUANTITY = 2;
const TOTAL = 4_758;

/** Places an order whose payments wait for the worker of a queue of their own. */
async function waiting(queue: string, policy: Partial<OrderPolicy> = {}) {
  const { shop } = faulty;
  const taskQueue = `${shop.taskQueue}-${queue}`;
  const { id: productId } = await shop.sell();
  const request = orderRequest({ items: [{ productServiceId: productId, quantity: QUANTITY }] });
  const { workflows } = shop.withPolicy({
    inlinePayments: false,
    paymentsTaskQueue: paymentsTaskQueueOf(taskQueue),
    ...policy,
  });
  await workflows.start(request);
  return {
    request,
    productId,
    amend: () =>
      workflows.execute(request, COMMANDS.amend, {
        ...newCommand(),
        ifMatch: null,
        items: [{ productServiceId: productId, quantity: QUANTITY + 1 }],
      }),
    cancel: (fields: { ifMatch?: number[] } = {}) =>
      workflows.execute(request, COMMANDS.cancel, { ...newCommand(), reason: null, ...fields }),
    async startWorker(sabotage?: Sabotage): Promise<TestWorker> {
      const worker = await startTestWorker({ taskQueue, connection: shop.db.connection, sabotage });
      workers.add(worker);
      return {
        async stop() {
          workers.delete(worker);
          await worker.stop();
        },
      };
    },
    async expectConsistency(): Promise<void> {
      const order = (await shop.orders.findById(request.orderId))!;
      await expectConsistency(shop, { productId, initial: 100, orders: [order] });
    },
  };
}

/** Makes authorisations fail for as long as `isDown` says so of their amount. */
const failing = (isDown: (amount: number) => boolean): Sabotage => ({
  provider: (provider) => ({
    ...provider,
    async authorize(authorization) {
      if (isDown(authorization.amount)) throw new Error('It is down.');
      return provider.authorize(authorization);
    },
  }),
});

const expectOrder = ({ orderId }: OrderRequest, order: object) =>
  eventually(async () => expect(await faulty.shop.orders.findById(orderId)).toMatchObject(order));
const expectToWait = (request: OrderRequest) =>
  eventually(async () => expect(await pendingActivity(request)).toBeDefined());
const problemOf = (command: Promise<unknown>) =>
  command.then(
    () => 'done',
    ({ code, message }: AppError) => ({ code, message }),
  );

describe('a payment that waits in the queue', () => {
  it.concurrent('is authorised once there is a worker', async () => {
    const { request, startWorker, productId } = await waiting('late');
    await expectOrder(request, { status: 'pending', reservation: 'held' });
    await expectToWait(request);
    await expectToWaitForDays(request);
    await startWorker();
    await expectOrder(request, { status: 'confirmed' });
    expect(await ledgerOf(faulty.shop, request.orderId)).toMatchObject({ open: TOTAL });
    expect(await faulty.shop.stockOf(productId)).toEqual({ available: 98, reserved: 2 });
  });

  it.concurrent('for longer than the policy of its order is given up, and releases the stock', async () => {
    const { request, startWorker, productId } = await waiting('too-late', { paymentDeadlineMs: 1_000 });
    await expectOrder(request, { status: 'rejected', rejection: { code: 'payment_declined' } });
    expect(await faulty.shop.stockOf(productId)).toEqual({ available: 100, reserved: 0 });
    await startWorker();
    await expectOrder(request, { paymentStatus: 'declined', compensations: [] });
    expect(await ledgerOf(faulty.shop, request.orderId)).toMatchObject({ authorized: 0 });
  });
});

describe('a cancellation that is refused', () => {
  const refused = {
    code: 'precondition_failed',
    message: expect.stringContaining('now at version') as string,
  };
  const confirmed = { status: 'confirmed', paymentStatus: 'authorized', payment: { amount: TOTAL } };

  it.concurrent('leaves an order whose payment waits in the queue to be confirmed', async () => {
    const { request, cancel, startWorker, ...order } = await waiting('refused');
    await expectToWait(request);
    expect(await problemOf(cancel({ ifMatch: [99] }))).toEqual(refused);
    await expectOrder(request, { status: 'pending', reservation: 'held' });
    await startWorker();
    await expectOrder(request, confirmed);
    await order.expectConsistency();
  });

  it.concurrent('leaves an order whose payment is about to be tried again to be confirmed', async () => {
    const { request, cancel, startWorker, ...order } = await waiting('refused-while-down');
    let isDown = true;
    await startWorker(failing(() => isDown));
    await eventually(async () => expect((await pendingActivity(request)).attempt).toBeGreaterThan(1));
    expect(await problemOf(cancel({ ifMatch: [99] }))).toEqual(refused);
    isDown = false;
    await expectOrder(request, confirmed);
    await order.expectConsistency();
  });

  it.concurrent('keeps commands waiting until the order is placed', async () => {
    const { request, amend, cancel, startWorker, ...order } = await waiting('refused-and-amended');
    await expectToWait(request);
    const amended = amend();
    expect(await problemOf(cancel({ ifMatch: [99] }))).toEqual(refused);
    await startWorker();
    expect(await amended).toMatchObject({ status: 'confirmed', items: [{ quantity: QUANTITY + 1 }] });
    await expectOrder(request, { compensations: [] });
    await order.expectConsistency();
  });

  it.concurrent('leaves an order that is confirmed afterwards to expire in its time', async () => {
    const policy = { fulfillmentDeadlineMs: 500 };
    const { request, cancel, startWorker, ...order } = await waiting('refused-and-expired', policy);
    await expectToWait(request);
    expect(await problemOf(cancel({ ifMatch: [99] }))).toEqual(refused);
    await startWorker();
    await expectOrder(request, { status: 'cancelled', paymentStatus: 'voided', compensations: [] });
    const { statusHistory } = (await faulty.shop.orders.findById(request.orderId))!;
    expect(statusHistory).toContainEqual(expect.objectContaining({ to: 'cancelled', reason: 'expired' }));
    await order.expectConsistency();
  });
});

describe('an amendment that waits for its payment', () => {
  const interrupted = {
    code: 'service_unavailable',
    message: expect.stringContaining('This was interrupted') as string,
  };
  const cancelled = { status: 'cancelled', total: TOTAL, reservation: 'released' };

  it.concurrent('in the queue is interrupted by a cancellation, and both payments are voided', async () => {
    const { request, amend, cancel, startWorker, ...order } = await waiting('amended');
    const worker = await startWorker();
    await expectOrder(request, { status: 'confirmed' });
    await worker.stop();
    const amended = problemOf(amend());
    await expectToWait(request);
    const cancellation = cancel();
    expect(await amended).toEqual(interrupted);
    await expectOrder(request, cancelled);
    await startWorker();
    await cancellation;
    await expectOrder(request, { ...cancelled, paymentStatus: 'voided', compensations: [] });
    expect(await ledgerOf(faulty.shop, request.orderId)).toMatchObject({ authorized: TOTAL, voided: TOTAL });
    await order.expectConsistency();
  });

  it.concurrent('that fails does not keep its order from expiring', async () => {
    const policy = { fulfillmentDeadlineMs: 1 };
    const { request, amend, startWorker, ...order } = await waiting('amended-and-expired', policy);
    await expectToWait(request);
    const amended = problemOf(amend());
    const handle = faulty.shop.temporal.client.workflow.getHandle(orderWorkflowId(request.orderId));
    await eventually(async () => {
      const { events } = await handle.fetchHistory();
      expect(events!.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toHaveLength(1);
    });
    await startWorker(failing((amount) => amount !== TOTAL));
    expect(await amended).toEqual(interrupted);
    await expectOrder(request, { ...cancelled, paymentStatus: 'voided', compensations: [] });
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    await order.expectConsistency();
  });
});
