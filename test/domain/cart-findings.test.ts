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

function findingsOf(cart: Cart, records: Partial<CartRecords> = {}, at = AT, expiresAt?: string | null) {
  const stored = { cart, expiresAt: expiresAt === undefined ? (cart.hold ? null : later(1)) : expiresAt };
  return cartFindings(stored, { order: null, stocked: new Set(['ps_1']), ...records }, at);
}
const kindsOf = (...of: Parameters<typeof findingsOf>) => findingsOf(...of).map(({ kind }) => kind);

it.each<[string, Cart, Partial<CartRecords>, string?]>([
  ['is open', open, {}],
  ['has just changed', { ...open, contentVersion: 3 }, {}],
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

const LINES = ' lines, each with a quantity';

it.each<[string, Cart, Partial<CartRecords>, [kind: string, expected: string, found: string]]>([
  [
    'was ordered as an order that is not there',
    ordered,
    {},
    ['cart_without_order', 'the order ord_1, of this cart', 'none'],
  ],
  [
    'was ordered as that of another cart',
    ordered,
    order({ cart: { id: 'cart_2', contentVersion: 2 } }),
    ['cart_without_order', 'the order ord_1, of this cart', 'one of cart_2'],
  ],
  [
    'was ordered as one that has no cart',
    ordered,
    order({ cart: undefined }),
    ['cart_without_order', 'the order ord_1, of this cart', 'one of no cart'],
  ],
  [
    'is ordered, and the order rejected',
    ordered,
    order({ status: 'rejected' }),
    ['cart_not_reopened', 'open again', 'ordered, as ord_1, which is rejected'],
  ],
  [
    'holds what is not in it',
    { ...held, items: [] },
    {},
    ['cart_hold_differs', 'held at most 0 of ps_1', 'held 2 of ps_1'],
  ],
  [
    'holds more than is in it',
    {
      ...held,
      items: [
        { ...line('ps_1', 1), ...price },
        { ...line('ps_2', 7), ...price },
      ],
    },
    {},
    ['cart_hold_differs', 'held at most 1 of ps_1', 'held 2 of ps_1'],
  ],
  [
    'holds what has no stock',
    { ...held, hold: { ...held.hold!, items: [line('ps_1', 2), line('ps_2', 3)] } },
    { stocked: new Set() },
    ['cart_hold_differs', 'held at most 0 of ps_1, 0 of ps_2', 'held 2 of ps_1, 3 of ps_2'],
  ],
  [
    'holds units though it is ordered',
    { ...held, ...ordered, hold: held.hold },
    order(),
    ['cart_hold_differs', 'nothing held, since it is ordered', '2 of ps_1'],
  ],
  [
    'has no lines',
    { ...open, items: null as never },
    {},
    ['cart_malformed', `items:${LINES}`, 'items: null'],
  ],
  [
    'has lines that are absent',
    { ...open, items: undefined as never },
    {},
    ['cart_malformed', `items:${LINES}`, 'items: absent'],
  ],
  [
    'has a line without a quantity',
    { ...open, items: [{ ...line('ps_1', 0), ...price }] },
    {},
    ['cart_malformed', `items:${LINES}`, expect.stringContaining('"quantity":0') as string],
  ],
  [
    'has a line of nothing',
    { ...open, items: [{ ...line(null as never, 1), ...price }] },
    {},
    ['cart_malformed', `items:${LINES}`, expect.stringContaining('"productServiceId":null') as string],
  ],
  [
    'has a status of its own',
    { ...open, status: 'lost' as never },
    {},
    ['cart_malformed', 'status: one of open, ordered, merged', 'status: "lost"'],
  ],
  [
    'was tried to be ordered a part of a time',
    { ...open, attempt: 0.5 },
    {},
    ['cart_malformed', 'attempt: a whole number from 1 on', 'attempt: 0.5'],
  ],
  [
    'has a content that is to come',
    { ...open, contentVersion: 4 },
    {},
    ['cart_malformed', 'contentVersion: up to 3', 'contentVersion: 4'],
  ],
  [
    'is open, and has an order',
    { ...open, orderId: 'ord_1' },
    {},
    ['cart_malformed', 'orderId: null', 'orderId: "ord_1"'],
  ],
  [
    'is ordered as nothing',
    { ...ordered, orderId: null },
    {},
    ['cart_malformed', 'orderId: an order', 'orderId: null'],
  ],
  [
    'is merged into nothing',
    { ...merged, mergedInto: null },
    {},
    ['cart_malformed', 'mergedInto: a cart', 'mergedInto: null'],
  ],
  [
    'is open, and merged',
    { ...open, mergedInto: 'cart_2' },
    {},
    ['cart_malformed', 'mergedInto: null', 'mergedInto: "cart_2"'],
  ],
  [
    'holds nothing of nothing',
    { ...held, hold: { ...held.hold!, items: [] } },
    {},
    ['cart_malformed', `hold.items:${LINES}`, 'hold.items: []'],
  ],
  [
    'holds what cannot be read',
    { ...held, hold: { until: AT, items: [null as never] } },
    {},
    ['cart_malformed', 'a document that can be read', expect.stringContaining('null') as string],
  ],
])('finds that a cart %s', (_, cart, records, [kind, expected, found]) => {
  expect(findingsOf(cart, records)).toStrictEqual([{ kind, subject: 'cart_1', expected, found }]);
});

it('finds units that are held long after their time', () => {
  const at = later(60_000 + HOLD_OVERDUE_MS);
  expect(findingsOf(held, {}, at)).toMatchObject([
    {
      kind: 'cart_hold_overdue',
      expected: 'units whose time is over released',
      found: `held until ${later(60_000)}: 2 of ps_1`,
    },
  ]);
  // Those of a cart that is not open are not to be held at all.
  expect(kindsOf({ ...held, ...ordered, hold: held.hold }, order(), at)).toStrictEqual(['cart_hold_differs']);
});

it('finds a cart that would be deleted with what it holds, or never', () => {
  expect(findingsOf(held, {}, AT, later(1))).toMatchObject([
    {
      kind: 'cart_hold_differs',
      expected: 'not deleted while units are held',
      found: `to be deleted at ${later(1)}`,
    },
  ]);
  expect(findingsOf(open, {}, AT, null)).toMatchObject([
    { kind: 'cart_hold_differs', expected: 'a time to be deleted at, since nothing is held', found: 'none' },
  ]);
});

it('holds no more than may be held', () => {
  const stocked = new Set(['ps_1']);
  const items = [line('ps_1', 5), line('ps_2', 1)];
  const more: Cart = { ...held, hold: { ...held.hold!, items } };
  expect(rightHold(held, stocked, AT)).toEqual(held.hold);
  expect(rightHold(more, stocked, AT)).toEqual(held.hold);
  expect(rightHold(more, new Set(), AT)).toBeNull();
  expect(rightHold(more, new Set(['ps_1', 'ps_2']), AT)).toEqual(held.hold); // nothing of ps_2 is in the cart
  expect(rightHold({ ...more, status: 'ordered' }, stocked, AT)).toBeNull();
  expect(rightHold(held, stocked, later(60_000))).toBeNull();
  expect(rightHold(open, stocked, AT)).toBeNull();
});
