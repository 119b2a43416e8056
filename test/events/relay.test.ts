import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type mongo } from 'mongoose';
import { erasedOrder } from '../../src/domain/erasing';
import { eventIdOf, orderEventTypes } from '../../src/domain/events';
import { beginFeed } from '../../src/events/begin-feed';
import type { EventDocument, RelayDocument } from '../../src/events/events.model';
import type { Lead } from '../../src/events/lead';
import { orderAt } from '../../src/events/sources/orders.source';
import { createTransact, type Transact } from '../../src/mongodb/transaction';
import { createOrderRepository, type OrderRepository } from '../../src/orders/orders.repository';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { live, orderLives, versionsOf, type Life } from '../support/order-lives';
import { keepRelaying, startRelay, type RelayOptions, type RelayRepository } from '../support/relay';

let db: TestDatabase;
let orders: OrderRepository;
let transact: Transact;
beforeAll(async () => {
  db = await openTestDatabase({ own: true });
  orders = createOrderRepository(db.connection);
  transact = createTransact(db.connection);
  await beginFeed(db.connection);
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
  const found = await events()
    .find({}, { projection: { position: 1 } })
    .sort({ position: 1 })
    .toArray();
  const positions = found.map(({ position }) => position);
  expect(positions).toEqual(positions.map((_, n) => n + 1));
  expect((await relayState().findOne())!.position).toBe(positions.length);
}

/**
 * Has the relay run until the feed has these orders, and it has saved how far it has come: a sweep that is interrupted does
 * that at its end only, and another one would not look at orders as old as those of the tests.
 */
async function relayed(lives: readonly Life[], options?: RelayOptions): Promise<void> {
  const before = (await relayState().findOne())?.token ?? null;
  const relay = keepRelaying(db.connection, options);
  const done = async () => {
    await expectRelayed(lives);
    await eventually(async () => {
      const { token } = (await relayState().findOne())!;
      expect(token).not.toBeNull();
      expect(token).not.toEqual(before);
    });
  };
  await done().finally(() => relay.stop());
}

it('has each version of every order once, in the order of the commits', async () => {
  const committed: string[] = [];
  const stream = db.connection.collection('orders').watch();
  await stream.tryNext();
  const lives = orderLives(20);
  const relay = keepRelaying(db.connection);
  await liveAll(lives);
  const last = new Map<string, number>();
  const count = lives.reduce((sum, life) => sum + versionsOf(life).length, 0);
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
  await expectComplete(lives);
  await relay.stop();
  const found = await events()
    .find({ _id: { $in: committed } })
    .sort({ position: 1 })
    .toArray();
  expect(found.map(({ _id }) => _id)).toEqual(committed);
});

it('has each version of what was written before anybody has relayed, since the set-up has begun the feed', async () => {
  await Promise.all([events().deleteMany(), relayState().deleteMany()]);
  await beginFeed(db.connection);
  const lives = orderLives(3);
  await liveAll(lives);
  await beginFeed(db.connection); // a later set-up changes nothing
  await relayed(lives);
  await expectComplete(lives);
});

class Killed extends Error {}

/** Relays until it is killed, at the moment of that number: before or after a read or a write, or before a commit. */
function relayUntil(moment: number) {
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
    transact: (work) => transact((session) => around(() => work(session))),
    sabotage: ({ takeOver, append, lacking, availability, shortenExpiry }): RelayRepository => ({
      shortenExpiry,
      takeOver: () => around(takeOver),
      append: (...args) => around(() => append(...args)),
      lacking: (...args) => around(() => lacking(...args)),
      availability: () => around(availability),
    }),
  });
  const killed = relay.ended.then(
    () => false,
    (error: unknown) => {
      expect(error).toBeInstanceOf(Killed);
      return true;
    },
  );
  return {
    /** Returns whether it is killed before the feed has these orders. */
    isKilledBefore: (lives: readonly Life[]) =>
      Promise.race([killed, expectRelayed(lives).then(() => false)]),

    async stop(): Promise<void> {
      await relay.stop().catch(() => undefined);
      await killed;
    },
  };
}

/** How many moments there are until it relays, and with each transaction. */
const [TAKEOVER, TRANSACTION] = [4, 6];

/** Has work done with a relay that is killed, at each of its moments in turn. Returns how many there are. */
async function killedAtEach(
  work: (relay: () => ReturnType<typeof relayUntil>) => Promise<boolean>,
  moment = 0,
): Promise<number> {
  while (await work(() => relayUntil(moment))) moment++;
  return moment;
}

