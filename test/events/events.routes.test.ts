import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { mongo } from 'mongoose';
import pino from 'pino';
import { createEventRepository } from '../../src/events/events.repository';
import { createEventService } from '../../src/events/events.service';
import type { EventView } from '../../src/events/events.presenter';
import { createEventWatch, MAX_WAITING } from '../../src/events/event-watch';
import type { OrderView } from '../../src/orders/order-view';
import { eventually, HANG_MS } from '../support/eventually';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { keepRelaying } from '../support/relay';
import { person, type Person } from '../support/signed-in-users';
import { tokenFor } from '../support/tokens';

interface FeedBody {
  data: EventView<OrderView>[];
  meta: { feed: { position: number; latest: number } };
}

let api: OrderApi;
let relay: ReturnType<typeof keepRelaying>;
let server: Server;
let admin: string;
let alice: Person;
let productId: string;
beforeAll(async () => {
  api = await openOrderApi();
  relay = keepRelaying(api.db.connection);
  await relay.following;
  const handle = api.app.callback();
  server = createServer((req, res) => void handle(req, res)).listen(0, '127.0.0.1');
  admin = api.tokenOf('ADMIN');
  alice = await person(api);
  productId = (await api.shop.sell({ available: 10_000 })).id;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await relay.stop();
  await api.close();
});

async function feed(query: string, headers: Record<string, string> = {}): Promise<FeedBody> {
  return (await api.call('get', `/events${query}`, admin).set(headers).expect(200)).body as FeedBody;
}

/** Returns the events of an order once the feed has its current version. */
async function historyOf(id: string, token = admin): Promise<EventView<OrderView>[]> {
  let events: EventView<OrderView>[] = [];
  await eventually(async () => {
    const { version } = (await api.call('get', `/orders/${id}`, admin).expect(200)).body.data as OrderView;
    const { body } = await api.call('get', `/orders/${id}/events?limit=100`, token).expect(200);
    events = (body as FeedBody).data;
    expect(events.at(-1)?.version).toBe(version);
  });
  return events;
}

const latest = async () => (await feed('?limit=1')).meta.feed.latest;

/** Returns where the feed is once it has everything that has been written. */
async function settled(): Promise<number> {
  const { id } = await api.placed(alice.accessToken, [productId, 1]);
  return (await historyOf(id)).at(-1)!.position!;
}

it('tells everything that happens to an order, with the order as it was then', async () => {
  const order = await api.completed(alice.accessToken, 2);
  const events = await historyOf(order.id);
  expect(events.map(({ types }) => types)).toEqual([
    ['order.placed'],
    ['order.confirmed', 'payment.authorized'],
    ['order.fulfilled', 'payment.captured'],
    ['order.completed', 'order.delivered'],
  ]);
  expect(events.map(({ id, follows, object }) => ({ id, follows, object }))).toEqual(
    [1, 2, 3, 4].map((version) => {
      return {
        id: `evt_${order.id}_${version}`,
        follows: version === 1 ? null : version - 1,
        object: order.id,
      };
    }),
  );
  expect(events.map(({ data }) => data.status)).toEqual(['pending', 'confirmed', 'confirmed', 'completed']);
  const { body } = await api.call('get', `/orders/${order.id}`, admin).expect(200);
  expect(events.at(-1)!.data).toEqual(body.data);
  const all = (await feed(`?after=${events[0]!.position! - 1}&limit=100`)).data;
  expect(all.filter(({ object }) => object === order.id)).toEqual(events);
});

it('misses no order of those that are placed while it is read', async () => {
  let position = await settled();
  const placed = Promise.all(
    Array.from({ length: 30 }, () => api.placed(alice.accessToken, [productId, 1])),
  ).then((orders) => orders.map(({ id }) => id as string));
  const confirmed: string[] = [];
  while (confirmed.length < 30) {
    const { data, meta } = await feed(`?after=${position}&types=order.confirmed&limit=7`, {
      Prefer: 'wait=20',
    });
    expect(data.every((event) => event.position! > position)).toBe(true);
    expect(meta.feed.position).toBeGreaterThanOrEqual(position);
    position = meta.feed.position;
    confirmed.push(...data.map(({ object }) => object));
  }
  expect(confirmed.sort()).toEqual((await placed).sort());
});

it('has types, with wildcards, and moves on where there are none', async () => {
  const before = await settled();
  const { id } = await api.placed(alice.accessToken, [productId, 1]);
  await api.call('post', `/orders/${id}/cancel`, alice.accessToken).send({}).expect(200);
  const after = (await historyOf(id)).at(-1)!.position!;
  const typesOf = async (types: string) =>
    (await feed(`?after=${before}&types=${types}`)).data
      .filter(({ object }) => object === id)
      .map(({ type }) => type);
  expect(await typesOf('order.cancelled')).toEqual(['order.cancelled']);
  expect(await typesOf('payment.*,order.placed')).toEqual([
    'order.placed',
    'order.confirmed',
    'payment.voided',
  ]);
  const none = await feed(`?after=${before}&types=user.erased`);
  expect(none.data).toEqual([]);
  expect(none.meta.feed.position).toBeGreaterThanOrEqual(after);
  await api.call('get', '/events?types=order.lost', admin).expect(400);
});

