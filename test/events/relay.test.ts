import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type mongo } from 'mongoose';
import { erasedOrder } from '../../src/domain/erasing';
import { eventIdOf, orderEventTypes } from '../../src/domain/events';
import { beginFeed } from '../../src/events/begin-feed';
import type { EventDocument, RelayDocument } from '../../src/events/events.model';
import { Superseded, type Lead } from '../../src/events/lead';
import { orderAt } from '../../src/events/sources/orders.source';
import { createTransact, type Transact } from '../../src/mongodb/transaction';
import { createOrderRepository, type OrderRepository } from '../../src/orders/orders.repository';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { live, orderLives, versionsOf, type Life } from '../support/order-lives';
import { keepRelaying, startRelay, type RelayRepository } from '../support/relay';

let db: TestDatabase;
let orders: OrderRepository;
let transact: Transact;
beforeAll(async () => {
  db = await openTestDatabase({ own: true });
  orders = createOrderRepository(db.connection);
  transact = createTransact(db.connection);
});
afterAll(() => db.drop());

const events = () => db.connection.collection<EventDocument>('events');
const relayState = () => db.connection.collection<RelayDocument>('relay');

const liveAll = (lives: readonly Life[]) => Promise.all(lives.map((life) => live(orders, transact, life)));

/** Returns the events of an order, as the feed has them. */
const feedOf = ([first]: Life) => events().find({ object: first!.id }).sort({ position: 1 }).toArray();

/** Waits until the feed has the last version of each order. */
async function expectRelayed(lives: readonly Life[]): Promise<void> {
  const last = lives.map((life) => eventIdOf(life[0]!.id, life.at(-1)!.version));
  await eventually(async () =>
    expect(await events().countDocuments({ _id: { $in: last } })).toBe(last.length),
  );
}

/** Fails unless the feed has each version of these orders exactly once, as it was written, and has no hole anywhere. */
async function expectComplete(lives: readonly Life[]): Promise<void> {
  await expectRelayed(lives);
  for (const life of lives) {
    const versions = versionsOf(life);
    const found = await feedOf(life);
    expect(found.map(({ _id, version, follows }) => [_id, version, follows])).toEqual(
      versions.map(({ id, version }) => [
        eventIdOf(id, version),
        version,
        version === 1 ? null : version - 1,
      ]),
    );
    expect(found.map(({ types }) => types)).toEqual(
      versions.map((order, n) => orderEventTypes(versions[n - 1] ?? null, order)),
    );
    expect(found.map(orderAt)).toEqual(
      versions.map((order) => ({ ...order, commands: [], intention: null })),
    );
  }
  await expectNoHoles();
}

async function expectNoHoles(): Promise<void> {
  const positions = (await events().find().sort({ position: 1 }).toArray()).map(({ position }) => position);
  expect(positions).toEqual(positions.map((_, n) => n + 1));
  expect((await relayState().findOne())!.position).toBe(positions.length);
}

/** Has the relay run until the feed has these orders. */
async function relayed(lives: readonly Life[]): Promise<void> {
  const relay = keepRelaying(db.connection);
  await expectRelayed(lives);
  await relay.stop();
}

it('has each version of every order once, in the order of the commits', async () => {
  const committed: string[] = [];
  const stream = db.connection.collection('orders').watch();
  const lives = orderLives(30);
  // Some are there before anybody has ever relayed.
  await liveAll(lives.slice(0, 5));
  await relayed(lives.slice(0, 5));
  await stream.tryNext();
  const relay = keepRelaying(db.connection);
  await liveAll(lives.slice(5));
  const last = new Map<string, number>();
  const count = lives.slice(5).reduce((sum, life) => sum + versionsOf(life).length, 0);
  while (committed.length < count) {
    const change = (await stream.next()) as mongo.ChangeStreamReplaceDocument<{
      _id: string;
      version: number;
    }>;
    const { _id, version } = change.fullDocument;
    if (version <= (last.get(_id) ?? 0)) continue;
    last.set(_id, version);
    committed.push(eventIdOf(_id, version));
  }
  await stream.close();
  await expectComplete(lives.slice(5));
  await relay.stop();
  const found = await events()
    .find({ _id: { $in: committed } })
    .sort({ position: 1 })
    .toArray();
  expect(found.map(({ _id }) => _id)).toEqual(committed);
});

