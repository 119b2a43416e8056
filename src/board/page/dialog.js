/** The dialog that confirms a command, sends it, and says what came of it. */
import { Problem, SignedOut, Unreachable } from './api.js';
import { requestFor } from './commands.js';
import { find, h } from './dom.js';
import { applyMode, filledIn, formOf, mistakeIn } from './forms.js';
import { changesBetween } from './timeline.js';

/** @typedef {import('./commands.js').Order} Order */
/** @typedef {import('./commands.js').Command} Command */
/** @typedef {{ request: string, key: string, version: number, isUnanswered: boolean }} Attempt */

/**
 * @param {object} deps
 * @param {import('./api.js').Api} deps.api
 * @param {(order: Order) => void} deps.onOrder called with each newer version of the order
 * @param {(order: Order, command: Command) => void} deps.onDone
 */
export function createDialog({ api, onOrder, onDone }) {
  const dialog = find('#dialog', HTMLDialogElement);
  /** @type {{ command: Command, order: Order, last: Attempt | null, isSending: boolean, isUnknown: boolean } | null} `isUnknown`: an attempt was not answered */
  let current = null;

  dialog.addEventListener('close', () => (current = null));
  dialog.addEventListener('cancel', (event) => current?.isSending && event.preventDefault());
  dialog.addEventListener('change', ({ target }) => {
    if (target instanceof HTMLInputElement && target.name === 'mode' && target.form) applyMode(target.form);
  });
  dialog.addEventListener('click', ({ target }) => {
    if (target instanceof HTMLElement && target.dataset.do === 'dismiss') close();
  });
  dialog.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });

  function close() {
    if (!current?.isSending) dialog.close();
  }

  /**
   * @param {Command} command
   * @param {Order} order the version that the user sees
   */
  function open(command, order) {
    current = { command, order, last: null, isSending: false, isUnknown: false };
    draw();
    dialog.showModal();
  }

  function draw() {
    if (!current) return;
    const { command, order } = current;
    const { title, submit: label, isDangerous, fields } = formOf(command, order, api.isAdmin);
    dialog.replaceChildren(
      h(
        'form',
        { method: 'dialog', 'aria-labelledby': 'dialog-title' },
        h('h2', { id: 'dialog-title' }, title),
        h('p', { class: 'subject' }, `Order ${order.number}`),
        h('div', { id: 'dialog-problem', role: 'alert' }),
        ...fields.filter((field) => field !== null),
        h(
          'div',
          { class: 'buttons' },
          h('button', { type: 'button', 'data-do': 'dismiss' }, 'Back'),
          h('button', { type: 'submit', class: isDangerous ? 'danger' : 'main' }, label),
        ),
      ),
    );
    applyMode(formIn());
  }

  function formIn() {
    return find('#dialog form', HTMLFormElement);
  }

  async function submit() {
    if (!current || current.isSending) return; // a double click is one click
    const asked = current;
    const { command, order } = asked;
    const filled = filledIn(formIn(), order);
    const mistake = mistakeIn(command, order, filled);
    if (mistake) return tell('Not yet', mistake);
    setSending(asked, true);
    try {
      const { data } = await send(asked, requestFor(command, order, filled));
      if (current !== asked) return;
      dialog.close();
      onDone(data, command);
    } catch (error) {
      if (current === asked) await explain(error);
    } finally {
      setSending(asked, false);
    }
  }

  /**
   * A request whose outcome is unknown is repeated with its key, so that it is done once.
   * @param {NonNullable<typeof current>} asked
   * @param {import('./commands.js').CommandRequest} request
   */
  async function send(asked, { path, body, isKeyed }) {
    const { last, order } = asked;
    const text = JSON.stringify([path, body]);
    const isRepeat = last !== null && last.isUnanswered && last.request === text;
    const attempt = isRepeat
      ? last
      : { request: text, key: crypto.randomUUID(), version: order.version, isUnanswered: false };
    asked.last = attempt;
    const headers = {
      'If-Match': `"${attempt.version}"`,
      ...(isKeyed && { 'Idempotency-Key': attempt.key }),
    };
    try {
      return await api.call(path, { method: 'POST', ...(body !== undefined && { body }), headers });
    } catch (error) {
      attempt.isUnanswered = error instanceof Unreachable || (error instanceof Problem && !error.isFinal);
      asked.isUnknown ||= attempt.isUnanswered;
      throw error;
    }
  }

  /** @param {unknown} error */
  async function explain(error) {
    if (error instanceof SignedOut) return dialog.close();
    if (error instanceof Problem && error.status === 412) return startOver();
    if (error instanceof Problem) return tell(error.title, error.message, error);
    if (error instanceof Unreachable)
      return tell(
        error.title,
        'It is not known whether this was done. Repeat it: it is done once at most.',
        error,
      );
    throw error;
  }

  /** The order has changed since the user saw it: they have to see what, and to decide anew. */
  async function startOver() {
    const asked = current;
    if (!asked) return;
    const before = asked.order;
    try {
      const { data } = await api.call(`/orders/${before.id}`);
      if (current !== asked) return;
      onOrder(data);
      current = { ...asked, order: data, last: null, isSending: false, isUnknown: false };
      draw();
      tell(
        'The order has changed',
        asked.isUnknown
          ? 'What you sent before may have been done. Since you opened this, this has changed:'
          : 'Nothing was done. Since you opened this, another user or the system changed:',
        {
          errors: changesBetween(before, data).map((message) => ({ path: '', message })),
          requestId: null,
        },
      );
    } catch (error) {
      await explain(error);
    }
  }

  /**
   * @param {string} title
   * @param {string} detail
   * @param {{ errors: import('./api.js').FieldError[], requestId: string | null }} [problem]
   */
  function tell(title, detail, { errors, requestId } = { errors: [], requestId: null }) {
    find('#dialog-problem', HTMLElement).replaceChildren(
      h('strong', {}, title),
      h('p', {}, detail),
      errors.length > 0
        ? h(
            'ul',
            {},
            ...errors.map(({ path, message }) => h('li', {}, path ? `${path}: ${message}` : message)),
          )
        : '',
      requestId ? h('p', { class: 'hint' }, `Request ${requestId}`) : '',
    );
    find('#dialog', HTMLDialogElement).scrollTop = 0;
  }

  /**
   * @param {NonNullable<typeof current>} asked
   * @param {boolean} isSending
   */
  function setSending(asked, isSending) {
    asked.isSending = isSending;
    const button = dialog.querySelector('button[type="submit"]');
    button?.setAttribute('aria-busy', String(isSending));
    if (isSending) find('#dialog-problem', HTMLElement).replaceChildren();
  }

  return { open, close: () => dialog.open && dialog.close() };
}
