import type { mongo } from 'mongoose';
import { orderWorkflowId } from '../../workflows/contract';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import type { ProductService } from '../../src/product-service/product-service.repository';

/**
 * What one order of one line costs, counted: what is added to it here is paid with every order. Speed is measured by
 * `npm run bench`, which these figures stand behind.
 */
let api: OrderApi;
let alice: string;
let product: ProductService;
let order: OrderBody;
beforeAll(async () => {
  api = await openOrderApi();
  await api.shop.startWorker();
  alice = api.tokenOf('CUSTOMER');
  product = await api.shop.sell({ sku: 'TSHIRT-M', name: 'T-shirt, medium' });
  await api.placed(alice, [product.id, 1]); // whatever a first one costs
});
afterAll(() => api.close());

/** What MongoDB was asked meanwhile, such as `insert orders`. */
async function mongoDbCommandsOf(work: () => Promise<unknown>): Promise<string[]> {
  const commands: string[] = [];
  const note = ({ commandName, command }: mongo.CommandStartedEvent) => {
    const target = (command as Record<string, unknown>)[commandName];
    if (commandName !== 'getMore') commands.push(`${commandName} ${String(target)}`);
  };
  const client = api.shop.db.connection.getClient();
  client.on('commandStarted', note);
  await work();
  client.off('commandStarted', note);
  return commands;
}

/** What the API asked Temporal meanwhile. */
async function temporalCallsOf(work: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  const service = api.shop.temporal.client.workflowService as unknown as Record<string, () => unknown>;
  const methods = Object.entries(service).filter(([, method]) => typeof method === 'function');
  for (const [name, method] of methods) {
    service[name] = (...args) => {
      calls.push(name);
      return method(...args);
    };
  }
  await work();
  Object.assign(service, Object.fromEntries(methods));
  return calls;
}

/** What Temporal keeps of it. */
async function historyOf({ id }: OrderBody) {
  const handle = api.shop.temporal.client.workflow.getHandle(orderWorkflowId(id));
  const { historyLength, raw } = await handle.describe();
  const { historySizeBytes, stateTransitionCount } = raw.workflowExecutionInfo!;
  return {
    events: historyLength,
    bytes: Number(historySizeBytes),
    stateTransitions: Number(stateTransitionCount),
  };
}

test('placing it: one call of Temporal, five commands of MongoDB and one of the sandbox', async () => {
  let commands: string[] = [];
  const calls = await temporalCallsOf(async () => {
    commands = await mongoDbCommandsOf(async () => {
      order = (await api.place(alice, lines([product.id, 1])).expect(201)).body.data;
    });
  });
  expect(calls).toEqual(['executeMultiOperation']);
  expect(commands).toEqual([
    'find product_services',
    'update product_services',
    'insert orders',
    'commitTransaction 1',
    'findAndModify sandbox_payments',
    'update orders',
  ]);
});

test('placing it: 17 events in 7 state transitions, below 6 kB', async () => {
  const { events, bytes, stateTransitions } = await historyOf(order);
  expect({ events, stateTransitions }).toEqual({ events: 17, stateTransitions: 7 });
  expect(bytes).toBeLessThanOrEqual(6_000);
});

test('its whole life, fulfilled and delivered: 43 events, below 15 kB', async () => {
  const admin = api.tokenOf('ADMIN');
  const commands = await mongoDbCommandsOf(async () => {
    const { body } = await api.fulfill(order.id, [[product.id, 1]]).expect(201);
    const [{ id }] = body.data.fulfillments;
    await api.call('post', `/orders/${order.id}/fulfillments/${id}/deliver`, admin).expect(200);
  });
  await api.shop.temporal.client.workflow.getHandle(orderWorkflowId(order.id)).result();
  const { events, bytes } = await historyOf(order);
  expect(events).toBe(43);
  expect(bytes).toBeLessThanOrEqual(15_000);
  expect(commands).toEqual([
    'find orders',
    ...['find sandbox_payments', 'findAndModify sandbox_payments'],
    ...['find orders', 'update product_services', 'update orders', 'commitTransaction 1'],
    'find orders',
    ...['find orders', 'update orders', 'find orders'],
  ]);
});
