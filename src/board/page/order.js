/** One order with its timeline and what can be done with it. */
import { commandsOf, leftToRefund } from './commands.js';
import { h } from './dom.js';
import { ago, fullTime, money, sentence, words } from './format.js';
import { addressOf, COMPENSATIONS, timelineOf, unitsOf } from './timeline.js';

/** @typedef {import('../../orders/order-view').OrderView} Order */
/** @typedef {import('./commands.js').CommandName} CommandName */

/** @type {Record<string, string>} */
const TONES = {
  pending: 'info',
  confirmed: 'good',
  completed: 'good',
  rejected: 'bad',
  cancelled: 'quiet',
  action_required: 'attention',
  authorized: 'good',
  captured: 'good',
  partially_refunded: 'attention',
  refunded: 'attention',
  declined: 'bad',
  voided: 'quiet',
  unfulfilled: 'quiet',
  partially_fulfilled: 'attention',
  fulfilled: 'info',
  delivered: 'good',
};

/** @param {string} value */
export function badge(value, label = words(value), tone = TONES[value] ?? 'info') {
  return h('span', { class: `badge ${tone}` }, label);
}

/**
 * @param {string} at
 * @param {number} now
 */
export function timeOf(at, now) {
  return h('time', { datetime: at, title: fullTime(at) }, ago(at, now));
}

/**
 * @param {Order} order
 * @param {{ isAdmin: boolean, me: string, now: number }} view
 * @returns {import('./dom.js').Child[]}
 */
export function orderView(order, { isAdmin, me, now }) {
  return [
    h(
      'header',
      { class: 'order-head' },
      h(
        'div',
        { class: 'order-title' },
        h(
          'h2',
          { id: 'order-title', tabindex: -1, 'data-focus': 'order-title' },
          h('small', {}, 'Order '),
          order.number,
        ),
        h('a', { href: '#', class: 'close', 'aria-label': 'Close the order', 'data-focus': 'close' }, '×'),
      ),
      h(
        'p',
        { class: 'badges' },
        axis('Order', order.status),
        axis('Payment', order.paymentStatus),
        axis('Fulfillment', order.fulfillmentStatus),
      ),
      commandButtons(order, isAdmin),
    ),
    ...notices(order, isAdmin),
    h(
      'section',
      { 'aria-labelledby': 'lines-title' },
      h('h3', { id: 'lines-title' }, 'Lines'),
      lines(order),
      sums(order),
    ),
    fulfillments(order, isAdmin, now),
    h(
      'section',
      { 'aria-labelledby': 'timeline-title' },
      h('h3', { id: 'timeline-title' }, 'Timeline'),
      timeline(order, me, now),
    ),
    facts(order, isAdmin),
  ];
}

/**
 * @param {string} name
 * @param {string} value
 */
function axis(name, value) {
  return h('span', { class: 'axis' }, h('span', { class: 'axis-name' }, name), badge(value));
}

/**
 * @param {Order} order
 * @param {boolean} isAdmin
 */
function commandButtons(order, isAdmin) {
  const commands = commandsOf(order, isAdmin);
  if (commands.length === 0) return null;
  return h(
    'div',
    { class: 'buttons', role: 'group', 'aria-label': 'What can be done with the order' },
    ...commands.map(({ name, label, isMain }) => commandButton(name, label, { isMain })),
  );
}

/**
 * @param {CommandName} name
 * @param {string} label
 * @param {{ target?: string, isMain?: boolean, description?: string }} options
 */
function commandButton(name, label, { target = '', isMain = false, description } = {}) {
  return h(
    'button',
    {
      type: 'button',
      'data-do': name,
      'data-target': target,
      'data-focus': `${name}:${target}`,
      'data-key': `${name}:${target}`,
      'aria-label': description,
      class: isMain && 'main',
    },
    label,
  );
}

/**
 * What needs to be looked at.
 * @param {Order} order
 * @param {boolean} isAdmin
 */
