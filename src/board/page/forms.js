/** The forms of the commands: what is asked before something is done. */
import { leftToRefund, openOf, refundableOf } from './commands.js';
import { h } from './dom.js';
import { amountOf, decimalOf, money } from './format.js';
import { unitsOf } from './timeline.js';

/** @typedef {import('./commands.js').Order} Order */
/** @typedef {import('./commands.js').Command} Command */
/** @typedef {import('./commands.js').Room} Room */
/** @typedef {{ title: string, submit: string, isDangerous?: boolean, fields: (Node | null)[] }} Form */

/**
 * @param {Command} command
 * @param {Order} order
 * @param {boolean} isAdmin
 * @returns {Form}
 */
export function formOf({ name, target }, order, isAdmin) {
  switch (name) {
    case 'fulfill':
      return fulfillForm(order);
    case 'deliver':
      return deliverForm(order, target);
    case 'cancel':
      return cancelForm(order, isAdmin);
    case 'refund':
      return refundForm(order);
    case 'retry':
      return {
        title: 'Retry the compensation',
        submit: 'Retry now',
        fields: [note('It is retried automatically as well. This makes one more attempt at once.')],
      };
    case 'resolve':
      return {
        title: 'Settle the compensation by hand',
        submit: 'Mark as settled',
        isDangerous: true,
        fields: [
          note('Do this only after you have settled it at the payment service: it is not retried any more.'),
          text('note', 'What you have done', { required: true, maxlength: 500 }),
        ],
      };
  }
}

/** @param {Order} order */
function fulfillForm(order) {
  return {
    title: 'Fulfill units',
    submit: 'Fulfill',
    fields: [
      note(
        order.captures === 'once'
          ? 'The first fulfillment captures all that is due.'
          : 'This captures its share.',
      ),
      units('Units that are sent or performed', openOf(order), { isFull: true }),
      text('carrier', 'Carrier', { maxlength: 100, list: 'carriers' }, 'optional'),
      h(
        'datalist',
        { id: 'carriers' },
        ...['DHL', 'DPD', 'FedEx', 'GLS', 'UPS'].map((value) => h('option', { value })),
      ),
      text('trackingNumber', 'Tracking number', { maxlength: 100 }, 'optional'),
    ],
  };
}

/**
 * @param {Order} order
 * @param {string} id
 */
function deliverForm(order, id) {
  const fulfillment = order.fulfillments.find((one) => one.id === id);
  const what = fulfillment ? unitsOf(order, fulfillment.items) : 'This fulfillment';
  return {
    title: 'Mark as delivered',
    submit: 'It is delivered',
    fields: [note(`${what} arrived at the customer.`)],
  };
}

/**
 * @param {Order} order
 * @param {boolean} isAdmin
 */
function cancelForm(order, isAdmin) {
  const isShort = order.items.some(({ fulfilledQuantity }) => fulfilledQuantity > 0);
  const outcome = isShort
    ? 'The order continues with what was fulfilled. What was captured for cancelled units is paid back.'
    : 'Their stock is released. If nothing is left, the payment is voided and the order closed.';
  return {
    title: isShort ? 'Close the order short' : 'Cancel the order',
    submit: isAdmin ? 'Cancel these units' : 'Cancel what is open',
    isDangerous: true,
    fields: [
      note(isAdmin ? outcome : 'All that is not sent yet is cancelled.'),
      isAdmin ? units('Units to cancel', openOf(order), { isFull: true }) : null,
      text('reason', 'Reason', { maxlength: 200 }, 'optional; the customer reads it'),
      isAdmin
        ? text('internalNote', 'Internal note', { maxlength: 500 }, 'optional; only the staff reads it')
        : null,
    ],
  };
}

/** @param {Order} order */
function refundForm(order) {
  const rooms = refundableOf(order);
  const left = leftToRefund(order);
  const currency = order.currency ?? '';
  const mode = rooms.length > 0 ? 'units' : 'amount';
  return {
    title: 'Refund',
    submit: 'Refund',
    isDangerous: true,
    fields: [
      note(`${money(left, currency)} can be refunded.`),
      h(
        'fieldset',
        { class: 'modes' },
        h('legend', {}, 'What is refunded'),
        rooms.length > 0 ? choice('units', 'Units', mode === 'units') : null,
        choice('amount', 'An amount', mode === 'amount'),
        choice('all', 'All that is left', false),
      ),
      h(
        'div',
        { 'data-mode': 'units', hidden: mode !== 'units' },
        units('Units', rooms, { withRestock: true }),
      ),
      h(
        'div',
        { 'data-mode': 'amount', hidden: mode !== 'amount' },
        text(
          'amount',
          `Amount in ${currency}`,
          { inputmode: 'decimal', placeholder: decimalOf(left, currency), required: mode === 'amount' },
          `at most ${money(left, currency)}`,
        ),
      ),
      text('reason', 'Reason', { required: true, maxlength: 200 }, 'the customer reads it'),
      text('internalNote', 'Internal note', { maxlength: 500 }, 'optional; only the staff reads it'),
    ],
  };
}

