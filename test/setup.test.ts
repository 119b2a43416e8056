import { Connection, ScheduleClient, ScheduleOverlapPolicy, type ScheduleHandle } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { createIndexes } from '../src/setup/indexes';
import { createSchedules } from '../src/setup/schedules';
import { createSearchAttributes } from '../src/setup/search-attributes';
import { searchAttributesCommand } from '../src/temporal/search-attributes';
import { SEARCH_ATTRIBUTES } from '../workflows/contract';
import { openTestDatabase } from './support/database';
import { runEntry } from './support/entries';
import { eventually, repeat } from './support/eventually';

const address = process.env.TEMPORAL_ADDRESS!;

it('creates collections and indexes, and can be repeated', async () => {
  const db = await openTestDatabase({ own: true });
  await db.connection.dropDatabase();
  const env = { NODE_ENV: 'test', TEMPORAL_ADDRESS: address, MONGODB_URI: db.uri };
  for (let run = 0; run < 2; run++)
    expect(await runEntry('setup', env)).toMatchObject({ code: 0, stderr: '' });
  const collections = await db.connection.db!.listCollections().toArray();
  const indexes: Record<string, number> = {};
  for (const { name } of collections) indexes[name] = (await db.connection.collection(name).indexes()).length;
  expect(indexes).toEqual({
    api_keys: 4,
    availability: 1,
    webhook_endpoints: 1,
    webhook_deliveries: 5,
    webhook_dispatch: 1,
    events: 5,
    relay: 1,
    attempts: 2,
    audit: 6,
    audit_days: 1,
    carts: 8,
    data_keys: 2,
    sessions: 5,
    orders: 25,
    answered_commands: 1,
    product_services: 6,
    stock_adjustments: 2,
    unpaid_orders: 1,
    upkeep: 1,
    users: 8,
    account_tokens: 4,
    second_factors: 1,
    payment_actions: 2,
    payment_declines: 2,
    payment_events: 2,
    orders_audit_findings: 4,
    reconciliation_findings: 3,
    sandbox_payments: 5,
    sandbox_attempts: 1,
    sandbox_switches: 1,
    stripe_payments: 2,
  });
  await db.drop();
});

it('names the documents that prevent an index', async () => {
  const db = await openTestDatabase({ own: true });
  const users = db.connection.collection<{ _id: string; confirmedEmail: string }>('users');
  await users.dropIndexes();
  await users.insertMany(['usr_1', 'usr_2'].map((_id) => ({ _id, confirmedEmail: 'ada@example.com' })));
  await expect(createIndexes(db.connection)).rejects.toThrow(
    /users have \{"confirmedEmail":"ada@example.com"\}.*run it again/,
  );
  await db.drop();
});

