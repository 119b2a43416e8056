import { Context, log } from '@temporalio/activity';
import { BusinessError } from '../src/domain/errors';
import {
  findingId,
  findingsOf,
  isRepairedAlways,
  isUnsettled,
  repairOf,
  type Finding,
  type Repair,
} from '../src/domain/findings';
import type { Order } from '../src/domain/order';
import { currentPayment, paymentRef } from '../src/domain/order-payment';
import { givingUp, type ListedPayment, type PaymentRef, type ProviderPayment } from '../src/domain/payment';
import { paymentCheck } from '../src/domain/reconciling';
import type { Reconciliation, ReconciliationCounts, ReconciliationPart } from '../src/domain/reconciliation';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { FindingRepository, StoredFinding } from '../src/payments/findings/findings.repository';
import type { PaymentProvider } from '../src/payments/payment-provider';
import type { OrderWorkflows } from '../src/orders/temporal/order-workflows';
import { COMMANDS } from '../workflows/contract';

export interface ReconciliationActivityDeps {
  provider: PaymentProvider;
  orders: Pick<OrderRepository, 'findById' | 'list'>;
  findings: FindingRepository;
  workflows: Pick<OrderWorkflows, 'executeAlways'>;
  /** Makes a call of the payment service when it is its turn: there are others who have to wait for none. */
  inTurn<T>(call: () => Promise<T>): Promise<T>;
  /** How long after a change two may differ, in milliseconds. */
  settlingMs?: number;
}

const SETTLING_MS = 300_000;
const LIMIT = 50;
const HEARTBEAT_MS = 10_000;
/** How often a part is tried, over two minutes, before what fails of it is left out. */
const PATIENCE = 8;

export type ReconciliationActivities = ReturnType<typeof createReconciliationActivities>;

type Counts = Partial<ReconciliationCounts>;
type PartRequest = Pick<Reconciliation, 'from' | 'to' | 'repair' | 'cursor'>;

/** A payment as it was looked at, and in what it differs from its order. */
interface Examined {
  order: Order | null;
  found: ProviderPayment | null;
  findings: Finding[];
}

