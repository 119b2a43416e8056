import type { Count } from '../cluster/messages';

interface Window {
  used: number;
  endsAt: number;
}

/** Counts the requests of each client in windows of time; it belongs to the primary, so that all its processes share it. */
export interface WindowCounter {
  count(key: string, windowMs: number): Count;
}

/**
 * A window begins with its client's first request. All are equally long, so the order in which they began is the one
 * in which they end. When there are too many the oldest goes: under a flood of addresses a bounded memory matters more.
 */
export function createWindowCounter({ maxClients = 100_000, now = Date.now } = {}): WindowCounter {
  const windows = new Map<string, Window>();

  function begin(key: string, windowMs: number): Window {
    windows.delete(key); // a renewed window moves to the end of the order
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
