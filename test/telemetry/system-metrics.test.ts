import pino from 'pino';
import type { FindingKind } from '../../src/domain/findings';
import { RELAY } from '../../src/events/events.model';
import { openMongoDb, type MongoDb } from '../../src/mongodb/mongodb';
import { createAuditFindingRepository } from '../../src/orders-audit/findings.repository';
import { createFindingRepository } from '../../src/payments/findings/findings.repository';
import { createMetrics } from '../../src/telemetry/metrics';
import { measureSystem } from '../../src/telemetry/system-metrics';
import { createSystemStateRepository } from '../../src/telemetry/system-state.repository';
import { newPayment } from '../payments/fixtures';
import { emptyCollections, openTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { parseExposition, type Exposition } from '../support/exposition';

const HOUR_S = 3_600;
const DAY_S = 86_400;

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase({ own: true })));
afterAll(() => db.drop());
beforeEach(() => emptyCollections(db.connection));

/** Begins to measure, so that nothing is known from before. */
async function measured({ connection }: Pick<MongoDb, 'connection'>): Promise<() => Promise<Exposition>> {
  const { meter, text } = await createMetrics();
  const state = createSystemStateRepository(connection);
  measureSystem(meter, {
    state,
    findings: createFindingRepository(connection),
    damage: createAuditFindingRepository(connection),
  });
  return async () => parseExposition(`${await text()}\n`);
}

/** Measures until all is known: a server that is busy answers later. */
async function known(count: number): Promise<Exposition> {
  const told = await measured(db);
  let found!: Exposition;
  await eventually(async () => {
    found = await told();
    expect(found.types.size).toBe(count);
  });
  return found;
}

const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000);

let number = 0;

/** Stores documents as they are, of which only what is measured matters. */
async function store(collection: string, ...documents: object[]): Promise<void> {
  const withIds = documents.map((document) => {
    const id = `id_${++number}`;
    return { _id: id, number: id, ...document };
  });
  await db.connection.collection<{ _id: string }>(collection).insertMany(withIds);
}

const order = (fields: object) => ({ archivedAt: null, createdAt: ago(HOUR_S), ...fields });

const NAMES = [
  'orders_open',
  'orders_oldest_age_seconds',
  'orders_overdue',
  'order_compensations_pending',
  'order_compensation_oldest_age_seconds',
  'webhook_deliveries_pending',
  'webhook_endpoints_disabled',
  'webhook_endpoint_oldest_failing_seconds',
  'reconciliation_findings_open',
  'orders_audit_findings_open',
  'audit_unsealed_entries',
  'audit_unsealed_oldest_age_seconds',
];

it('tells 0 of what there is nothing of, and how full the disk is; a lag only once there is a feed', async () => {
  const { types, samples, value } = await known(NAMES.length + 1);
  expect([...types.keys()].sort()).toEqual([...NAMES, 'mongodb_filesystem_used_ratio'].sort());
  const counts = samples.filter(({ name }) => name !== 'mongodb_filesystem_used_ratio');
  expect(counts.filter((one) => one.value !== 0)).toEqual([]);
  expect(value('mongodb_filesystem_used_ratio')).toBeGreaterThan(0);
  expect(value('mongodb_filesystem_used_ratio')).toBeLessThanOrEqual(1);
  expect([...types.values()].every((type) => type === 'gauge')).toBe(true);
});

/** Of ages, at most an hour more than expected: the test takes time. */
function expectAge(age: number | undefined, seconds: number): void {
  expect(age).toBeGreaterThanOrEqual(seconds);
  expect(age).toBeLessThan(seconds + HOUR_S);
}

it('tells how many orders are open by status, how old the oldest of each is, and how many are overdue', async () => {
  await store(
    'orders',
    order({ status: 'pending' }),
    order({ status: 'pending', createdAt: ago(DAY_S) }),
    order({ status: 'pending', createdAt: ago(9 * DAY_S), archivedAt: ago(1) }),
    order({ status: 'confirmed', fulfillmentStatus: 'partially_fulfilled', overdueSince: ago(1) }),
    order({ status: 'confirmed', fulfillmentStatus: 'partially_fulfilled', overdueSince: null }),
    order({ status: 'confirmed', fulfillmentStatus: 'unfulfilled' }),
    order({ status: 'completed', createdAt: ago(9 * DAY_S) }),
  );
  const { value } = await known(NAMES.length + 1);
  expect(value('orders_open', { status: 'pending' })).toBe(2);
  expect(value('orders_open', { status: 'confirmed' })).toBe(3);
  expectAge(value('orders_oldest_age_seconds', { status: 'pending' }), DAY_S);
  expectAge(value('orders_oldest_age_seconds', { status: 'confirmed' }), HOUR_S);
  expect(value('orders_overdue')).toBe(1);
});

it('counts compensations that keep failing, not orders, and not those that were given up or resolved', async () => {
  const owed = (state: string, since: Date) => ({ state, since });
  await store(
    'orders',
    order({
      status: 'cancelled',
      compensations: [
        owed('pending', ago(HOUR_S)),
        owed('pending', ago(2 * DAY_S)),
        owed('done', ago(9 * DAY_S)),
      ],
    }),
    order({ status: 'rejected', compensations: [owed('pending', ago(DAY_S))] }),
    order({ status: 'cancelled', compensations: [owed('resolved', ago(9 * DAY_S))] }),
    order({ status: 'pending', payBy: ago(-HOUR_S), compensations: [] }),
  );
  const { value } = await known(NAMES.length + 1);
  expect(value('order_compensations_pending')).toBe(3);
  expectAge(value('order_compensation_oldest_age_seconds'), 2 * DAY_S);
});

