import { context, trace } from '@opentelemetry/api';
import { Client, type WorkflowStartUpdateWithStartInput } from '@temporalio/client';
import { CancelledFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { randomBytes, randomUUID } from 'node:crypto';
import request from 'supertest';
import { newId } from '../../src/common/ids';
import { createLogger } from '../../src/logger/logger';
import { createOrderWorkflows } from '../../src/orders/temporal/order-workflows';
import { inSpan } from '../../src/tracing/spans';
import { startTracing } from '../../src/tracing/start';
import type { Tracing } from '../../src/tracing/tracing';
import { activitySpans } from '../../src/worker/activity-spans';
import { createTemporalLogger } from '../../src/worker/logger';
import { TRACE_HEADER, WEBHOOKS_WORKFLOW } from '../../workflows/contract';
import { chainTo, openCollector, type CollectedSpan, type Collector } from '../support/collector';
import { orderPolicy } from '../support/commands';
import { prepareDriverSpans } from '../support/driver-spans';
import { startEventWorker } from '../support/event-worker';
import { HANG_MS, repeat } from '../support/eventually';
import { lines, openOrderApi, type OrderApi } from '../support/order-api';
import { openReceiver } from '../support/receiver';
import { keepRelaying } from '../support/relay';
import { orderRequest } from '../support/shop';
import { eventsTaskQueueOf } from '../support/task-queues';
import { installRuntime } from '../support/worker';

/** The same as test/e2e/traces.test.ts asserts of the real processes, and what only this process can: it has them all. */
const PREFIX = '/orders-management-system';
const PLACING = `POST ${PREFIX}/orders`;
const CANCELLING = `POST ${PREFIX}/orders/:id/cancel`;
const FULFILLING = `POST ${PREFIX}/orders/:id/fulfillments`;
const ENV = { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32' };

type Line = Record<string, unknown>;

let collector: Collector;
let tracing: Tracing;
let api: OrderApi;
let mug: string;
let customer: string;
const workerLines: Line[] = [];
/** What the handler behind all routes throws. */
let thrown: unknown;

beforeAll(async () => {
  collector = await openCollector();
  const traceDriver = prepareDriverSpans();
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  tracing = startTracing('orders', process.env);
  traceDriver();
  const write = (line: string) => void workerLines.push(JSON.parse(line) as Line);
  installRuntime(createTemporalLogger(createLogger({ env: 'production', logLevel: 'info' }, { write })));
  api = await openOrderApi({ own: true, env: ENV });
  await api.shop.startWorker();
  api.app.use((ctx, next) => {
    if (!ctx.path.endsWith('/fails')) return next();
    throw thrown;
  });
  mug = (await api.shop.sell()).id;
  customer = api.tokenOf('CUSTOMER');
});
afterAll(async () => {
  await api.close();
  await tracing.flush(HANG_MS);
  collector.close();
});

const one = (spans: readonly CollectedSpan[], name: string) => spans.find((span) => span.name === name)!;
/** Commands of MongoDB are not counted: those of a transaction that is repeated fail. */
const faults = (spans: readonly CollectedSpan[]) =>
  spans
    .filter(({ attributes, status }) => status.code === 'ERROR' && !('db.system.name' in attributes))
    .map(({ name }) => name);
const bodyOf = (quantity: number, paymentMethod = 'pm_card_visa') => ({
  ...lines([mug, quantity]),
  paymentMethod,
});

function traceOf({ headers }: request.Response) {
  const [version, traceId, spanId, flags] = (headers.traceresponse as string).split('-');
  return { version, traceId: traceId!, spanId: spanId!, flags };
}

function spansOf(response: request.Response, ...names: string[]): Promise<CollectedSpan[]> {
  return collector.traceWith(traceOf(response).traceId, ...names);
}

function logged(from: readonly Line[], isIt: (line: Line) => boolean): Promise<Line> {
  return repeat(
    async () => from.find(isIt),
    () => 'The log has no such line.',
  );
}

/** Where a step runs depends on how busy the machine is: inline, or as an activity of its own. */
const AN_ACTIVITY = expect.stringMatching(/^RunActivity:/) as string;

describe('an order', () => {
  it('is one trace when it is placed, from the request down to each command of MongoDB and the payment', async () => {
    const response = await api.place(customer, bodyOf(1)).expect(201);
    const { id } = response.body.data;
    const spans = await spansOf(response, PLACING, 'insert orders', 'payment authorize');
    const start = [PLACING, 'UpdateWithStartWorkflow:place'];
    expect(chainTo(spans, 'insert orders')).toEqual([...start, AN_ACTIVITY, 'insert orders']);
    expect(chainTo(spans, 'payment authorize')).toEqual([...start, AN_ACTIVITY, 'payment authorize']);
    expect(chainTo(spans, 'findAndModify sandbox_payments')).toContain('payment authorize');
    expect(faults(spans)).toEqual([]);
    const { version, spanId, flags } = traceOf(response);
    expect({ version, flags }).toEqual({ version: '00', flags: '01' });
    expect(one(spans, PLACING)).toMatchObject({
      spanId,
      parentId: '',
      kind: 'SERVER',
      attributes: {
        'http.request.method': 'POST',
        'http.route': `${PREFIX}/orders`,
        'http.response.status_code': 201,
        'http.response.header.x-request-id': [response.headers['x-request-id']],
        'url.scheme': 'http',
        'url.path': `${PREFIX}/orders`,
        'order.id': id,
      },
    });
    expect(spans.find(({ name }) => name.startsWith('RunActivity:'))).toMatchObject({
      kind: 'SERVER',
      attributes: {
        temporalWorkflowID: `order-${id}`,
        temporalRunID: expect.any(String),
        temporalActivityID: expect.any(String),
        temporalAttempt: 1,
        temporalTaskQueue: expect.stringContaining(api.shop.taskQueue),
        'order.id': id,
      },
    });
    expect(one(spans, 'payment authorize').attributes).toMatchObject({
      'payment.provider': 'sandbox',
      'payment.operation': 'authorize',
      'order.id': id,
    });
  });

  it('has the trace of each request in the lines that are logged of it', async () => {
    const placing = await api.place(customer, bodyOf(1)).expect(201);
    const { id } = placing.body.data;
    const cancelling = await cancel(id).expect(200);
    const { traceId, spanId } = traceOf(placing);
    expect(await logged(api.logs, isOf(id, 'request'))).toMatchObject({ traceId, spanId });
    expect(await logged(workerLines, isOf(id, 'order placed'))).toMatchObject({ traceId });
    const spans = await spansOf(cancelling, 'RunActivity:voidPayment');
    expect(await logged(workerLines, isOf(id, 'payment voided'))).toMatchObject({
      traceId: traceOf(cancelling).traceId,
      spanId: one(spans, 'RunActivity:voidPayment').spanId,
    });
  });

  const isOf = (id: string, msg: string) => (line: Line) => line.orderId === id && line.msg === msg;

  it('has what it owes in the trace of the request that made it owe that, each attempt in a span', async () => {
    const placing = await api.place(customer, bodyOf(1, 'pm_sandbox_flaky')).expect(201); // fails twice
    const cancelling = await cancel(placing.body.data.id).expect(200);
    const spans = await spansOf(cancelling, CANCELLING, 'RunActivity:recordCompensation');
    expect(chainTo(spans, 'payment void')).toEqual([
      CANCELLING,
      'UpdateWorkflow:cancel',
      'RunActivity:voidPayment',
      'payment void',
    ]);
    const attempts = spans
      .filter(({ name }) => name === 'RunActivity:voidPayment')
      .map(({ attributes, status }) => [attributes.temporalAttempt, status.code ?? 'UNSET']);
    expect(attempts.sort()).toEqual([
      [1, 'ERROR'],
      [2, 'ERROR'],
      [3, 'UNSET'],
    ]);
  });

  function cancel(id: string) {
    const call = api.call('post', `/orders/${id}/cancel`, customer);
    return call.set('Idempotency-Key', randomUUID()).send({});
  }

  it.each([
    ['out_of_stock', 409, () => bodyOf(1_000)],
    ['payment_declined', 402, () => bodyOf(1, 'pm_card_chargeDeclined')],
    ['validation_failed', 400, () => ({})],
  ] as const)(
    'that is answered by %s is no fault, and the problem names its trace',
    async (code, status, of) => {
      const response = await api.place(customer, of()).expect(status);
      expect(response.body).toMatchObject({ code, traceId: traceOf(response).traceId });
      const spans = await spansOf(response, PLACING);
      expect(faults(spans)).toEqual([]);
      expect(one(spans, PLACING)).toMatchObject({
        attributes: { 'error.type': code, 'http.response.status_code': status },
      });
    },
  );

  it('that turns a command down is no fault either', async () => {
    const { id } = await api.placed(customer, [mug, 1]);
    const response = await api.fulfill(id, [[mug, 2]]).expect(409);
    const spans = await spansOf(response, FULFILLING);
    expect(spans.map(({ name }) => name)).toContain('UpdateWorkflow:fulfill');
    expect(faults(spans)).toEqual([]);
  });

  it('that does not exist is looked for in both places, and is no fault', async () => {
    const customerId = newId('usr');
    const id = orderRequest({ items: [], customerId }).orderId;
    const token = api.tokenOf('CUSTOMER', customerId);
    const response = await api.call('get', `/orders/${id}`, token).expect(404);
    const spans = await spansOf(response, `GET ${PREFIX}/orders/:id`);
    expect(spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['find orders', 'DescribeWorkflow']),
    );
    expect(one(spans, 'DescribeWorkflow').attributes).toEqual({
      temporalWorkflowID: `order-${id}`,
      'error.type': 'WorkflowNotFoundError',
    });
    expect(faults(spans)).toEqual([]);
  });
});

describe('a request', () => {
  const send = (method: string, path: string) =>
    new request.Test(api.app.callback(), method, PREFIX + path).ok(() => true);

  it.each([
    ['the type of an error', new TypeError('carol@example.com'), 'TypeError'],
    [
      'its code, if it has one',
      Object.assign(new Error('at 10.0.0.1'), { code: 'ERR_OUT_OF_RANGE' }),
      'ERR_OUT_OF_RANGE',
    ],
    ['its type, if it has one', Object.assign(new Error('no'), { type: 'OrderClosed' }), 'OrderClosed'],
    ['no code that is a text', Object.assign(new Error('no'), { code: 'for carol@example.com' }), 'Error'],
    ['what else is thrown', 'carol@example.com', 'string'],
  ])('that fails is a fault, and tells %s', async (_what, error, type) => {
    thrown = error;
    const response = await send('GET', '/fails').expect(500);
    const spans = await spansOf(response, 'GET');
    const span = one(spans, 'GET');
    expect(span).toMatchObject({ attributes: { 'error.type': type }, events: [] });
    expect(span.status).toEqual({ code: 'ERROR' });
  });

  it('to no route is named by its method, with only the words of routes', async () => {
    const response = await send('GET', '/orders/carol@example.com/nothing?token=s3cr3t').expect(404);
    const { name, attributes } = one(await spansOf(response, 'GET'), 'GET');
    expect(name).toBe('GET');
    expect(attributes).toMatchObject({ 'url.path': `${PREFIX}/orders/…/…`, 'error.type': 'not_found' });
    expect(attributes).not.toHaveProperty(['http.route']);
    expect(attributes).not.toHaveProperty(['order.id']);
  });

  it('with a method that the conventions do not know is called HTTP', async () => {
    const response = await send('PROPFIND', '/orders').expect(405);
    const { attributes } = one(await spansOf(response, 'HTTP'), 'HTTP');
    expect(attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'error.type': 'method_not_allowed',
    });
  });

  it('of a probe is none', async () => {
    const response = await send('GET', '/health/live').expect(200);
    expect(response.headers).not.toHaveProperty('traceresponse');
  });

  it.each(['00', '01'])('continues the trace of its client, whose flag %s decides nothing', async (flags) => {
    const theirs = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
    const traceparent = `00-${theirs.traceId}-${theirs.spanId}-${flags}`;
    const response = await send('GET', '/product-services').set('traceparent', traceparent);
    expect(traceOf(response)).toMatchObject({ traceId: theirs.traceId, flags: '01' });
    const spans = await spansOf(response, `GET ${PREFIX}/product-services`);
    expect(one(spans, `GET ${PREFIX}/product-services`).parentId).toBe(theirs.spanId);
  });

  it('begins a trace if what its client sends is no traceparent', async () => {
    const response = await send('GET', '/product-services').set('traceparent', `00-${'0'.repeat(32)}-1-01`);
    const spans = await spansOf(response, `GET ${PREFIX}/product-services`);
    expect(one(spans, `GET ${PREFIX}/product-services`).parentId).toBe('');
  });
});

