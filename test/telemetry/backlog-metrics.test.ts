import { randomBytes } from 'node:crypto';
import { createMetrics } from '../../src/telemetry/metrics';
import { measureBacklog } from '../../src/telemetry/backlog-metrics';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { createDeployment } from '../../src/versions/deployment';
import { ORDER_WORKFLOW, orderWorkflowId } from '../../workflows/contract';
import { orderPolicy } from '../support/commands';
import { testConfig, testWorkerConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { parseExposition, type Exposition } from '../support/exposition';
import { openShop, orderRequest } from '../support/shop';
import { taskQueueEnv } from '../support/task-queues';

const clients: TemporalClient[] = [];
afterAll(() => Promise.all(clients.map((client) => client.close())));

/** Of the workers that poll, only the last that did counts: others would be taken for gone after a minute and a half. */
const GONE_MS = 1;

async function measured(taskQueue: string, env: NodeJS.ProcessEnv = {}) {
  const config = testConfig({ ...taskQueueEnv(taskQueue), ...env });
  const temporal = createTemporalClient(config.temporal, createDataConverter([]));
  clients.push(temporal);
  const { meter, text } = await createMetrics();
  measureBacklog(meter, config.temporal, temporal, GONE_MS);
  return { temporal, told: async () => parseExposition(await text()) };
}

/** Returns the values by queue and type. */
const valuesOf = ({ all }: Exposition, name: string) =>
  Object.fromEntries(
    all(name).map(({ labels, value }) => [`${labels.task_queue} ${labels.task_type}`, value]),
  );

it('tells what waits for workers that are not there, and for how long', async () => {
  const queue = `test-${randomBytes(8).toString('hex')}`;
  const { temporal } = await measured(queue);
  const request = orderRequest({ items: [{ productServiceId: 'ps_unknown', quantity: 1 }] });
  const handle = await temporal.client.workflow.start(ORDER_WORKFLOW, {
    workflowId: orderWorkflowId(request.orderId),
    taskQueue: queue,
    args: [request, orderPolicy(queue)],
  });
  await eventually(async () => {
    const { told } = await measured(queue); // anew, since what is known holds for a while
    const metrics = await told();
    expect(metrics.value('temporal_up')).toBe(1);
    expect(valuesOf(metrics, 'temporal_task_queue_backlog')).toEqual({
      [`${queue} workflow`]: 1,
      [`${queue} activity`]: 0,
      [`${queue}-payments activity`]: 0,
      [`${queue}-events activity`]: 0,
    });
    const ages = valuesOf(metrics, 'temporal_task_queue_backlog_age_seconds');
    expect(Object.values(ages).map((age) => age > 0)).toEqual([true, false, false, false]);
    expect(new Set(Object.values(valuesOf(metrics, 'temporal_task_queue_pollers')))).toEqual(new Set([0]));
    expect(metrics.value('temporal_workflows_without_workers')).toBe(1);
  });
  await handle.terminate();
});

it('tells which queues workers poll', async () => {
  const shop = await openShop({ own: true });
  await shop.startWorker(); // of orders and payments, and of no events
  await eventually(async () => {
    const { told } = await measured(shop.taskQueue);
    const pollers = valuesOf(await told(), 'temporal_task_queue_pollers');
    expect(Object.values(pollers).map((count) => count > 0)).toEqual([true, true, true, false]);
  });
  await shop.close();
});

it('counts the orders that wait for workers of their version, while those of another one poll', async () => {
  const shop = await openShop({ own: true });
  const product = await shop.sell();
  const place = () => shop.place(orderRequest({ items: [{ productServiceId: product.id, quantity: 1 }] }));
  const expectWaiting = (waiting: number, canStart = true) =>
    eventually(async () => {
      const metrics = await (await measured(shop.taskQueue)).told();
      expect(metrics.value('temporal_workflows_without_workers')).toBe(waiting);
      const pollers = valuesOf(metrics, 'temporal_task_queue_pollers');
      expect(pollers[`${shop.taskQueue} workflow`]! > 0).toBe(canStart);
    });
  const version = (name: string) => shop.startWorker(undefined, undefined, { WORKER_BUILD_ID: name });
  const old = await version('old');
  await place();
  await place();
  await expectWaiting(0);

  await old.stop();
  const next = await version('next');
  await place();
  await expectWaiting(2);

  // Back on the version before, whose workers are not there yet, while those of the next one still poll.
  const config = testWorkerConfig(taskQueueEnv(shop.taskQueue));
  await createDeployment(shop.temporal.client, config).setCurrent('old', true);
  await shop.workflows.start(orderRequest({ items: [{ productServiceId: product.id, quantity: 1 }] }));
  await expectWaiting(3, false);

  await next.stop();
  await version('old');
  await expectWaiting(1);
  await shop.close();
});

it('tells that Temporal does not answer, and nothing of the queues then, also while the process stops', async () => {
  const { told, temporal } = await measured('orders', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  const metrics = told();
  await temporal.close(); // waits: an attempt after it would end the process
  expect((await metrics).samples).toEqual([{ name: 'temporal_up', labels: {}, value: 0 }]);
});
