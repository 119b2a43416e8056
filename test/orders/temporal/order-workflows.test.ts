import { randomBytes } from 'node:crypto';
import type { RefundOrder } from '../../../src/domain/refund';
import type { Order } from '../../../src/domain/order';
import { createOrderWorkflows, type OrderWorkflows } from '../../../src/orders/temporal/order-workflows';
import { COMMANDS, orderWorkflowId } from '../../../workflows/contract';
import { HANG_MS } from '../../support/eventually';
import { lines } from '../../support/order-api';
import { openShop, orderRequest, type Shop } from '../../support/shop';
import { paymentsTaskQueueOf } from '../../support/task-queues';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const by = { by: 'system', requestId: 'test', seenVersion: 0 };
const keyed = (prefix: string) => ({
  ...by,
  id: `${prefix}_${randomBytes(16).toString('hex')}`,
  fingerprint: 'f',
  attemptId: 'a',
});
const refund = (amount: number): RefundOrder => ({ ...keyed('ref'), amount, reason: 'x' });

async function placed(quantity: number): Promise<Order> {
  const { id } = await shop.sell();
  return (await shop.workflows.place(orderRequest(lines([id, quantity]))))!;
}

async function captured(): Promise<{ order: Order; request: ReturnType<typeof orderRequest> }> {
  const { id } = await shop.sell();
  const request = orderRequest(lines([id, 1]));
  await shop.workflows.place(request);
  const command = { ...keyed('ful'), items: request.items, carrier: null, trackingNumber: null };
  const order = (await shop.workflows.execute(request, COMMANDS.fulfill, command)) as Order;
  return { order, request };
}

/** Makes what another process of the API has. */
function otherProcess(): OrderWorkflows {
  return createOrderWorkflows(shop.temporal, {
    taskQueue: shop.taskQueue,
    policy: { fulfillmentDeadlineMs: 86_400_000, paymentsTaskQueue: paymentsTaskQueueOf(shop.taskQueue) },
    timeoutMs: HANG_MS,
    commandTimeoutMs: HANG_MS,
  });
}

it('carries out each command of several processes once, though Temporal allows 10 updates in flight', async () => {
  const { order, request } = await captured();
  const processes = Array.from({ length: 4 }, otherProcess);
  const answers = await Promise.all(
    processes.flatMap((process) =>
      Array.from({ length: 5 }, () => process.execute(request, COMMANDS.refund, refund(10))),
    ),
  );
  expect(answers.map((answer) => typeof answer)).toEqual(Array(20).fill('object'));
  const stored = await shop.orders.findById(order.id);
  expect(stored).toMatchObject({ refunded: 200, version: order.version + 20 });
});

it('answers a command with the version of the order, and no more', async () => {
  const { order, request } = await captured();
  const answer = await otherProcess().execute(request, COMMANDS.refund, refund(10));
  expect(answer).toEqual({ version: order.version + 1 });
});

it('resumes an order whose workflow was terminated', async () => {
  const order = await placed(1);
  const handle = shop.temporal.client.workflow.getHandle(orderWorkflowId(order.id));
  await handle.terminate();
  const request = orderRequest({ ...lines(), ...(await requestOf(order.id)) });
  const answer = await shop.workflows.execute(request, COMMANDS.cancel, { ...by, reason: null });
  expect(answer).toMatchObject({ id: order.id, status: 'cancelled' });
});

it('reports that the workflow of a closed order has ended', async () => {
  const order = await placed(1);
  const request = orderRequest({ ...lines(), ...(await requestOf(order.id)) });
  const command = { ...by, reason: null };
  await shop.workflows.execute(request, COMMANDS.cancel, command);
  await shop.temporal.client.workflow.getHandle(orderWorkflowId(order.id)).result();
  expect(await shop.workflows.execute(request, COMMANDS.cancel, command)).toBe('ended');
});

async function requestOf(orderId: string) {
  return (await shop.workflows.find(orderId))!.request;
}
