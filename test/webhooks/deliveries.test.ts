import { Webhook } from 'standardwebhooks';
import { WEBHOOKS_WORKFLOW } from '../../workflows/contract';
import type { EventView } from '../../src/events/events.presenter';
import type { DeliveryView, EndpointView, NewEndpointView } from '../../src/webhooks/webhooks.schema';
import { createAuditRepository } from '../../src/audit/audit.repository';
import { createTransact } from '../../src/mongodb/transaction';
import type { DeliveryDocument, EndpointDocument } from '../../src/webhooks/webhooks.model';
import { currentDetailsOf } from '../support/current-details';
import { startEventWorker } from '../support/event-worker';
import { eventually } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { openOrderApi, type OrderApi } from '../support/order-api';
import { openReceiver, type Answering, type Receiver } from '../support/receiver';
import { keepRelaying } from '../support/relay';
import { PASSWORD, person, type Person } from '../support/signed-in-users';
import { freePorts } from '../../tools/devstack/ports';
import { eventsTaskQueueOf } from '../support/task-queues';
import { installRuntime } from '../support/worker';

const ENV = { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32' };

let api: OrderApi;
let relay: ReturnType<typeof keepRelaying>;
let worker: Awaited<ReturnType<typeof startEventWorker>>;
/** A token of a moment ago, since making endpoints takes one. */
const admin = () => api.tokenOf('ADMIN');
let alice: Person;
let productId: string;
const receivers: Receiver[] = [];

const dispatching = () => api.shop.temporal.client.workflow.getHandle(`${api.shop.taskQueue}-webhooks`);

beforeAll(async () => {
  installRuntime();
  api = await openOrderApi({ own: true, env: ENV });
  const { shop } = api;
  await shop.startWorker();
  relay = keepRelaying(api.db.connection);
  await relay.following;
  worker = await startEventWorker(shop, ENV);
  await shop.temporal.client.workflow.start(WEBHOOKS_WORKFLOW, {
    workflowId: dispatching().workflowId,
    taskQueue: shop.taskQueue,
    args: [{ eventsTaskQueue: eventsTaskQueueOf(shop.taskQueue) }],
  });
  alice = await person(api);
  productId = (await shop.sell({ available: 10_000 })).id;
});
afterAll(async () => {
  receivers.forEach((receiver) => receiver.close());
  const details = await currentDetailsOf(dispatching());
  await dispatching().terminate('The test is over.');
  await recordHistory('webhooks-on-another-worker', dispatching());
  await worker.stop();
  await relay.stop();
  await api.close();
  expect(details).toMatch(/Makes deliveries .*#webhook-deliveries-lag/s);
});

/** Opens a receiver, and makes an endpoint of it. */
async function receive(answering?: Answering, types = ['order.*']) {
  const receiver = await openReceiver(answering);
  receivers.push(receiver);
  return { receiver, endpoint: await endpointOf(receiver.url, types) };
}

async function endpointOf(url: string, types = ['order.*']): Promise<NewEndpointView> {
  const { body } = await api.call('post', '/webhook-endpoints', admin()).send({ url, types }).expect(201);
  return body.data;
}

const place = () => api.placed(alice.accessToken, [productId, 1]);
const eventsOf = ({ id }: { id: string }) => [1, 2].map((version) => `evt_${id}_${version}`);

async function endpoint(id: string): Promise<EndpointView> {
  return (await api.call('get', `/webhook-endpoints/${id}`, admin()).expect(200)).body.data;
}

async function deliveriesTo(id: string, query = ''): Promise<DeliveryView[]> {
  const { body } = await api.call('get', `/webhook-endpoints/${id}/deliveries${query}`, admin()).expect(200);
  return body.data;
}

it('sends each event to who wants it, signed, as the feed has it', async () => {
  const { receiver, endpoint: made } = await receive();
  const refunds = await receive(undefined, ['refund.*']);
  const order = await place();
  await eventually(async () => expect([...receiver.ids()].sort()).toEqual(eventsOf(order)));
  const { body } = await api.call('get', `/orders/${order.id}/events`, admin()).expect(200);
  const events = body.data as EventView[];
  for (const { headers, body: sent } of receiver.received) {
    const event = new Webhook(made.secret).verify(sent, headers as Record<string, string>);
    expect(event).toEqual(events.find(({ id }) => id === headers['webhook-id']));
  }
  await eventually(async () =>
    expect(await deliveriesTo(made.id, '?status=succeeded')).toMatchObject([
      { type: 'order.confirmed', attempts: 1, lastStatus: 200, lastError: null },
      { type: 'order.placed', attempts: 1, lastStatus: 200, lastError: null },
    ]),
  );
  expect(refunds.receiver.received).toEqual([]);
});

it('has both secrets sign when one is replaced', async () => {
  const { receiver, endpoint: made } = await receive();
  const { body } = await api.call('post', `/webhook-endpoints/${made.id}/rotate-secret`, admin()).expect(200);
  const rotated = body.data as NewEndpointView;
  expect(rotated.oldSecretUntil).not.toBeNull();
  await api.call('post', `/webhook-endpoints/${made.id}/ping`, admin()).expect(202);
  await eventually(async () => expect(receiver.received).toHaveLength(1));
  const [{ headers, body: sent }] = receiver.received as [(typeof receiver.received)[0]];
  for (const secret of [made.secret, rotated.secret])
    expect(new Webhook(secret).verify(sent, headers as Record<string, string>)).toMatchObject({
      type: 'webhook.ping',
      object: made.id,
    });
});

it('tries again after 5 s, later if the receiver says so, always with the same id', async () => {
  const { receiver, endpoint: made } = await receive((res) => void res.writeHead(500).end());
  const patient = await receive((res) => void res.writeHead(429, { 'Retry-After': '7' }).end());
  const order = await place();
  await eventually(async () => expect(receiver.ids()).toEqual(expect.arrayContaining(eventsOf(order))));
  await eventually(async () =>
    expect(await deliveriesTo(made.id)).toMatchObject([
      { status: 'pending', lastStatus: 500, lastError: 'The receiver answered 500.' },
      { status: 'pending', lastStatus: 500, lastError: 'The receiver answered 500.' },
    ]),
  );
  expect((await endpoint(made.id)).failingSince).not.toBeNull();
  receiver.answerWith((res) => void res.end());
  patient.receiver.answerWith((res) => void res.end());
  for (const one of [receiver, patient.receiver])
    await eventually(async () => expect(one.received).toHaveLength(4));
  expect([...receiver.ids()].sort()).toEqual([...eventsOf(order), ...eventsOf(order)].sort());
  const pauseOf = ({ received }: Receiver, id: string) => {
    const [first, second] = received.filter(({ headers }) => headers['webhook-id'] === id);
    return second!.at - first!.at;
  };
  for (const id of eventsOf(order)) {
    expect(pauseOf(receiver, id)).toBeGreaterThanOrEqual(5_000);
    expect(pauseOf(patient.receiver, id)).toBeGreaterThanOrEqual(7_000);
  }
  await eventually(async () => expect((await endpoint(made.id)).failingSince).toBeNull());
});

it('has nobody wait for those that are dead, slow or hostile, and disables who wants no more', async () => {
  const [port] = await freePorts(1);
  const dead = await endpointOf(`http://127.0.0.1:${port}/`);
  const inside = await endpointOf(`http://localhost.:${port}/`); // ::1 is not allowed here
  const silent = await receive(() => undefined);
  const target = await receive(undefined, ['refund.*']);
  const redirecting = await receive(
    (res) => void res.writeHead(308, { Location: target.receiver.url }).end(),
  );
  const endless = await receive((res) => void res.writeHead(200).write('x'));
  const gone = await receive((res) => void res.writeHead(410).end());
  const good = await receive();
  const orders = await Promise.all(Array.from({ length: 10 }, place));
  const wanted = orders.flatMap(eventsOf).sort();
  await eventually(async () => expect([...good.receiver.ids()].sort()).toEqual(wanted));
  await eventually(async () => expect([...new Set(endless.receiver.ids())].sort()).toEqual(wanted));
  expect(await deliveriesTo(silent.endpoint.id, '?status=succeeded')).toEqual([]);
  await eventually(async () =>
    expect(await endpoint(gone.endpoint.id)).toMatchObject({ status: 'disabled', disabledReason: 'gone' }),
  );
  await eventually(async () =>
    expect(await deliveriesTo(redirecting.endpoint.id)).toContainEqual(
      expect.objectContaining({ lastStatus: 308, lastError: expect.stringMatching(/redirects/) as string }),
    ),
  );
  await eventually(async () =>
    expect(await deliveriesTo(dead.id)).toContainEqual(
      expect.objectContaining({
        lastStatus: null,
        lastError: 'The receiver cannot be reached (ECONNREFUSED).',
      }),
    ),
  );
  await eventually(async () =>
    expect(await deliveriesTo(inside.id)).toContainEqual(
      expect.objectContaining({
        lastError: 'The URL leads to an address that is not of the public internet.',
      }),
    ),
  );
  expect(target.receiver.received).toEqual([]);
});

it('delivers again on demand: one event, or those of a period, with the same ids', async () => {
  const { receiver, endpoint: made } = await receive();
  const order = await place();
  await eventually(async () => expect(await deliveriesTo(made.id, '?status=succeeded')).toHaveLength(2));
  const [delivery] = await deliveriesTo(made.id);
  await api.call('post', `/webhook-deliveries/${delivery!.id}/redeliver`, admin()).expect(202);
  await eventually(async () => expect(receiver.received).toHaveLength(3));
  expect(receiver.ids().at(-1)).toBe(delivery!.eventId);
  const path = `/webhook-deliveries/${delivery!.id}/redeliver`;
  for (const [n, key] of ['one', 'one', 'two', 'one'].entries()) {
    await api.call('post', path, admin()).set('Idempotency-Key', key).expect(202);
    const sent = [1, 1, 2, 3][n]!; // the latest key alone is remembered
    await eventually(async () => expect(receiver.received).toHaveLength(3 + sent));
    await eventually(async () => expect(await deliveriesTo(made.id, '?status=succeeded')).toHaveLength(2));
  }

  await api.call('patch', `/webhook-endpoints/${made.id}`, admin()).send({ status: 'disabled' }).expect(200);
  const replay = (from: string) =>
    api.call('post', `/webhook-endpoints/${made.id}/replay`, admin()).send({ from });
  expect((await replay(order.createdAt).expect(409)).body.code).toBe('invalid_transition');
  const missed = await place();
  const watching = await receive();
  await api.call('patch', `/webhook-endpoints/${made.id}`, admin()).send({ status: 'enabled' }).expect(200);
  const after = await place();
  await eventually(async () =>
    expect(watching.receiver.ids()).toEqual(expect.arrayContaining(eventsOf(after))),
  );
  await eventually(async () => expect(receiver.ids()).toEqual(expect.arrayContaining(eventsOf(after))));
  expect(receiver.ids()).not.toEqual(expect.arrayContaining(eventsOf(missed)));

  await replay(missed.createdAt).expect(202);
  await eventually(async () => expect((await endpoint(made.id)).replay!.completedAt).not.toBeNull());
  await eventually(async () => expect(receiver.ids()).toEqual(expect.arrayContaining(eventsOf(missed))));
  await eventually(async () => {
    const again = receiver.ids().filter((id) => id === eventsOf(after)[0]);
    expect(again).toHaveLength(2);
  });
});

/** Has another worker continue what the running one does. */
async function changeWorker(): Promise<void> {
  const next = await startEventWorker(api.shop, ENV);
  await worker.stop();
  worker = next;
}

const stored = () => api.db.connection.collection<DeliveryDocument>('webhook_deliveries');
const deliveryActivity = ({ _id, round }: DeliveryDocument) =>
  api.shop.temporal.client.activity.getHandle(`${eventsTaskQueueOf(api.shop.taskQueue)}-${_id}-${round}`);

it('has many deliveries to receivers that hang wait without a place, and the others arrive meanwhile', async () => {
  const PRODUCTS = 60;
  // With 20 requests to each at a time, they would have all places.
  const hanging = await Promise.all(
    Array.from({ length: 6 }, () => receive(() => undefined, ['product.created'])),
  );
  const good = await receive(undefined, ['product.created']);
  const products = await Promise.all(Array.from({ length: PRODUCTS }, () => api.shop.sell()));
  const wanted = products.map(({ id }) => `evt_${id}_1`).sort();
  await eventually(async () => expect([...new Set(good.receiver.ids())].sort()).toEqual(wanted));
  for (const { receiver, endpoint: made } of hanging) {
    expect(receiver.received.length).toBeGreaterThan(0);
    expect(await deliveriesTo(made.id, '?status=succeeded')).toEqual([]);
  }
  // When they are well again, they get what has waited.
  for (const { receiver } of hanging) receiver.answerWith((res) => void res.end());
  await eventually(async () => {
    for (const { receiver } of hanging) expect([...new Set(receiver.ids())].sort()).toEqual(wanted);
  });
});

it('starts deliveries again that Temporal has lost', async () => {
  const { receiver, endpoint: made } = await receive((res) => void res.writeHead(500).end());
  const order = await place();
  await eventually(async () => expect(new Set(receiver.ids()).size).toBe(2));
  receiver.answerWith((res) => void res.end());
  const pending = await stored().find({ endpointId: made.id }).toArray();
  for (const one of pending) await deliveryActivity(one).terminate('It is lost.');
  const hourAgo = { $set: { nextAttemptAt: new Date(Date.now() - 3_600_000) } };
  await stored().updateMany({ endpointId: made.id, status: 'pending' }, hourAgo);
  await changeWorker(); // begins by looking for them
  await eventually(async () => expect(await deliveriesTo(made.id, '?status=succeeded')).toHaveLength(2));
  expect([...new Set(receiver.ids())].sort()).toEqual(eventsOf(order));
});

it('disables an endpoint after five days without a success, says so, and sends what was missed on demand', async () => {
  const { receiver, endpoint: made } = await receive((res) => void res.writeHead(500).end());
  const before = await place();
  await eventually(async () => expect((await endpoint(made.id)).failingSince).not.toBeNull());
  await eventually(async () => expect(new Set(receiver.ids()).size).toBe(2));
  const fiveDaysAgo = new Date(Date.now() - 5 * 86_400_000);
  const endpoints = api.db.connection.collection<EndpointDocument>('webhook_endpoints');
  await endpoints.updateOne({ _id: made.id }, { $set: { failingSince: fiveDaysAgo } });
  const [delivery] = await deliveriesTo(made.id);
  await api.call('post', `/webhook-deliveries/${delivery!.id}/redeliver`, admin()).expect(202);
  await eventually(async () =>
    expect(await endpoint(made.id)).toMatchObject({
      status: 'disabled',
      disabledReason: 'failing',
      disabledAt: expect.any(String) as string,
      failingSince: fiveDaysAgo.toISOString(),
    }),
  );
  const [entry] = await createAuditRepository(api.db.connection, createTransact(api.db.connection)).list(
    { object: made.id },
    { limit: 1 },
  );
  expect(entry).toMatchObject({ action: 'webhook_endpoint.disable', actor: 'system' });
  // What was under way is given up with its next attempt, and what comes then is not begun.
  await eventually(async () =>
    expect(await deliveriesTo(made.id, '?status=failed')).toContainEqual(
      expect.objectContaining({ lastError: 'The endpoint was disabled.', nextAttemptAt: null }),
    ),
  );
  const missed = await place();
  const { receiver: watching } = await receive();
  const after = await place();
  await eventually(async () => expect(watching.ids()).toEqual(expect.arrayContaining(eventsOf(after))));
  expect(receiver.ids()).not.toEqual(expect.arrayContaining(eventsOf(missed)));

  receiver.answerWith((res) => void res.end());
  const path = `/webhook-endpoints/${made.id}`;
  await api.call('post', `${path}/ping`, admin()).expect(202);
  await eventually(async () => expect(receiver.received.at(-1)!.body).toContain('webhook.ping'));
  await api.call('patch', path, admin()).send({ status: 'enabled' }).expect(200);
  expect(await endpoint(made.id)).toMatchObject({
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
  });
  receiver.received.length = 0;
  await api.call('post', `${path}/replay`, admin()).send({ from: before.createdAt }).expect(202);
  const all = [before, missed, after].flatMap(eventsOf);
  await eventually(async () => expect(receiver.ids()).toEqual(expect.arrayContaining(all)));
});

it('sends nothing of a person any more who was erased, even if it is sent again', async () => {
  const { receiver, endpoint: made } = await receive();
  const bob = await person(api);
  const note = 'Ring twice at the back door';
  const items = [{ productServiceId: productId, quantity: 1 }];
  const body = { items, paymentMethod: 'pm_card_visa', note };
  const { id } = (await api.place(bob.accessToken, body).expect(201)).body.data as { id: string };
  await eventually(async () => expect(receiver.received.map((one) => one.body).join()).toContain(note));
  await api.call('post', `/orders/${id}/cancel`, bob.accessToken).expect(200);
  const erasing = { currentPassword: PASSWORD };
  await api.call('post', `/users/${bob.id}/erase`, bob.accessToken).send(erasing).expect(202);
  await eventually(async () =>
    expect(receiver.received.map((one) => one.body).join()).toContain('order.erased'),
  );
  receiver.received.length = 0;
  for (const { id: deliveryId } of await deliveriesTo(made.id))
    await api.call('post', `/webhook-deliveries/${deliveryId}/redeliver`, admin()).expect(202);
  await eventually(async () => expect(receiver.ids()).toEqual(expect.arrayContaining(eventsOf({ id }))));
  expect(receiver.received.map((one) => one.body).join()).not.toContain(note);
  expect(JSON.stringify(await stored().find({ endpointId: made.id }).toArray())).not.toContain(note);
});

it('continues where it was when another worker takes over', async () => {
  const { receiver } = await receive();
  const before = await place();
  await eventually(async () => expect(receiver.ids()).toEqual(expect.arrayContaining(eventsOf(before))));
  await changeWorker();
  const after = await place();
  await eventually(async () => expect(receiver.ids()).toEqual(expect.arrayContaining(eventsOf(after))));
  expect(new Set(receiver.ids()).size).toBe(4);
});
