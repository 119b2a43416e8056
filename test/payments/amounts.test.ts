import fc from 'fast-check';
import { chargeableStep, CURRENCIES, unchargeableReason } from '../../src/domain/money';
import { fromStripeAmount, toStripeAmount } from '../../src/payments/amounts';

// https://docs.stripe.com/currencies
it.each([
  ['EUR', 1_999, 1_999],
  ['JPY', 500, 500],
  ['HUF', 1_045, 1_045],
  ['TWD', 80_045, 80_045],
  ['ISK', 5, 500],
  ['UGX', 5, 500],
  ['MGA', 500, 5],
  ['MGA', 501, undefined],
  ['KWD', 5_120, 5_120],
  ['KWD', 5_124, undefined],
  ['TND', 10, 10],
  ['ISK', Number.MAX_SAFE_INTEGER, undefined],
])('converts %s %d to %p', (currency, amount, expected) => {
  expect(toStripeAmount(amount, currency)).toBe(expected);
});

it('converts an amount to Stripe and back unchanged', () => {
  const amount = fc.integer({ min: 1, max: 99_999_999 });
  fc.assert(
    fc.property(amount, fc.constantFrom(...CURRENCIES), (minorUnits, currency) => {
      const amountAtStripe = toStripeAmount(minorUnits, currency);
      if (amountAtStripe !== undefined) expect(fromStripeAmount(amountAtStripe, currency)).toBe(minorUnits);
    }),
  );
});

it('has an amount at Stripe for each multiple of what cards can be charged, and for no other', () => {
  const amount = fc.integer({ min: 1, max: 99_999_999 });
  fc.assert(
    fc.property(amount, fc.constantFrom(...CURRENCIES), (minorUnits, currency) => {
      const isPossible = minorUnits % chargeableStep(currency) === 0;
      expect(toStripeAmount(minorUnits, currency) !== undefined).toBe(isPossible);
      expect(unchargeableReason(minorUnits, currency) === null).toBe(isPossible);
    }),
  );
});
