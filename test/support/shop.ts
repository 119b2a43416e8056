import { randomBytes } from 'node:crypto';
import type { Command } from '../../src/domain/command';
import type { Order, OrderRequest } from '../../src/domain/order';
import { newId } from '../../src/common/ids';
import { fingerprintOf, orderIdOf } from '../../src/orders/order-request';
import { createOrderRepository, type OrderRepository } from '../../src/orders/orders.repository';
import {
  createPaymentActionRepository,
  type PaymentActionRepository,
} from '../../src/payments/actions.repository';
import {
  createProductServiceModel,
  type ProductService,
} from '../../src/product-service/product-service.model';
import {
  createProductServiceRepository,
  type NewProductService,
  type ProductServiceRepository,
} from '../../src/product-service/product-service.repository';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import {
  createOrderWorkflows,
  type OrderWorkflows,
  type Outdated,
} from '../../src/orders/temporal/order-workflows';
import type { Unanswered } from '../../src/temporal/updates';
import {
  orderWorkflowId,
  type CommandDone,
  type CommandType,
  type OrderPolicy,
} from '../../workflows/contract';
import { testConfig } from './config';
import { patientDataKeys } from './data-keys';
import { openTestDatabase, type TestDatabase } from './database';
import { eventually, HANG_MS } from './eventually';
import { TEST_ORIGIN } from './origin';
import { requestSharedWorker, sharedShop } from './shared-shops';
import { orderPolicy } from './commands';
import type * as workers from './worker';
import type { Sabotage, TestWorker, WorkerPayloads } from './worker';

/** Where orders are placed and changed. */
export type Ordering = Pick<Shop, 'workflows' | 'place'>;

