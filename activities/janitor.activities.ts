import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { Order } from '../src/domain/order';
import { currentPayment } from '../src/domain/order-payment';
import { paymentCheck, type CheckPayment } from '../src/domain/reconciling';
import { customerWaitOf } from '../src/domain/paying';
import { needOf } from '../src/domain/stuck';
import type { OrderPosition } from '../src/orders/order-filter';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { Unfinished } from '../src/orders/unfinished-orders';
import type { OrderWorkflows } from '../src/orders/temporal/order-workflows';
import { COMMANDS } from '../workflows/contract';

export interface JanitorActivityDeps {
  orders: Pick<OrderRepository, 'listUnfinished'>;
  workflows: Pick<OrderWorkflows, 'isRunning' | 'executeAlways'>;
  /** How long an order may be left as it is, in milliseconds. */
  afterMs: number;
}

/** How many orders a run has looked at, and what came of it. */
export interface JanitorReport {
  seen: number;
  /** Stuck orders that have looked at their payment again. */
  moved: number;
  /** Stuck orders that are at it, but have not answered in time. */
  underWay: number;
  /** Stuck orders that could not be asked; the log says why. */
  failed: number;
}

/** How far a run has come, for the next attempt if the worker is lost. */
interface Progress {
  /** The kind of orders, by its place in `KINDS`. */
  kind: number;
  after?: { at: string; id: string };
  since: string;
  report: JanitorReport;
}

const KINDS: readonly Unfinished[] = ['pending', 'obligation'];

/** How many orders are in memory, and asked at a time. */
const PAGE = 20;

const HEARTBEAT_MS = 5_000;

export type JanitorActivities = ReturnType<typeof createJanitorActivities>;

export function createJanitorActivities({ orders, workflows, afterMs }: JanitorActivityDeps) {
  /**
   * Asks an order that nobody has moved since then to look at its payment again. A workflow that was terminated or deleted
   * is started by that, and resumes the order.
   */
  async function help(order: Order, since: string): Promise<keyof Omit<JanitorReport, 'seen'> | null> {
    const { id: orderId, requestId, status, paymentStatus } = order;
    const fields = { orderId, requestId, status, paymentStatus };
    try {
      const need = needOf(order, since);
      if (!need || (need === 'resume' && (await workflows.isRunning(orderId)))) return null;
      const command = checkPayment(order);
      // Two runs at once, and the next one, wait for the same update while the order is as it was.
      const answer = await workflows.executeAlways(order, COMMANDS.checkPayment, command, command.id);
      const outcome = typeof answer === 'object' ? 'moved' : 'underWay';
      log.warn(outcome === 'moved' ? 'stuck order moved' : 'stuck order under way', fields);
      return outcome;
    } catch (error) {
      log.error('stuck order not moved', { ...fields, err: error });
      return 'failed';
    }
  }

  /** Helps the next few orders. Returns how far the run has come by that. */
  async function helpPage({ kind, after, since, report }: Progress): Promise<Progress> {
    const before = new Date(since);
    const page = { before, after: positionOf(after), limit: PAGE };
    const found = await orders.listUnfinished(KINDS[kind]!, page);
    const outcomes = await Promise.all(found.map((order) => help(order, since)));
    const next = { ...report, seen: report.seen + found.length };
    for (const outcome of outcomes) if (outcome) next[outcome]++;
    const last = found.at(-1);
    return last && found.length === PAGE
      ? { kind, after: { at: last.createdAt, id: last.id }, since, report: next }
      : { kind: kind + 1, since, report: next };
  }

  return {
    /** Has the orders that nobody has moved for long look at their payments again, which finishes them. */
    async finishStuckOrders(): Promise<JanitorReport> {
      let progress = (activityInfo().heartbeatDetails as Progress | undefined) ?? begun(afterMs);
      const beat = setInterval(() => heartbeat(progress), HEARTBEAT_MS);
      try {
        while (progress.kind < KINDS.length) {
          cancellationSignal().throwIfAborted();
          progress = await helpPage(progress);
          heartbeat(progress);
        }
      } finally {
        clearInterval(beat);
      }
      log.info('stuck orders looked for', { ...progress.report });
      return progress.report;
    },
  };
}

function begun(afterMs: number): Progress {
  const since = new Date(Date.now() - afterMs).toISOString();
  return { kind: 0, since, report: { seen: 0, moved: 0, underWay: 0, failed: 0 } };
}

function positionOf(after: Progress['after']): OrderPosition | undefined {
  return after && { at: new Date(after.at), id: after.id };
}

/** Named by what is known of the order, so that it is asked once while that stays so. */
function checkPayment(order: Order): CheckPayment {
  const wait = customerWaitOf(order);
  const named = { id: `janitor-${order.revision}`, by: 'system', paymentKey: currentPayment(order).key };
  return {
    ...paymentCheck(order, named),
    ...(wait?.what === 'action' && wait.until <= new Date().toISOString() && { passed: wait.until }),
  };
}
