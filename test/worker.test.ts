import { openShop, orderRequest } from './support/shop';
import { taskQueueEnv } from './support/worker';
import { main } from '../src/worker';

const env = { NODE_ENV: 'test', LOG_LEVEL: 'silent' };
const bundle = process.env.TEST_WORKFLOW_BUNDLE!;

it('works until SIGTERM', async () => {
  const shop = await openShop();
  try {
    const { uri: MONGODB_URI } = shop.db;
    const { TEMPORAL_ADDRESS } = process.env;
    const done = main({ ...env, ...taskQueueEnv(shop.taskQueue), MONGODB_URI, TEMPORAL_ADDRESS }, bundle);
    const { id } = await shop.sell();
    const placed = await shop.workflows.place(
      orderRequest({ items: [{ productServiceId: id, quantity: 1 }] }),
    );
    expect(placed).toMatchObject({ status: 'confirmed' });
    process.emit('SIGTERM');
    await done;
  } finally {
    await shop.close();
  }
});

it('waits for servers that are not there yet, and can be stopped meanwhile', async () => {
  const dead = { MONGODB_URI: 'mongodb://127.0.0.1:1/?replicaSet=rs0', TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const done = main({ ...env, ...dead }, bundle);
  await new Promise((resolve) => setTimeout(resolve, 500));
  process.emit('SIGTERM');
  await done;
});

it('refuses to start on a wrong configuration', async () => {
  await expect(main(env, bundle)).rejects.toThrow('MONGODB_URI');
});