function notices(order, isAdmin) {
  const { rejection, paymentStatus, retryUntil, paymentAction, overdueSince, compensations = [] } = order;
  return [
    rejection && notice('bad', 'Rejected', rejection.detail),
    paymentAction?.redirectUrl && safeUrl(paymentAction.redirectUrl)
      ? notice(
          'attention',
          'Your bank asks you to confirm the payment',
          `Until ${fullTime(paymentAction.expiresAt)}.`,
          [outside(paymentAction.redirectUrl, 'Confirm the payment')],
        )
      : paymentStatus === 'action_required' && order.status === 'pending'
        ? notice(
            'attention',
            'Waiting for the customer',
            'The bank asks the customer to confirm the payment.',
          )
        : null,
    retryUntil &&
      notice(
        'attention',
        'The payment was turned down',
        `Another card can be tried until ${fullTime(retryUntil)}.`,
      ),
    overdueSince &&
      notice(
        'attention',
        'Overdue',
        `The rest has been waiting since ${fullTime(overdueSince)}. Fulfill it, or close the order short.`,
      ),
    ...compensations
      .filter(({ state }) => state !== 'resolved')
      .map((owed) =>
        notice(
          owed.state === 'pending' ? 'bad' : 'info',
          `${sentence(COMPENSATIONS[owed.kind])} of ${money(owed.amount, owed.currency)} ${owed.state === 'pending' ? 'keeps failing' : 'is owed'}`,
          owed.failure || 'It is tried automatically.',
          isAdmin ? compensationButtons(owed.step, owed.state === 'pending') : [],
        ),
      ),
  ];
}

/**
 * @param {string} step
 * @param {boolean} isFailing
 */
function compensationButtons(step, isFailing) {
  return [
    commandButton('retry', 'Retry now…', { target: step, isMain: isFailing }),
    commandButton('resolve', 'Settled by hand…', { target: step }),
  ];
}

/**
 * @param {string} tone
 * @param {string} title
 * @param {string} text
 * @param {Node[]} actions
 */
function notice(tone, title, text, actions = []) {
  return h(
    'div',
    { class: `notice ${tone}` },
    h('strong', {}, title),
    h('p', {}, text),
    actions.length > 0 ? h('div', { class: 'buttons' }, ...actions) : null,
  );
}

/** @param {Order} order */
function lines({ items, currency }) {
  return h(
    'ul',
    { class: 'lines' },
    ...items.map(
      ({
        name,
        sku,
        productServiceId,
        quantity,
        fulfilledQuantity,
        cancelledQuantity,
        refundedQuantity,
        total,
      }) =>
        h(
          'li',
          {},
          h('span', { class: 'quantity' }, `${quantity} ×`),
          h(
            'span',
            { class: 'what' },
            h('span', { class: 'name' }, name ?? productServiceId),
            sku ? h('span', { class: 'sku' }, sku) : null,
            h(
              'span',
              { class: 'counts' },
              share(fulfilledQuantity, quantity, 'fulfilled'),
              cancelledQuantity > 0 ? `${cancelledQuantity} cancelled` : null,
              refundedQuantity > 0 ? `${refundedQuantity} refunded` : null,
            ),
          ),
          h('span', { class: 'amount' }, money(total, currency)),
        ),
    ),
  );
}

/**
 * @param {number} part
 * @param {number} whole
 * @param {string} label
 */
function share(part, whole, label) {
  return h(
    'span',
    { class: 'share' },
    h('progress', { max: whole, value: part, 'aria-label': `${part} of ${whole} ${label}` }),
    `${part} of ${whole} ${label}`,
  );
}

/** @param {Order} order */
function sums(order) {
  const { subtotal, tax, total, cancelled, due, captured, refunded, currency } = order;
  /** @type {[string, number | null, boolean][]} */
  const all = [
    ['Subtotal', subtotal, true],
    ['Tax', tax, true],
    ['Total', total, true],
    ['Cancelled', -cancelled, cancelled > 0],
    ['Due', due, cancelled > 0],
    ['Captured', captured, captured > 0],
    ['Refunded', -refunded, refunded > 0],
    ['Left to refund', leftToRefund(order), refunded > 0],
  ];
  const shown = all.filter(([, , isShown]) => isShown);
  return h(
    'dl',
    { class: 'sums' },
    ...shown.map(([name, amount]) =>
      h(
        'div',
        { class: name === 'Total' && 'total' },
        h('dt', {}, name),
        h('dd', {}, money(amount, currency)),
      ),
    ),
  );
}