describe('what anyone with access to Temporal sends as a header', () => {
  const json = (value: unknown) => defaultPayloadConverter.toPayload(value);

  it.each<[string, () => Payload]>([
    ['is no traceparent', () => json({ traceparent: 'garbage' })],
    ['is no text', () => json({ traceparent: 7 })],
    ['is nothing', () => json(null)],
    ['cannot be read', () => ({ metadata: { encoding: Buffer.from('unheard/of') }, data: Buffer.from('?') })],
  ])('does not hinder the order if it %s: its activities begin traces', async (_what, header) => {
    const { shop } = api;
    const client = clientSending(header());
    const workflows = createOrderWorkflows(
      { ...shop.temporal, client },
      {
        taskQueue: shop.taskQueue,
        policy: orderPolicy(shop.taskQueue),
        timeoutMs: HANG_MS,
        commandTimeoutMs: HANG_MS,
      },
    );
    const order = orderRequest({ items: lines([mug, 1]).items });
    expect(await workflows.place(order)).toBe(true);
    const isItsActivity = ({ name, attributes }: CollectedSpan) =>
      name.startsWith('RunActivity:') && attributes['order.id'] === order.orderId;
    const { parentId } = await repeat(
      async () => collector.spans.find(isItsActivity),
      () => 'No activity of the order is among the spans.',
    );
    expect(parentId).toBe('');
    const line = await logged(
      workerLines,
      ({ orderId, msg }) => orderId === order.orderId && msg === 'order placed',
    );
    expect(line).not.toHaveProperty('traceId');
  });

  function clientSending(header: Payload): Client {
    const headers = { [TRACE_HEADER]: header };
    const startUpdateWithStart = (
      input: WorkflowStartUpdateWithStartInput,
      next: (input: WorkflowStartUpdateWithStartInput) => Promise<never>,
    ) => next({ ...input, workflowStartHeaders: headers, updateHeaders: headers });
    const { connection, options } = api.shop.temporal.client;
    return new Client({
      connection,
      namespace: options.namespace,
      dataConverter: options.loadedDataConverter,
      interceptors: { workflow: [{ startUpdateWithStart } as never] },
    });
  }
});