/** Each does one part of a run. It may run twice: what it writes depends only on what there is. */
export function createReconciliationActivities({
  provider,
  orders,
  findings,
  workflows,
  inTurn,
  settlingMs = SETTLING_MS,
}: ReconciliationActivityDeps) {
  /** Asks the payment service, unless the worker is to stop. */
  async function ask<T>(call: () => Promise<T>): Promise<T> {
    return inTurn(async () => {
      const { cancelled, cancellationSignal } = Context.current();
      return cancellationSignal.aborted ? cancelled : call();
    });
  }

  /**
   * Looks at a payment and its order as both are now. Returns null if they are being changed.
   * @param settling how long after a change they may differ
   */
  async function examine(payment: PaymentRef, settling = settlingMs): Promise<Examined | null> {
    const order = await orders.findById(payment.orderId);
    if (isUnsettled(order, null, now(), settling)) return null;
    const found = await ask(() => provider.find(payment));
    const after = await orders.findById(payment.orderId);
    if (after?.revision !== order?.revision) return null;
    const isKnown = found ?? (order && currentPayment(order).key === payment.key);
    return { order, found, findings: isKnown ? findingsOf(order, found) : [] };
  }

  /** Records in what a payment differs from its order. */
  async function record(payment: PaymentRef, since: string): Promise<Counts> {
    const examined = await examine(payment);
    if (!examined) return { skipped: 1 };
    await findings.record(examined.findings, payment, { at: now(), since });
    return {};
  }

  async function compareListed(listed: ListedPayment): Promise<Counts> {
    const order = await orders.findById(listed.orderId);
    if (isUnsettled(order, listed, now(), settlingMs)) return { skipped: 1 };
    if (findingsOf(order, listed).length === 0) return {};
    const { key, orderId, reference, amount, currency, paymentMethod, createdAt } = listed;
    return record({ key, orderId, reference, amount, currency, paymentMethod }, createdAt);
  }

  async function compareOrder(order: Order): Promise<Counts> {
    if (!order.payment || order.payment.amount === 0) return {};
    return record(paymentRef(order, order.payment), order.updatedAt);
  }

  /** Looks again at a finding, and sets it right if that is wanted. Others of the same payment end with it. */
  async function settle(finding: StoredFinding, repair: boolean): Promise<Counts> {
    const { payment, since } = finding;
    const examined = await examine(payment);
    if (!examined) return { skipped: 1 };
    const at = now();
    await findings.record(examined.findings, payment, { at, since });
    const gone = await findings.close(payment.key, examined.findings, { state: 'gone', at });
    const how = repairOf(finding);
    const isWanted = repair || isRepairedAlways(finding, since, at);
    if (!how || !isWanted || !isAmong(examined.findings, finding)) return { gone };
    if (!(await setRight(how, finding, examined))) return { gone, unanswered: 1 };
    const after = await examine(payment, 0);
    if (!after) return { gone, skipped: 1 };
    const repaired = await findings.close(payment.key, after.findings, { state: 'repaired', at: now() });
    return { gone, repaired };
  }

  /** Returns whether it was answered; the finding may still be as it was. */
  async function setRight(how: Repair, finding: StoredFinding, examined: Examined): Promise<boolean> {
    const { payment } = finding;
    const { orderId } = payment;
    try {
      const isAnswered =
        how === 'check' ? await check(examined.order!, finding) : await giveUp(examined.found!, payment);
      log.info('finding set right', { orderId, finding: finding.id, how });
      return isAnswered;
    } catch (error) {
      if (error instanceof BusinessError) return true; // the payment has changed meanwhile
      log.warn('finding not set right', { orderId, finding: finding.id, how, error });
      return false;
    }
  }

  /** Has the order look at its payment again. */
  async function check(order: Order, { id, payment }: StoredFinding): Promise<boolean> {
    const command = paymentCheck(order, {
      id: `reconciliation-${id}`,
      by: 'system',
      paymentKey: payment.key,
    });
    return typeof (await workflows.executeAlways(order, COMMANDS.checkPayment, command)) === 'object';
  }

  /** Gives up what is reserved, as a compensation would. */
  async function giveUp({ captured }: ProviderPayment, payment: PaymentRef): Promise<boolean> {
    const keys = givingUp(payment.key);
    if (captured > 0) await ask(() => provider.release(keys.release, payment));
    else await ask(() => provider.void(keys.void, payment));
    return true;
  }

  return {
    /** Compares a part of the payment service's payments with their orders. */
    comparePayments: ({ from, to, cursor }: PartRequest): Promise<ReconciliationPart> =>
      alive(async () => {
        const { payments, nextCursor } = await ask(() => provider.list({ from, to, cursor }));
        const compared = await Promise.all(
          payments.map((one) => counted('payments', () => compareListed(one))),
        );
        return { counts: sumOf(compared), nextCursor };
      }),

    /** Compares a part of the orders that have changed with the payment service's records of their payments. */
    compareOrders: ({ from, to, cursor }: PartRequest): Promise<ReconciliationPart> =>
      alive(async () => {
        const { archived, after } = placeOf(cursor);
        const period = { updatedFrom: new Date(from), updatedTo: new Date(to), archived };
        const part = await orders.list(period, { limit: LIMIT, after });
        const compared = await Promise.all(part.map((one) => counted('orders', () => compareOrder(one))));
        const last = part.length < LIMIT ? undefined : part.at(-1);
        const isEnd = !last && archived;
        return { counts: sumOf(compared), nextCursor: isEnd ? null : cursorOf(last, archived) };
      }),

    /** Looks again at a part of the findings that are open: they are gone, set right, or as they were. */
    settleFindings: ({ repair, cursor }: PartRequest): Promise<ReconciliationPart> =>
      alive(async () => {
        const part = await findings.open({ after: cursor, limit: LIMIT });
        const settled: Counts[] = [];
        // One by one, since some are of the same payment.
        for (const one of part) {
          settled.push(await counted('findings', () => settle(one, repair)));
          Context.current().heartbeat();
        }
        return { counts: sumOf(settled), nextCursor: part.length < LIMIT ? null : part.at(-1)!.id };
      }),

    /** Returns how many findings are open, by their kinds. */
    countFindings: () => findings.countOpen(),
  };
}

/** Counts one, and what has come of it. What fails is left out once it has failed often. */
async function counted(phase: keyof ReconciliationCounts, work: () => Promise<Counts>): Promise<Counts> {
  try {
    return { [phase]: 1, ...(await work()) };
  } catch (error) {
    const { info, cancellationSignal } = Context.current();
    if (info.attempt < PATIENCE || cancellationSignal.aborted) throw error;
    log.warn('not compared', { phase, error });
    return { [phase]: 1, unanswered: 1 };
  }
}

function sumOf(all: readonly Counts[]): Counts {
  const sums: Counts = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts) as [keyof Counts, number][])
      sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

/** Tells Temporal while it works that it does. */
async function alive<T>(work: () => Promise<T>): Promise<T> {
  const beats = setInterval(() => Context.current().heartbeat(), HEARTBEAT_MS);
  return work().finally(() => clearInterval(beats));
}

/** The orders in the lists come first, those in the archive then. */
function placeOf(cursor: string | null): { archived: boolean; after?: { at: Date; id: string } } {
  const [list, at, id] = cursor?.split(' ') ?? [];
  const archived = list === 'archived';
  return at === undefined ? { archived } : { archived, after: { at: new Date(at), id: id! } };
}

function cursorOf(last: Order | undefined, archived: boolean): string {
  return last ? `${archived ? 'archived' : 'listed'} ${last.updatedAt} ${last.id}` : 'archived';
}

function isAmong(all: readonly Finding[], one: Finding): boolean {
  return all.some((other) => findingId(other) === findingId(one));
}

function now(): string {
  return new Date().toISOString();
}
