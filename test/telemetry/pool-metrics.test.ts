import { once } from 'node:events';
import { Mongoose } from 'mongoose';
import { createMetrics } from '../../src/telemetry/metrics';
import { measurePool } from '../../src/telemetry/pool-metrics';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually, HANG_MS } from '../support/eventually';
import { parseExposition } from '../support/exposition';
import { openMongodbProxy } from '../support/mongodb-proxy';

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

/** Measures a connection of its own. */
async function measuring(connectFirst: boolean, options: object, uri = db.uri) {
  const connection = new Mongoose({ bufferCommands: false }).createConnection();
  const { meter, text } = await createMetrics();
  const told = async () => parseExposition(await text());
  const open = () => connection.openUri(uri, { autoIndex: false, autoCreate: false, ...options });
  if (connectFirst) await open();
  measurePool(meter, connection);
  return {
    connection,
    open,
    isUp: async () => (await told()).value('mongodb_up'),
    async states() {
      const { value } = await told();
      const [idle, used, pending] = ['idle', 'used', 'pending'].map((state) =>
        value('mongodb_pool_connections', { state }),
      );
      return { idle, used, pending };
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** Has the only connection wait for a change until what this returns makes one. */
async function hold({ connection, states }: Awaited<ReturnType<typeof measuring>>) {
  const changes = connection.collection('pool_test').watch([], { maxAwaitTimeMS: HANG_MS });
  const isChanged = changes.hasNext();
  isChanged.catch(() => undefined);
  // The first batch comes at once, the next one does not.
  await once(connection.getClient(), 'connectionCheckedIn');
  await eventually(async () => expect(await states()).toEqual({ idle: 0, used: 1, pending: 0 }));
  return async () => {
    await db.connection.collection('pool_test').insertOne({});
    expect(await isChanged).toBe(true);
    return changes;
  };
}

it('tells which connections are used, and who waits for one, until there is one', async () => {
  await using pool = await measuring(true, { maxPoolSize: 1 });
  const release = await hold(pool);
  const waiting = pool.connection.db!.command({ ping: 1 });
  await eventually(async () => expect(await pool.states()).toEqual({ idle: 0, used: 1, pending: 1 }));
  const changes = await release();
  await waiting;
  await changes.close();
  expect(await pool.states()).toEqual({ idle: 1, used: 0, pending: 0 });
});

it('counts nobody who has given up waiting', async () => {
  await using pool = await measuring(true, { maxPoolSize: 1, waitQueueTimeoutMS: 100 });
  const release = await hold(pool);
  await expect(pool.connection.db!.command({ ping: 1 })).rejects.toThrow(/Timed out while checking out/);
  expect(await pool.states()).toEqual({ idle: 0, used: 1, pending: 0 });
  await (await release()).close();
});

it('tells 0 before there is a connection and while MongoDB is away, and 1 while there is one', async () => {
  const proxy = await openMongodbProxy();
  const uri = new URL(db.uri);
  uri.host = `127.0.0.1:${proxy.port}`;
  uri.searchParams.set('directConnection', 'true');
  await using pool = await measuring(
    false,
    { serverSelectionTimeoutMS: 500, heartbeatFrequencyMS: 500 },
    uri.href,
  );
  const { connection, open, isUp, states } = pool;
  expect([await isUp(), await states()]).toEqual([0, { idle: 0, used: 0, pending: 0 }]);
  await open();
  await connection.db!.command({ ping: 1 });
  expect([await isUp(), await states()]).toEqual([1, { idle: 1, used: 0, pending: 0 }]);
  await proxy.close();
  await eventually(async () =>
    expect([await isUp(), await states()]).toEqual([0, { idle: 0, used: 0, pending: 0 }]),
  );
  const again = await openMongodbProxy(proxy.port);
  await eventually(async () => {
    await connection.db!.command({ ping: 1 });
    expect([await isUp(), await states()]).toEqual([1, { idle: 1, used: 0, pending: 0 }]);
  });
  await connection.close();
  await again.close();
});
