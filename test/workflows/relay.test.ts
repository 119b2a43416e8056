import type { EventDocument, RelayDocument } from '../../src/events/events.model';
import { RELAY_WORKFLOW } from '../../workflows/contract';
import { currentDetailsOf } from '../support/current-details';
import { startEventWorker } from '../support/event-worker';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { live, orderLives, versionsOf, type Life } from '../support/order-lives';
import { openShop, type Shop } from '../support/shop';
import { eventsTaskQueueOf } from '../support/task-queues';
import { installRuntime } from '../support/worker';
import { createTransact } from '../../src/mongodb/transaction';

let shop: Shop;
beforeAll(async () => {
  installRuntime();
  shop = await openShop({ own: true });
  await shop.startWorker();
});
afterAll(() => shop.close());

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
  const eventsTaskQueue = eventsTaskQueueOf(taskQueue);
  const workflowId = `${taskQueue}-relay`;
  const first = await startEventWorker(shop);
  const handle = await temporal.client.workflow.start(RELAY_WORKFLOW, {
    workflowId,
    taskQueue,
    args: [{ eventsTaskQueue }],
  });
  await expectFollowing();
  expect(await currentDetailsOf(handle)).toMatch(/^\*\*Now\*\*, since \S+Z: Makes events .*#events-lag\.$/s);
  const before = await write(3);
  await expectInFeed(before);
  const second = await startEventWorker(shop);
  const { term } = (await relayState())!;
  await first.stop(); // it would wait for minutes if the relay did not end then
  const meanwhile = await write(3);
  await expectInFeed(meanwhile);
  expect((await relayState())!.term).toBeGreaterThan(term);
  await second.stop();
  await handle.terminate('The test is over.');
  await recordHistory('relay-on-another-worker', handle);
});

it('ends when another run has taken over, which continues alone', async () => {
  const { temporal, taskQueue } = shop;
  const eventsTaskQueue = eventsTaskQueueOf(taskQueue);
  const worker = await startEventWorker(shop);
  const start = (name: string) =>
    temporal.client.workflow.start(RELAY_WORKFLOW, {
      workflowId: `${taskQueue}-relay-${name}`,
      taskQueue,
      args: [{ eventsTaskQueue }],
    });
  const before = (await relayState())?.term ?? 0;
  const first = await start('first');
  await eventually(async () => expect((await relayState())?.term).toBe(before + 1));
  const second = await start('second');
  await first.result();
  await recordHistory('relay-superseded', first);
  await expectInFeed(await write(3));
  expect((await second.describe()).status.name).toBe('RUNNING');
  expect((await relayState())!.term).toBe(before + 2);
  await second.terminate('The test is over.');
  await worker.stop();
});
