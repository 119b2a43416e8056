import { minorUnitDigits } from '../../domain/money';

/**
 * Decimal digits of Stripe's amounts in the currencies where they differ from ISO 4217
 * (https://docs.stripe.com/currencies). ISK and UGX have none in ISO 4217, but Stripe counts hundredths,
 * which must be 00. MGA has two, but Stripe counts whole units. HUF and TWD are special for payouts only.
 */
const STRIPE_DIGITS: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

const THREE_DIGIT_STEP = 10;

/** Converts minor units to Stripe's amount. Returns undefined if Stripe cannot represent the amount. */
export function toStripeAmount(amount: number, currency: string): number | undefined {
  const scaled = scale(amount, stripeDigits(currency) - minorUnitDigits(currency));
  return Number.isSafeInteger(scaled) && scaled % stepOf(currency) === 0 ? scaled : undefined;
}

/** Converts Stripe's amount to minor units. */
export function fromStripeAmount(amount: number, currency: string): number {
  return scale(amount, minorUnitDigits(currency) - stripeDigits(currency));
}

function stripeDigits(currency: string): number {
  return STRIPE_DIGITS[currency] ?? minorUnitDigits(currency);
}

/** In currencies with three decimal digits, Stripe requires the last one to be 0. */
function stepOf(currency: string): number {
  return stripeDigits(currency) === 3 ? THREE_DIGIT_STEP : 1;
}

function scale(amount: number, digits: number): number {
  return digits < 0 ? amount / 10 ** -digits : amount * 10 ** digits;
}
