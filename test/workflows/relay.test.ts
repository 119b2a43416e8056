import { NativeConnection, Worker } from '@temporalio/worker';
import type { EventDocument, RelayDocument } from '../../src/events/events.model';
import { createActivities } from '../../src/worker/activities';
import { buildIdOf, workerOptions } from '../../src/worker/options';
import { RELAY_WORKFLOW } from '../../workflows/contract';
import { testWorkerConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { live, orderLives, versionsOf, type Life } from '../support/order-lives';
import { openShop, type Shop } from '../support/shop';
import { taskQueueEnv } from '../support/task-queues';
import { installRuntime } from '../support/worker';
import { createTransact } from '../../src/mongodb/transaction';

let shop: Shop;
beforeAll(async () => {
  installRuntime();
  shop = await openShop({ own: true });
  await shop.startWorker();
});
afterAll(() => shop.close());

const config = () => testWorkerConfig({ ...taskQueueEnv(shop.taskQueue), SHUTDOWN_TIMEOUT_MS: '600000' });

/** Starts a worker of the queue for events alone, as src/worker/run.ts does. */
async function startEventWorker() {
  const connection = await NativeConnection.connect({ address: config().temporal.address });
  const stopping = new AbortController();
  const deps = { connection: shop.db.connection, stopping: stopping.signal };
  const activities = createActivities('events', config(), deps);
  const buildId = await buildIdOf(process.env.TEST_WORKFLOW_BUNDLE!);
  const worker = await Worker.create({
    ...workerOptions('events', config(), { activities, buildId }),
    connection,
  });
  const running = worker.run();
  return {
    /** Ends it as SIGTERM does. */
    async stop() {
      stopping.abort();
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

async function write(count: number): Promise<Life[]> {
  const lives = orderLives(count);
  const transact = createTransact(shop.db.connection);
  await Promise.all(lives.map((life) => live(shop.orders, transact, life)));
  return lives;
}

async function expectInFeed(lives: readonly Life[]): Promise<void> {
  const wanted = lives.flatMap((life) => versionsOf(life).map(({ id, version }) => `evt_${id}_${version}`));
  const events = shop.db.connection.collection<EventDocument>('events');
  await eventually(async () =>
    expect(await events.countDocuments({ _id: { $in: wanted } })).toBe(wanted.length),
  );
}

const relayState = () => shop.db.connection.collection<RelayDocument>('relay').findOne();

/** Waits until the relay follows the change stream: what was there before is told together. */
const expectFollowing = () =>
  eventually(async () => expect(await relayState()).toMatchObject({ followedAt: expect.any(Date) as Date }));

it('has one worker relay, and the next one as soon as it stops', async () => {
  const { temporal, taskQueue } = shop;
  const eventsTaskQueue = config().temporal.eventsTaskQueue;
  const workflowId = `${taskQueue}-relay`;
  const first = await startEventWorker();
  const handle = await temporal.client.workflow.start(RELAY_WORKFLOW, {
    workflowId,
    taskQueue,
    args: [{ eventsTaskQueue }],
  });
  await expectFollowing();
  const before = await write(3);
  await expectInFeed(before);
  const second = await startEventWorker();
  const { term } = (await relayState())!;
  await first.stop(); // it would wait for minutes if the relay did not end then
  const meanwhile = await write(3);
  await expectInFeed(meanwhile);
  expect((await relayState())!.term).toBeGreaterThan(term);
  await second.stop();
  await handle.terminate('The test is over.');
  await recordHistory('relay-on-another-worker', handle);
});