/** A shop with a database, a task queue and workers. */
export interface Shop {
  db: TestDatabase;
  temporal: TemporalClient;
  taskQueue: string;
  workflows: ShopWorkflows;
  /** Returns what an API with another policy does with the same database and workers. */
  withPolicy(policy: Partial<OrderPolicy>): Ordering;
  /** Places an order as the API does. Returns the stored order, or null if its workflow has not answered. */
  place(request: OrderRequest): Promise<Order | null>;
  orders: OrderRepository;
  actions: PaymentActionRepository;
  products: ProductServiceRepository;
  /** Starts workers of its own queue, see `own`. */
  startWorker(sabotage?: Sabotage, payloads?: WorkerPayloads, env?: NodeJS.ProcessEnv): Promise<TestWorker>;
  /** Adds a product to the catalogue. Its stock defaults to 100. */
  sell(entry?: Partial<NewProductService> & { available?: number }): Promise<ProductService>;
  stockOf(id: string): Promise<ProductService['stock']>;
  /** Adds that many units to the available stock of a product. */
  stockUp(id: string, units: number): Promise<void>;
  /** Takes a product out of the catalogue. */
  retire(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Runs commands as the API does, but returns the stored order. */
export interface ShopWorkflows extends Omit<OrderWorkflows, 'execute' | 'executeAlways'> {
  execute<C extends Command>(
    request: OrderRequest,
    type: CommandType<C>,
    command: C,
  ): Promise<Order | Unanswered | Outdated>;
  executeAlways<C extends Command>(
    order: Order,
    type: CommandType<C>,
    command: C,
    updateId?: string,
  ): Promise<Order | 'late' | Outdated>;
}

export interface ShopOptions {
  /**
   * Whether to create a database and a task queue for this shop, on which no worker runs until the test starts one.
   * Otherwise it has what the files of this Jest process share, a worker included.
   */
  own?: boolean;
  policy?: Partial<OrderPolicy>;
  payloadKeys?: string;
}

export async function openShop({
  own = false,
  policy = {},
  payloadKeys = '',
}: ShopOptions = {}): Promise<Shop> {
  const db = await openTestDatabase({ own });
  const taskQueue = db.isShared ? sharedShop()!.taskQueue : `test-${randomBytes(8).toString('hex')}`;
  const config = testConfig({ PAYLOAD_KEYS: payloadKeys });
  const dataKeys = patientDataKeys(db.connection, config.payloadKeys);
  const converter = createDataConverter(config.payloadKeys, dataKeys);
  const temporal = patient(createTemporalClient(config.temporal, converter));
  const products = createProductServiceRepository(db.connection);
  const started = new Set<TestWorker>();
  const orders = createOrderRepository(db.connection);

  async function startWorker(
    sabotage?: Sabotage,
    payloads?: WorkerPayloads,
    env?: NodeJS.ProcessEnv,
  ): Promise<TestWorker> {
    if (db.isShared) throw new Error('This shop has a worker already: open one with `own`.');
    // Most files do without the SDK of workers, which takes long to load.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { startTestWorker } = require('./worker') as typeof workers;
    const worker = await startTestWorker({
      taskQueue,
      connection: db.connection,
      sabotage,
      payloads,
      env,
    });
    const tracked: TestWorker = {
      async stop() {
        if (started.delete(tracked)) await worker.stop();
      },
    };
    started.add(tracked);
    return tracked;
  }
  if (db.isShared) requestSharedWorker();
  else if (!own) await startWorker();

  function withPolicy(fields: Partial<OrderPolicy>): Ordering {
    const workflows = createOrderWorkflows(temporal, {
      taskQueue,
      policy: orderPolicy(taskQueue, fields),
      timeoutMs: HANG_MS,
      commandTimeoutMs: HANG_MS,
    });
    return {
      workflows: readingOrders(workflows, orders),
      place: async (request) => ((await workflows.place(request)) ? orders.findById(request.orderId) : null),
    };
  }

  return {
    db,
    temporal,
    taskQueue,
    ...withPolicy(policy),
    withPolicy: (fields) => withPolicy({ ...policy, ...fields }),
    orders,
    actions: createPaymentActionRepository(db.connection),
    products,

    startWorker,

    async sell({ available = 100, ...entry } = {}) {
      const product = await products.insert({ ...entryOf(available), ...entry }, TEST_ORIGIN);
      if (!product) throw new Error('The sku is in use.');
      return product;
    },

    stockOf: async (id) => (await products.find(id))!.stock,

    async stockUp(id, units) {
      const moved = { 'stock.available': units, stockReceived: units, stockRevision: 1 };
      await createProductServiceModel(db.connection).updateOne({ _id: id }, { $inc: moved });
    },

    async retire(id) {
      await products.retire((await products.find(id))!, TEST_ORIGIN);
    },

    async close() {
      for (const worker of started) await worker.stop();
      await terminateOrders(temporal, taskQueue, await db.connection.collection('orders').distinct('_id'));
      await temporal.close();
      await db.drop();
    },
  };
}

function readingOrders(workflows: OrderWorkflows, orders: OrderRepository): ShopWorkflows {
  async function read<T extends string>(id: string, pending: Promise<CommandDone | T>): Promise<Order | T> {
    const result = await pending;
    if (typeof result === 'string') return result;
    const order = (await orders.findById(id))!;
    if (order.version < result.version)
      throw new Error(`The stored order ${id} is older than the result of the command.`);
    return order;
  }
  return {
    ...workflows,
    // A machine that is slow enough does not answer within the time that the API has for it.
    start: (request) => eventually(() => workflows.start(request)),
    execute: (request, type, command) => read(request.orderId, workflows.execute(request, type, command)),
    executeAlways: (order, ...rest) => read(order.id, workflows.executeAlways(order, ...rest)),
  };
}

/** Tests keep the machine so busy that a late response does not mean that Temporal is down. */
export function patient(temporal: TemporalClient): TemporalClient {
  return { ...temporal, lastAnswerAt: Date.now };
}

export function entryOf(available: number): NewProductService {
  const id = newId('ps');
  return {
    id,
    sku: `SKU-${id}`,
    name: 'A thing',
    description: '',
    kind: 'product',
    unitPrice: 1_999,
    currency: 'EUR',
    priceIncludesTax: false,
    taxRateBps: 1_900,
    stock: { available, reserved: 0 },
    isActive: true,
    version: 1,
  };
}

/** Returns the request that the API makes from a POST. @param key its Idempotency-Key, if the test names it */
export function orderRequest(
  request: Partial<OrderRequest> & Pick<OrderRequest, 'items'>,
  key?: string,
): OrderRequest {
  const content = {
    items: request.items,
    paymentMethod: request.paymentMethod ?? 'pm_card_visa',
    note: request.note ?? null,
    shippingAddress: request.shippingAddress ?? null,
  };
  const customerId = request.customerId ?? newId('usr');
  return {
    orderId: orderIdOf(customerId, key ?? randomBytes(8).toString('hex')),
    customerId,
    placedBy: customerId,
    fingerprint: fingerprintOf(content, key ?? 'any'),
    attemptId: randomBytes(8).toString('hex'),
    requestId: 'test',
    createdAt: new Date().toISOString(),
    ...content,
    ...request,
  };
}

/** Terminates the workflows that run on the queue. The list may miss the latest, whose orders are stored. */
async function terminateOrders({ client }: TemporalClient, taskQueue: string, ids: unknown[]): Promise<void> {
  const workflowIds = new Set((ids as string[]).map(orderWorkflowId));
  const query = `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) workflowIds.add(workflowId);
  const terminate = (workflowId: string) =>
    client.workflow.getHandle(workflowId).terminate('The test is over.');
  await Promise.allSettled([...workflowIds].map(terminate)); // most have ended
}
