import { checkHistory } from '../history';
import type { CallRecord } from '../log';
import { auditCalls, orderIdOf, type LoggedOrder } from './calls';
import { auditCarts, auditUnpaid, unpaidUnitsOf } from './customers';
import {
  groupBy,
  pagesOf,
  withSnapshot,
  type Snapshot,
  type StoredEvent,
  type StoredOrder,
  type StoredPayment,
} from './documents';
import { auditFeed, auditOrderEvents, visibleOf, type Visible } from './events';
import { createFindings, type Finding, type Findings } from './finding';
import { auditBalances, auditCharge } from './ledger';
import { auditOrder } from './orders';
import { auditStock, countOrder, createdUnits, createOrderedUnits } from './stock';
import { createStockMoves } from './stock-moves';
import { auditWorkflows, knownOrder, type KnownOrder, type TemporalOptions } from './temporal';

export type { Finding, FindingKind } from './finding';
export { FINDING_KINDS } from './finding';

export interface AuditOptions extends TemporalOptions {
  mongodbUri: string;
  /** What clients asked for and were answered; without it, only the servers are judged by each other. */
  log?: readonly CallRecord[];
}

/**
 * Judges a system at rest from outside: MongoDB, the sandbox's ledger, Temporal and what clients were told have to agree.
 * It shares nothing with the application, whose mistakes it would share, too.
 */
export async function audit({ mongodbUri, log = [], ...temporal }: AuditOptions): Promise<Finding[]> {
  const findings = createFindings();
  const orders = await withSnapshot(mongodbUri, (snapshot) => auditDocuments(snapshot, log, findings));
  await auditWorkflows(temporal, orders, findings);
  return findings.all;
}

/** After a long run a single audit may take longer than there is time. */
const LEAST_LOOKS = 2;

/**
 * Audits until nothing is found, or the time is over: what is left then is wrong for good. A workflow task that is late is
 * looked at for longer: Temporal gives each of its attempts more time than the one before, and until it is done, the rest
 * of what is found may follow from it.
 */
export async function auditUntilClean(
  options: AuditOptions,
  { withinMs, lateMs = withinMs, pauseMs = 1_000 }: { withinMs: number; lateMs?: number; pauseMs?: number },
): Promise<Finding[]> {
  const start = Date.now();
  for (let looks = 1; ; looks++) {
    const found = await audit(options);
    const isLate = found.some(({ kind }) => kind === 'workflow_task_late');
    const end = start + (isLate ? lateMs : withinMs);
    if (found.length === 0 || (looks >= LEAST_LOOKS && Date.now() + pauseMs > end)) return found;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function auditDocuments(
  snapshot: Snapshot,
  log: readonly CallRecord[],
  findings: Findings,
): Promise<Map<string, KnownOrder>> {
  const known = new Map<string, KnownOrder>();
  const ordered = createOrderedUnits();
  const waiting = new Map<string, { customerId: string; units: Record<string, number> }>();
  const inLog = new Set(log.map(orderIdOf));
  const moves = createStockMoves();
  const logged = new Map<string, LoggedOrder>();
  const hasFeed = (await snapshot.find('relay').toArray()).length > 0;

  for await (const page of pagesOf(snapshot.find<StoredOrder>('orders'))) {
    const ids = page.map(({ _id }) => _id);
    const payments = groupBy(
      await snapshot.find<StoredPayment>('sandbox_payments', { orderId: { $in: ids } }).toArray(),
      ({ orderId }) => orderId,
    );
    const events = groupBy(
      await snapshot.find<StoredEvent>('events', { object: { $in: ids } }, { version: 1 }).toArray(),
      ({ object }) => object,
    );
    for (const order of page) {
      known.set(order._id, knownOrder(order));
      countOrder(order, ordered);
      const units = unpaidUnitsOf(order);
      if (units) waiting.set(order._id, { customerId: order.customerId, units });
      auditOrder(order, findings);
      auditCharge(order, payments.get(order._id) ?? [], findings);
      const told = events.get(order._id) ?? [];
      if (hasFeed) auditOrderEvents(order, told, findings);
      moves.note(order, told);
      if (inLog.has(order._id)) logged.set(order._id, { order, versions: versionsOf(order, told) });
    }
  }
  await auditLedger(snapshot, known, findings);
  const created = await createdUnits(snapshot);
  await auditStock(snapshot, { ...ordered, created }, findings);
  await auditUnpaid(snapshot, waiting, findings);
  await auditCarts(snapshot, findings);
  if (hasFeed) await auditFeed(snapshot, findings);
  if (log.length > 0) {
    await auditCalls(snapshot, { log, orders: logged, ids: known }, findings);
    for (const { subject, operations, verdict } of checkHistory(log, moves.witness(created)))
      findings.add(
        verdict.isLinearizable === undefined ? 'history_undecided' : 'not_linearizable',
        subject,
        'one order of its calls',
        { operations, verdict },
      );
  }
  return known;
}

/** Returns what clients see of each version of the order that is known. */
function versionsOf(order: StoredOrder, events: readonly StoredEvent[]): Map<number, Visible> {
  const versions = new Map<number, Visible>();
  for (const { version, order: then } of events) if (then) versions.set(version, visibleOf(then));
  return versions.set(order.version, visibleOf(order));
}

async function auditLedger(
  snapshot: Snapshot,
  orders: ReadonlyMap<string, unknown>,
  findings: Findings,
): Promise<void> {
  for await (const payment of snapshot.find<StoredPayment>('sandbox_payments')) {
    auditBalances(payment, findings);
    if (!orders.has(payment.orderId))
      findings.add('payment_without_order', payment._id, payment.orderId, null);
  }
}
