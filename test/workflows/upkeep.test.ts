import type { Connection, ScheduleHandle, WorkflowHandle } from '@temporalio/client';
import { createAuditRepository } from '../../src/audit/audit.repository';
import { createAuditRecorder } from '../../src/audit/recorder';
import { verifyAuditLog } from '../../src/audit/verify';
import { newId } from '../../src/common/ids';
import type { Order } from '../../src/domain/order';
import { createTransact } from '../../src/mongodb/transaction';
import { createOrderModel } from '../../src/orders/orders.model';
import { createErasures } from '../../src/personal-data/erasures';
import { createSchedules } from '../../src/setup/schedules';
import { createGuestRepository } from '../../src/users/guests.repository';
import { createUserModel } from '../../src/users/users.model';
import { createUsersRepository } from '../../src/users/users.repository';
import type { auditLogWorkflow } from '../../workflows/audit-log.workflow';
import type { retentionWorkflow } from '../../workflows/retention.workflow';
import { COMMANDS, erasureWorkflowId, SEARCH_ATTRIBUTES } from '../../workflows/contract';
import { orderIn } from '../domain/fixtures';
import { newCommand } from '../support/commands';
import { currentDetailsOf } from '../support/current-details';
import { eventually, HANG_MS, repeat } from '../support/eventually';
import { recordHistory } from '../support/histories';
import { lines } from '../support/order-api';
import { openShop, orderRequest, type Shop } from '../support/shop';
import { eventsTaskQueueOf, paymentsTaskQueueOf } from '../support/task-queues';

const DAY_MS = 86_400_000;
const AN_HOUR_MS = 3_600_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS);

let shop: Shop;
let schedules: Record<string, ScheduleHandle>;
beforeAll(async () => {
  shop = await openShop({ own: true });
  await shop.startWorker({}, undefined, { ORDER_RETENTION: '10d', AUDIT_RETENTION: '30d' });
  const { taskQueue, temporal } = shop;
  const { connection, options, schedule } = temporal.client;
  const queues = {
    taskQueue,
    paymentsTaskQueue: paymentsTaskQueueOf(taskQueue),
    eventsTaskQueue: eventsTaskQueueOf(taskQueue),
  };
  const ids = await createSchedules(connection as Connection, { namespace: options.namespace, ...queues });
  schedules = Object.fromEntries(ids.map((id) => [id.slice(taskQueue.length + 1), schedule.getHandle(id)]));
  for (const handle of Object.values(schedules)) await handle.pause();
});
afterAll(async () => {
  for (const handle of Object.values(schedules)) await handle.delete();
  await shop.close();
});

const secondOf = (time: Date): number => Math.floor(time.getTime() / 1_000);

/** Has the Schedule start another run, and returns it. @param start by default, an operator triggers it */
async function started<W extends () => Promise<unknown>>(
  name: string,
  start = (schedule: ScheduleHandle) => schedule.trigger(),
): Promise<WorkflowHandle<W>> {
  const schedule = schedules[name]!;
  const taken = async () => (await schedule.describe()).info.recentActions;
  const runs = async () => (await taken()).map(({ action }) => action.workflow);
  // The id of a run names the second in which it starts: a second run in it would not be started.
  const isSecondOver = async () =>
    (await taken()).every(({ takenAt }) => secondOf(takenAt) < secondOf(new Date())) || undefined;
  await repeat(isSecondOver, () => `Runs of ${name} are started all the time.`);
  const known = new Set((await runs()).map(({ firstExecutionRunId }) => firstExecutionRunId));
  await start(schedule);
  const newRun = async () => (await runs()).find(({ firstExecutionRunId: id }) => !known.has(id));
  const { workflowId, firstExecutionRunId } = await repeat(newRun, () => `No run of ${name} was started.`);
  await schedule.pause();
  return shop.temporal.client.workflow.getHandle<W>(workflowId, firstExecutionRunId);
}

/** Has the Schedule start a run when its time has come, which it has in a second. */
async function due(schedule: ScheduleHandle): Promise<void> {
  const spec = { intervals: [{ every: '1s' as const }] };
  // In one step: an update that arrives together with the end of a pause would bring the pause back.
  await schedule.update(({ action, policies, state }) => ({
    spec,
    action,
    policies,
    state: { ...state, paused: false },
  }));
}

const auditOf = () => createAuditRepository(shop.db.connection, createTransact(shop.db.connection));

async function record(object = 'ps_1'): Promise<void> {
  const { connection } = shop.db;
  const origin = { by: 'usr_1', requestId: null, address: null };
  const personal = [{ field: 'note', before: null, after: 'Ring twice' }];
  const change = { origin, action: 'order.amend', object, subject: null, changes: [], personal };
  await createTransact(connection)((session) => createAuditRecorder(connection)(change, session));
}