it('a delivery of a webhook is a trace of its own, in which a receiver that fails is at fault, and not we', async () => {
  const { shop } = api;
  const receiver = await openReceiver((res) => void res.writeHead(503).end());
  const relay = keepRelaying(api.db.connection);
  await relay.following;
  const worker = await startEventWorker(shop, ENV);
  const dispatching = await shop.temporal.client.workflow.start(WEBHOOKS_WORKFLOW, {
    workflowId: `${shop.taskQueue}-webhooks`,
    taskQueue: shop.taskQueue,
    args: [{ eventsTaskQueue: eventsTaskQueueOf(shop.taskQueue) }],
  });
  const endpoint = { url: `${receiver.url}?secret=s3cr3t`, types: ['order.confirmed'] };
  await api.call('post', '/webhook-endpoints', api.tokenOf('ADMIN')).send(endpoint).expect(201);
  const { body } = await api.place(customer, bodyOf(1)).expect(201);
  const isDelivery = ({ name, attributes }: CollectedSpan) =>
    name === 'RunActivity:deliverWebhook' && attributes['order.id'] === body.data.id;
  const delivery = await repeat(
    async () => collector.spans.find(isDelivery),
    () => 'There is no delivery of this order among the traces.',
  );
  const spans = await collector.traceWith(delivery.traceId, 'StartActivity:deliverWebhook', 'POST');
  expect(chainTo(spans, 'POST')).toEqual([
    'StartActivity:deliverWebhook',
    'RunActivity:deliverWebhook',
    'POST',
  ]);
  expect(delivery.attributes).toMatchObject({
    'webhook.delivery.id': expect.stringMatching(/^whd_/),
    'webhook.endpoint.id': expect.stringMatching(/^whe_/),
    'webhook.event.type': 'order.confirmed',
    'error.type': 'NotDelivered',
  });
  expect(one(spans, 'POST').attributes).toMatchObject({
    'url.full': `${new URL(receiver.url).origin}/REDACTED`,
    'error.type': '503',
  });
  expect(faults(spans)).toEqual(['POST']);
  expect(receiver.received[0]!.headers).not.toHaveProperty('traceparent');
  await dispatching.terminate('The test is over.');
  await worker.stop();
  await relay.stop();
  receiver.close();
});

