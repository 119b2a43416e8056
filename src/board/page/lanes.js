/** The lanes of the board: which orders are in which one. */

/** @typedef {import('../../orders/order-view').OrderView} Order */
/** @typedef {{ id: string, title: string, tone: string, hint: string, query: Record<string, string> }} Lane */

/** @type {Lane[]} */
const LANES = [
  {
    id: 'placing',
    title: 'Being placed',
    tone: 'info',
    hint: 'Priced, reserved, and waiting for a payment',
    query: { status: 'pending' },
  },
  {
    id: 'to-fulfill',
    title: 'To fulfill',
    tone: 'attention',
    hint: 'Paid, and nothing is sent',
    query: { status: 'confirmed', fulfillmentStatus: 'unfulfilled' },
  },
  {
    id: 'partly-fulfilled',
    title: 'Partly fulfilled',
    tone: 'attention',
    hint: 'Some of it is sent',
    query: { status: 'confirmed', fulfillmentStatus: 'partially_fulfilled' },
  },
  {
    id: 'on-its-way',
    title: 'On its way',
    tone: 'info',
    hint: 'All is sent, and not all delivered',
    query: { status: 'confirmed', fulfillmentStatus: 'fulfilled' },
  },
  {
    id: 'completed',
    title: 'Completed',
    tone: 'good',
    hint: 'All is delivered',
    query: { status: 'completed' },
  },
  {
    id: 'cancelled',
    title: 'Cancelled',
    tone: 'quiet',
    hint: 'Nothing of it will be sent',
    query: { status: 'cancelled' },
  },
  {
    id: 'rejected',
    title: 'Rejected',
    tone: 'bad',
    hint: 'It could not be placed',
    query: { status: 'rejected' },
  },
];

/** What can be chosen to be shown. @type {[string, string, string[]][]} */
export const CHOICES = [
  ['open', 'Open orders', ['placing', 'to-fulfill', 'partly-fulfilled', 'on-its-way']],
  ['closed', 'Closed orders', ['completed', 'cancelled', 'rejected']],
  ['all', 'All orders', LANES.map(({ id }) => id)],
  ...LANES.map(({ id, title }) => /** @type {[string, string, string[]]} */ ([id, title, [id]])),
];

/** @param {string} choice */
export function lanesOf(choice) {
  const ids = CHOICES.find(([id]) => id === choice)?.[2] ?? [];
  return LANES.filter(({ id }) => ids.includes(id));
}

/**
 * Whether the order is in the lane, as the API would find it.
 * @param {Lane} lane
 * @param {Order} order
 */
export function isIn({ query }, order) {
  return (
    order.status === query.status &&
    (query.fulfillmentStatus === undefined || order.fulfillmentStatus === query.fulfillmentStatus)
  );
}

/** @param {Order} order */
export function laneOf(order) {
  return LANES.find((lane) => isIn(lane, order)) ?? null;
}
