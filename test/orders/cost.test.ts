import { temporal } from '@temporalio/proto';
import { mongo } from 'mongoose';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import {
  DOCUMENT_BYTES,
  EVENT_BYTES,
  FULFILLING,
  MOVING,
  PLACING,
  type StageCounts,
} from '../../bench/counts';
import { moveSignal, orderWorkflowId } from '../../workflows/contract';
import { createAuditRepository } from '../../src/audit/audit.repository';
import { createTransact } from '../../src/mongodb/transaction';
import { eventually } from '../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../support/order-api';
import { keepRelaying } from '../support/relay';
import type { ProductService } from '../../src/product-service/product-service.model';

/**
 * Counts what one order of one line costs, since every order pays what is added here. docs/capacity.md is
 * computed from the same figures, those of `bench/counts.ts`.
 */
/** Each task of a workflow has the name of the deployment, whose default, `orders`, is as long. */
const DEPLOYMENT = randomBytes(3).toString('hex');

/** The events of a run that has taken an order over, when it waits again. */
const MOVED_EVENTS = 6;

let api: OrderApi;
let alice: string;
let product: ProductService;
let order: OrderBody;
beforeAll(async () => {
  api = await openOrderApi({ own: true });
  await api.shop.startWorker(undefined, undefined, { WORKER_DEPLOYMENT: DEPLOYMENT });
  alice = api.tokenOf('CUSTOMER');
  product = await api.shop.sell({ sku: 'TSHIRT-M', name: 'T-shirt, medium' });
  await api.placed(alice, [product.id, 1]); // the first one may cost more
  const { revokedTokens, apiKeys } = api.credentials;
  await Promise.all([revokedTokens.followed, apiKeys.followed, api.declines.followed]); // after that, they load nothing more
});
afterAll(() => api.close());

/** Returns the commands that MongoDB gets during the work, such as `insert orders`. */
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

/** Returns the calls that Temporal gets from the API during the work. */
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

type Counts = Omit<StageCounts, 'apiCalls' | 'mongoDbCommands' | 'historyBytes'>;

const handleOf = ({ id }: OrderBody, runId?: string) =>
  api.shop.temporal.client.workflow.getHandle(orderWorkflowId(id), runId);

/** Counts what Temporal keeps of an order, of its newest run by default. */
async function historyOf(
  order: OrderBody,
  runId?: string,
): Promise<Counts & Pick<StageCounts, 'historyBytes'>> {
  const handle = handleOf(order, runId);
  const { historyLength, raw } = await handle.describe();
  const { historySizeBytes, stateTransitionCount } = raw.workflowExecutionInfo!;
  const events = (await handle.fetchHistory()).events!;
  const { EventType } = temporal.api.enums.v1;
  const count = (type: temporal.api.enums.v1.EventType) =>
    events.filter(({ eventType }) => eventType === type).length;
  const markers = events.flatMap(({ markerRecordedEventAttributes: marker }) => marker ?? []);
  return {
    events: historyLength,
    historyBytes: Number(historySizeBytes) - bytesOfLongName(events),
    stateTransitions: Number(stateTransitionCount),
    workflowStarts: count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED),
    updates: count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED),
    workflowTasks: count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
    localActivities: markers.filter(({ markerName }) => markerName === 'core_local_activity').length,
    workflowTasksWithMarkers: new Set(markers.map((marker) => String(marker.workflowTaskCompletedEventId)))
      .size,
    activities: count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
    timers: count(EventType.EVENT_TYPE_TIMER_STARTED),
    searchAttributeUpserts: count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES),
  };
}

/**
 * Returns the bytes by which the names of the processes are longer than `12345@vm`. Most events have them,
 * and they differ between machines.
 */
function bytesOfLongName(events: object[]): number {
  const identity = `${process.pid}@${hostname()}`;
  const times = JSON.stringify(events).split(identity).length - 1;
  expect(times).toBeGreaterThan(0);
  return times * (identity.length - '12345@vm'.length);
}

/** Expects a figure that is a limit, and near enough to plan with. */
function expectRoundedUp(bytes: number, figure: number): void {
  expect(bytes).toBeLessThanOrEqual(figure);
  expect(bytes).toBeGreaterThan(0.98 * figure);
}

/** Returns the figures of the file without those that are counted elsewhere. */
function countsOf({ apiCalls: _calls, mongoDbCommands: _commands, historyBytes, ...counts }: StageCounts) {
  return { historyBytes, counts: counts satisfies Counts };
}

function sum(one: Counts, other: Counts): Counts {
  const keys = Object.keys(one) as (keyof Counts)[];
  return Object.fromEntries(keys.map((key) => [key, one[key] + other[key]])) as unknown as Counts;
}

it('costs one call of Temporal, six commands of MongoDB and one of the sandbox to place', async () => {
  let commands: string[] = [];
  const calls = await temporalCallsOf(async () => {
    commands = await mongoDbCommandsOf(async () => {
      order = (await api.place(alice, lines([product.id, 1])).expect(201)).body.data;
    });
  });
  expect(calls).toEqual(PLACING.apiCalls);
  expect(commands).toEqual(PLACING.mongoDbCommands);
});

