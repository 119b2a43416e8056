import type { Count, Counter } from './store';

interface Window {
  used: number;
  endsAt: number;
}

/** A counter in the memory of one process. */
export interface WindowCounter extends Counter {
  count(key: string, windowMs: number): Count;
}

/**
 * Counts in windows that begin with a client's first request. All windows last equally long, so they end in
 * the order in which they began. If there are too many clients, the oldest window is dropped: under a flood
 * of addresses, bounded memory matters more than an exact count.
 */
export function createWindowCounter({ maxClients = 100_000, now = Date.now } = {}): WindowCounter {
  const windows = new Map<string, Window>();

  function begin(key: string, windowMs: number): Window {
    windows.delete(key); // moves a renewed window to the end of the order
    for (const [oldest, { endsAt }] of windows) {
      if (endsAt > now() && windows.size < maxClients) break;
      windows.delete(oldest);
    }
    const window = { used: 0, endsAt: now() + windowMs };
    windows.set(key, window);
    return window;
  }

  return {
    count(key, windowMs) {
      const known = windows.get(key);
      const window = known && known.endsAt > now() ? known : begin(key, windowMs);
      window.used++;
      return { used: window.used, msLeft: window.endsAt - now() };
    },
  };
}