it('seals the audit log, and remembers in Temporal where it ended', async () => {
  await record();
  await record();
  const run = await started<typeof auditLogWorkflow>('audit-log');
  const sealed = await run.result();
  const { last, flaws } = await verifyAuditLog(shop.db.connection);
  expect({ sealed, flaws }).toEqual({ sealed: { ...last, entries: 2 }, flaws: [] });
  expect(await currentDetailsOf(run)).toMatch(/Chains the new entries .*#upkeep-does-not-end/s);
  await recordHistory('audit-log', run);
  expect(await (await started<typeof auditLogWorkflow>('audit-log', due)).result()).toBeNull();
});

async function stored(id: string, days: number, fields: Partial<Order> = {}): Promise<void> {
  const updatedAt = daysAgo(days).toISOString();
  const order = orderIn({ id, number: id, note: 'Ring twice', status: 'completed', updatedAt, ...fields });
  await shop.db.connection.withSession((session) => shop.orders.insert({ ...order, revision: 1 }, session));
}

/** Returns the ids of the orders that still have what their customers have told. */
async function kept(): Promise<string[]> {
  const found = await createOrderModel(shop.db.connection)
    .find({ note: 'Ring twice' })
    .sort({ _id: 1 })
    .lean();
  return found.map(({ _id }) => _id);
}

it('removes what is too old of the audit log, and erases closed orders that have not changed for long, archived ones as well', async () => {
  for (const name of ['audit_days', 'audit']) await shop.db.connection.collection(name).deleteMany();
  await record();
  await auditOf().seal(daysAgo(40));
  const dispute = {
    id: 'd',
    amount: 1,
    status: 'opened',
    reason: 'fraudulent',
    at: '2026-01-01T00:00:00Z',
  } as const;
  for (const id of ['ord_old', 'ord_new']) await record(id);
  await stored('ord_archived', 12, { archivedAt: daysAgo(12).toISOString() });
  await stored('ord_disputed', 12, { disputes: [dispute] });
  await stored('ord_new', 9);
  await stored('ord_old', 13);
  await stored('ord_open', 11, { status: 'confirmed' });

  const first = await started<typeof retentionWorkflow>('retention', due);
  const { orders, removedAuditEntries } = await first.result();
  expect(orders).toMatchObject({ erased: 2, waiting: 1, done: { current: { id: 'ord_old' } } });
  expect(removedAuditEntries).toBe(1);
  expect(await kept()).toEqual(['ord_disputed', 'ord_new', 'ord_open']);
  const audited = await shop.db.connection
    .collection('audit')
    .find({ private: { $exists: true } })
    .toArray();
  expect(audited.map(({ object }) => object as string)).toEqual(['ord_new']);

  await createOrderModel(shop.db.connection).updateOne(
    { _id: 'ord_disputed' },
    { $set: { 'disputes.0.status': 'won' } },
  );
  await stored('ord_restored', 100); // from a backup
  const second = await started<typeof retentionWorkflow>('retention', due);
  expect(await second.result()).toMatchObject({ orders: { waiting: 0 }, removedAuditEntries: 0 });
  expect(await currentDetailsOf(second)).toContain('Erases what closed orders have of their customers');
  await recordHistory('retention', second);
  expect(await kept()).toEqual(['ord_new', 'ord_open', 'ord_restored']);

  // Triggered, it looks at all of them.
  await (await started<typeof retentionWorkflow>('retention')).result();
  expect(await kept()).toEqual(['ord_new', 'ord_open']);
});

const erasureOf = (userId: string) => shop.temporal.client.workflow.getHandle(erasureWorkflowId(userId));

/** A customer whose erasure has begun, and lets orders arrive for that long. */
async function erasedUser(lateMs: number): Promise<string> {
  const id = newId('usr');
  const user = { id, email: `${id}@example.com`, name: 'Ada', role: 'CUSTOMER', passwordHash: 'x' } as const;
  await createUsersRepository(shop.db.connection).insert(user);
  const erasures = createErasures(shop.temporal, { taskQueue: shop.taskQueue, timeoutMs: HANG_MS, lateMs });
  await erasures.begin({ userId: id, by: id, requestId: 'r-1' });
  return id;
}

/** A guest that an API process was late to give to the account. */
async function takenOverBy(userId: string): Promise<string> {
  const id = newId('usr');
  const guest = { id, email: 'guest@example.com', name: 'Ada', orderTokenHash: id };
  await createGuestRepository(shop.db.connection).keep(guest);
  await createUserModel(shop.db.connection).updateOne({ _id: id }, { takenOverBy: userId });
  return id;
}

async function closedWorkflowsOf(customerId: string): Promise<number> {
  const query = `${SEARCH_ATTRIBUTES.customerId.name} = '${customerId}' AND ExecutionStatus = 'Completed'`;
  return (await shop.temporal.client.workflow.count(query)).count;
}

async function continuedErasures(): Promise<number> {
  return (await (await started<typeof retentionWorkflow>('retention')).result()).continuedErasures;
}

it('erases orders that arrived after the erasure of their customer, and finishes erasures that were terminated', async () => {
  const late = await erasedUser(0);
  await erasureOf(late).result();
  const { id: productId } = await shop.sell();
  const order = orderRequest({ ...lines([productId, 1]), customerId: late, note: 'Ring twice' });
  await shop.place(order);
  await shop.workflows.execute(order, COMMANDS.cancel, { ...newCommand(), reason: 'No longer needed' });
  await eventually(async () => expect(await closedWorkflowsOf(late)).toBe(1)); // Temporal lists it

  const terminated = await erasedUser(AN_HOUR_MS);
  const sessions = shop.db.connection.collection('sessions');
  await sessions.insertOne({ userId: terminated });
  await erasureOf(terminated).terminate();

  const host = await erasedUser(0);
  await erasureOf(host).result();
  const guest = await takenOverBy(host);
  await stored('ord_guest', 1, { customerId: guest });

  const running = await erasedUser(AN_HOUR_MS);
  await stored('ord_running', 1, { customerId: running });

  expect(await continuedErasures()).toBe(3);
  for (const id of [late, terminated, host]) await erasureOf(id).result();
  expect(await shop.orders.findById(order.orderId)).toMatchObject({ status: 'cancelled', note: null });
  await eventually(async () => expect(await shop.workflows.find(order.orderId)).toBeNull());
  expect(await sessions.countDocuments({ userId: terminated })).toBe(0);
  expect(await shop.orders.findById('ord_guest')).toMatchObject({ note: null });
  expect(await createUsersRepository(shop.db.connection).findById(guest)).toMatchObject({ status: 'erased' });
  expect(await continuedErasures()).toBe(0);
  await erasureOf(running).terminate();
});