/**
 * @param {Order} order
 * @param {boolean} isAdmin
 * @param {number} now
 */
function fulfillments(order, isAdmin, now) {
  if (order.fulfillments.length === 0) return null;
  return h(
    'section',
    { 'aria-labelledby': 'fulfillments-title', 'data-key': 'fulfillments' },
    h('h3', { id: 'fulfillments-title' }, 'Fulfillments'),
    h(
      'ul',
      { class: 'fulfillments' },
      ...order.fulfillments.map(({ id, items, carrier, trackingNumber, createdAt, deliveredAt }) =>
        h(
          'li',
          { 'data-key': id },
          h(
            'span',
            { class: 'what' },
            h('span', { class: 'name' }, unitsOf(order, items)),
            h(
              'span',
              { class: 'sku' },
              [carrier, trackingNumber, ''].filter((text) => text !== null).join(' · '),
              timeOf(createdAt, now),
            ),
          ),
          deliveredAt ? badge('delivered') : null,
          isAdmin && !deliveredAt
            ? commandButton('deliver', 'Delivered…', {
                target: id,
                description: `Mark ${unitsOf(order, items)} as delivered…`,
              })
            : null,
        ),
      ),
    ),
  );
}

/**
 * @param {Order} order
 * @param {string} me
 * @param {number} now
 */
function timeline(order, me, now) {
  return h(
    'ol',
    { class: 'timeline', reversed: true },
    ...timelineOf(order, me).map(({ at, title, details, tone }) =>
      h(
        'li',
        { class: tone, 'data-key': `${at} ${title} ${details.join()}` },
        h('span', { class: 'title' }, title),
        timeOf(at, now),
        ...details.map((detail) => h('span', { class: 'detail' }, detail)),
      ),
    ),
  );
}

/**
 * @param {Order} order
 * @param {boolean} isAdmin
 */
function facts(order, isAdmin) {
  const { customerId, note, externalRef, createdAt, id, version, temporalUrl, traceUrl, metadata } = order;
  /** @type {[string, (Node | string)[]][]} */
  const all = [
    ['Customer', [isAdmin ? searchLink(customerId) : customerId]],
    ['Deliver to', [addressOf(order)]],
    ['Note', note ? [note] : []],
    ['Reference', externalRef ? [externalRef] : []],
    ...Object.entries(metadata).map(([name, value]) => /** @type {[string, string[]]} */ ([name, [value]])),
    ['Ordered', [fullTime(createdAt)]],
    ['Id', [h('code', {}, id), ` version ${version}`]],
    ['Look into it', links({ 'Temporal UI': temporalUrl, Trace: traceUrl })],
  ];
  return h(
    'section',
    { 'aria-labelledby': 'facts-title', 'data-key': 'facts' },
    h('h3', { id: 'facts-title' }, 'Details'),
    h(
      'dl',
      { class: 'facts' },
      ...all.flatMap(([name, value]) => (value.length > 0 ? [h('dt', {}, name), h('dd', {}, ...value)] : [])),
    ),
  );
}

/** @param {string} customerId */
function searchLink(customerId) {
  return h(
    'button',
    {
      type: 'button',
      class: 'link',
      'data-do': 'search',
      'data-target': customerId,
      'data-focus': 'customer',
    },
    customerId,
  );
}

/** @param {Record<string, string | undefined>} urls */
function links(urls) {
  return Object.entries(urls).flatMap(([name, url]) => (url && safeUrl(url) ? [outside(url, name)] : []));
}

/**
 * @param {string} url
 * @param {string} name
 */
function outside(url, name) {
  return h(
    'a',
    { href: url, target: '_blank', rel: 'noopener noreferrer', class: 'outside', 'data-focus': url },
    name,
  );
}

/** @param {string} url */
function safeUrl(url) {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