/** @param {string} words */
function note(words) {
  return h('p', { class: 'note' }, words);
}

/**
 * @param {string} value
 * @param {string} label
 * @param {boolean} checked
 */
function choice(value, label, checked) {
  return h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'mode', value, checked }), label);
}

/**
 * @param {string} name
 * @param {string} label
 * @param {Record<string, string | number | boolean>} attributes
 */
function text(name, label, attributes, hint = '') {
  const id = `field-${name}`;
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    hint && h('span', { class: 'hint', id: `${id}-hint` }, hint),
    h('input', { id, name, autocomplete: 'off', 'aria-describedby': hint && `${id}-hint`, ...attributes }),
  );
}

/**
 * @param {string} legend
 * @param {Room[]} rooms
 * @param {{ isFull?: boolean, withRestock?: boolean }} options
 */
function units(legend, rooms, { isFull = false, withRestock = false }) {
  return h(
    'fieldset',
    { class: 'units' },
    h('legend', {}, legend),
    rooms.map(({ productServiceId, name, room, isProduct }, n) =>
      h(
        'div',
        { class: 'unit', 'data-line': productServiceId },
        h('label', { for: `units-${n}` }, name, h('span', { class: 'hint' }, ` of ${room}`)),
        h('input', {
          id: `units-${n}`,
          name: 'quantity',
          type: 'number',
          inputmode: 'numeric',
          min: 0,
          max: room,
          step: 1,
          required: true,
          value: isFull ? room : 0,
        }),
        withRestock &&
          isProduct &&
          h(
            'label',
            { class: 'choice' },
            h('input', { type: 'checkbox', name: 'restock', 'aria-label': `Put ${name} back in stock` }),
            'Back in stock',
          ),
      ),
    ),
  );
}

/**
 * Shows the fields of the mode that is chosen. Those that are hidden must not keep the form from being sent.
 * @param {HTMLFormElement} form
 */
export function applyMode(form) {
  const mode = valueOf(form, 'mode');
  for (const part of form.querySelectorAll('[data-mode]')) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.mode !== mode;
  }
  const amount = form.elements.namedItem('amount');
  if (amount instanceof HTMLInputElement) amount.required = mode === 'amount';
  for (const quantity of form.querySelectorAll('[data-mode] input[name="quantity"]')) {
    if (quantity instanceof HTMLInputElement) quantity.disabled = mode !== 'units';
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {Order} order
 */
export function filledIn(form, order) {
  const value = (/** @type {string} */ name) => valueOf(form, name);
  const lines = [...form.querySelectorAll('[data-line]')].map((line) => ({
    productServiceId: /** @type {HTMLElement} */ (line).dataset.line ?? '',
    quantity: inputIn(line, 'quantity')?.valueAsNumber ?? 0,
    restock: inputIn(line, 'restock')?.checked ?? false,
  }));
  return {
    hasUnits: lines.length > 0,
    lines: lines.filter(({ quantity }) => quantity > 0),
    amount: amountOf(value('amount'), order.currency ?? ''),
    mode: value('mode'),
    carrier: value('carrier'),
    trackingNumber: value('trackingNumber'),
    reason: value('reason'),
    internalNote: value('internalNote'),
    note: value('note'),
  };
}

/**
 * Returns what is wrong with what was filled in, before it is sent, or null.
 * @param {Command} command
 * @param {Order} order
 * @param {import('./commands.js').Filled} filled
 */
export function mistakeIn({ name }, order, { hasUnits, lines, mode, amount }) {
  // A cancellation without units would be one of the whole order.
  const needsUnits = hasUnits && (name !== 'refund' || mode === 'units');
  if (needsUnits && lines.length === 0) return 'Choose at least one unit.';
  if (name === 'refund' && mode === 'amount' && amount === null)
    return `Write the amount as ${decimalOf(leftToRefund(order), order.currency ?? '')}.`;
  return null;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function valueOf(form, name) {
  const field = form.elements.namedItem(name);
  return field instanceof HTMLInputElement || field instanceof RadioNodeList ? field.value : '';
}

/**
 * @param {Element} line
 * @param {string} name
 */
function inputIn(line, name) {
  const input = line.querySelector(`input[name="${name}"]`);
  return input instanceof HTMLInputElement ? input : null;
}
