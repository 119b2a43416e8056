import { defaultPayloadConverter } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OrderRequest } from '../../src/domain/order';
import { createTemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { failureConverter } from '../../src/temporal/encoded-failures';
import { createOrderWorkflows, type OrderWorkflows } from '../../src/orders/temporal/order-workflows';
import { COMMANDS, orderWorkflowId } from '../../workflows/contract';
import { testConfig } from '../support/config';
import { eventually } from '../support/eventually';
import { lines } from '../support/order-api';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { paymentsTaskQueueOf } from '../support/worker';
import { encodedBundleForTests } from '../support/workflow-bundle';

const newKey = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [`old:${newKey()}`, `new:${newKey()}`];
const NOTE = 'a canary in a note';

let bundle: string;
let shop: Shop;
beforeAll(async () => void (bundle = await encodedBundleForTests()));
afterAll(() => rm(dirname(bundle), { recursive: true }));
beforeEach(async () => void (shop = await openShop({ payloadKeys: OLD, timeoutMs: 60_000 })));
afterEach(() => shop.close());

const withKeys = (...keys: string[]) => shop.startWorker(undefined, { keys: keys.join(), bundle });
const withoutKeys = () => shop.startWorker();

/** Acts as another process of the API, with its own keys. */
async function asApiWith(keys: string, use: (api: OrderWorkflows) => Promise<unknown>): Promise<void> {
  const config = testConfig({ PAYLOAD_KEYS: keys });
  const temporal = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys));
  const { taskQueue } = shop;
  const policy = { fulfillmentDeadlineMs: 86_400_000, paymentsTaskQueue: paymentsTaskQueueOf(taskQueue) };
  try {
    await use(
      createOrderWorkflows(temporal, { taskQueue, policy, timeoutMs: 60_000, commandTimeoutMs: 60_000 }),
    );
  } finally {
    await temporal.close();
  }
}

async function requestFor(quantity = 1): Promise<OrderRequest> {
  const { id } = await shop.sell();
  return orderRequest({ ...lines([id, quantity]), note: NOTE });
}

const handleOf = ({ orderId }: OrderRequest) =>
  shop.temporal.client.workflow.getHandle(orderWorkflowId(orderId));

async function historyOf(request: OrderRequest): Promise<string> {
  return historyToJSON(await handleOf(request).fetchHistory());
}

/** Returns the message of every workflow task that has failed so far. */
async function failuresOf(request: OrderRequest): Promise<string[]> {
  const { events } = await handleOf(request).fetchHistory();
  return (events ?? []).flatMap(
    ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message ?? [],
  );
}

const base64Of = (text: string) => Buffer.from(JSON.stringify(text)).toString('base64').slice(4, -4);
const keyIdsIn = (history: string) =>
  new Set(
    [...history.matchAll(/"encryption-key-id": "([^"]+)"/g)].map(([, id]) =>
      Buffer.from(id!, 'base64').toString(),
    ),
  );

it.each([
  ['with another key', () => withKeys(NEW)],
  ['without keys', withoutKeys],
])(
  'keeps an order waiting while all workers are %s, and places it when one has its key',
  async (_what, startWrongWorker) => {
    const request = await requestFor();
    const wrong = await startWrongWorker();
    const placing = shop.workflows.place(request);
    await eventually(async () => expect(await failuresOf(request)).not.toEqual([]));
    const [failure] = await failuresOf(request);
    // A worker with keys encodes this message too, but logs it.
    expect(failure).toMatch(/Encoded failure|key "old", which this process does not have.*PAYLOAD_KEYS/);
    expect(await shop.orders.findById(request.orderId)).toBeNull();
    expect((await handleOf(request).describe()).status.name).toBe('RUNNING');
    expect((await shop.workflows.find(request.orderId))!.request).toEqual(request);
    await wrong.stop();

    await withKeys(OLD, NEW);
    expect(await placing).toMatchObject({ status: 'confirmed', note: NOTE });
    expect(await historyOf(request)).not.toContain(base64Of(NOTE));
  },
);

it('neither rejects nor loses an update that a worker cannot read', async () => {
  const request = await requestFor();
  const clear = await withoutKeys(); // has the unencrypted workflow cached when an API with keys comes
  await asApiWith('', (api) => api.place(request));
  const cancelling = shop.workflows.execute(request, COMMANDS.cancel, {
    by: request.customerId,
    reason: NOTE,
    requestId: 'test',
    seenVersion: 2,
  });
  await eventually(async () => expect(await failuresOf(request)).not.toEqual([]));
  await clear.stop();
  await withKeys(OLD);
  expect(await cancelling).toMatchObject({ status: 'cancelled' });
});