it('has each version of what was written before anybody has relayed, since the set-up has begun the feed', async () => {
  const fresh = await openTestDatabase({ own: true });
  await beginFeed(fresh.connection);
  const lives = orderLives(3);
  const [repository, transactFresh] = [
    createOrderRepository(fresh.connection),
    createTransact(fresh.connection),
  ];
  await Promise.all(lives.map((life) => live(repository, transactFresh, life)));
  await beginFeed(fresh.connection); // a later set-up changes nothing
  const relay = keepRelaying(fresh.connection);
  const wanted = lives.flatMap((life) => versionsOf(life).map(({ id, version }) => eventIdOf(id, version)));
  const feed = fresh.connection.collection<EventDocument>('events');
  await eventually(async () => expect((await feed.distinct('_id')).sort()).toEqual(wanted.sort()));
  await relay.stop();
  await fresh.drop();
});

class Killed extends Error {}

it('loses nothing, wherever it is killed, and tells nothing twice', async () => {
  let isReached = true;
  for (let moment = 0; isReached; moment++) {
    const lives = orderLives(2);
    await liveAll(lives);
    let reached = 0;
    const arrive = () => {
      if (reached++ === moment) throw new Killed();
    };
    const around = async <T>(work: () => Promise<T>): Promise<T> => {
      arrive();
      const result = await work();
      arrive();
      return result;
    };
    const relay = startRelay(db.connection, {
      transact: (work) =>
        transact(
          (session) => around(() => work(session)), // before the commit, and so for nothing
        ),
      sabotage: ({ takeOver, append, lacking, availability }): RelayRepository => ({
        takeOver: () => around(takeOver),
        append: (...args) => around(() => append(...args)),
        lacking: (...args) => around(() => lacking(...args)),
        availability: () => around(availability),
      }),
    });
    isReached = await Promise.race([
      relay.ended.then(
        () => false,
        (error: unknown) => {
          expect(error).toBeInstanceOf(Killed);
          return true;
        },
      ),
      expectRelayed(lives).then(() => false),
    ]);
    await relay.stop().catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
    await relayed(lives);
    await expectComplete(lives);
    expect(moment).toBeLessThan(100);
  }
});

/** Something that waits until it is let go. */
function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let arrive!: () => void;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  return { opened, open, arrived, arrive };
}

it.each(['before', 'in the midst of', 'after'] as const)(
  'has one leader: one that was frozen %s its transaction writes nothing twice when it continues',
  async (when) => {
    const { opened, open, arrived, arrive } = gate();
    let isFirst = true;
    const freeze = async (now: typeof when) => {
      if (now !== when || !isFirst) return;
      isFirst = false;
      arrive();
      await opened;
    };
    const frozen = startRelay(db.connection, {
      transact: (work) =>
        transact(async (session) => {
          const result = await work(session);
          await freeze('in the midst of');
          return result;
        }),
      sabotage: (repository) => ({
        ...repository,
        async append(lead: Lead, ...rest) {
          await freeze('before');
          const next = await repository.append(lead, ...rest);
          await freeze('after');
          return next;
        },
      }),
    });
    const lives = orderLives(5);
    await liveAll(lives);
    await arrived;
    const other = keepRelaying(db.connection);
    // What another transaction holds, the new leader waits for.
    if (when !== 'in the midst of') await expectRelayed(lives);
    open();
    const more = orderLives(5);
    await liveAll(more);
    await expectComplete([...lives, ...more]);
    await expect(frozen.ended).rejects.toThrow(Superseded);
    await other.stop();
  },
);

/** Makes the token one of a time that the oplog does not have any more. */
async function loseToken(): Promise<void> {
  const { token } = (await relayState().findOne())! as { token: { _data: string } };
  const [kind, , rest] = [token._data.slice(0, 2), token._data.slice(2, 10), token._data.slice(10)];
  await relayState().updateOne({}, { $set: { token: { _data: `${kind}50000000${rest}` } } });
}

