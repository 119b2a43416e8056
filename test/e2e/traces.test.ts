import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chainTo, openCollector, type CollectedSpan, type Collector } from '../support/collector';
import { testConfig } from '../support/config';
import { HANG_MS, repeat } from '../support/eventually';
import { openReceiver, type Receiver } from '../support/receiver';
import { tokenFor } from '../support/tokens';
import { startWholeSystem, type WholeSystem } from '../support/whole-system';

const PREFIX = '/orders-management-system';
const PLACING = `POST ${PREFIX}/orders`;
const CANCELLING = `POST ${PREFIX}/orders/:id/cancel`;
const admin = tokenFor(testConfig(), 'ADMIN');

let collector: Collector;
let receiver: Receiver;
let system: WholeSystem;
let mug: string;

beforeAll(async () => {
  collector = await openCollector();
  receiver = await openReceiver();
  system = await startWholeSystem({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    PAYLOAD_KEYS: `traces:${randomBytes(32).toString('base64')}`, // the context travels beside what is encrypted
    PLACE_ORDER_TIMEOUT_MS: String(HANG_MS),
    ORDER_COMMAND_TIMEOUT_MS: String(HANG_MS),
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    TRACE_UI_URL: 'https://traces.example.com/search?order={orderId}',
  });
  const entry = { sku: 'MUG', name: 'Mug', kind: 'product', unitPrice: 1_000, currency: 'EUR', stock: 100 };
  mug = (await call('POST', '/product-services', { body: entry })).body.data.id as string;
});
afterAll(async () => {
  await system.stop();
  await system.remove();
  receiver.close();
  collector.close();
});

interface Call {
  body?: unknown;
  headers?: Record<string, string>;
}

