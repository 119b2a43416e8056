import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { AuditRepository } from '../src/audit/audit.repository';
import { ORDER_STATUSES, type Order } from '../src/domain/order';
import { isClosed } from '../src/domain/order-transitions';
import type { OrderPosition } from '../src/orders/order-filter';
import type { OrderRepository } from '../src/orders/orders.repository';
import type { OrderEraser } from './order-eraser';

export interface RetentionActivityDeps {
  audit: Pick<AuditRepository, 'removeBefore'>;
  orders: Pick<OrderRepository, 'list'>;
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

const PAGE = 100;
const CLOSED = ORDER_STATUSES.filter((status) => isClosed({ status }));

export type RetentionActivities = ReturnType<typeof createRetentionActivities>;

/** Each may run twice: what is removed or erased stays so. */
export function createRetentionActivities(deps: RetentionActivityDeps) {
  const { audit, orders, eraseOrder, auditRetentionMs, orderRetentionMs } = deps;

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

  return {
    /** Returns how many entries were too old. */
    async removeOldAuditEntries(): Promise<number> {
      const removed = await audit.removeBefore(new Date(Date.now() - auditRetentionMs), heartbeat);
      if (removed > 0) log.info('old entries of the audit log removed', { removed });
      return removed;
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