describe('an activity', () => {
  const run = (activityType: string, activity: () => Promise<unknown>, ...args: unknown[]) =>
    new MockActivityEnvironment(
      { activityType },
      { interceptors: [activitySpans], logger: new DefaultLogger('ERROR') },
    ).run(activity, ...args);

  it('that is cancelled is no fault', async () => {
    const orderId = newId('ord' as never);
    const cancelled = run(
      'placeOrder',
      async () => {
        throw new CancelledFailure('The worker is stopping.');
      },
      { orderId },
    );
    await expect(cancelled).rejects.toThrow('stopping');
    const span = await repeat(
      async () => collector.spans.find(({ attributes }) => attributes['order.id'] === orderId),
      () => 'The activity has no span.',
    );
    expect(span.attributes).toMatchObject({ 'error.type': 'CancelledFailure' });
    expect(faults([span])).toEqual([]);
  });

  it.each([[[]], [[{ after: 7 }]]])(
    'that looks after all orders is no trace: its arguments are %j',
    async (args) => {
      expect(await run('sweepAll', async () => 'done', ...args)).toBe('done');
      const traceId = await inSpan('afterwards', {}, async (span) => span.spanContext().traceId);
      await collector.traceWith(traceId, 'afterwards');
      expect(collector.spans.map(({ name }) => name)).not.toContain('RunActivity:sweepAll');
    },
  );
});