it('waits for the next event, but no longer than it is asked to', async () => {
  const after = await settled();
  const waiting = api
    .call('get', `/events?after=${after}&types=order.placed`, admin)
    .set('Prefer', 'wait=600');
  const response = waiting
    .expect(200)
    .expect('Preference-Applied', 'wait=20')
    .then(({ body }) => body as FeedBody);
  const { id } = await api.placed(alice.accessToken, [productId, 1]);
  expect((await response).data.map(({ object }) => object)).toEqual([id]);
  await historyOf(id);
  const nothing = await feed(`?after=${await latest()}`, { Prefer: 'wait=1' });
  expect(nothing.data).toEqual([]);
});

it('ends the wait of a client that is gone, and all waits when the server stops', async () => {
  const feed = createEventRepository(api.db.connection);
  const [stopping, leaving] = [new AbortController(), new AbortController()];
  const draining = stopping.signal;
  const { connected } = api.db.mongodb;
  const watch = createEventWatch({ feed, connected, logger: pino({ level: 'silent' }), draining });
  const service = createEventService({ feed, watch, draining });
  const after = await settled();
  const wait = (signal: AbortSignal) =>
    service.readOrWait({ after, types: ['user.erased'] }, 1, HANG_MS, { callerId: 'usr_1', signal });
  const left = Array.from({ length: MAX_WAITING }, () => wait(leaving.signal));
  await expect(wait(leaving.signal)).rejects.toMatchObject({ code: 'rate_limited' });
  leaving.abort();
  expect((await Promise.all(left)).flatMap(({ events }) => events)).toEqual([]);
  const served = wait(new AbortController().signal);
  expect(watch.isOpen()).toBe(true);
  stopping.abort();
  expect((await served).events).toEqual([]);
  expect(watch.isOpen()).toBe(false);
});

it('says so if what follows a position is not known any more', async () => {
  const now = await settled();
  const ahead = await api.call('get', `/events?after=${now + 1_000}`, admin).expect(410);
  expect(ahead.body).toMatchObject({
    code: 'position_gone',
    detail: expect.stringContaining(`up to ${now}`) as string,
  });
  await api.db.connection.collection('events').deleteMany({ position: { $lte: 3 } });
  const behind = await api.call('get', '/events?after=2', admin).expect(410);
  expect(behind.body).toMatchObject({
    code: 'position_gone',
    detail: expect.stringContaining('not kept') as string,
  });
  expect((await feed('?after=3&limit=1')).data[0]!.position).toBe(4);
  expect((await feed('?limit=1')).data[0]!.position).toBe(4);
});

it('shows customers their own orders, without what is for the staff', async () => {
  const order = await api.completed(alice.accessToken, 1);
  await api.call('delete', `/orders/${order.id}`, admin).expect(204);
  const [ours, theirs] = [await historyOf(order.id), await historyOf(order.id, alice.accessToken)];
  expect(ours.at(-1)).toMatchObject({
    type: 'order.archived',
    data: { archivedAt: expect.any(String) as string },
  });
  expect(theirs.at(-1)).toMatchObject({ type: 'order.updated', types: ['order.updated'] });
  const shown = JSON.stringify(theirs);
  for (const hidden of ['position', 'archivedAt', 'temporalUrl', 'order.archived'])
    expect(shown).not.toContain(hidden);
  const { body } = await api.call('get', `/orders/${order.id}`, alice.accessToken).expect(200);
  expect(theirs.at(-1)!.data).toEqual(body.data);
  const bob = await person(api);
  await api.call('get', `/orders/${order.id}/events`, bob.accessToken).expect(404);
  const path = `/orders/${order.id}/events?limit=3`;
  const first = (await api.call('get', path, alice.accessToken).expect(200)).body as {
    meta: { page: { nextCursor: string } };
  };
  const next = await api
    .call('get', `${path}&cursor=${first.meta.page.nextCursor}`, alice.accessToken)
    .expect(200);
  expect((next.body as FeedBody).data).toEqual(theirs.slice(3));
});

interface Frame {
  id: string;
  event: string;
  data: EventView<OrderView>;
}

