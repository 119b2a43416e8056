import pLimit, { type Limit } from 'p-limit';

/** Runs at most `concurrency` pieces of work with the same key at a time, first come, first served. */
export function createKeyedLimit(concurrency: number) {
  const limits = new Map<string, Limit>();

  /** Returns `late`, and never begins the work, if its turn does not come before the deadline. */
  return async <T>(key: string, deadline: number, work: () => Promise<T>): Promise<T | 'late'> => {
    const limit = limits.get(key) ?? pLimit(concurrency);
    limits.set(key, limit);
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), deadline - Date.now());
    const late = new Promise<'late'>((resolve) => {
      patience.signal.addEventListener('abort', () => resolve('late'));
    });
    const inTurn = limit(async () => {
      clearTimeout(timer);
      return patience.signal.aborted ? 'late' : work();
    }).finally(() => {
      if (limit.activeCount + limit.pendingCount === 0) limits.delete(key);
    });
    return Promise.race([inTurn, late]);
  };
}
