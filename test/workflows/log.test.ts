import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Worker, type LogEntry } from '@temporalio/worker';
import { randomBytes } from 'node:crypto';
import { requestOf } from '../../src/domain/placing';
import { COMMANDS, orderWorkflowId } from '../../workflows/contract';
import { newCommand } from '../support/commands';
import { eventually } from '../support/eventually';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { installRuntime } from '../support/worker';
import { createWorkflowCoverage } from '../support/workflow-coverage';

const logged: LogEntry[] = [];
let isDown = false;
let shop: Shop;
beforeAll(async () => {
  installRuntime(new DefaultLogger('INFO', (entry) => void logged.push(entry)));
  shop = await openShop({ own: true });
  await shop.startWorker({
    provider: (provider) => ({
      ...provider,
      async void(...args) {
        if (isDown) throw ApplicationFailure.nonRetryable('It is down.');
        return provider.void(...args);
      },
    }),
  });
});
afterAll(() => shop.close());

/** What the workflow of an order has logged. */
function linesOf(orderId: string) {
  const workflowId = orderWorkflowId(orderId);
  const lines = logged.filter(
    ({ meta }) => meta?.sdkComponent === 'workflow' && meta.workflowId === workflowId,
  );
  return lines.map(({ message, meta }) => ({ message, ...meta }));
}

const messagesOf = (orderId: string) => linesOf(orderId).map(({ message }) => message);

async function newRequest(fields: { quantity?: number; paymentMethod?: string } = {}) {
  const { id } = await shop.sell({ available: 2 });
  const { quantity = 1, ...rest } = fields;
  const requestId = randomBytes(8).toString('hex');
  return { ...orderRequest({ items: [{ productServiceId: id, quantity }], ...rest }), requestId };
}

it('logs how an order is placed or rejected, with the request that led to it', async () => {
  const placed = await newRequest();
  await shop.place(placed);
  const rejected = await newRequest({ quantity: 3 });
  await shop.place(rejected);
  await eventually(async () => expect(messagesOf(rejected.orderId)).toHaveLength(1));
  const { requestId } = placed;
  expect(linesOf(placed.orderId)).toMatchObject([
    { message: 'order placed', requestId, paymentStatus: 'authorized' },
  ]);
  expect(linesOf(rejected.orderId)).toMatchObject([
    { message: 'order rejected', requestId: rejected.requestId, reason: 'out_of_stock' },
  ]);
});

it('logs a compensation that keeps failing, and that it was settled', async () => {
  const request = await newRequest();
  await shop.place(request);
  isDown = true;
  await shop.workflows.execute(request, COMMANDS.cancel, { ...newCommand(), reason: null });
  await eventually(async () => expect(messagesOf(request.orderId)).toContain('compensation pending'));
  isDown = false;
  await shop.workflows.execute(request, COMMANDS.retryCompensation, {
    ...newCommand(),
    step: 'voidPayment-1',
  });
  await eventually(async () => expect(messagesOf(request.orderId)).toContain('compensation settled'));
  expect(messagesOf(request.orderId)).toEqual([
    'order placed',
    'order cancelled',
    'compensation pending',
    'compensation settled',
  ]);
});

it('logs that an order was resumed, and nothing while a history is replayed', async () => {
  const request = await newRequest();
  const order = await shop.place(request);
  const handle = shop.temporal.client.workflow.getHandle(orderWorkflowId(request.orderId));
  await handle.terminate();
  await shop.workflows.execute(requestOf(order!), COMMANDS.cancel, { ...newCommand(), reason: null });
  await eventually(async () => expect(messagesOf(request.orderId)).toHaveLength(3));
  expect(messagesOf(request.orderId)).toEqual(['order placed', 'order resumed', 'order cancelled']);

  await handle.result();
  const before = logged.length;
  const history = await shop.temporal.client.workflow
    .getHandle(orderWorkflowId(request.orderId))
    .fetchHistory();
  const { sinks } = createWorkflowCoverage();
  await Worker.runReplayHistory(
    { workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! }, sinks },
    history,
  );
  const since = logged.slice(before).filter(({ meta }) => meta?.sdkComponent === 'workflow');
  expect(since).toEqual([]);
});
