/** The orders that the page knows, and in which lanes they are shown. */
import { Problem } from './api.js';
import { isIn, laneOf, lanesOf } from './lanes.js';

/** @typedef {import('./lanes.js').Order} Order */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {{ cursor: string | null, limit: number, isLoading: boolean, problem: string | null }} Page */

/** How many orders a lane shows at first, and how many more at a time. */
const SHOWN = 25;
const PAGE_SIZE = 100;
/** For how long a change is pointed out, in milliseconds. */
const FRESH_MS = 2_000;

/**
 * @param {import('./api.js').Api} api
 * @param {(order: Order | null) => void} onChange called with an order that has changed, or null for anything else
 */
export function createStore(api, onChange) {
  /** @type {Map<string, Order>} */
  const orders = new Map();
  /** The latest version of each order, so that none becomes older again. @type {Map<string, number>} */
  const versions = new Map();
  /** @type {Map<string, Page>} */
  const pages = new Map();
  /** @type {Set<string>} */
  const fresh = new Set();
  let choice = 'open';
  let search = '';
  let latestChange = '';
  /** Whose orders were found by an e-mail address. @type {Set<string>} */
  let customers = new Set();
  let loads = 0;

  function shownLanes() {
    return lanesOf(choice);
  }

  /** @param {string} id of a lane, or empty for all that were found */
  function pageOf(id) {
    const page = pages.get(id) ?? { cursor: null, limit: SHOWN, isLoading: false, problem: null };
    pages.set(id, page);
    return page;
  }

  /** Loads the lanes anew. Returns what was found, if something is searched for. */
  async function load() {
    const turn = ++loads;
    orders.clear();
    pages.clear();
    customers = new Set();
    if (search !== '') return loadPage('', filterOf(search), turn);
    await Promise.all(shownLanes().map(({ id, query }) => loadPage(id, query, turn)));
    return [];
  }

  /**
   * @param {string} id
   * @param {Record<string, string>} query
   * @param {number} turn
   * @returns {Promise<Order[]>}
   */
  async function loadPage(id, query, turn) {
    const page = pageOf(id);
    page.isLoading = true;
    onChange(null);
    const parameters = new URLSearchParams({ limit: String(PAGE_SIZE), ...query });
    if (page.cursor !== null) parameters.set('cursor', page.cursor);
    try {
      const { data, meta } = await api.call(`/orders?${parameters}`);
      if (turn !== loads) return [];
      page.problem = null;
      page.cursor = meta.page.nextCursor;
      for (const order of /** @type {Order[]} */ (data)) {
        if (search !== '') customers.add(order.customerId);
        keep(order);
      }
      return data;
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500 || error.status === 429) throw error;
      page.problem = error.errors.map(({ message }) => message).join('. ') || error.message;
      return [];
    } finally {
      page.isLoading = false;
      onChange(null);
    }
  }

  /** @param {Order} order */
  function keep(order) {
    if (order.version < (versions.get(order.id) ?? 0)) return false;
    versions.set(order.id, order.version);
    if (order.updatedAt > latestChange) latestChange = order.updatedAt;
    if (isShown(order)) orders.set(order.id, order);
    else orders.delete(order.id);
    return true;
  }

  /** @param {Order} order */
  function isShown(order) {
    if (order.archivedAt) return false;
    if (search !== '') return orders.has(order.id) || isFound(order);
    return shownLanes().some((lane) => isIn(lane, order));
  }

  /** @param {Order} order */
  function isFound({ number, customerId }) {
    return customers.has(customerId) || plain(number) === plain(search);
  }

  return {
    load,
    /**
     * Takes what is newer than what is known.
     * @param {Order} order
     */
    put(order) {
      const known = versions.get(order.id) ?? 0;
      if (order.version === known || !keep(order)) return;
      fresh.add(order.id);
      setTimeout(() => fresh.delete(order.id), FRESH_MS);
      onChange(order);
    },
    /** @param {string} id */
    get: (id) => orders.get(id),
    /** @param {Lane} lane */
    contentOf(lane) {
      const page = pageOf(search === '' ? lane.id : '');
      const { limit, isLoading, cursor } = page;
      // What is wrong with a search is told there, and once.
      const problem = search === '' ? page.problem : null;
      const inLane = [...orders.values()].filter((order) => laneOf(order) === lane);
      return { orders: inLane.sort(newestFirst), hasMore: cursor !== null, limit, isLoading, problem };
    },
    /** @param {string} laneId */
    async more(laneId) {
      const id = search === '' ? laneId : '';
      const page = pageOf(id);
      page.limit += SHOWN;
      const query = search === '' ? (lanesOf(laneId)[0]?.query ?? {}) : filterOf(search);
      const lane = lanesOf(laneId)[0];
      const known = lane ? this.contentOf(lane).orders.length : 0;
      if (page.cursor !== null && !page.isLoading && known < page.limit) await loadPage(id, query, loads);
      onChange(null);
    },
    lanes: shownLanes,
    fresh,
    latestChange: () => latestChange || null,
    get choice() {
      return choice;
    },
    get search() {
      return search;
    },
    /** What is wrong with what is searched for, or null. */
    searchProblem: () => (search === '' ? null : pageOf('').problem),
    /**
     * @param {string} text
     * @param {string} lanes
     */
    find(text, lanes) {
      search = text;
      choice = lanes;
    },
    clear() {
      loads++;
      for (const some of [orders, versions, pages, fresh]) some.clear();
      search = latestChange = '';
      choice = 'open';
    },
  };
}

/**
 * @param {Order} a
 * @param {Order} b
 */
function newestFirst(a, b) {
  return b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id);
}

/**
 * What the API is asked for: an e-mail address, the id of a customer, or else the number of an order.
 * @param {string} text
 * @returns {Record<string, string>}
 */
function filterOf(text) {
  if (text.includes('@')) return { email: text };
  if (text.startsWith('usr_')) return { customerId: text };
  return { number: text };
}

/** @param {string} number */
function plain(number) {
  return number.replace('-', '').toUpperCase();
}
