import { isRejectionType, REJECTION_CODES } from '../../src/domain/rejection';

it.each([
  ...Object.keys(REJECTION_CODES).map((type) => [type, true] as const),
  ['IdempotencyKeyReused', false],
  ['toString', false],
  [null, false],
  [undefined, false],
] as const)('%s is a reason to reject an order: %s', (type, expected) => {
  expect(isRejectionType(type)).toBe(expected);
});

it('has an API code for each reason', () => {
  expect(REJECTION_CODES).toEqual({
    AlreadyExists: 'already_exists',
    UnknownProduct: 'unknown_product',
    MixedCurrencies: 'mixed_currencies',
    AmountTooLarge: 'amount_too_large',
    OutOfStock: 'out_of_stock',
    TooManyUnpaid: 'invalid_transition',
    PriceChanged: 'price_changed',
    CartChanged: 'invalid_transition',
    PaymentDeclined: 'payment_declined',
    PaymentActionFailed: 'payment_action_failed',
    PaymentActionExpired: 'payment_action_expired',
  });
});
