import AsyncLock from 'async-lock';

export type StockQueue = ReturnType<typeof createStockQueue>;

/**
 * Shorter than the time limit of an activity: one that has waited this long fails, and Temporal retries it.
 */
const WAIT_MS = 3_000;

/** Thrown if other work on the products took too long: the work was not begun. */
export class StockBusy extends Error {
  override name = 'StockBusy';
}

/**
 * Creates a function that runs `work` while no other work in this process touches the same products. One
 * transaction per product at a time keeps a flash sale from wasting its time on write conflicts. The queue
 * only avoids collisions: correctness across all processes comes from the transactions.
 * @param waitMs how long the work waits for its turn, in milliseconds
 */
export function createStockQueue(waitMs = WAIT_MS) {
  const lock = new AsyncLock({ maxPending: Infinity, timeout: waitMs });
  return async <T>(productIds: readonly string[], work: () => Promise<T>): Promise<T> => {
    if (productIds.length === 0) return work();
    let isBegun = false;
    const begin = () => {
      isBegun = true;
      return work();
    };
    try {
      return await lock.acquire([...new Set(productIds)].sort(), begin);
    } catch (error) {
      throw isBegun ? error : new StockBusy(`Waited ${waitMs} ms for the stock.`, { cause: error });
    }
  };
}