async function call(method: string, path: string, { body, headers }: Call = {}) {
  const response = await fetch(system.baseUrl + path, {
    method,
    headers: {
      Authorization: `Bearer ${admin}`,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const [, traceId = '', spanId = '', flags = ''] = response.headers.get('traceresponse')?.split('-') ?? [];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- this test does not check the shape of bodies
  return { status: response.status, body: (await response.json()) as any, traceId, spanId, flags };
}

function place(quantity: number, paymentMethod = 'pm_card_visa', headers: Record<string, string> = {}) {
  const items = [{ productServiceId: mug, quantity }];
  return call('POST', '/orders', {
    body: { items, paymentMethod },
    headers: { 'Idempotency-Key': randomUUID(), ...headers },
  });
}

const named = (spans: readonly CollectedSpan[], pattern: RegExp) =>
  spans.filter(({ name }) => pattern.test(name));
const one = (spans: readonly CollectedSpan[], name: string) => spans.find((span) => span.name === name)!;

/** Where a step runs depends on how busy the machine is: inline, or as an activity of its own. */
const AN_ACTIVITY = expect.stringMatching(/^RunActivity:/);

describe('a placed order', () => {
  it('is one trace, from the request down to each command of MongoDB and the payment', async () => {
    const { status, body, traceId, spanId } = await place(1);
    expect(status).toBe(201);
    const spans = await collector.traceWith(traceId, PLACING, 'insert orders', 'payment authorize');
    const start = [PLACING, 'UpdateWithStartWorkflow:place'];
    expect(chainTo(spans, 'insert orders')).toEqual([...start, AN_ACTIVITY, 'insert orders']);
    expect(chainTo(spans, 'payment authorize')).toEqual([...start, AN_ACTIVITY, 'payment authorize']);
    expect(chainTo(spans, 'findAndModify sandbox_payments')).toContain('payment authorize');
    expect(spans.filter(({ parentId }) => parentId === '').map(({ name }) => name)).toEqual([PLACING]);
    expect(one(spans, PLACING)).toMatchObject({
      spanId,
      service: 'orders-api',
      kind: 'SERVER',
      attributes: {
        'http.request.method': 'POST',
        'http.route': `${PREFIX}/orders`,
        'http.response.status_code': 201,
        'url.scheme': 'http',
        'url.path': `${PREFIX}/orders`,
        'http.response.header.x-request-id': [body.meta.requestId],
        'order.id': body.data.id,
      },
    });
    expect(body.data.traceUrl).toBe(`https://traces.example.com/search?order=${body.data.id}`);
  });

  it('says of each activity whose it is, and which attempt', async () => {
    const { body, traceId } = await place(1);
    const spans = await collector.traceWith(traceId, 'RunActivity:placeOrder');
    expect(one(spans, 'RunActivity:placeOrder')).toMatchObject({
      service: 'orders-worker',
      kind: 'SERVER',
      attributes: {
        temporalWorkflowID: `order-${body.data.id}`,
        temporalRunID: expect.any(String),
        temporalActivityID: expect.any(String),
        temporalAttempt: 1,
        temporalIsLocal: true,
        'order.id': body.data.id,
      },
    });
  });

  it('has its trace id in the lines that both processes log of it', async () => {
    const { body, traceId } = await place(1);
    const { id } = body.data;
    const isPlaced = (line: Line) => line.msg === 'order placed' && line.orderId === id;
    expect(await logged('worker', isPlaced)).toMatchObject({ traceId });
    const isRequest = (line: Line) => line.msg === 'request' && line.orderId === id;
    expect(await logged('api', isRequest)).toMatchObject({ traceId, spanId: expect.any(String) });
  });
});

type Line = Record<string, unknown>;

async function logged(process: 'api' | 'worker', isIt: (line: Line) => boolean): Promise<Line> {
  const attempt = async () => {
    const text = await readFile(join(system.logFolder, `${process}.log`), 'utf8');
    const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as Line).find(isIt);
  };
  return repeat(attempt, () => `The log of the ${process} has no such line.`);
}

it('a rejected order is a trace as well, which its problem names', async () => {
  const { status, body, traceId } = await place(1_000);
  expect({ status, traceId: body.traceId }).toEqual({ status: 409, traceId });
  const spans = await collector.traceWith(traceId, PLACING, 'RunActivity:placeOrder');
  expect(named(spans, /^payment/)).toEqual([]);
  expect(one(spans, PLACING)).toMatchObject({
    attributes: { 'error.type': 'out_of_stock', 'http.response.status_code': 409, 'order.id': body.orderId },
  });
  expect(one(spans, PLACING).status).toEqual({}); // the server is not at fault
});

it('a compensated order has each attempt in the trace of the request that made it owe', async () => {
  const { body, traceId: placing } = await place(1, 'pm_sandbox_flaky'); // each operation fails twice
  const { id } = body.data;
  const headers = { 'Idempotency-Key': randomUUID() };
  const { status, traceId } = await call('POST', `/orders/${id}/cancel`, { body: {}, headers });
  expect(status).toBe(200);
  const spans = await collector.traceWith(traceId, CANCELLING, 'RunActivity:recordCompensation');
  expect(chainTo(spans, 'payment void')).toEqual([
    CANCELLING,
    'UpdateWorkflow:cancel',
    'RunActivity:voidPayment',
    'payment void',
  ]);
  const attempts = named(spans, /^RunActivity:voidPayment$/).map(({ attributes, status: outcome }) => [
    attributes.temporalAttempt,
    outcome.code ?? 'UNSET',
  ]);
  expect(attempts.sort()).toEqual([
    [1, 'ERROR'],
    [2, 'ERROR'],
    [3, 'UNSET'],
  ]);
  expect(
    named(
      collector.spans.filter((span) => span.traceId === placing),
      /void/,
    ),
  ).toEqual([]);
});

it('a delivery of a webhook is a trace of its own, found by its order, which its receiver learns nothing of', async () => {
  const endpoint = { url: `${receiver.url}?secret=s3cr3t`, types: ['order.confirmed'] };
  expect((await call('POST', '/webhook-endpoints', { body: endpoint })).status).toBe(201);
  const { body } = await place(1);
  const { id } = body.data;
  const isDelivery = ({ name, attributes }: CollectedSpan) =>
    name === 'RunActivity:deliverWebhook' && attributes['order.id'] === id;
  const { traceId, attributes } = await repeat(
    async () => collector.spans.find(isDelivery),
    () => 'There is no delivery of this order among the traces.',
  );
  const spans = await collector.traceWith(traceId, 'StartActivity:deliverWebhook', 'POST');
  const chain = ['StartActivity:deliverWebhook', 'RunActivity:deliverWebhook', 'POST'];
  expect(chainTo(spans, 'POST')).toEqual(chain);
  expect(attributes).toMatchObject({
    'webhook.delivery.id': expect.stringMatching(/^whd_/),
    'webhook.endpoint.id': expect.stringMatching(/^whe_/),
    'webhook.event.type': 'order.confirmed',
  });
  const { origin } = new URL(receiver.url);
  expect(one(spans, 'POST').attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'url.full': `${origin}/REDACTED`,
  });
  expect(receiver.received[0]!.headers).not.toHaveProperty('traceparent');
});

it('a client continues its trace, and does not decide whether it is recorded', async () => {
  const theirs = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  const traceparent = `00-${theirs.traceId}-${theirs.spanId}-00`; // not recorded there
  const { traceId, flags } = await place(1, 'pm_card_visa', { traceparent });
  expect({ traceId, flags }).toEqual({ traceId: theirs.traceId, flags: '01' });
  const spans = await collector.traceWith(traceId, PLACING);
  expect(one(spans, PLACING).parentId).toBe(theirs.spanId);
});

it('what nobody asked for is no trace: probes, change streams, and the work on all orders', () => {
  const isExpected = ({ name, kind }: CollectedSpan) =>
    kind === 'SERVER' ? !name.includes('/health') : name.startsWith('StartActivity:');
  const firsts = collector.spans.filter(({ parentId }) => parentId === '');
  expect(firsts.filter((span) => !isExpected(span)).map(({ name }) => name)).toEqual([]);
  expect(named(collector.spans, /getMore|\$cmd/)).toEqual([]);
});

it('no span has an address of a client, a text of a command, or the message of an error', () => {
  const names = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
  const unwanted = /query|user_agent|client\.|network\.|exception|statement/;
  expect([...names].filter((name) => unwanted.test(name))).toEqual([]);
  expect(collector.spans.filter(({ events, status }) => events.length > 0 || status.message)).toEqual([]);
});
