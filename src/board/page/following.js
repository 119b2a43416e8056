/** Follows what happens, over outages and restarts of the API, without missing anything. */
import { Problem, SignedOut } from './api.js';
import { eventsIn } from './stream.js';

/** @typedef {import('./api.js').Api} Api */
/** @typedef {import('./lanes.js').Order} Order */
/** @typedef {(state: 'live' | 'waiting') => void} OnState */

/** How long the API may wait with its answer, in seconds. */
const WAIT_SECONDS = 20;
/** How often a customer's page asks for what has changed, in milliseconds. */
const POLL_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const ORDER_EVENTS = 'order.*,payment.*,refund.*,dispute.*';

/**
 * Calls the step again and again until the signal aborts. If it fails, with longer and longer pauses.
 * @param {AbortSignal} signal
 * @param {OnState} onState
 * @param {() => Promise<unknown>} step
 */
async function again(signal, onState, step) {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await step();
      pauseMs = FIRST_PAUSE_MS;
      onState('live');
    } catch (error) {
      if (signal.aborted || error instanceof SignedOut) return;
      onState('waiting');
      await pause(Math.max(pauseMs, error instanceof Problem ? error.retryAfter * 1_000 : 0), signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      removeEventListener('online', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    addEventListener('online', done);
  });
}

/**
 * Follows all orders, for ADMINs. What has changed while the page loads them comes again.
 * @param {Api} api
 * @param {{ signal: AbortSignal, load: () => Promise<void>, onOrder: (order: Order) => void, onState: OnState }} options
 */
export function followFeed(api, { signal, load, onOrder, onState }) {
  /** @type {number | null} */
  let position = null;
  return again(signal, onState, async () => {
    if (position === null) {
      const { meta } = await api.call(`/events?limit=1`, { signal });
      await load();
      position = /** @type {number} */ (meta.feed.latest);
      return;
    }
    try {
      const { data, meta } = await api.call(`/events?after=${position}&types=${ORDER_EVENTS}&limit=100`, {
        headers: { Prefer: `wait=${WAIT_SECONDS}` },
        signal,
      });
      for (const event of data) onOrder(event.data);
      position = meta.feed.position;
    } catch (error) {
      if (error instanceof Problem && error.code === 'position_gone') position = null;
      throw error;
    }
  });
}

/**
 * Asks from time to time for the customer's orders that have changed, and not while nobody looks.
 * @param {Api} api
 * @param {{ signal: AbortSignal, load: () => Promise<void>, since: () => string | null, onOrder: (order: Order) => void, onState: OnState }} options
 */
export function pollOrders(api, { signal, load, since, onOrder, onState }) {
  let isLoaded = false;
  return again(signal, onState, async () => {
    if (isLoaded) {
      await pause(POLL_MS, signal);
      if (document.hidden || signal.aborted) return;
      const from = since() ?? new Date(0).toISOString();
      const { data } = await api.call(`/orders?limit=100&updatedFrom=${encodeURIComponent(from)}`, {
        signal,
      });
      for (const order of data) onOrder(order);
      return;
    }
    await load();
    isLoaded = true;
  });
}

/**
 * Follows one order. The stream ends with the access token, and continues with the next one.
 * @param {Api} api
 * @param {string} id
 * @param {{ signal: AbortSignal, version: () => number, onOrder: (order: Order) => void, onState: OnState }} options
 */
export function followOrder(api, id, { signal, version, onOrder, onState }) {
  return again(signal, onState, async () => {
    const body = await api.stream(`/orders/${id}/events`, {
      headers: { Accept: 'text/event-stream', 'Last-Event-ID': String(version()) },
      signal,
    });
    onState('live');
    for await (const { data } of eventsIn(body)) onOrder(JSON.parse(data).data);
    // It has ended, with its token or with the API: what has happened since is asked for at once.
    await pause(FIRST_PAUSE_MS, signal);
  });
}