it('loses nothing and tells nothing twice, wherever it is killed', async () => {
  const moments = await killedAtEach(async (start) => {
    const [first, second] = [orderLives(1), orderLives(1)];
    await liveAll(first);
    const relay = start();
    const isKilledEarly = await relay.isKilledBefore(first);
    await liveAll(second);
    const isKilled = isKilledEarly || (await relay.isKilledBefore(second));
    await relay.stop();
    await relayed([...first, ...second]);
    await expectComplete([...first, ...second]);
    return isKilled;
  });
  expect(moments).toBeGreaterThanOrEqual(TAKEOVER + 2 * TRANSACTION);
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
    await expect(frozen.ended).resolves.toBe('superseded');
    await other.stop();
  },
);

/** Makes the token one of a time that the oplog does not have any more. */
async function loseToken(): Promise<void> {
  const { token } = (await relayState().findOne())! as { token: { _data: string } };
  const [kind, , rest] = [token._data.slice(0, 2), token._data.slice(2, 10), token._data.slice(10)];
  await relayState().updateOne({}, { $set: { token: { _data: `${kind}50000000${rest}` } } });
}

/** Returns lives of now: those that the model has made are of yesterday. */
function recentLives(count: number): Life[] {
  const now = Date.now();
  return orderLives(count).map((life) =>
    life.map((order, n) => ({ ...order, createdAt: iso(now), updatedAt: iso(now + n) })),
  );
}

const iso = (ms: number) => new Date(ms).toISOString();

/** Makes the writes of which the change stream cannot tell any more, and some others, and returns the lives. */
async function liveUnseen(): Promise<Life[]> {
  const [seen, unseen] = [recentLives(1), recentLives(1)];
  const archived = recentLives(1).map((life) => [...life, archivedLast(life)]);
  const before = seen.map((life) => life.slice(0, 2));
  await liveAll(before);
  await relayed(before);
  await loseToken();
  for (const life of seen) for (const order of life.slice(2)) expect(await orders.save(order)).toBe(true);
  await liveAll([...unseen, ...archived]);
  return [...seen, ...unseen, ...archived];
}

/** Fails unless the feed has all that happened to these orders once, be it that some versions are told together. */
async function expectToldTogether(lives: readonly Life[]): Promise<void> {
  for (const life of lives) {
    const versions = versionsOf(life);
    const at = (version: number | null) => versions.find((order) => order.version === version) ?? null;
    const found = await feedOf(life);
    expect(found.map(({ follows }) => follows)).toEqual([
      null,
      ...found.slice(0, -1).map(({ version }) => version),
    ]);
    for (const event of found) {
      const { _id, object, version, types, follows } = event;
      expect(_id).toBe(eventIdOf(object, version));
      expect(types).toEqual(orderEventTypes(at(follows), at(version)!));
      expect(orderAt(event)).toEqual({ ...at(version)!, commands: [], intention: null });
    }
    expect(found.at(-1)!.version).toBe(life.at(-1)!.version);
  }
  await expectNoHoles();
}

it('looks for what it has missed when the change stream cannot tell any more, and follows it again', async () => {
  const lives = await liveUnseen();
  const { token: lost } = (await relayState().findOne())!;
  const relay = keepRelaying(db.connection);
  await expectRelayed(lives);
  await eventually(async () => expect((await relayState().findOne())!.token).not.toEqual(lost));
  await expectToldTogether(lives);
  const later = orderLives(2);
  await liveAll(later);
  await expectComplete(later);
  await relay.stop();
});

it('misses nothing and tells nothing twice, wherever it is killed while it looks', async () => {
  const moments = await killedAtEach(async (start) => {
    const lives = await liveUnseen();
    const relay = start();
    const isKilled = await relay.isKilledBefore(lives);
    await relay.stop();
    await relayed(lives);
    await expectToldTogether(lives);
    return isKilled;
  }, TAKEOVER);
  expect(moments).toBeGreaterThanOrEqual(TAKEOVER + 2 * TRANSACTION);
});

function archivedLast(life: Life) {
  const last = life.at(-1)!;
  const { version, revision, updatedAt } = last;
  return { ...last, version: version + 1, revision: revision + 1, archivedAt: updatedAt };
}

it('has events expire in their order, also when they are kept for less long than before', async () => {
  const [before, after] = [orderLives(1), orderLives(1)];
  await liveAll(before);
  await relayed(before);
  await liveAll(after);
  await relayed(after, { retentionMs: 7 * DAY_MS });
  const found = await events().find().sort({ position: 1 }).toArray();
  const expiries = found.map(({ expiresAt }) => expiresAt.getTime());
  expect(expiries).toEqual(expiries.toSorted((a, b) => a - b));
  expect(expiries.at(-1)).toBeLessThanOrEqual(Date.now() + 7 * DAY_MS);
});

const DAY_MS = 86_400_000;

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
    for (let round = 0; round < 2; round++) {
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
