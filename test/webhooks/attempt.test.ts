import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import pino from 'pino';
import { createSecretBox } from '../../src/common/secret-box';
import { readNetwork, type Network } from '../../src/config/webhooks';
import { createEventPresenter } from '../../src/events/events.presenter';
import { createEventRepository } from '../../src/events/events.repository';
import { createEventModel, type EventDocument } from '../../src/events/events.model';
import { createOrderPresenter, orderLinksOf } from '../../src/orders/orders.presenter';
import { inSpan } from '../../src/tracing/spans';
import { createAddressFilter } from '../../src/webhooks/addresses';
import { createAttempt, type AttemptDeps, type AttemptReport } from '../../src/webhooks/attempt';
import { createDeliveryRepository, type Delivery } from '../../src/webhooks/deliveries.repository';
import { FIRST_ROUND, newDelivery, newPing, newRound } from '../../src/webhooks/delivery';
import { createEndpointRepository, type Endpoint } from '../../src/webhooks/endpoints.repository';
import { createPost } from '../../src/webhooks/post';
import { newSecret, SECRETS_PURPOSE } from '../../src/webhooks/signing';
import { testConfig } from '../support/config';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { TEST_ORIGIN } from '../support/origin';
import { openReceiver, type Receiver } from '../support/receiver';
import { storedEndpoint } from '../support/webhook-endpoint';

let db: TestDatabase;
let receiver: Receiver;
let endpoint: Endpoint;
let reports: AttemptReport[];

const repositories = () => ({
  endpoints: createEndpointRepository(db.connection),
  deliveries: createDeliveryRepository(db.connection),
  feed: createEventRepository(db.connection),
});
const secrets = createSecretBox([], SECRETS_PURPOSE);

beforeAll(async () => void (db = await openTestDatabase()));
beforeEach(async () => {
  reports = [];
  receiver = await openReceiver();
  const secret = { sealed: secrets.seal(newSecret(), 'whe_1'), createdAt: new Date(), expiresAt: null };
  endpoint = { ...storedEndpoint({ secrets: [secret], createdAt: new Date() }), url: receiver.url };
  await repositories().endpoints.insert(endpoint, TEST_ORIGIN);
});
afterEach(async () => {
  receiver.close();
  for (const name of ['webhook_endpoints', 'webhook_deliveries', 'events'])
    await db.connection.collection(name).deleteMany({});
});
afterAll(() => db.drop());

/** Puts an event into the feed that happened a minute ago. */
async function happened(object = 'prd_1'): Promise<EventDocument> {
  const at = new Date(Date.now() - 60_000);
  const [type, _id] = ['product.updated', `evt_${object}_2`] as const;
  const times = { at, recordedAt: at, expiresAt: new Date(Date.now() + 60_000) };
  const event = { _id, position: 1, type, types: [type], object, version: 2, follows: 1, ...times };
  const events = db.connection.collection<EventDocument>(createEventModel(db.connection).collection.name);
  await events.insertOne({ ...event, data: { id: object } });
  return event;
}

async function deliver(
  delivery: Delivery,
  more: Partial<AttemptDeps> = {},
  { round }: Partial<Delivery> = delivery,
) {
  const { deliveries } = repositories();
  await deliveries.insert([delivery]);
  const attempt = createAttempt({
    ...repositories(),
    present: createEventPresenter(createOrderPresenter(orderLinksOf(testConfig()))),
    secrets,
    post: createPost({ isAllowed: createAddressFilter([readNetwork('127.0.0.1/32') as Network]) }),
    isSecure: false,
    logger: pino({ level: 'silent' }),
    onAttempt: (report) => reports.push(report),
    ...more,
  });
  const next = await attempt({ deliveryId: delivery.id, round: round! });
  return { next, after: (await deliveries.find(delivery.id))! };
}

it('reports how long after its event a first attempt was made, and of no other', async () => {
  const event = await happened();
  const { next, after } = await deliver(newDelivery('whe_1', event, FIRST_ROUND));
  expect(next).toBeNull();
  expect(after).toMatchObject({ status: 'succeeded', attempts: 1, lastStatus: 200, lastError: null });
  await db.connection.collection('webhook_deliveries').deleteMany({});
  await deliver({ ...newDelivery('whe_1', event, FIRST_ROUND), attempts: 1 });
  await deliver(newDelivery('whe_1', { ...event, _id: 'evt_prd_1_3' }, newRound()));
  await deliver(newPing('whe_1', new Date()));
  expect(reports).toMatchObject([{ status: 'succeeded' }, { firstAfterMs: null }, { firstAfterMs: null }]);
  expect(reports[0]!.firstAfterMs).toBeGreaterThanOrEqual(60_000);
  expect(receiver.ids()).toHaveLength(3);
});