/** Opens the stream of an order. */
async function open(id: string, token: string, headers: Record<string, string> = {}) {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${api.config.http.prefix}/orders/${id}/events`;
  const closing = new AbortController();
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream', ...headers },
    signal: closing.signal,
  });
  const frames: Frame[] = [];
  const ended = (async () => {
    let text = '';
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const parts = text.split('\n\n');
      text = parts.pop()!;
      for (const part of parts) {
        const fields = Object.fromEntries(part.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
        if (fields.data)
          frames.push({ ...fields, data: JSON.parse(fields.data as string) as object } as Frame);
      }
    }
  })();
  ended.catch(() => undefined);
  return { response, frames, ended, close: () => closing.abort() };
}

it('streams what has happened to an order and what happens next, and continues after the last that was seen', async () => {
  const { id } = await api.placed(alice.accessToken, [productId, 1]);
  const events = await historyOf(id, alice.accessToken);
  const stream = await open(id, alice.accessToken);
  expect(stream.response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
  await eventually(async () => expect(stream.frames.map(({ data }) => data)).toEqual(events));
  await api.call('post', `/orders/${id}/cancel`, alice.accessToken).send({}).expect(200);
  const all = await historyOf(id, alice.accessToken);
  await eventually(async () => expect(stream.frames.map(({ data }) => data)).toEqual(all));
  expect(stream.frames.map(({ id, event }) => [id, event])).toEqual(
    all.map(({ version, type }) => [String(version), type]),
  );
  stream.close();
  const again = await open(id, alice.accessToken, { 'Last-Event-ID': '2' });
  await eventually(async () => expect(again.frames.map(({ data }) => data)).toEqual(all.slice(2)));
  again.close();
  const bob = await person(api);
  expect((await open(id, bob.accessToken)).response.status).toBe(404);
  expect((await open(id, alice.accessToken, { 'Last-Event-ID': 'x' })).response.status).toBe(400);
});

it('watches the database once, however many watch an order, and lets no one take all the streams', async () => {
  const { id } = await api.placed(alice.accessToken, [productId, 1]);
  const opened: string[] = [];
  const note = ({ command }: mongo.CommandStartedEvent) => {
    const { aggregate, pipeline } = command as { aggregate?: string; pipeline?: object[] };
    if (aggregate === 'events' && pipeline && '$changeStream' in (pipeline[0] ?? {})) opened.push(aggregate);
  };
  const client = api.db.connection.getClient();
  client.on('commandStarted', note);
  const streams = await Promise.all([
    ...Array.from({ length: MAX_WAITING }, () => open(id, alice.accessToken)),
    open(id, admin),
    open(id, admin),
  ]);
  expect(streams.map(({ response }) => response.status)).toEqual(streams.map(() => 200));
  expect(opened.length).toBeLessThanOrEqual(1); // an earlier one may still be there
  client.off('commandStarted', note);
  const refused = await open(id, alice.accessToken);
  expect(refused.response.status).toBe(429);
  await api.call('post', `/orders/${id}/cancel`, alice.accessToken).send({}).expect(200);
  await eventually(async () => {
    for (const { frames } of streams) expect(frames.map(({ event }) => event)).toContain('order.cancelled'); // the void of its payment may follow
  });
  streams.forEach(({ close }) => close());
  // Who has left makes room.
  await eventually(async () => {
    const stream = await open(id, alice.accessToken);
    stream.close();
    expect(stream.response.status).toBe(200);
  });
});

it('ends a stream with the session in which it was opened, before anything more is told', async () => {
  const carol = await person(api);
  const { id } = await api.placed(carol.accessToken, [productId, 1]);
  await historyOf(id);
  const stream = await open(id, carol.accessToken);
  await eventually(async () => expect(stream.frames.length).toBeGreaterThan(0));
  const seen = stream.frames.length;
  await api.call('post', '/auth/logout').send({ refreshToken: carol.refreshToken }).expect(204);
  await eventually(async () => void (await api.call('get', '/users/me', carol.accessToken).expect(401)));
  await api.call('post', `/orders/${id}/cancel`, admin).send({}).expect(200);
  await stream.ended;
  expect(stream.frames).toHaveLength(seen);
});

it('ends a stream when its token does', async () => {
  const { id } = await api.placed(alice.accessToken, [productId, 1]);
  const jwt = { ...api.config.jwt, accessTokenTtlSeconds: 2 };
  const stream = await open(id, tokenFor({ jwt }, 'CUSTOMER', alice.id));
  expect(stream.response.status).toBe(200);
  await stream.ended;
});

// The last one, since nothing waits afterwards.
it('ends streams when the server stops', async () => {
  const { id } = await api.placed(alice.accessToken, [productId, 1]);
  const jwt = { ...api.config.jwt, accessTokenTtlSeconds: (4 * HANG_MS) / 1_000 };
  const stream = await open(id, tokenFor({ jwt }, 'CUSTOMER', alice.id));
  await eventually(async () => expect(stream.frames.length).toBeGreaterThan(0));
  api.drain();
  await stream.ended;
});