it('registers the search attributes that a namespace lacks', async () => {
  const connection = await Connection.connect({ address });
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const attempt = () =>
    createSearchAttributes(connection, namespace).catch((error: unknown) => {
      if (!/not found/i.test(String(error))) throw error; // a new namespace takes a moment to become known
      return undefined;
    });
  const create = () => repeat(attempt, () => `Temporal does not know the namespace ${namespace}.`);
  const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
  expect(await create()).toEqual(names);
  const registered = async () =>
    (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  await eventually(async () =>
    expect(Object.keys(await registered())).toEqual(expect.arrayContaining(names)),
  );
  expect(await create()).toEqual([]);
  await expect(createSearchAttributes(connection, 'missing')).rejects.toThrow(
    searchAttributesCommand('missing'),
  );
  await connection.close();
});

it('creates the Schedules, brings them up to date, and leaves those that are paused so', async () => {
  const connection = await Connection.connect({ address });
  const taskQueue = `test-${randomBytes(4).toString('hex')}`;
  const setUp = () =>
    createSchedules(connection, {
      namespace: 'default',
      taskQueue,
      paymentsTaskQueue: `${taskQueue}-pay`,
      eventsTaskQueue: `${taskQueue}-events`,
    });
  const ids = await setUp();
  const names = [
    'janitor',
    'reconciliation',
    'audit',
    'audit-log',
    'retention',
    'carts',
    'relay',
    'webhooks',
  ];
  expect(ids).toEqual(names.map((name) => `${taskQueue}-${name}`));
  const client = new ScheduleClient({ connection });
  const handles = ids.map((id) => client.getHandle(id));
  const [janitor, reconciliation, audit, , , carts, relay, webhooks] = handles as [
    ScheduleHandle,
    ScheduleHandle,
    ScheduleHandle,
    ScheduleHandle,
    ScheduleHandle,
    ScheduleHandle,
    ScheduleHandle,
    ScheduleHandle,
  ];
  const definition = async () => {
    const { spec, action, policies, state, info } = await janitor.describe();
    return { spec, action, policies, state, next: info.nextActionTimes[0] };
  };
  const created = await definition();
  expect(created).toMatchObject({
    spec: { intervals: [{ every: 120_000 }] },
    action: { workflowType: 'janitorWorkflow', workflowId: ids[0], taskQueue },
    policies: { overlap: 'SKIP', catchupWindow: 60_000 },
    state: { paused: false },
  });
  expect(await reconciliation.describe()).toMatchObject({
    spec: { calendars: [{ hour: [{ start: 2 }], minute: [{ start: 30 }] }] },
    action: { workflowType: 'reconciliationWorkflow', args: [{ paymentsTaskQueue: `${taskQueue}-pay` }] },
    policies: { overlap: 'SKIP' },
  });
  expect(await audit.describe()).toMatchObject({
    spec: { calendars: [{ hour: [{ start: 4 }], minute: [{ start: 30 }] }] },
    action: { workflowType: 'ordersAuditWorkflow', args: [{ paymentsTaskQueue: `${taskQueue}-pay` }] },
    policies: { overlap: 'SKIP' },
  });
  expect(await carts.describe()).toMatchObject({
    spec: { intervals: [{ every: 900_000 }] },
    action: { workflowType: 'cartsWorkflow' },
  });
  expect(await relay.describe()).toMatchObject({
    spec: { intervals: [{ every: 60_000 }] },
    action: { workflowType: 'relayWorkflow', args: [{ eventsTaskQueue: `${taskQueue}-events` }] },
    policies: { overlap: 'SKIP' },
  });
  expect(await webhooks.describe()).toMatchObject({
    spec: { intervals: [{ every: 60_000 }] },
    action: { workflowType: 'webhooksWorkflow', args: [{ eventsTaskQueue: `${taskQueue}-events` }] },
    policies: { overlap: 'SKIP' },
  });
  // At once, and not only a minute later; the Schedule knows that it runs, and starts no other beside it.
  for (const started of [relay, webhooks])
    await eventually(async () => {
      const { numActionsTaken, runningActions } = (await started.describe()).info;
      expect([numActionsTaken, runningActions.length]).toEqual([1, 1]);
    });
  await relay.trigger(ScheduleOverlapPolicy.SKIP);
  await eventually(async () => expect((await relay.describe()).raw.info?.overlapSkipped?.toNumber()).toBe(1));
  expect((await relay.describe()).info.numActionsTaken).toBe(1);

  await setUp();
  expect(await definition()).toEqual({ ...created, next: expect.any(Date) as Date });

  await janitor.pause('The payment service is being moved.');
  const weekly = { spec: { intervals: [{ every: '7d' as const }] } };
  await janitor.update(({ action, policies, state }) => ({ ...weekly, action, policies, state }));
  await setUp();
  const state = { paused: true, note: 'The payment service is being moved.' };
  expect(await definition()).toMatchObject({ spec: created.spec, state });

  const missing = { namespace: 'missing', taskQueue, paymentsTaskQueue: 'x', eventsTaskQueue: 'y' };
  await expect(createSchedules(connection, missing)).rejects.toThrow(
    /Schedule test-.*-janitor of namespace missing .*TEMPORAL_NAMESPACE/,
  );

  await Promise.all(handles.map((handle) => handle.delete()));
  await connection.close();
});
