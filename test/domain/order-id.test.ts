import { FULFILLMENT_ID, ORDER_ID, orderIdIn, ownerIn } from '../../src/domain/order-id';

const digits = '0123456789abcdef0123456789abcdef';

it.each([
  [ORDER_ID, 'ord_'],
  [FULFILLMENT_ID, 'ful_'],
])('%s is 32 digits and nothing else after %s', (pattern, prefix) => {
  expect(prefix + digits).toMatch(pattern);
  for (const other of [
    `x${prefix}${digits}`,
    `${prefix}${digits}0`,
    prefix + digits.slice(1),
    `${prefix}${'g'.repeat(32)}`,
  ])
    expect(other).not.toMatch(pattern);
});

it('the last 16 digits of an order tell whose it is', () => {
  expect(ownerIn(`ord_${'f'.repeat(16)}0123456789abcdef`)).toBe('0123456789abcdef');
});

it.each([
  [`order-ord_${digits}`, `ord_${digits}`],
  [`ord_${digits}`, undefined],
  ['order-audit', undefined],
  ['order-', undefined],
  [`other-ord_${digits}`, undefined],
])('the workflow %s is for the order %s', (workflowId, orderId) => {
  expect(orderIdIn(workflowId)).toBe(orderId);
});
