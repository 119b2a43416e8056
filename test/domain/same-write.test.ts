import { isSameWrite } from '../../src/domain/same-write';
import { LATER, orderIn, payment } from './fixtures';

const order = orderIn({ version: 3, payment: payment(500) });

it.each([
  ['its fields come in another order', Object.fromEntries(Object.entries(order).reverse())],
  ['its times differ', { ...order, updatedAt: LATER }],
])('isSameWrite returns true if %s', (_what, other) => {
  expect(isSameWrite(order, other as typeof order)).toBe(true);
});

it.each([
  ['another note', { ...order, note: 'x' }],
  ['another payment', { ...order, payment: payment(501) }],
  ['a time where there was none', { ...order, archivedAt: LATER }],
  ['another line', { ...order, items: order.items.map((item) => ({ ...item, quantity: 9 })) }],
])('isSameWrite returns false for %s', (_what, other) => {
  expect(isSameWrite(order, other)).toBe(false);
});
