import { wronglySoldOut, type StockWitness } from '../history';
import { checkHistoryInThread } from '../history/in-thread';
import type { CallRecord } from '../log';
import { auditCalls } from './calls';
import { auditCarts, auditUnpaid, unpaidUnitsOf } from './customers';
import {
  groupBy,
  pagesOf,
  withSnapshot,
  type Snapshot,
  type StoredAnswer,
  type StoredAnswered,
  type StoredEvent,
  type StoredOrder,
  type StoredPayment,
} from './documents';
import { auditFeed, auditOrderEvents, visibleOf, type Visible } from './events';
import { createFindings, type Finding, type Findings } from './finding';
import { auditBalances, auditCharge } from './ledger';
import { orderIdOf, type LoggedOrder, type PlacedOrder } from './logged';
import { auditOrder } from './orders';
import { adjustedUnits, auditStock, countOrder, createdUnits, createOrderedUnits } from './stock';
import { createStockMoves } from './stock-moves';
import { auditWorkflows, knownOrder, type KnownOrder, type TemporalOptions } from './temporal';

export type { Finding, FindingKind } from './finding';
export { FINDING_KINDS } from './finding';

export interface AuditOptions extends TemporalOptions {
  mongodbUri: string;
  /** What clients asked for and were answered; without it, only the servers are judged by each other. */
  log?: readonly CallRecord[];
  /** The ids of orders and products whose history had too many possibilities, and is not checked once more. */
  undecided?: ReadonlySet<string>;
}

/**
 * Judges a system at rest from outside: MongoDB, the sandbox's ledger, Temporal and what clients were told have to agree.
 * It shares nothing with the application, whose mistakes it would share, too.
 */
export async function audit(options: AuditOptions): Promise<Finding[]> {
  const { mongodbUri, log = [], undecided = new Set(), ...temporal } = options;
  const findings = createFindings();
  const { orders, witness } = await withSnapshot(mongodbUri, (snapshot) =>
    auditDocuments(snapshot, log, findings),
  );
  if (log.length > 0) await auditHistories(log, { witness, undecided }, findings);
  await auditWorkflows(temporal, orders, findings);
  return findings.all;
}

/** After a long run a single audit may take longer than there is time. */
const LEAST_LOOKS = 2;

/**
 * Audits until nothing is found, or the time is over: what is left then is wrong for good. If all that is found is about
 * workflows a task of which is late, it is looked at for longer: Temporal gives each attempt more time than the one before.
 * A history that has too many possibilities is told, and not checked again.
 */
export async function auditUntilClean(
  options: AuditOptions,
  { withinMs, lateMs = withinMs, pauseMs = 1_000 }: { withinMs: number; lateMs?: number; pauseMs?: number },
): Promise<Finding[]> {
  const start = Date.now();
  const gaveUp = new Map<string, Finding>();
  for (let looks = 1; ; looks++) {
    const found = await audit({ ...options, undecided: new Set(gaveUp.keys()) });
    for (const one of found) if (one.kind === 'history_undecided') gaveUp.set(one.subject, one);
    const others = found.filter(({ kind }) => kind !== 'history_undecided');
    const end = start + (areOfLateTasks(others) ? lateMs : withinMs);
    if (others.length === 0 || (looks >= LEAST_LOOKS && Date.now() + pauseMs > end))
      return [...others, ...gaveUp.values()];
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Whether all that is found is about orders whose workflows have a task that is late. */
export function areOfLateTasks(found: readonly Finding[]): boolean {
  const late = found.filter(({ kind }) => kind === 'workflow_task_late').map(({ subject }) => subject);
  return late.length > 0 && found.every(({ subject }) => late.some((workflow) => workflow.includes(subject)));
}

async function auditDocuments(
  snapshot: Snapshot,
  log: readonly CallRecord[],
  findings: Findings,
): Promise<{ orders: Map<string, KnownOrder>; witness: Map<string, StockWitness> }> {
  const known = new Map<string, KnownOrder>();
  const ordered = createOrderedUnits();
  const waiting = new Map<string, { customerId: string; units: Record<string, number> }>();
  const inLog = new Set(log.flatMap((call) => [orderIdOf(call), ...(call.orders ?? []).map(({ id }) => id)]));
  const placed = new Map<string, PlacedOrder>();
  const displaced = await displacedAnswers(snapshot);
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
      const answers = displaced.get(order._id) ?? [];
      placed.set(order._id, { isRejected: order.status === 'rejected', cartId: order.cart?.id });
      auditOrder(order, answers, findings);
      auditCharge(order, payments.get(order._id) ?? [], findings);
      const told = events.get(order._id) ?? [];
      if (hasFeed) auditOrderEvents(order, told, findings);
      moves.note(order, told);
      if (inLog.has(order._id))
        logged.set(order._id, {
          order,
          versions: versionsOf(order, told),
          answers: [...answers, ...(order.commands ?? [])],
        });
    }
  }
  await auditLedger(snapshot, known, findings);
  const created = await createdUnits(snapshot);
  await auditStock(snapshot, { ...ordered, created }, findings);
  await auditUnpaid(snapshot, waiting, findings);
  await auditCarts(snapshot, findings);
  if (hasFeed) await auditFeed(snapshot, findings);
  if (log.length > 0) await auditCalls(snapshot, { log, orders: logged, placed }, findings);
  return { orders: known, witness: moves.witness(created, await adjustedUnits(snapshot)) };
}

async function auditHistories(
  log: readonly CallRecord[],
  { witness, undecided }: { witness: ReadonlyMap<string, StockWitness>; undecided: ReadonlySet<string> },
  findings: Findings,
): Promise<void> {
  for (const { subject, operations, verdict } of await checkHistoryInThread({
    log,
    witness,
    except: undecided,
  })) {
    const kind = verdict.isLinearizable === undefined ? 'history_undecided' : 'not_linearizable';
    findings.add(kind, subject, 'one order of its calls', { operations, verdict });
  }
  for (const { call, products } of wronglySoldOut(log, witness))
    findings.add('not_linearizable', call, 'one of the products to be sold out', products);
}

/** Returns the answers for which orders had no room any more, by the order. */
async function displacedAnswers(snapshot: Snapshot): Promise<Map<string, StoredAnswer[]>> {
  const answered = groupBy(
    await snapshot.find<StoredAnswered>('answered_commands').toArray(),
    ({ _id }) => _id.split('/')[0]!,
  );
  return new Map([...answered].map(([id, some]) => [id, some.map(({ answer }) => answer)]));
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
