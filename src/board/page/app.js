/** Puts the page together: what is shown, and what a click does. */
import { createApi, Problem, SignedOut } from './api.js';
import { laneTabs, lanesView } from './board.js';
import { createDialog } from './dialog.js';
import { find, h, show } from './dom.js';
import { followFeed, followOrder, pollOrders } from './following.js';
import { CHOICES } from './lanes.js';
import { orderView } from './order.js';
import { createSignIn } from './sign-in.js';
import { createStore } from './store.js';
import { timelineOf } from './timeline.js';

/** @typedef {import('./lanes.js').Order} Order */
/** @typedef {import('./commands.js').Command} Command */

/** How often "3 min. ago" is said anew, in milliseconds. */
const CLOCK_MS = 30_000;
/** For how long something is announced, in milliseconds. */
const ANNOUNCED_MS = 8_000;

const api = createApi(new URL('../..', import.meta.url).pathname.replace(/\/$/, ''));
const store = createStore(api, changed);
const dialog = createDialog({ api, onOrder: store.put, onDone: done });
const askToSignIn = createSignIn(api, start);

const body = document.body;
const signInPage = find('#sign-in', HTMLElement);
const page = find('#app', HTMLElement);
const lanes = find('#lanes', HTMLElement);
const panel = find('#order', HTMLElement);
const searchField = find('#search', HTMLInputElement);
const choiceField = find('#choice', HTMLSelectElement);

/** Ends with the session. */
let following = new AbortController();
/** Ends with the order that is shown. */
let watching = new AbortController();
/** @type {{ id: string, order: Order | null, problem: string | null } | null} */
let selected = null;
let narrowLane = '';
let isDrawing = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let announcing;

choiceField.append(...CHOICES.map(([value, label]) => h('option', { value }, label)));
api.onEnd(signedOut);
setInterval(draw, CLOCK_MS);
addEventListener('hashchange', select);
document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-do]') : null;
  if (button instanceof HTMLElement) act(button.dataset.do ?? '', button.dataset.target ?? '');
});
document.addEventListener('keydown', ({ key, target }) => {
  if (key === 'Escape' && selected && !find('#dialog', HTMLDialogElement).open && target !== searchField)
    closeOrder();
});
find('#find', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void search(searchField.value.trim());
});
searchField.addEventListener(
  'search',
  () => searchField.value === '' && store.search !== '' && void search(''),
);
choiceField.addEventListener('change', () => void reload());

function start() {
  signInPage.hidden = true;
  page.hidden = false;
  find('#user', HTMLElement).textContent = api.session?.user.name ?? '';
  find('#role', HTMLElement).textContent = api.isAdmin ? 'Administrator' : 'Customer';
  find('#no-app', HTMLElement).hidden = !api.session?.mustSetUpTotp;
  searchField.placeholder = api.isAdmin ? 'Number, customer id or e-mail' : 'Number of an order';
  following = new AbortController();
  const { signal } = following;
  const options = { signal, load, onOrder: store.put, onState: tellState };
  void (api.isAdmin ? followFeed(api, options) : pollOrders(api, { ...options, since: store.latestChange }));
  select();
  if (!selected) find('#title', HTMLElement).focus();
}

/** @param {string} message why the session has ended */
function signedOut(message) {
  following.abort();
  watching.abort();
  dialog.close();
  selected = null;
  store.clear();
  searchField.value = '';
  show(lanes);
  show(panel);
  body.classList.remove('has-order');
  page.hidden = true;
  signInPage.hidden = false;
  askToSignIn(message);
}

async function load() {
  await store.load();
}

/** @param {'live' | 'waiting'} state */
function tellState(state) {
  const pill = find('#connection', HTMLElement);
  if (pill.dataset.state === state) return;
  pill.dataset.state = state;
  pill.textContent = state === 'live' ? 'Live' : 'Reconnecting …';
}

/** @param {string} text */
async function search(text) {
  if (/^ord_[0-9a-f]{32}$/.test(text)) {
    searchField.value = '';
    location.hash = `#/orders/${text}`;
    return;
  }
  searchField.value = text;
  choiceField.value = text === '' ? 'open' : 'all';
  const found = await reload();
  const [only] = found;
  if (only && found.length === 1) location.hash = `#/orders/${only.id}`;
  if (text !== '' && !store.searchProblem())
    announce(found.length === 0 ? 'No orders found' : `Found ${found.length}`);
}

async function reload() {
  store.find(searchField.value.trim(), choiceField.value);
  const { signal } = following;
  try {
    return await store.load();
  } catch (error) {
    if (!signal.aborted) announce(error instanceof Error ? error.message : 'The orders cannot be loaded.');
    return [];
  } finally {
    draw();
  }
}

/**
 * @param {string} action
 * @param {string} target
 */
function act(action, target) {
  switch (action) {
    case 'sign-out':
      return void leave();
    case 'skip':
      return find('#title', HTMLElement).focus();
    case 'search':
      return void search(target);
    case 'clear':
      return void search('');
    case 'lane':
      narrowLane = target;
      return drawNow();
    case 'more':
      return void store.more(target).catch(() => announce('They cannot be loaded now.'));
    case 'fulfill':
    case 'deliver':
    case 'cancel':
    case 'refund':
    case 'retry':
    case 'resolve':
      if (selected?.order) dialog.open({ name: action, label: '', target, isMain: false }, selected.order);
  }
}

