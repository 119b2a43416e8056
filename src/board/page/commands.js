/** What a user may do with an order, and the request that does it. */

/** @typedef {import('../../orders/order-view').OrderView} Order */
/** @typedef {'fulfill' | 'deliver' | 'cancel' | 'refund' | 'retry' | 'resolve'} CommandName */
/** @typedef {{ name: CommandName, label: string, target: string, isMain: boolean }} Command */
/** @typedef {{ productServiceId: string, name: string, room: number, isProduct: boolean }} Room */
/** @typedef {{ path: string, body?: unknown, isKeyed: boolean }} CommandRequest */

/**
 * Returns what can be done with the whole order.
 * @param {Order} order
 * @param {boolean} isAdmin
 * @returns {Command[]}
 */
export function commandsOf(order, isAdmin) {
  const open = unitsIn(openOf(order));
  const isClosedShort = order.items.some(({ fulfilledQuantity }) => fulfilledQuantity > 0);
  const isOpen = order.status === 'pending' || order.status === 'confirmed';
  return [
    ...(isAdmin && order.status === 'confirmed' && open > 0 ? [command('fulfill', 'Fulfill…', true)] : []),
    ...(isAdmin && canRefund(order) ? [command('refund', 'Refund…')] : []),
    ...(isOpen && open > 0 && order.version > 0
      ? [command('cancel', isClosedShort ? 'Close short…' : 'Cancel…')]
      : []),
  ];
}

/**
 * @param {CommandName} name
 * @param {string} label
 * @returns {Command}
 */
function command(name, label, isMain = false) {
  return { name, label, target: '', isMain };
}

/** @param {Order} order */
function canRefund(order) {
  return leftToRefund(order) > 0 || (order.captured > 0 && unitsIn(refundableOf(order)) > 0);
}

/**
 * Returns what was captured and neither paid back, nor about to be, nor taken back by the bank, in minor units.
 * @param {Order} order
 */
export function leftToRefund({ captured, refunded, refunds, disputes = [] }) {
  const sum = (/** @type {{ amount: number }[]} */ some) =>
    some.reduce((total, { amount }) => total + amount, 0);
  const pending = sum(refunds.filter(({ status }) => status === 'pending'));
  const disputed = sum(disputes.filter(({ status }) => status !== 'won'));
  return Math.max(0, captured - refunded - pending - disputed);
}

/**
 * The units that are neither fulfilled nor cancelled, by product.
 * @param {Order} order
 */
export function openOf(order) {
  return roomsOf(order, (item) => item.quantity - item.fulfilledQuantity - item.cancelledQuantity);
}

/**
 * The units that were fulfilled and not refunded, by product.
 * @param {Order} order
 */
export function refundableOf(order) {
  return roomsOf(order, (item) => item.fulfilledQuantity - item.refundedQuantity);
}

/**
 * An order can have several lines of a product, at different prices; commands name the product.
 * @param {Order} order
 * @param {(item: Order['items'][number]) => number} roomIn
 * @returns {Room[]}
 */
function roomsOf({ items }, roomIn) {
  /** @type {Map<string, Room>} */
  const rooms = new Map();
  for (const item of items) {
    const { productServiceId } = item;
    const name = item.name ?? item.sku ?? productServiceId;
    const room = rooms.get(productServiceId) ?? {
      productServiceId,
      name,
      room: 0,
      isProduct: item.kind === 'product',
    };
    rooms.set(productServiceId, { ...room, room: room.room + roomIn(item) });
  }
  return [...rooms.values()].filter(({ room }) => room > 0);
}

/** @param {Room[]} rooms */
function unitsIn(rooms) {
  return rooms.reduce((sum, { room }) => sum + room, 0);
}

/**
 * @typedef {object} Filled what the form of a command says
 * @property {boolean} hasUnits whether it asks for units
 * @property {{ productServiceId: string, quantity: number, restock: boolean }[]} lines without those of no units
 * @property {number | null} amount in minor units
 * @property {string} mode
 * @property {string} carrier
 * @property {string} trackingNumber
 * @property {string} reason
 * @property {string} internalNote
 * @property {string} note
 */

/**
 * @param {Command} command
 * @param {Order} order
 * @param {Filled} filled
 * @returns {CommandRequest}
 */
export function requestFor({ name, target }, order, filled) {
  const path = `/orders/${order.id}`;
  const step = encodeURIComponent(target);
  const lines = filled.lines.map(({ productServiceId, quantity }) => ({ productServiceId, quantity }));
  const why = texts({ reason: filled.reason, internalNote: filled.internalNote });
  switch (name) {
    case 'fulfill': {
      const how = texts({ carrier: filled.carrier, trackingNumber: filled.trackingNumber });
      return { path: `${path}/fulfillments`, body: { items: lines, ...how }, isKeyed: true };
    }
    case 'deliver':
      return { path: `${path}/fulfillments/${step}/deliver`, isKeyed: true };
    case 'cancel': {
      const all = openOf(order);
      const isPart = lines.length > 0 && unitsOfLines(lines) < unitsIn(all);
      return { path: `${path}/cancel`, body: { ...(isPart && { items: lines }), ...why }, isKeyed: true };
    }
    case 'refund':
      return { path: `${path}/refunds`, body: { ...refunded(filled), ...why }, isKeyed: true };
    case 'retry':
      return { path: `${path}/compensations/${step}/retry`, isKeyed: false };
    case 'resolve':
      return { path: `${path}/compensations/${step}/resolve`, body: { note: filled.note }, isKeyed: true };
  }
}

/** @param {Filled} filled */
function refunded({ mode, lines, amount }) {
  if (mode === 'units') return { items: lines };
  return mode === 'amount' ? { amount } : {};
}

/** @param {{ quantity: number }[]} lines */
function unitsOfLines(lines) {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}

/**
 * Leaves out what was left empty.
 * @param {Record<string, string>} fields
 */
function texts(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text.trim() !== ''));
}
