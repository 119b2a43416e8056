import { newCart, type Cart } from '../../src/domain/cart';
import { cartFindings, HOLD_OVERDUE_MS, rightHold, type CartRecords } from '../../src/domain/cart-findings';

const AT = '2026-01-31T12:00:00.000Z';
const later = (ms: number) => new Date(Date.parse(AT) + ms).toISOString();
const line = (productServiceId: string, quantity: number) => ({ productServiceId, quantity });
const price = { unitPrice: 1_000, taxRateBps: 0, priceIncludesTax: true };

const open: Cart = {
  ...newCart({ id: 'cart_1', customerId: 'usr_1', tokenHash: null }, AT),
  items: [{ ...line('ps_1', 2), ...price }],
  version: 3,
  contentVersion: 2,
};
const held: Cart = { ...open, hold: { items: [line('ps_1', 2)], until: later(60_000) } };
const ordered: Cart = { ...open, status: 'ordered', orderId: 'ord_1' };
const merged: Cart = { ...open, status: 'merged', mergedInto: 'cart_2', items: [] };
const order = (fields: object = {}) => ({
  order: { status: 'confirmed' as const, cart: { id: 'cart_1', contentVersion: 2 }, ...fields },
});

function kindsOf(cart: Cart, records: Partial<CartRecords> = {}, at = AT, expiresAt?: string | null) {
  const stored = { cart, expiresAt: expiresAt === undefined ? (cart.hold ? null : later(1)) : expiresAt };
  const found = cartFindings(stored, { order: null, stocked: new Set(['ps_1']), ...records }, at);
  expect(found.every(({ subject }) => subject === 'cart_1')).toBe(true);
  return found.map(({ kind }) => kind);
}

it.each<[string, Cart, Partial<CartRecords>, string?]>([
  ['is open', open, {}],
  ['is empty', { ...open, items: [] }, {}],
  ['holds what is in it', held, {}],
  ['holds a part of what is in it', { ...held, hold: { ...held.hold!, items: [line('ps_1', 1)] } }, {}],
  ['was ordered', ordered, order()],
  ['was ordered, and the order was cancelled', ordered, order({ status: 'cancelled' })],
  ['was merged', merged, {}],
  ['holds units whose time is over, until they are released', held, {}, later(HOLD_OVERDUE_MS)],
])('finds nothing of a cart that %s', (_, cart, records, at) => {
  expect(kindsOf(cart, records, at)).toEqual([]);
});

it.each<[string, Cart, Partial<CartRecords>, string]>([
  ['was ordered as an order that is not there', ordered, {}, 'cart_without_order'],
  [
    'was ordered as that of another cart',
    ordered,
    order({ cart: { id: 'cart_2', contentVersion: 2 } }),
    'cart_without_order',
  ],
  ['was ordered as one that has no cart', ordered, order({ cart: undefined }), 'cart_without_order'],
  ['is ordered, and the order rejected', ordered, order({ status: 'rejected' }), 'cart_not_reopened'],
  ['holds what is not in it', { ...held, items: [] }, {}, 'cart_hold_differs'],
  [
    'holds more than is in it',
    { ...held, items: [{ ...line('ps_1', 1), ...price }] },
    {},
    'cart_hold_differs',
  ],
  ['holds what has no stock', held, { stocked: new Set() }, 'cart_hold_differs'],
  [
    'holds units though it is ordered',
    { ...held, ...ordered, hold: held.hold },
    order(),
    'cart_hold_differs',
  ],
  ['has no lines', { ...open, items: null as never }, {}, 'cart_malformed'],
  [
    'has a line without a quantity',
    { ...open, items: [{ ...line('ps_1', 0), ...price }] },
    {},
    'cart_malformed',
  ],
  ['has a status of its own', { ...open, status: 'lost' as never }, {}, 'cart_malformed'],
  ['has a content that is to come', { ...open, contentVersion: 4 }, {}, 'cart_malformed'],
  ['is open, and has an order', { ...open, orderId: 'ord_1' }, {}, 'cart_malformed'],
  ['is ordered as nothing', { ...ordered, orderId: null }, {}, 'cart_malformed'],
  ['is merged into nothing', { ...merged, mergedInto: null }, {}, 'cart_malformed'],
  ['holds nothing of nothing', { ...held, hold: { ...held.hold!, items: [] } }, {}, 'cart_malformed'],
  [
    'holds what cannot be read',
    { ...held, hold: { until: AT, items: [null as never] } },
    {},
    'cart_malformed',
  ],
])('finds that a cart %s', (_, cart, records, kind) => {
  expect(kindsOf(cart, records)).toEqual([kind]);
});

it('finds units that are held long after their time', () => {
  expect(kindsOf(held, {}, later(60_000 + HOLD_OVERDUE_MS))).toEqual(['cart_hold_overdue']);
});

it('finds a cart that would be deleted with what it holds, or never', () => {
  expect(kindsOf(held, {}, AT, later(1))).toEqual(['cart_hold_differs']);
  expect(kindsOf(open, {}, AT, null)).toEqual(['cart_hold_differs']);
});

it('holds no more than may be held', () => {
  const stocked = new Set(['ps_1']);
  const items = [line('ps_1', 5), line('ps_2', 1)];
  const more: Cart = { ...held, hold: { ...held.hold!, items } };
  expect(rightHold(held, stocked, AT)).toEqual(held.hold);
  expect(rightHold(more, stocked, AT)).toEqual(held.hold);
  expect(rightHold(more, new Set(), AT)).toBeNull();
  expect(rightHold({ ...more, status: 'ordered' }, stocked, AT)).toBeNull();
  expect(rightHold(held, stocked, later(60_000))).toBeNull();
  expect(rightHold(open, stocked, AT)).toBeNull();
});
