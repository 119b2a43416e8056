import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createOrdersAuditActivities,
  type OrdersAuditActivityDeps,
} from '../../activities/orders-audit.activities';
import type { Order } from '../../src/domain/order';
import { createAuditFindingRepository } from '../../src/orders-audit/findings.repository';
import { orderIn } from '../domain/fixtures';
import { openTestDatabase, type TestDatabase } from '../support/database';

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterEach(() => db.connection.collection('orders_audit_findings').deleteMany());
afterAll(() => db.drop());

/** An order whose account as unpaid is wrong, as long as `isCounted` says so. */
const order = orderIn({
  statusHistory: (
    [
      ['status', null, 'pending'],
      ['paymentStatus', 'pending', 'authorized'],
      ['status', 'pending', 'confirmed'],
    ] as const
  ).map(([axis, from, to]) => ({
    at: '2026-01-01T00:00:00.000Z',
    axis,
    from,
    to,
    by: 'system',
    reason: null,
  })),
});
const { status, paymentStatus, fulfillmentStatus } = order;
const running = {
  status: 'RUNNING',
  startedAt: order.createdAt,
  states: { status, paymentStatus, fulfillmentStatus },
};
const STARTED = '2026-01-02T00:00:00.000Z';
const FINDING = `unpaid_order_differs:${order.id}`;

interface Circumstances {
  attempt?: number;
  /** Whether it is counted as unpaid, when it is examined first and afterwards. */
  isCounted?: [first: boolean, then: boolean];
  /** The order each time that it is read by its id. */
  reads?: Order[];
  /** Its revision each time that this is read. */
  revisions?: number[];
  running?: () => Promise<Map<string, typeof running>>;
  /** The same, instead of these. */
  revision?: () => number;
  /** Done when it is looked at again, before the result is known. */
  meanwhile?: () => Promise<unknown>;
  /** Orders that cannot be read, beside it. */
  malformed?: string[];
  /** Whether it is repaired: what the repair says. */
  repair?: () => Promise<string | null>;
  cursor?: string | null;
  startedAt?: string;
}

const findings = () => createAuditFindingRepository(db.connection);
/** What was logged as an error. */
const logged: string[] = [];
beforeEach(() => void logged.splice(0));

/** Looks at a page with one order, and again at what was found. */
function audit(circumstances: Circumstances = {}) {
  const {
    attempt = 1,
    isCounted = [true, true],
    reads = [order],
    revisions = [order.revision],
    meanwhile = async () => undefined,
    malformed = [],
    revision,
    repair,
    cursor = null,
    startedAt = STARTED,
  } = circumstances;
  const flawed = (id: string) => ({ id, flaw: { kind: 'order_malformed', expected: 'x', found: 'y' } });
  const inTurn = <T>(values: T[]) => (values.length > 1 ? values.shift()! : values[0]!);
  const [counted, read, revised] = [[...isCounted], [...reads], [...revisions]];
  const deps = {
    records: {
      orders: async () => [{ id: order.id, order }, ...malformed.map(flawed)],
      ordersById: async ([id]: [string]) => {
        await meanwhile();
        return malformed.includes(id) ? [flawed(id)] : [{ id: order.id, order: inTurn(read) }];
      },
      events: async () => new Map([[order.id, { versions: [1, 2], follows: new Map() }]]),
      feed: async () => null,
      ordersWithEvents: () => [order.id],
      unpaidOf: async () => new Set(inTurn(counted) ? [order.id] : []),
      cartsById: async () => new Map(),
      revisions: async () => new Map([[order.id, revision?.() ?? inTurn(revised)]]),
    },
    workflows: {
      running: circumstances.running ?? (async () => new Map([[order.id, running]])),
      ofOrder: async () => running,
      rememberedOf: async () => null,
    },
    findings: findings(),
    repairs: { account: repair },
    settlingMs: 0,
    stuckMs: 1e12,
    partMs: 0,
  } as unknown as OrdersAuditActivityDeps;
  const { auditOrders, settleAuditFindings } = createOrdersAuditActivities(deps);
  const environment = new MockActivityEnvironment(
    { attempt },
    { logger: new DefaultLogger('ERROR', ({ message }) => void logged.push(message)) },
  );
  const request = { repair: repair !== undefined, histories: false, atRest: false, cursor, startedAt };
  return {
    look: () => environment.run(auditOrders, request),
    settle: () => environment.run(settleAuditFindings, request),
  };
}

async function stateOf(id: string): Promise<unknown> {
  return (await db.connection.collection('orders_audit_findings').findOne({ _id: id as never }))?.state;
}

it('only suspects what is told of two documents, until it is found again', async () => {
  const { look, settle } = audit();
  expect(await look()).toEqual({ counts: { orders: 1 }, nextCursor: null });
  expect(await stateOf(FINDING)).toBe('suspected');
  expect(await settle()).toEqual({ counts: { findings: 1 }, nextCursor: null });
  expect(await stateOf(FINDING)).toBe('open');
});

it('forgets a suspicion that is gone at the second look', async () => {
  const { look, settle } = audit({ isCounted: [true, false] });
  await look();
  expect(await settle()).toMatchObject({ counts: { findings: 1, dismissed: 1 } });
  expect(await stateOf(FINDING)).toBeUndefined();
});

it('forgets a suspicion about an order that has changed since, which may have come and gone', async () => {
  const changed = { ...order, revision: order.revision + 1 };
  const { look, settle } = audit({ reads: [changed], revisions: [order.revision, changed.revision] });
  await look();
  expect(await settle()).toMatchObject({ counts: { findings: 1, dismissed: 1 } });
  expect(await stateOf(FINDING)).toBeUndefined();
});

