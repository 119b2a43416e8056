import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { AuditRepository } from '../src/audit/audit.repository';
import { isErased } from '../src/domain/erasing';
import { ORDER_STATUSES, type Order } from '../src/domain/order';
import { isClosed } from '../src/domain/order-transitions';
import type { OrderPosition } from '../src/orders/order-filter';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { EndedErasures } from '../src/personal-data/erasures';
import type { UsersRepository } from '../src/users/users.repository';
import type { OrderEraser } from './order-eraser';

export interface RetentionActivityDeps {
  audit: Pick<AuditRepository, 'removeBefore'>;
  orders: Pick<OrderRepository, 'list'>;
  users: Pick<UsersRepository, 'list'>;
  /** Yields all orders of a customer, archived ones as well, a page at a time. */
  ordersOf(customerId: string): AsyncIterable<readonly Order[]>;
  /** Returns the ids under which the user has ordered without an account. */
  guestsOf(userId: string): Promise<string[]>;
  erasures: EndedErasures;
  eraseOrder: OrderEraser;
  /** How long entries of the audit log are kept, in milliseconds. */
  auditRetentionMs: number;
  /** How long after their last change orders are left as they are, in milliseconds; undefined for no limit. */
  orderRetentionMs: number | undefined;
}

/** The last order of a list up to which nothing is left to erase. */
type Done = Partial<Record<List, Place>>;
type Place = { at: string; id: string };
type List = 'current' | 'archived';

export interface OldOrders {
  erased: number;
  /** Orders that something stands in the way of, for the next run. */
  waiting: number;
  done: Done;
}

/** How many erasures a run has started again, and the last user it has looked at. */
export interface ContinuedErasures {
  started: number;
  after?: string;
}

/** By when Temporal lists the workflows of orders that MongoDB has, in milliseconds. */
const LATE_MS = 5_000;
const PAGE = 100;
const CLOSED = ORDER_STATUSES.filter((status) => isClosed({ status }));

export type RetentionActivities = ReturnType<typeof createRetentionActivities>;

/** Each may run twice: what is removed or erased stays so, and an erasure that is running is left alone. */
export function createRetentionActivities(deps: RetentionActivityDeps) {
  const { audit, orders, users, ordersOf, guestsOf, erasures, eraseOrder } = deps;
  const { auditRetentionMs, orderRetentionMs } = deps;

  /** Erases the closed orders of a list that have not changed since then; one that was erased has changed just now. */
  async function eraseList(list: List, before: Date, progress: OldOrders): Promise<void> {
    const filter = { updatedTo: before, status: CLOSED, archived: list === 'archived' };
    let isAllDone = true;
    for (let after = positionOf(progress.done[list]); ;) {
      const page = await orders.list(filter, { limit: PAGE, after });
      for (const order of page) {
        cancellationSignal().throwIfAborted();
        const outcome = await eraseOrder(order);
        if (outcome === 'waits') isAllDone = false;
        else if (isAllDone) progress.done[list] = placeOf(order);
        if (outcome === 'waits') progress.waiting++;
        if (outcome === 'erased') progress.erased++;
        heartbeat(progress);
      }
      heartbeat(progress);
      if (page.length < PAGE) return;
      after = positionOf(placeOf(page.at(-1)!));
    }
  }

  /** Whether an erased user has orders that are not erased, such as one that an API process was late to send. */
  async function hasOrdersLeft(userId: string, beat: () => void): Promise<boolean> {
    for (const customerId of [userId, ...(await guestsOf(userId))]) {
      for await (const page of ordersOf(customerId)) {
        beat();
        if (!page.every(isErased)) return true;
      }
    }
    return false;
  }

  return {
    /** Returns how many entries were too old. */
    async removeOldAuditEntries(): Promise<number> {
      const before = new Date(Date.now() - auditRetentionMs);
      const removed = await audit.removeBefore(before, () => {
        heartbeat();
        cancellationSignal().throwIfAborted();
      });
      if (removed > 0) log.info('old entries of the audit log removed', { removed });
      return removed;
    },

    /** Starts the erasure of users again of whom something is left, unless it is running. */
    async continueErasures(): Promise<ContinuedErasures> {
      let progress = (activityInfo().heartbeatDetails as ContinuedErasures | undefined) ?? { started: 0 };
      const { runId: requestId } = activityInfo().workflowExecution!;
      for (;;) {
        const page = await users.list({ status: 'erased' }, { limit: PAGE, after: progress.after });
        for (const { id: userId } of page) {
          cancellationSignal().throwIfAborted();
          const isLeft =
            (await hasOrdersLeft(userId, () => heartbeat(progress))) ||
            (await erasures.wasInterrupted(userId));
          const isStarted =
            isLeft && (await erasures.start({ userId, by: 'system', requestId, lateMs: LATE_MS }));
          progress = { started: progress.started + Number(isStarted), after: userId };
          heartbeat(progress);
        }
        if (page.length < PAGE) break;
      }
      const { started } = progress;
      if (started > 0) log.warn('erasures of users started again', { started });
      return progress;
    },

    /**
     * Erases what closed orders have of their customers when they have not changed for long.
     * @param done where an earlier run has come to
     */
    async eraseOldOrders(done: Done): Promise<OldOrders> {
      const begun = activityInfo().heartbeatDetails as OldOrders | undefined;
      const progress = begun ? { ...begun, waiting: 0 } : { erased: 0, waiting: 0, done: { ...done } };
      if (orderRetentionMs === undefined) return progress;
      const before = new Date(Date.now() - orderRetentionMs);
      await eraseList('current', before, progress);
      await eraseList('archived', before, progress);
      const { erased, waiting } = progress;
      if (erased > 0) log.info('personal data of old orders erased', { erased, waiting });
      return progress;
    },
  };
}

function placeOf({ updatedAt, id }: Order): Place {
  return { at: updatedAt, id };
}

function positionOf(after: Place | undefined): OrderPosition | undefined {
  return after && { at: new Date(after.at), id: after.id };
}
