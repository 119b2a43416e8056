import type { RefundOrder } from '../../../src/domain/refund';
import type { Order } from '../../../src/domain/order';
import { createOrderWorkflows, type OrderWorkflows } from '../../../src/orders/temporal/order-workflows';
import { orderIdOf } from '../../../src/orders/order-request';
import { COMMANDS, ORDER_WORKFLOW, orderWorkflowId } from '../../../workflows/contract';
import { HANG_MS } from '../../support/eventually';
import { lines } from '../../support/order-api';
import { openShop, orderRequest, type Shop } from '../../support/shop';
import { newCommand, orderPolicy } from '../../support/commands';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const keyed = () => ({ ...newCommand(), fingerprint: 'f', attemptId: 'a' });
const refund = (amount: number): RefundOrder => ({ ...keyed(), amount, reason: 'x' });

async function placed(quantity: number): Promise<Order> {
  const { id } = await shop.sell();
  return (await shop.place(orderRequest(lines([id, quantity]))))!;
}

async function captured(): Promise<{ order: Order; request: ReturnType<typeof orderRequest> }> {
  const { id } = await shop.sell();
  const request = orderRequest(lines([id, 1]));
  await shop.place(request);
  const command = { ...keyed(), items: request.items, carrier: null, trackingNumber: null };
  const order = (await shop.workflows.execute(request, COMMANDS.fulfill, command)) as Order;
  return { order, request };
}

/** Makes what another process of the API has. */
function otherProcess(): OrderWorkflows {
  return createOrderWorkflows(shop.temporal, {
    taskQueue: shop.taskQueue,
    policy: orderPolicy(shop.taskQueue),
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
  const answer = await shop.workflows.execute(request, COMMANDS.cancel, { ...newCommand(), reason: null });
  expect(answer).toMatchObject({ id: order.id, status: 'cancelled' });
});

it('reports that the workflow of a closed order has ended', async () => {
  const order = await placed(1);
  const request = orderRequest({ ...lines(), ...(await requestOf(order.id)) });
  const command = { ...newCommand(), reason: null };
  await shop.workflows.execute(request, COMMANDS.cancel, command);
  await shop.temporal.client.workflow.getHandle(orderWorkflowId(order.id)).result();
  expect(await shop.workflows.execute(request, COMMANDS.cancel, command)).toBe('ended');
});

async function requestOf(orderId: string) {
  return (await shop.workflows.find(orderId))!.request;
}

it('does not take a workflow that someone has started by hand for an order', async () => {
  const orderId = orderIdOf('usr_1', 'by hand');
  const { client } = shop.temporal;
  const byHand = { workflowId: orderWorkflowId(orderId), taskQueue: 'unserved', args: [{ $gt: 1 }] };
  const workflow = await client.workflow.start(ORDER_WORKFLOW, byHand);
  expect(await shop.workflows.find(orderId)).toBeNull();
  await workflow.terminate();
});