it('tells how far the feed of events lags behind, and never a negative time', async () => {
  await store('relay', { _id: RELAY, followedAt: null });
  expect((await known(NAMES.length + 1)).value('events_lag_seconds')).toBeUndefined();
  const followed = async (followedAt: Date) => {
    await db.connection
      .collection<{ _id: string }>('relay')
      .updateOne({ _id: RELAY }, { $set: { followedAt } });
    return (await known(NAMES.length + 2)).value('events_lag_seconds');
  };
  expectAge(await followed(ago(90)), 90);
  expect(await followed(ago(-HOUR_S))).toBe(0); // the clocks of two machines differ
});

it('tells which deliveries wait, which endpoints were disabled by their failures, and how long others fail', async () => {
  await store(
    'webhook_deliveries',
    { status: 'pending', nextAttemptAt: ago(-60) },
    { status: 'pending', nextAttemptAt: ago(60) },
    { status: 'succeeded', nextAttemptAt: null },
    { status: 'failed', nextAttemptAt: null },
  );
  const endpoint = (disabledReason: string | null, failingSince: Date | null) => ({
    disabledReason,
    failingSince,
  });
  await store(
    'webhook_endpoints',
    endpoint('failing', ago(9 * DAY_S)),
    endpoint('failing', ago(9 * DAY_S)),
    endpoint('gone', null),
    endpoint('by_admin', ago(9 * DAY_S)), // who knows of it
    endpoint(null, ago(DAY_S)),
    endpoint(null, ago(2 * DAY_S)),
    endpoint(null, null),
  );
  const { value, all } = await known(NAMES.length + 1);
  expect(value('webhook_deliveries_pending')).toBe(2);
  expect(all('webhook_endpoints_disabled').map(({ labels, value: count }) => [labels.reason, count])).toEqual(
    [
      ['gone', 1],
      ['failing', 2],
    ],
  );
  expectAge(value('webhook_endpoint_oldest_failing_seconds'), 2 * DAY_S);
});

it('tells the open findings of each kind, and which entries of the audit log have no place in its chain', async () => {
  const findings = createFindingRepository(db.connection);
  const found = (kind: FindingKind, subject: string) => ({ kind, subject, there: null, here: null });
  const at = ago(0).toISOString();
  const [kept, closed] = [newPayment(), newPayment()];
  await findings.record([found('refund_missing', 'a'), found('refund_missing', 'b'), found('payment_missing', 'c')], kept, { at, since: at }); // prettier-ignore
  await findings.record([found('charge_unknown', 'd')], closed, { at, since: at });
  await findings.close(closed.key, [], { state: 'repaired', at });
  await store(
    'audit',
    { unsealed: true, at: ago(DAY_S) },
    { unsealed: true, at: ago(HOUR_S) },
    { day: '2026-03-02', position: 1, at: ago(9 * DAY_S) },
  );
  const { value, all } = await known(NAMES.length + 1);
  expect(all('reconciliation_findings_open')).toHaveLength(12); // the others are 0
  expect(value('reconciliation_findings_open', { kind: 'refund_missing' })).toBe(2);
  expect(value('reconciliation_findings_open', { kind: 'payment_missing' })).toBe(1);
  expect(value('reconciliation_findings_open', { kind: 'charge_unknown' })).toBe(0);
  expect(value('audit_unsealed_entries')).toBe(2);
  expectAge(value('audit_unsealed_oldest_age_seconds'), DAY_S);
});

it('tells how long ago regular work has ended, or was set up if it never has', async () => {
  await store(
    'upkeep',
    { _id: 'audit', since: ago(9 * DAY_S), endedAt: ago(DAY_S) },
    { _id: 'retention', since: ago(2 * DAY_S), endedAt: null },
  );
  const { value, all } = await known(NAMES.length + 2);
  expect(all('upkeep_last_end_age_seconds')).toHaveLength(2);
  expectAge(value('upkeep_last_end_age_seconds', { work: 'audit' }), DAY_S);
  expectAge(value('upkeep_last_end_age_seconds', { work: 'retention' }), 2 * DAY_S);
});

it('leaves out what MongoDB does not tell, and nothing else', async () => {
  jest.spyOn(db.connection.db!, 'command').mockResolvedValueOnce({ ok: 1 }); // as servers of other makers
  expect((await known(NAMES.length)).all('mongodb_filesystem_used_ratio')).toEqual([]);
  await db.connection.collection('orders').dropIndex('listed_by_status');
  const { all } = await known(NAMES.length + 1 - 2);
  expect([...all('orders_open'), ...all('orders_oldest_age_seconds')]).toEqual([]);
});

it('tells nothing without a connection, rather than 0', async () => {
  const away = openMongoDb(
    { uri: 'mongodb://127.0.0.1:1/?directConnection=true' },
    pino({ level: 'silent' }),
  );
  const told = await measured(away);
  expect((await told()).samples).toEqual([]);
  await away.close();
});