it('costs 9 events in 3 state transitions, below 3.4 kB, to place', async () => {
  const { historyBytes, ...counted } = await historyOf(order);
  const expected = countsOf(PLACING);
  expect(counted).toEqual(expected.counts);
  expectRoundedUp(historyBytes, expected.historyBytes);
});

// The version takes 34 bytes of each of the four workflow tasks: twice the name of the deployment, the build id, and that it is
// pinned. Shorter ids would save some, and say less in the Temporal UI.
it('costs 29 events in 8 state transitions, below 8 kB, until it is delivered', async () => {
  const admin = api.tokenOf('ADMIN');
  let commands: string[] = [];
  const calls = await temporalCallsOf(async () => {
    commands = await mongoDbCommandsOf(async () => {
      const { body } = await api.fulfill(order.id, [[product.id, 1]]).expect(201);
      const [{ id }] = body.data.fulfillments;
      await api.call('post', `/orders/${order.id}/fulfillments/${id}/deliver`, admin).expect(200);
    });
  });
  expect(calls).toEqual(FULFILLING.apiCalls);
  expect(commands).toEqual(FULFILLING.mongoDbCommands);
  await handleOf(order).result();
  const { historyBytes, ...counted } = await historyOf(order);
  expect(counted).toEqual(sum(countsOf(PLACING).counts, countsOf(FULFILLING).counts));
  expectRoundedUp(historyBytes, PLACING.historyBytes + FULFILLING.historyBytes);
});

it('costs two documents in MongoDB, below 3 kB together, and two entries of the audit log', async () => {
  const { connection } = api.shop.db;
  const sizeOf = async (collection: string, filter: object, count = 1) => {
    const found = await connection.collection(collection).find(filter).toArray();
    expect(found).toHaveLength(count);
    return found.reduce((sum, document) => sum + mongo.BSON.calculateObjectSize(document), 0);
  };
  expectRoundedUp(await sizeOf('orders', { _id: order.id }), DOCUMENT_BYTES.order);
  expectRoundedUp(await sizeOf('sandbox_payments', { orderId: order.id }), DOCUMENT_BYTES.payment);
  await createAuditRepository(connection, createTransact(connection)).seal();
  expectRoundedUp(await sizeOf('audit', { object: order.id }, 2), DOCUMENT_BYTES.audit);
});

it('costs four events, below 8.3 kB together, which the relay writes afterwards, and no images', async () => {
  const { connection } = api.shop.db;
  const relay = keepRelaying(connection);
  await relay.following;
  const { id } = await api.placed(alice, [product.id, 1]);
  const { body } = await api.fulfill(id, [[product.id, 1]]).expect(201);
  const path = `/orders/${id}/fulfillments/${body.data.fulfillments[0].id}/deliver`;
  await api.call('post', path, api.tokenOf('ADMIN')).expect(200);
  const events = connection.collection('events');
  await eventually(async () => expect(await events.countDocuments({ object: id })).toBe(4));
  await relay.stop();
  const found = await events.find({ object: id }).toArray();
  expectRoundedUp(
    found.reduce((sum, event) => sum + mongo.BSON.calculateObjectSize(event), 0),
    EVENT_BYTES,
  );
  const collections = await connection.db!.listCollections().toArray();
  expect(JSON.stringify(collections)).not.toContain('PreAndPostImages');
});

it('costs 11 events in 6 state transitions, below 5 kB, and one read to move to another version', async () => {
  const orders = await Promise.all([1, 2, 3, 4, 5].map(() => api.placed(alice, [product.id, 1])));
  const env = { WORKER_DEPLOYMENT: DEPLOYMENT, WORKER_BUILD_ID: '0123456789ab' }; // as long as usual
  await api.shop.startWorker(undefined, undefined, env);
  const versionOf = async (one: OrderBody) => (await handleOf(one).describe()).raw.workflowExecutionInfo!;
  await eventually(async () => {
    const { versioningInfo } = await versionOf(await api.placed(alice, [product.id, 1]));
    expect(versioningInfo!.deploymentVersion!.buildId).toBe(env.WORKER_BUILD_ID);
  });
  let commands: string[] = [];
  let moved: { one: OrderBody; from: string } | undefined;
  // One whose queue does not know of the new version yet stays, and another one is told.
  for (const one of orders) {
    const { runId: from, historyLength } = await handleOf(one).describe();
    commands = await mongoDbCommandsOf(async () => {
      await handleOf(one).signal(moveSignal);
      await eventually(async () => {
        const { runId, historyLength: length } = await handleOf(one).describe();
        expect(length).toBeGreaterThanOrEqual(runId === from ? historyLength + 4 : MOVED_EVENTS);
        if (runId !== from) moved = { one, from };
      });
    });
    if (moved) break;
  }
  const { historyBytes: before, ...old } = await historyOf(moved!.one, moved!.from);
  const { historyBytes: after, ...next } = await historyOf(moved!.one);
  const expected = countsOf(MOVING);
  expect(sum(old, next)).toEqual(sum(countsOf(PLACING).counts, expected.counts));
  expectRoundedUp(before + after, PLACING.historyBytes + expected.historyBytes);
  expect(commands).toEqual(MOVING.mongoDbCommands);
});
