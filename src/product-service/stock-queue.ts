import AsyncLock from 'async-lock';

export type StockQueue = ReturnType<typeof createStockQueue>;

/**
 * Shorter than the time limit of an activity: one that has waited this long fails, and Temporal retries it.
 */
const WAIT_MS = 3_000;

/**
 * Creates a function that runs `work` while no other work in this process touches the same products. One
 * transaction per product at a time keeps a flash sale from wasting its time on write conflicts. The queue
 * only avoids collisions: correctness across all processes comes from the transactions.
 */
export function createStockQueue() {
  const lock = new AsyncLock({ maxPending: Infinity, timeout: WAIT_MS });
  return async <T>(productIds: readonly string[], work: () => Promise<T>): Promise<T> =>
    productIds.length === 0 ? work() : lock.acquire([...new Set(productIds)].sort(), work);
}
