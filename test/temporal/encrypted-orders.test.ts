import { defaultPayloadConverter } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parsePayloadKeys } from '../../src/config/payload-keys';
import type { OrderRequest } from '../../src/domain/order';
import { createTemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { rewrapDataKeys } from '../../src/temporal/data-keys/data-keys';
import { createDataKeyRepository } from '../../src/temporal/data-keys/repository';
import { failureConverter } from '../../src/temporal/encoded-failures';
import { ownerOf } from '../../src/orders/order-request';
import { createOrderWorkflows, type OrderWorkflows } from '../../src/orders/temporal/order-workflows';
import { COMMANDS, getOrderQuery, orderWorkflowId } from '../../workflows/contract';
import { testConfig } from '../support/config';
import { patientDataKeys } from '../support/data-keys';
import { eventually, HANG_MS } from '../support/eventually';
import { lines } from '../support/order-api';
import { openShop, orderRequest, patient, type Shop } from '../support/shop';
import { newCommand, orderPolicy } from '../support/commands';
import { savedViews } from '../support/saved-views';
import { encodedBundleForTests } from '../support/workflow-bundle';

const newKey = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [`old:${newKey()}`, `new:${newKey()}`];
const NOTE = 'a canary in a note';
/** The fields of a fulfillment that do not matter here. */
const FULFILLMENT = { ...newCommand(), fingerprint: 'f', attemptId: 'a' };

let bundle: string;
beforeAll(async () => void (bundle = await encodedBundleForTests()));
afterAll(() => rm(dirname(bundle), { recursive: true }));

/**
 * Gives a test its own shop. The tests run concurrently, because several wait until Temporal ends a task that no
 * worker could complete, which takes ten seconds.
 */
const inShop = (work: (shop: Shop) => Promise<void>) => async () => {
  const shop = await openShop({ own: true, payloadKeys: OLD });
  await work(shop).finally(() => shop.close());
};

const withKeys = (shop: Shop, ...keys: string[]) =>
  shop.startWorker(undefined, { keys: keys.join(), bundle });
const withoutKeys = (shop: Shop) => shop.startWorker();

/** Acts as another process of the API, with its own keys. */
async function asApiWith(
  { db, taskQueue }: Shop,
  keys: string,
  use: (api: OrderWorkflows) => Promise<unknown>,
): Promise<void> {
  const config = testConfig({ PAYLOAD_KEYS: keys });
  const { payloadKeys } = config;
  const dataKeys = patientDataKeys(db.connection, payloadKeys);
  const temporal = patient(createTemporalClient(config.temporal, createDataConverter(payloadKeys, dataKeys)));
  const policy = orderPolicy(taskQueue);
  try {
    await use(
      createOrderWorkflows(temporal, { taskQueue, policy, timeoutMs: HANG_MS, commandTimeoutMs: HANG_MS }),
    );
  } finally {
    await temporal.close();
  }
}

async function requestFor(shop: Shop, quantity = 1): Promise<OrderRequest> {
  const { id } = await shop.sell();
  return orderRequest({ ...lines([id, quantity]), note: NOTE });
}

const handleOf = ({ temporal }: Shop, { orderId }: OrderRequest) =>
  temporal.client.workflow.getHandle(orderWorkflowId(orderId));

async function historyOf(shop: Shop, request: OrderRequest): Promise<string> {
  return historyToJSON(await handleOf(shop, request).fetchHistory());
}

/**
 * Waits until a worker has failed at a task of the workflow, and returns what Temporal has written down of it: only how the
 * first attempt ended, which may have been that its time was over.
 */
async function whenFailing(shop: Shop, request: OrderRequest): Promise<string[]> {
  const handle = handleOf(shop, request);
  await eventually(async () => {
    const { raw } = await handle.describe();
    expect(raw.pendingWorkflowTask?.attempt ?? 0).toBeGreaterThan(1);
  });
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(
    ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message ?? [],
  );
}

/** Returns what the view of docs/temporal-ui.md shows. */
async function failingWorkflows({ temporal, taskQueue }: Shop): Promise<string[]> {
  const query = `TaskQueue = '${taskQueue}' AND ${savedViews().get('Failing workflow tasks')!}`;
  const ids: string[] = [];
  for await (const { workflowId } of temporal.client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

const base64Of = (text: string) => Buffer.from(JSON.stringify(text)).toString('base64').slice(4, -4);
const keyIdsIn = (history: string) =>
  new Set(
    [...history.matchAll(/"encryption-key-id": "([^"]+)"/g)].map(([, id]) =>
      Buffer.from(id!, 'base64').toString(),
    ),
  );

it.concurrent.each([
  ['with another key', (shop: Shop) => withKeys(shop, NEW)],
  ['without keys', withoutKeys],
])(
  'keeps an order waiting while all workers are %s, and places it when one has its key',
  (_what, startWrongWorker) =>
    inShop(async (shop) => {
      const request = await requestFor(shop);
      const wrong = await startWrongWorker(shop);
      const placing = shop.place(request);
      for (const failure of await whenFailing(shop, request)) {
        // A worker with keys encodes this message too, but logs it.
        expect(failure).toMatch(/Encoded failure|key "old", which this process does not have.*PAYLOAD_KEYS/);
      }
      expect(await shop.orders.findById(request.orderId)).toBeNull();
      expect((await handleOf(shop, request).describe()).status.name).toBe('RUNNING');
      await eventually(async () =>
        expect(await failingWorkflows(shop)).toEqual([`order-${request.orderId}`]),
      );
      expect((await shop.workflows.find(request.orderId))!.request).toEqual(request);
      await wrong.stop();

      await withKeys(shop, OLD, NEW);
      expect(await placing).toMatchObject({ status: 'confirmed', note: NOTE });
      expect(await historyOf(shop, request)).not.toContain(base64Of(NOTE));
    })(),
);

it.concurrent(
  'encrypts the answers to queries',
  inShop(async (shop) => {
    await withKeys(shop, OLD);
    const request = await requestFor(shop);
    await shop.place(request);
    const handle = handleOf(shop, request);
    expect(await handle.query(getOrderQuery)).toMatchObject({ status: 'confirmed' });
    for (const queryType of ['getOrder', 'getTimeline', '__temporal_workflow_metadata']) {
      const { namespace } = shop.temporal.client.options;
      const { queryResult } = await shop.temporal.client.workflowService.queryWorkflow({
        namespace,
        execution: { workflowId: handle.workflowId },
        query: { queryType },
      });
      const [answer] = queryResult!.payloads!;
      expect(Buffer.from(answer!.metadata!.encoding!).toString()).toBe('binary/encrypted');
    }
  }),
);

it.concurrent(
  'neither rejects nor loses an update that a worker cannot read',
  inShop(async (shop) => {
    const request = await requestFor(shop);
    const clear = await withoutKeys(shop); // has the unencrypted workflow cached when an API with keys comes
    await asApiWith(shop, '', (api) => api.place(request));
    const cancelling = shop.workflows.execute(request, COMMANDS.cancel, {
      ...newCommand(),
      reason: NOTE,
    });
    await whenFailing(shop, request);
    await clear.stop();
    await withKeys(shop, OLD);
    expect(await cancelling).toMatchObject({ status: 'cancelled' });
  }),
);

it.concurrent(
  'rotates keys while an order is open',
  inShop(async (shop) => {
    const request = await requestFor(shop, 2);
    const before = await withKeys(shop, OLD, NEW);
    await shop.place(request);
    const own = new Set([`cus/${ownerOf(request.customerId)}`]);
    expect(keyIdsIn(await historyOf(shop, request))).toEqual(own);
    await before.stop();

    await withKeys(shop, NEW, OLD);
    await asApiWith(shop, `${NEW},${OLD}`, async (api) => {
      const shipped = await api.execute(request, COMMANDS.fulfill, {
        ...FULFILLMENT,
        items: request.items,
        carrier: null,
        trackingNumber: NOTE,
      });
      expect(shipped).toEqual({ version: 3 });
      const stored = await shop.orders.findById(request.orderId);
      expect(stored!.fulfillments[0]).toMatchObject({ trackingNumber: NOTE });
      const history = await historyOf(shop, request);
      expect(keyIdsIn(history)).toEqual(own);
      expect(history).not.toContain(base64Of(NOTE));
      expect((await api.find(request.orderId))!.request).toEqual(request);
    });
    const find = (api: OrderWorkflows) => api.find(request.orderId);
    await asApiWith(shop, NEW, (api) =>
      expect(find(api)).rejects.toMatchObject({ code: 'service_unavailable' }),
    );
    const repository = createDataKeyRepository(shop.db.connection);
    const rotated = parsePayloadKeys(`${NEW},${OLD}`);
    await rewrapDataKeys(repository, rotated, pino({ level: 'silent' }), new AbortController().signal);
    await asApiWith(shop, NEW, async (api) => expect((await find(api))!.request).toEqual(request));
  }),
);

it.concurrent(
  'continues an unencrypted order with keys',
  inShop(async (shop) => {
    const request = await requestFor(shop);
    const before = await withoutKeys(shop);
    await asApiWith(shop, '', (api) => api.place(request));
    await before.stop();
    await withKeys(shop, OLD);
    const cancel = { ...newCommand(), reason: null };
    // An API without keys cannot read the answer, but the command has been carried out.
    await asApiWith(shop, '', (api) =>
      expect(api.execute(request, COMMANDS.cancel, cancel)).rejects.toMatchObject({
        code: 'service_unavailable',
        cause: { message: expect.stringContaining('PAYLOAD_KEYS') as string },
      }),
    );
    expect(await shop.orders.findById(request.orderId)).toMatchObject({ status: 'cancelled' });
  }),
);

it.concurrent(
  'hides messages and stacks of failures in Temporal, but not from callers',
  inShop(async (shop) => {
    const request = await requestFor(shop);
    const fail = () => Promise.reject(new Error(`The database said: ${NOTE}`));
    const worker = await shop.startWorker(
      { activities: (activities) => ({ ...activities, placeOrder: fail, openOrder: fail }) },
      { keys: OLD, bundle },
    );
    const placing = shop.place(request);
    await eventually(async () => {
      const { raw } = await handleOf(shop, request).describe();
      expect(raw.pendingActivities![0]!.lastFailure).toMatchObject({
        message: 'Encoded failure',
        stackTrace: '',
      });
    });
    await worker.stop();
    await withKeys(shop, OLD);
    expect(await placing).toMatchObject({ status: 'confirmed' });
    const history = await historyOf(shop, request);
    expect(history).toContain('Encoded failure');
    expect(history).not.toContain(NOTE);

    const refused = shop.workflows.execute(request, COMMANDS.fulfill, {
      ...FULFILLMENT,
      items: [{ productServiceId: request.items[0]!.productServiceId, quantity: 9 }],
      carrier: null,
      trackingNumber: null,
    });
    await expect(refused).rejects.toMatchObject({
      name: 'AppError',
      message: expect.stringMatching(/[a-z]{3}/) as string,
    });
    await expect(refused).rejects.not.toThrow('Encoded failure');
  }),
);

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