it('rotates keys while an order is open', async () => {
  const request = await requestFor(2);
  const before = await withKeys(OLD, NEW);
  await shop.workflows.place(request);
  expect(keyIdsIn(await historyOf(request))).toEqual(new Set(['old']));
  await before.stop();

  await withKeys(NEW, OLD);
  await asApiWith(`${NEW},${OLD}`, async (api) => {
    const shipped = await api.execute(request, COMMANDS.fulfill, {
      by: 'system',
      requestId: 'test',
      seenVersion: 2,
      id: 'ful_1',
      fingerprint: 'f',
      attemptId: 'a',
      items: request.items,
      carrier: null,
      trackingNumber: NOTE,
    });
    expect(shipped).toEqual({ version: 3 });
    const stored = await shop.orders.findById(request.orderId);
    expect(stored!.fulfillments[0]).toMatchObject({ trackingNumber: NOTE });
    const history = await historyOf(request);
    expect(keyIdsIn(history)).toEqual(new Set(['old', 'new']));
    expect(history).not.toContain(base64Of(NOTE));
    expect((await api.find(request.orderId))!.request).toEqual(request);
  });
});

it('continues an unencrypted order with keys', async () => {
  const request = await requestFor();
  const before = await withoutKeys();
  await asApiWith('', (api) => api.place(request));
  await before.stop();
  await withKeys(OLD);
  const cancel = { by: 'system', reason: null, requestId: 'test', seenVersion: 2 };
  // An API without keys cannot read the answer, but the command has been carried out.
  await asApiWith('', (api) =>
    expect(api.execute(request, COMMANDS.cancel, cancel)).rejects.toMatchObject({
      code: 'service_unavailable',
      cause: { message: expect.stringContaining('PAYLOAD_KEYS') as string },
    }),
  );
  expect(await shop.orders.findById(request.orderId)).toMatchObject({ status: 'cancelled' });
});

it('hides messages and stacks of failures in Temporal, but not from callers', async () => {
  const request = await requestFor();
  const worker = await shop.startWorker(
    {
      activities: (activities) => ({
        ...activities,
        confirmOrder: () => Promise.reject(new Error(`The database said: ${NOTE}`)),
      }),
    },
    { keys: OLD, bundle },
  );
  const placing = shop.workflows.place(request);
  await eventually(async () => {
    const { raw } = await handleOf(request).describe();
    expect(raw.pendingActivities![0]!.lastFailure).toMatchObject({
      message: 'Encoded failure',
      stackTrace: '',
    });
  });
  await worker.stop();
  await withKeys(OLD);
  expect(await placing).toMatchObject({ status: 'confirmed' });
  const history = await historyOf(request);
  expect(history).toContain('Encoded failure');
  expect(history).not.toContain(NOTE);

  const refused = shop.workflows.execute(request, COMMANDS.fulfill, {
    by: 'system',
    requestId: 'test',
    seenVersion: 2,
    id: 'ful_1',
    fingerprint: 'f',
    attemptId: 'a',
    items: [{ productServiceId: request.items[0]!.productServiceId, quantity: 9 }],
    carrier: null,
    trackingNumber: null,
  });
  await expect(refused).rejects.toMatchObject({
    name: 'AppError',
    message: expect.stringMatching(/[a-z]{3}/) as string,
  });
  await expect(refused).rejects.not.toThrow('Encoded failure');
});

it('keeps the message of a failure that is encoded twice', () => {
  const encodedTwice = () => {
    const error = failureConverter.failureToError(
      {
        message: 'Encoded failure',
        encodedAttributes: defaultPayloadConverter.toPayload({ message: NOTE, stack_trace: '' }),
      },
      defaultPayloadConverter,
    );
    return [1, 2].map(() => failureConverter.errorToFailure(error, defaultPayloadConverter));
  };
  for (const { message, encodedAttributes } of encodedTwice()) {
    expect(message).toBe('Encoded failure');
    expect(defaultPayloadConverter.fromPayload(encodedAttributes!)).toMatchObject({ message: NOTE });
  }
});
