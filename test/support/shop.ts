import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { randomBytes } from 'node:crypto';
import type { Command } from '../../src/domain/command';
import type { Order, OrderRequest } from '../../src/domain/order';
import { newId } from '../../src/common/ids';
import { fingerprintOf, orderIdOf } from '../../src/orders/order-request';
import { createOrderRepository, type OrderRepository } from '../../src/orders/orders.repository';
import {
  createProductServiceRepository,
  type NewProductService,
  type ProductService,
  type ProductServiceRepository,
} from '../../src/product-service/product-service.repository';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { createOrderWorkflows, type OrderWorkflows } from '../../src/orders/temporal/order-workflows';
import {
  createOrderQueueActivities,
  createPaymentQueueActivities,
  type Activities,
} from '../../src/worker/activities';
import type { Unanswered } from '../../src/temporal/updates';
import type { CommandDone, CommandType } from '../../workflows/contract';
import { testConfig, testWorkerConfig } from './config';
import { openTestDatabase, type TestDatabase } from './database';
import {
  paymentsTaskQueueOf,
  startTestWorker,
  type Sabotage,
  type TestWorker,
  type WorkerPayloads,
} from './worker';

/** An isolated shop: a database, a task queue, and the workers that a test starts. */
export interface Shop {
  db: TestDatabase;
  temporal: TemporalClient;
  taskQueue: string;
  workflows: ShopWorkflows;
  orders: OrderRepository;
  products: ProductServiceRepository;
  /** The worker's activities, for calls without a workflow. */
  activities: Activities;
  startWorker(sabotage?: Sabotage, payloads?: WorkerPayloads): Promise<TestWorker>;
  /** Adds a product to the catalogue. Its stock defaults to 100. */
  sell(entry?: Partial<NewProductService> & { available?: number }): Promise<ProductService>;
  stockOf(id: string): Promise<ProductService['stock']>;
  close(): Promise<void>;
}

/** Runs commands as the API does, but returns the stored order. */
export interface ShopWorkflows extends Omit<OrderWorkflows, 'execute' | 'executeAlways'> {
  execute<C extends Command>(
    request: OrderRequest,
    type: CommandType<C>,
    command: C,
  ): Promise<Order | Unanswered>;
  executeAlways<C extends Command>(order: Order, type: CommandType<C>, command: C): Promise<Order | 'late'>;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export async function openShop({
  timeoutMs = 20_000,
  fulfillmentDeadlineMs = 6 * DAY_MS,
  payloadKeys = '',
} = {}): Promise<Shop> {
  const taskQueue = `test-${randomBytes(8).toString('hex')}`;
  const db = await openTestDatabase();
  const config = testConfig({ PAYLOAD_KEYS: payloadKeys });
  const temporal = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys));
  const products = createProductServiceRepository(db.connection);
  const workers = new Set<TestWorker>();
  const orders = createOrderRepository(db.connection);
  return {
    db,
    temporal,
    taskQueue,
    workflows: readingOrders(
      createOrderWorkflows(patient(temporal), {
        taskQueue,
        policy: { fulfillmentDeadlineMs, paymentsTaskQueue: paymentsTaskQueueOf(taskQueue) },
        timeoutMs,
        commandTimeoutMs: timeoutMs,
      }),
      orders,
    ),
    orders,
    products,
    activities: runnable(db),

    async startWorker(sabotage, payloads) {
      const worker = await startTestWorker({ taskQueue, connection: db.connection, sabotage, payloads });
      const tracked: TestWorker = {
        async stop() {
          if (workers.delete(tracked)) await worker.stop();
        },
      };
      workers.add(tracked);
      return tracked;
    },

    async sell({ available = 100, ...entry } = {}) {
      const product = await products.insert({ ...entryOf(available), ...entry });
      if (!product) throw new Error('The sku is in use.');
      return product;
    },

    stockOf: async (id) => (await products.findActiveByIds([id]))[0]!.stock,

    async close() {
      for (const worker of workers) await worker.stop();
      await terminateOpenOrders(temporal, taskQueue);
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
    execute: (request, type, command) => read(request.orderId, workflows.execute(request, type, command)),
    executeAlways: (order, type, command) => read(order.id, workflows.executeAlways(order, type, command)),
  };
}

/** Tests keep the machine so busy that a late response does not mean that Temporal is down. */
function patient(temporal: TemporalClient): TemporalClient {
  return { ...temporal, lastAnswerAt: Date.now };
}

function runnable({ connection }: TestDatabase): Activities {
  const activities = {
    ...createOrderQueueActivities(connection),
    ...createPaymentQueueActivities(testWorkerConfig(), connection),
  };
  const run =
    (activity: (...args: never[]) => Promise<unknown>) =>
    (...args: never[]) =>
      new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ...args);
  const entries = Object.entries(activities).map(([name, activity]) => [name, run(activity)]);
  return Object.fromEntries(entries) as Activities;
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
    taxRateBps: 1_900,
    stock: { available, reserved: 0 },
    isActive: true,
    version: 1,
  };
}

/** Returns the request that the API makes from a POST. */
export function orderRequest(request: Partial<OrderRequest> & Pick<OrderRequest, 'items'>): OrderRequest {
  const content = {
    items: request.items,
    paymentMethod: request.paymentMethod ?? 'pm_card_visa',
    note: request.note ?? null,
    shippingAddress: request.shippingAddress ?? null,
  };
  const customerId = request.customerId ?? newId('usr');
  return {
    orderId: orderIdOf(customerId, randomBytes(8).toString('hex')),
    customerId,
    placedBy: customerId,
    fingerprint: fingerprintOf(content),
    attemptId: randomBytes(8).toString('hex'),
    requestId: 'test',
    createdAt: new Date().toISOString(),
    ...content,
    ...request,
  };
}

async function terminateOpenOrders({ client }: TemporalClient, taskQueue: string): Promise<void> {
  const open = client.workflow.list({ query: `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'` });
  for await (const { workflowId } of open) {
    await client.workflow
      .getHandle(workflowId)
      .terminate('The test is over.')
      .catch(() => undefined);
  }
}