it('suspects nothing of an order that changes while it looks', async () => {
  await audit({ revisions: [order.revision + 1] }).look();
  expect(await stateOf(FINDING)).toBeUndefined();
});

it('does not call a finding gone whose order keeps changing', async () => {
  const first = audit();
  await first.look();
  await first.settle();
  const next = audit({ isCounted: [false, false], revisions: [order.revision + 1] });
  expect(await next.settle()).toEqual({ counts: { findings: 1 }, nextCursor: null });
  expect(await stateOf(FINDING)).toBe('open');
  expect(await audit({ isCounted: [false, false] }).settle()).toMatchObject({ counts: { gone: 1 } });
  expect(await stateOf(FINDING)).toBe('gone');
  // It opens again.
  await audit().look();
  expect(await stateOf(FINDING)).toBe('suspected');
});

it('tries again what fails, and leaves it out only after many attempts', async () => {
  const running = () => Promise.reject(new Error('Temporal does not answer.'));
  await expect(audit({ running }).look()).rejects.toThrow('does not answer');
  await expect(audit({ running, attempt: 7 }).look()).rejects.toThrow('does not answer');
  expect(await audit({ running, attempt: 8 }).look()).toEqual({
    counts: { orders: 1, unanswered: 1 },
    nextCursor: null,
  });
});

/** Another run, which does something about the finding. */
const by = 'another run';
const at = '2026-01-03T00:00:00.000Z';
async function opened() {
  const { look, settle } = audit();
  await look();
  await settle();
  return (await findings().findUnsettled(FINDING))!;
}

it('does not open again what another run sets right while it looks', async () => {
  const finding = await opened();
  const meanwhile = () => findings().close(finding, { state: 'repaired', at, by, repair: 'counted' });
  logged.splice(0);
  expect(await audit({ meanwhile }).settle()).toEqual({ counts: { findings: 1 }, nextCursor: null });
  expect(await stateOf(FINDING)).toBe('repaired');
  expect(await findings().repairedBy(by, { after: null, limit: 9 })).toMatchObject([{ id: FINDING }]);
  expect(logged).toEqual([]);
});

it('does not close what another run finds anew while it looks, but looks once more', async () => {
  await opened();
  let isFirst = true;
  const meanwhile = async () => {
    if (!isFirst) return;
    isFirst = false;
    const finding = { kind: 'unpaid_order_differs' as const, subject: order.id, expected: 'x', found: 'y' };
    await findings().record([{ finding, revision: order.revision }], at);
  };
  const { settle } = audit({ meanwhile, isCounted: [false, true] });
  expect(await settle()).toEqual({ counts: { findings: 1 }, nextCursor: null });
  expect(await stateOf(FINDING)).toBe('open');
});

it('counts what it has closed once, even if the worker died before that was known', async () => {
  await opened();
  const gone = { isCounted: [false, false] as [boolean, boolean], startedAt: at };
  const counts = { findings: 1, gone: 1 };
  expect(await audit(gone).settle()).toEqual({ counts, nextCursor: null });
  expect(await audit(gone).settle()).toEqual({ counts, nextCursor: null });
  expect(await audit({ ...gone, cursor: FINDING }).settle()).toEqual({ counts: {}, nextCursor: null });
  expect(await audit().settle()).toEqual({ counts: {}, nextCursor: null });
});

it('counts as repaired what it has set right, though the order changes before it is looked at again', async () => {
  await opened();
  let isRepaired = false;
  const repair = async () => {
    isRepaired = true;
    return 'counted as unpaid';
  };
  const revision = () => (isRepaired ? order.revision + 1 : order.revision);
  const changing = audit({ repair, revision });
  expect(await changing.settle()).toEqual({ counts: { findings: 1, repaired: 1 }, nextCursor: null });
});

it('does not count as repaired what is still there', async () => {
  await opened();
  const repair = async () => 'counted as unpaid';
  expect(await audit({ repair }).settle()).toEqual({ counts: { findings: 1 }, nextCursor: null });
  expect(await stateOf(FINDING)).toBe('open');
});

it('says one by one what it finds, up to a hundred of a kind, and then that there are more', async () => {
  const malformed = Array.from({ length: 150 }, (_, n) => `ord_${String(n).padStart(3, '0')}`);
  await audit({ malformed, isCounted: [false, false] }).look();
  const first = await audit({ malformed, isCounted: [false, false] }).settle();
  expect(first).toEqual({ counts: { findings: 100 }, nextCursor: 'order_malformed:ord_099' });
  expect(logged).toEqual(Array.from({ length: 100 }, () => 'damage found'));
  logged.splice(0);
  const cursor = 'order_malformed:ord_099';
  const second = await audit({ malformed, isCounted: [false, false], cursor }).settle();
  expect(second).toEqual({ counts: { findings: 50 }, nextCursor: null });
  expect(logged).toEqual(['more damage found']);
});

it('keeps what is open, and for ninety days what is not', async () => {
  const indexes = await db.connection.collection('orders_audit_findings').indexes();
  expect(indexes).toContainEqual(
    expect.objectContaining({ key: { closedAt: 1 }, expireAfterSeconds: 90 * 86_400 }),
  );
  await opened();
  expect(await db.connection.collection('orders_audit_findings').findOne()).toMatchObject({ closedAt: null });
});