async function leave() {
  const told = api.signOut();
  location.hash = '';
  signedOut('You are signed out.'); // also if the API takes long to answer
  await told;
}

/** Shows the order that the address names. */
function select() {
  const [, id] = /^#\/orders\/(ord_[0-9a-f]{32})$/.exec(location.hash) ?? [];
  if (!api.session || id === selected?.id) return;
  const before = selected?.id;
  watching.abort();
  watching = new AbortController();
  selected = id ? { id, order: store.get(id) ?? null, problem: null } : null;
  body.classList.toggle('has-order', selected !== null);
  drawNow();
  if (id) {
    panel.scrollTop = 0;
    find('#order-title', HTMLElement).focus({ preventScroll: true });
    void watch(id, watching.signal);
  } else if (before) focusCard(before);
}

/** @param {string} id */
function focusCard(id) {
  const link = lanes.querySelector(`[data-focus="card:${id}"]`);
  (link instanceof HTMLElement ? link : find('#title', HTMLElement)).focus();
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function watch(id, signal) {
  try {
    const { data } = await api.call(`/orders/${id}`, { signal });
    take(data);
  } catch (error) {
    if (signal.aborted || error instanceof SignedOut) return;
    const isMissing = error instanceof Problem && error.status < 500;
    if (selected && !selected.order) selected.problem = isMissing ? error.message : null;
    draw();
    if (isMissing) return;
  }
  const version = () => selected?.order?.version ?? 0;
  await followOrder(api, id, { signal, version, onOrder: store.put, onState: () => undefined });
}

/**
 * Takes the order as it is now, also if it is not newer: only the response to its customer has what the bank asks for.
 * @param {Order} order
 */
function take(order) {
  store.put(order);
  if (selected?.id !== order.id || order.version < (selected.order?.version ?? 0)) return;
  selected.order = order;
  draw();
}

/** @param {Order | null} order */
function changed(order) {
  if (order && selected?.id === order.id) {
    const before = selected.order;
    if (before && order.version > before.version) announceChange(before, order);
    if (!before || order.version >= before.version) selected.order = order;
  }
  draw();
}

/**
 * @param {Order} before
 * @param {Order} order
 */
function announceChange(before, order) {
  const known = new Set(timelineOf(before).map(({ at, title }) => at + title));
  const titles = timelineOf(order).flatMap(({ at, title }) => (known.has(at + title) ? [] : [title]));
  if (titles.length > 0) announce(`Order ${order.number}: ${titles.reverse().join(', ')}`);
}

/** @type {Record<import('./commands.js').CommandName, string>} */
const DONE = {
  fulfill: 'The units are fulfilled.',
  deliver: 'It is marked as delivered.',
  cancel: 'The units are cancelled.',
  refund: 'The refund is made.',
  retry: 'It was tried once more.',
  resolve: 'It is settled.',
};

/**
 * @param {Order} order
 * @param {Command} command
 */
function done(order, { name, target }) {
  take(order);
  drawNow();
  announce(DONE[name]);
  const button = [...panel.querySelectorAll('[data-focus]')].find(
    (one) => one instanceof HTMLElement && one.dataset.focus === `${name}:${target}`,
  );
  (button instanceof HTMLElement ? button : find('#order-title', HTMLElement)).focus();
}

function closeOrder() {
  location.hash = '';
}

/** @param {string} text shown for a while, and read out by screen readers */
function announce(text) {
  const announcer = find('#announcer', HTMLElement);
  announcer.textContent = text;
  clearTimeout(announcing);
  announcing = setTimeout(() => (announcer.textContent = ''), ANNOUNCED_MS);
}

/** Draws soon: what comes together is drawn once. */
function draw() {
  if (isDrawing) return;
  isDrawing = true;
  setTimeout(drawNow);
}

function drawNow() {
  isDrawing = false;
  if (!api.session) return;
  const now = Date.now();
  const shown = store.lanes();
  if (!shown.some(({ id }) => id === narrowLane)) narrowLane = shown[0]?.id ?? '';
  const look = { now, selected: selected?.id ?? null, fresh: store.fresh, narrow: narrowLane };
  show(lanes, ...lanesView(shown, store.contentOf, look));
  show(find('#lane-tabs', HTMLElement), ...laneTabs(shown, store.contentOf, narrowLane));
  drawSearch();
  show(panel, ...panelView(now));
  document.title = selected?.order ? `Order ${selected.order.number} · Order board` : 'Order board';
}

function drawSearch() {
  const problem = store.searchProblem();
  find('#search-problem', HTMLElement).textContent = problem ?? '';
  searchField.setAttribute('aria-invalid', String(problem !== null));
  find('#clear', HTMLElement).hidden = store.search === '';
}

/** @param {number} now */
function panelView(now) {
  if (!selected) return [];
  if (selected.order)
    return orderView(selected.order, { isAdmin: api.isAdmin, me: api.session?.user.id ?? '', now });
  return [
    h(
      'div',
      { class: 'order-title' },
      h('h2', { id: 'order-title', tabindex: -1, 'data-focus': 'order-title' }, 'Order'),
      h('a', { href: '#', class: 'close', 'aria-label': 'Close the order', 'data-focus': 'close' }, '×'),
    ),
    h('p', { class: 'empty' }, selected.problem ?? 'Loading …'),
  ];
}

askToSignIn();
