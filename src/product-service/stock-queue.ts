import AsyncLock from 'async-lock';

/** Runs `work` while no other work in this process touches the same products. */
export type StockQueue = <T>(productIds: readonly string[], work: () => Promise<T>) => Promise<T>;

/** Less than a step may take: one that waits longer fails, and is tried again by Temporal. */
const WAIT_MS = 3_000;

/**
 * Lets one transaction per product through at a time, so that a flash sale does not spend itself on write
 * conflicts. It only spares the database collisions: correctness is the transaction's, across all processes.
 */
export function createStockQueue(): StockQueue {
  const lock = new AsyncLock({ maxPending: Infinity, timeout: WAIT_MS });
  return (productIds, work) =>
    productIds.length === 0 ? work() : lock.acquire([...new Set(productIds)].sort(), work);
}