it('looks for what it has missed when the change stream cannot tell any more', async () => {
  const [seen, unseen, archived] = [orderLives(4), orderLives(4), orderLives(1)];
  // Those that the model has made are of yesterday.
  const now = Date.now();
  const recent = (lives: Life[]) =>
    lives.map((life) => life.map((order, n) => ({ ...order, createdAt: iso(now), updatedAt: iso(now + n) })));
  const begun = recent(seen);
  const [before, after] = [begun.map((life) => life.slice(0, 2)), begun.map((life) => life.slice(2))];
  await liveAll(before);
  await relayed(before);
  await loseToken();
  for (const life of after) for (const order of life) expect(await orders.save(order)).toBe(true);
  const others = [...recent(unseen), ...recent(archived).map((life) => [...life, archivedLast(life)])];
  await liveAll(others);
  await relayed([...begun, ...others]);
  const later = orderLives(2);
  await liveAll(later);
  await relayed(later);
  await expectComplete(later);
  for (const life of [...begun, ...others]) {
    const found = await feedOf(life);
    const versions = versionsOf(life);
    expect(found.at(-1)!.version).toBe(life.at(-1)!.version);
    expect(orderAt(found.at(-1)!).status).toBe(life.at(-1)!.status);
    // What was not seen is told together.
    for (const [n, { version, types, follows }] of found.entries()) {
      const previous = found[n - 1]?.version ?? null;
      expect(follows).toBe(previous);
      const known = versions.find((order) => order.version === previous) ?? null;
      expect(types).toEqual(
        orderEventTypes(
          known,
          versions.find((order) => order.version === version)!,
        ),
      );
    }
  }
});

const iso = (ms: number) => new Date(ms).toISOString();

function archivedLast(life: Life) {
  const last = life.at(-1)!;
  const { version, revision, updatedAt } = last;
  return { ...last, version: version + 1, revision: revision + 1, archivedAt: updatedAt };
}

it('erases the earlier events of an order whose customer is erased, and nothing else of them', async () => {
  const address = { name: 'Zoe Canary', line1: 'Canary Row 1', city: 'Monterey', country: 'US' };
  const [life] = orderLives(1).map((one) =>
    one.map((order) => ({
      ...order,
      note: 'Canary',
      shippingAddress: address,
      metadata: { canary: 'Canary' },
    })),
  );
  await live(orders, transact, life!);
  await relayed([life!]);
  const last = life!.at(-1)!;
  const before = await feedOf(life!);
  expect(JSON.stringify(before)).toContain('Canary');
  const erased = { ...erasedOrder(last, iso(Date.now())), revision: last.revision + 1 };
  expect(await orders.save(erased)).toBe(true);
  await relayed([[erased]]);
  const after = await feedOf(life!);
  expect(after.at(-1)).toMatchObject({ type: 'order.erased', version: erased.version });
  expect(JSON.stringify(after)).not.toContain('Canary');
  const kept = ({ _id, position, types, at, version, order }: EventDocument) => {
    return { _id, position, types, at, version, total: order!.total, status: order!.status };
  };
  expect(after.slice(0, -1).map(kept)).toEqual(before.map(kept));
});

it('survives processes that are killed and frozen at any time, two at once', async () => {
  const processes = new Set<ChildProcess>();
  const start = async () => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join(__dirname, '../support/relay-process.ts')],
      {
        env: { ...process.env, MONGODB_URI: db.uri },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    processes.add(child);
    await once(child.stdout, 'data');
    return child;
  };
  let [one, other] = await Promise.all([start(), start()]);
  const lives: Life[] = [];
  const write = async () => {
    const more = orderLives(10);
    lives.push(...more);
    await liveAll(more);
  };
  try {
    for (let round = 0; round < 3; round++) {
      one.kill('SIGSTOP');
      await write();
      one.kill('SIGCONT');
      const writing = write();
      await delay(300 * Math.random()); // at any moment
      other.kill('SIGKILL');
      await writing;
      other = await start();
      [one, other] = [other, one];
    }
    await write();
    await expectComplete(lives);
  } finally {
    for (const child of processes) child.kill('SIGKILL');
  }
});
