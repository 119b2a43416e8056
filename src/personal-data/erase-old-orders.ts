import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { obstacleOf } from '../domain/erasing';
import { ORDER_STATUSES, type Order } from '../domain/order';
import { isClosed } from '../domain/order-transitions';
import { positionIn, type OrderPosition } from '../orders/order-filter';
import type { OrderRepository } from '../orders/orders.repository';

export interface EraseOldOrdersOptions {
  orders: Pick<OrderRepository, 'list'>;
  /** Erases what an order has of its customer. Returns whether there was anything. */
  erase(order: Order): Promise<boolean>;
  /** How long after their last change orders are left as they are, in milliseconds; undefined for no limit. */
  retentionMs: number | undefined;
  logger: Logger;
  everyMs?: number;
}

const EVERY_MS = 3_600_000;
const PAGE = 100;
const CLOSED = ORDER_STATUSES.filter((status) => isClosed({ status }));

/**
 * Erases what closed orders have of their customers when they have not changed for long, until it is closed. Every worker does
 * it: one is enough, and more do no harm. An order that was erased has changed just now, so it does not come up again soon.
 */
export function eraseOldOrders({
  orders,
  erase,
  retentionMs,
  logger,
  everyMs = EVERY_MS,
}: EraseOldOrdersOptions) {
  const closing = new AbortController();
  const { signal } = closing;
  /** Up to where nothing is left to erase, in the list and in the archive. */
  const done = new Map<boolean, OrderPosition | undefined>();

  async function eraseBefore(time: Date, archived: boolean): Promise<number> {
    let erased = 0;
    let isAllDone = true;
    for (let after = done.get(archived); !signal.aborted;) {
      const filter = { updatedTo: time, status: CLOSED, archived };
      const page = await orders.list(filter, { limit: PAGE, after });
      for (const order of page) {
        if (obstacleOf(order)) isAllDone = false;
        else if (await erase(order)) erased++;
      }
      if (page.length > 0) after = positionIn('updatedAt', page.at(-1)!);
      if (isAllDone) done.set(archived, after);
      if (page.length < PAGE) break;
    }
    return erased;
  }

  async function workUntilClosed(retention: number): Promise<void> {
    while (!signal.aborted) {
      try {
        const time = new Date(Date.now() - retention);
        const erased = (await eraseBefore(time, false)) + (await eraseBefore(time, true));
        if (erased > 0) logger.info({ erased }, 'personal data of old orders erased');
      } catch (err) {
        logger.warn({ err }, 'personal data of old orders cannot be erased; retrying');
      }
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  const ended = retentionMs === undefined ? Promise.resolve() : workUntilClosed(retentionMs);
  return {
    async close(): Promise<void> {
      closing.abort();
      await ended;
    },
  };
}
