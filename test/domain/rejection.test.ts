import { isRejectionType } from '../../src/domain/rejection';

it.each([
  ['OutOfStock', true],
  ['IdempotencyKeyReused', false],
  ['toString', false],
  [null, false],
  [undefined, false],
])('%s is a reason to reject an order: %s', (type, expected) => {
  expect(isRejectionType(type)).toBe(expected);
});