it('sends nothing before it is due, nor for a round that is over', async () => {
  const delivery = newDelivery('whe_1', await happened(), FIRST_ROUND);
  const due = { ...delivery, nextAttemptAt: new Date(Date.now() + 3_600_000) };
  const { next } = await deliver(due);
  expect(next).toBeGreaterThan(3_000_000);
  expect(await deliver(due, {}, { round: newRound() })).toEqual({ next: null, after: due });
  expect(receiver.received).toEqual([]);
});

it.each<[string, string, () => Promise<unknown>]>([
  [
    'whose endpoint was deleted',
    'The endpoint was deleted.',
    () => repositories().endpoints.remove('whe_1', () => undefined, TEST_ORIGIN),
  ],
  [
    'whose endpoint was disabled',
    'The endpoint was disabled.',
    () =>
      repositories().endpoints.change('whe_1', (one) => ({ ...one, disabledReason: 'by_admin' }), {
        action: 'update',
        origin: TEST_ORIGIN,
      }),
  ],
  [
    'whose event has expired',
    'The event is not kept any more.',
    () => db.connection.collection('events').deleteMany({}),
  ],
])('gives up a delivery %s, and says so', async (_case, lastError, change) => {
  const delivery = newDelivery('whe_1', await happened(), FIRST_ROUND);
  await change();
  const { next, after } = await deliver(delivery);
  expect(next).toBeNull();
  expect(after).toMatchObject({ status: 'failed', attempts: 0, lastError, nextAttemptAt: null });
  expect(after.completedAt).not.toBeNull();
  expect([reports, receiver.received]).toEqual([[], []]);
});

it.each<[string, string, Partial<AttemptDeps>, () => void]>([
  ['whose URL is not https in production', 'The URL is not https.', { isSecure: true }, () => undefined],
  [
    'that speaks another protocol',
    'The receiver cannot be reached.',
    {},
    () =>
      receiver.answerWith(({ socket }) => {
        socket!.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
      }),
  ],
  [
    'that closes the connection',
    'The receiver cannot be reached (ECONNRESET).',
    {},
    () => receiver.answerWith(({ socket }) => void socket!.destroy()),
  ],
  [
    'that redirects',
    'The receiver answered 302, and redirects are not followed: enter the new URL.',
    {},
    () =>
      receiver.answerWith((res) => void res.writeHead(302, { Location: 'http://169.254.169.254/' }).end()),
  ],
  [
    'with a status that says much',
    'The receiver answered 500.',
    {},
    () => receiver.answerWith((res) => void res.writeHead(500, '<script>').end('<script>')),
  ],
])('tries a receiver again %s, and says why', async (_case, lastError, more, prepare) => {
  prepare();
  const { next, after } = await deliver(newDelivery('whe_1', await happened(), FIRST_ROUND), more);
  expect(next).toBeGreaterThan(0);
  expect(after).toMatchObject({ status: 'pending', attempts: 1, lastError, completedAt: null });
  expect(reports).toMatchObject([{ status: 'pending' }]);
});

describe('in a trace', () => {
  const exporter = new InMemorySpanExporter();
  const tracing = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  beforeAll(() => tracing.register({ propagator: null }));
  afterAll(async () => {
    await tracing.shutdown();
    trace.disable();
  });

  it('is found by its event, and by the order that it is of', async () => {
    const orderId = `ord_${'0'.repeat(32)}`;
    for (const object of [orderId, 'prd_1']) {
      const delivery = newDelivery('whe_1', await happened(object), FIRST_ROUND);
      await inSpan(object, {}, () => deliver(delivery));
      await db.connection.collection('events').deleteMany({});
    }
    const [ofOrder, ofProduct] = [orderId, 'prd_1'].map(
      (name) => exporter.getFinishedSpans().find((span) => span.name === name)!.attributes,
    );
    expect(ofOrder).toEqual({
      'webhook.event.id': `evt_${orderId}_2`,
      'webhook.event.type': 'product.updated',
      'order.id': orderId,
    });
    expect(ofProduct).not.toHaveProperty('order.id');
  });
});

describe('the stored deliveries', () => {
  it('stay as they are when they are added again, and fail if they cannot be', async () => {
    const { deliveries } = repositories();
    const [one, other] = ['evt_prd_1_2', 'evt_prd_1_3'].map((_id) =>
      newDelivery(
        'whe_1',
        { _id, position: 1, types: ['product.updated'], recordedAt: new Date() },
        FIRST_ROUND,
      ),
    ) as [Delivery, Delivery];
    await deliveries.insert([]);
    await deliveries.begin([]);
    await deliveries.insert([one]);
    await deliveries.insert([{ ...one, attempts: 7 }, other]);
    expect(await deliveries.find(one.id)).toEqual(one);
    expect(await deliveries.find(other.id)).toEqual(other);
    const unstorable = { ...one, id: ['not', 'an', 'id'] as unknown as string };
    await expect(deliveries.insert([unstorable])).rejects.toThrow();
  });
});