describe('a command of MongoDB', () => {
  it('to no collection is named by what it does', async () => {
    const traceId = await inSpan('asking', {}, async (span) => {
      await api.db.connection.db!.command({ ping: 1 });
      return span.spanContext().traceId;
    });
    const spans = await collector.traceWith(traceId, 'ping');
    expect(one(spans, 'ping').attributes).not.toHaveProperty(['db.collection.name']);
  });

  it('that fails does not tell why, since that has values of documents', async () => {
    const users = api.db.connection.collection<{ _id: string; email: string }>('users');
    const alice = { _id: newId('usr'), email: 'alice@example.com' };
    await users.insertOne(alice);
    let traceId!: string;
    const failing = inSpan('asking', {}, async (span) => {
      ({ traceId } = span.spanContext());
      await users.findOneAndReplace({ email: 'nobody' }, alice, { upsert: true });
    });
    await expect(failing).rejects.toThrow('E11000');
    const spans = await collector.traceWith(traceId, 'asking', 'findAndModify users');
    expect(spans.map(({ status }) => status)).toEqual([{ code: 'ERROR' }, { code: 'ERROR' }]);
  });
});

it('what nobody asked for is no trace: probes, change streams, and the work on all orders', () => {
  const isExpected = ({ name, kind }: CollectedSpan) => {
    if (kind === 'SERVER') return !name.includes('/health');
    return kind === 'INTERNAL' || /^Start(?:Activity|Workflow):/.test(name); // the former are of tests
  };
  const firsts = collector.spans.filter(({ parentId }) => parentId === '');
  expect(firsts.filter((span) => !isExpected(span)).map(({ name }) => name)).toEqual([]);
  expect(collector.spans.filter(({ name }) => /getMore|\$cmd/.test(name))).toEqual([]);
});

it('no span has the address or the program of a client, the text of a command, or the message of an error', () => {
  const names = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
  const unwanted = /query|user_agent|client\.|network\.|exception|statement/;
  expect([...names].filter((name) => unwanted.test(name))).toEqual([]);
  expect(collector.spans.filter(({ events, status }) => events.length > 0 || status.message)).toEqual([]);
  const sent = Buffer.concat([...collector.bodies]).toString('latin1');
  expect(sent).not.toMatch(/carol@|alice@|s3cr3t/);
});

it('a trace that is not recorded has its id in the response, the problem and the log all the same', async () => {
  await tracing.flush(HANG_MS);
  trace.disable();
  context.disable();
  tracing = startTracing('orders', { ...process.env, OTEL_TRACES_SAMPLER: 'always_off' });
  const response = await api.place(customer, bodyOf(1_000)).expect(409);
  const { traceId, flags } = traceOf(response);
  expect(flags).toBe('00');
  expect(response.body).toMatchObject({ traceId });
  await logged(api.logs, (line) => line.traceId === traceId && line.msg === 'request');
  await logged(workerLines, (line) => line.traceId === traceId && line.msg === 'order rejected');
  await tracing.flush(HANG_MS);
  expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
});
