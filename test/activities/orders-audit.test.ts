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
}

/** Looks at a page with one order, and again at what was found. */
function audit(circumstances: Circumstances = {}) {
  const {
    attempt = 1,
    isCounted = [true, true],
    reads = [order],
    revisions = [order.revision],
  } = circumstances;
  const inTurn = <T>(values: T[]) => (values.length > 1 ? values.shift()! : values[0]!);
  const [counted, read, revised] = [[...isCounted], [...reads], [...revisions]];
  const deps = {
    records: {
      orders: async () => [{ id: order.id, order }],
      ordersById: async () => [{ id: order.id, order: inTurn(read) }],
      events: async () => new Map([[order.id, { versions: [1, 2], follows: new Map() }]]),
      feed: async () => null,
      unpaidOf: async () => new Set(inTurn(counted) ? [order.id] : []),
      cartsById: async () => new Map(),
      revisions: async () => new Map([[order.id, inTurn(revised)]]),
    },
    workflows: {
      running: circumstances.running ?? (async () => new Map([[order.id, running]])),
      ofOrder: async () => running,
      rememberedOf: async () => null,
    },
    findings: createAuditFindingRepository(db.connection),
    settlingMs: 0,
    stuckMs: 1e12,
    partMs: 0,
  } as unknown as OrdersAuditActivityDeps;
  const { auditOrders, settleAuditFindings } = createOrdersAuditActivities(deps);
  const environment = new MockActivityEnvironment(
    { attempt },
    { logger: new DefaultLogger('ERROR', () => undefined) },
  );
  const request = { repair: false, histories: false, atRest: false, cursor: null };
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
