import { join } from 'node:path';
import { WEBHOOKS_WORKFLOW } from '../../workflows/contract';
import type { DeliveryDocument } from '../../src/webhooks/webhooks.model';
import type { NewEndpointView } from '../../src/webhooks/webhooks.schema';
import { eventually } from '../support/eventually';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { spawnNode, type NodeProcess } from '../support/process';
import { openReceiver, type Answering, type Receiver } from '../support/receiver';
import { keepRelaying } from '../support/relay';
import { eventsTaskQueueOf } from '../support/task-queues';

const PROCESS = join(__dirname, '..', 'support', 'event-worker-process.ts');
const PRODUCTS = 60;

let api: OrderApi;
let relay: ReturnType<typeof keepRelaying>;
const processes: NodeProcess[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => {
  const env = { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32' };
  api = await openOrderApi({ own: true, env });
  await api.shop.startWorker();
  relay = keepRelaying(api.db.connection);
  await relay.following;
});
afterAll(async () => {
  receivers.forEach((receiver) => receiver.close());
  for (const process of processes) process.kill('SIGKILL');
  await relay.stop();
  await api.close();
});

async function startWorker(): Promise<NodeProcess> {
  const worker = spawnNode(['--import', 'tsx', PROCESS], {
    ...process.env,
    MONGODB_URI: api.db.uri,
    TASK_QUEUE: api.shop.taskQueue,
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32',
  });
  processes.push(worker);
  await worker.line(/^worker started$/);
  return worker;
}

async function receive(answering?: Answering) {
  const receiver = await openReceiver(answering);
  receivers.push(receiver);
  const { body } = await api
    .call('post', '/webhook-endpoints', api.tokenOf('ADMIN'))
    .send({ url: receiver.url, types: ['product.created'] })
    .expect(201);
  return { receiver, endpoint: body.data as NewEndpointView };
}

it('delivers everything under one id each, though workers are killed in the middle of it', async () => {
  const { temporal, taskQueue } = api.shop;
  const workflow = await temporal.client.workflow.start(WEBHOOKS_WORKFLOW, {
    workflowId: `${taskQueue}-webhooks`,
    taskQueue,
    args: [{ eventsTaskQueue: eventsTaskQueueOf(taskQueue) }],
  });
  let worker = await startWorker();
  // Kills the worker when it has got some, before it is known there that they have arrived.
  let untilKilled = 5;
  const deadly = await receive((res) => {
    if (--untilKilled === 0) worker.kill('SIGKILL');
    else if (untilKilled > 0) res.end();
    else res.destroy();
  });
  const good = await receive();
  const sold = Promise.all(Array.from({ length: PRODUCTS }, () => api.shop.sell()));
  await worker.ended;
  const wanted = (await sold).map(({ id }) => `evt_${id}_1`).sort();

  untilKilled = PRODUCTS / 3;
  worker = await startWorker();
  await worker.ended;
  deadly.receiver.answerWith((res) => void res.end());
  worker = await startWorker();
  for (const { receiver, endpoint } of [deadly, good]) {
    await eventually(async () => expect([...new Set(receiver.ids())].sort()).toEqual(wanted));
    const deliveries = await api.db.connection
      .collection<DeliveryDocument>('webhook_deliveries')
      .find({ endpointId: endpoint.id })
      .toArray();
    expect(deliveries.map(({ eventId }) => eventId).sort()).toEqual(wanted);
  }
  await workflow.terminate('The test is over.');
});
