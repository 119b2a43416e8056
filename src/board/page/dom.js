/** Makes and updates elements. Texts become text nodes and nothing else, whatever they contain. */

/** @typedef {string | number | Node | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] false, null and undefined are left out
 * @param {...(Child | Child[])} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/**
 * Makes `current` look like `next`, and keeps the elements that both have: the focus, what is typed and where it is
 * scrolled to. Elements with the same `data-key` are the same.
 * @param {Element} current
 * @param {Element} next
 */
function morph(current, next) {
  for (const { name } of [...current.attributes]) {
    if (!next.hasAttribute(name) && name !== 'open') current.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
  morphChildren(current, next);
}

/**
 * @param {Element} current
 * @param {Element} next
 */
function morphChildren(current, next) {
  const keyed = new Map([...current.children].map((child) => [keyOf(child), child]));
  /** @type {ChildNode | null} */
  let place = current.firstChild;
  for (const wanted of [...next.childNodes]) {
    const key = keyOf(wanted);
    const kept = key === undefined ? (isAlike(place, wanted) ? place : null) : (keyed.get(key) ?? null);
    if (kept !== null && kept === place) place = kept.nextSibling;
    else current.insertBefore(kept ?? wanted, place);
    if (kept instanceof Element) morph(kept, /** @type {Element} */ (wanted));
    else if (kept !== null && kept.nodeValue !== wanted.nodeValue) kept.nodeValue = wanted.nodeValue;
  }
  while (place !== null) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof HTMLElement ? node.dataset.key : undefined;
}

/**
 * @param {Node | null} node
 * @param {Node} wanted
 */
function isAlike(node, wanted) {
  return node !== null && node.nodeName === wanted.nodeName && keyOf(node) === undefined;
}

/**
 * Replaces the content of an element. The focus stays where it is, also if what has it moves to another place.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function show(element, ...children) {
  const next = h('div', {}, ...children);
  const focused = document.activeElement;
  const name =
    focused instanceof HTMLElement && element.contains(focused) ? focused.dataset.focus : undefined;
  morphChildren(element, next);
  if (name === undefined || document.activeElement === focused) return;
  const again = [...element.querySelectorAll('[data-focus]')].find(
    (one) => /** @type {HTMLElement} */ (one).dataset.focus === name,
  );
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/**
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} type
 */
export function find(selector, type) {
  const element = document.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`The page has no ${selector}.`);
  return element;
}
