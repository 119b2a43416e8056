/** The lanes as they are shown. */
import { h } from './dom.js';
import { counted, money } from './format.js';
import { laneOf } from './lanes.js';
import { badge, timeOf } from './order.js';

/** @typedef {import('./lanes.js').Order} Order */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {{ orders: Order[], hasMore: boolean, limit: number, isLoading: boolean, problem: string | null }} LaneContent */
/** @typedef {{ now: number, selected: string | null, fresh: ReadonlySet<string>, narrow: string }} BoardLook */

/** What the names of payment states leave out: they follow from the lane. */
const USUAL = new Set(['authorized', 'captured', 'pending', 'voided']);

/**
 * @param {Lane[]} lanes
 * @param {(lane: Lane) => LaneContent} contentOf
 * @param {BoardLook} look
 */
export function lanesView(lanes, contentOf, look) {
  return lanes.map((lane) => {
    const { orders, hasMore, limit, isLoading, problem } = contentOf(lane);
    const count = countOf({ orders, hasMore });
    return h(
      'section',
      {
        class: `lane ${lane.tone}`,
        'aria-labelledby': `lane-${lane.id}`,
        'aria-busy': String(isLoading),
        'data-key': lane.id,
        'data-current': lane.id === look.narrow,
      },
      h(
        'h2',
        { id: `lane-${lane.id}`, title: lane.hint },
        h('span', { class: 'lane-title' }, lane.title),
        h('span', { class: 'count' }, count),
        h('span', { class: 'visually-hidden' }, counted(orders.length, 'order').replace(/^\d+/, '')),
      ),
      problem ? h('p', { class: 'problem', role: 'alert' }, problem) : null,
      h('ul', { class: 'cards' }, ...orders.slice(0, limit).map((order) => card(order, look))),
      orders.length === 0 && !problem
        ? h('p', { class: 'empty' }, isLoading ? 'Loading …' : 'No orders')
        : null,
      orders.length > limit || hasMore
        ? h(
            'button',
            {
              type: 'button',
              class: 'more',
              'data-do': 'more',
              'data-target': lane.id,
              'data-focus': `more:${lane.id}`,
            },
            'Show more',
            h('span', { class: 'visually-hidden' }, ` of “${lane.title}”`),
          )
        : null,
    );
  });
}

/** @param {Pick<LaneContent, 'orders' | 'hasMore'>} content */
function countOf({ orders, hasMore }) {
  return `${orders.length}${hasMore ? '+' : ''}`;
}

/**
 * On narrow screens one lane is shown at a time, and these choose which.
 * @param {Lane[]} lanes
 * @param {(lane: Lane) => LaneContent} contentOf
 * @param {string} current
 */
export function laneTabs(lanes, contentOf, current) {
  if (lanes.length < 2) return [];
  return lanes.map((lane) =>
    h(
      'button',
      {
        type: 'button',
        'data-do': 'lane',
        'data-target': lane.id,
        'data-key': lane.id,
        'data-focus': `lane:${lane.id}`,
        'aria-pressed': String(lane.id === current),
      },
      lane.title,
      h('span', { class: 'count' }, countOf(contentOf(lane))),
    ),
  );
}

/**
 * @param {Order} order
 * @param {BoardLook} look
 */
function card(order, { now, selected, fresh }) {
  const { id, number, total, currency, updatedAt } = order;
  const badges = badgesOf(order);
  return h(
    'li',
    { 'data-key': id },
    h(
      'a',
      {
        href: `#/orders/${id}`,
        class: `card${fresh.has(id) ? ' fresh' : ''}`,
        'aria-current': id === selected && 'true',
        'data-focus': `card:${id}`,
      },
      h(
        'span',
        { class: 'card-top' },
        h('span', { class: 'number' }, number),
        h('span', { class: 'amount' }, money(total, currency)),
      ),
      h('span', { class: 'items' }, summaryOf(order)),
      h(
        'span',
        { class: 'card-foot' },
        h('span', { class: 'person' }, personOf(order)),
        timeOf(updatedAt, now),
      ),
      badges.length > 0 ? h('span', { class: 'badges' }, ...badges) : null,
    ),
  );
}

/** @param {Order} order */
function summaryOf({ items }) {
  const [first, ...others] = items;
  if (!first) return '';
  const what = `${first.quantity} × ${first.name ?? first.productServiceId}`;
  return others.length > 0 ? `${what} + ${others.length} more` : what;
}

/** @param {Order} order */
function personOf({ shippingAddress }) {
  return shippingAddress ? `${shippingAddress.name}, ${shippingAddress.city}` : '';
}

/** @param {Order} order */
function badgesOf(order) {
  const { paymentStatus, compensationPending, overdueSince, disputes = [] } = order;
  const isDisputed = disputes.some(({ status }) => status === 'opened');
  return [
    laneOf(order) === null && badge(order.fulfillmentStatus),
    compensationPending && badge('', 'compensation fails', 'bad'),
    overdueSince && badge('', 'overdue', 'attention'),
    isDisputed && badge('', 'disputed', 'bad'),
    !USUAL.has(paymentStatus) && badge(paymentStatus),
  ].filter((one) => one instanceof Node);
}
