import { minorUnitDigits } from '../../domain/money';

/**
 * Digits after the decimal point in Stripe's amounts, where they are not those of ISO 4217
 * (https://docs.stripe.com/currencies): ISK and UGX have none, but Stripe takes hundredths that have to be 00; the
 * ariary has two by ISO 4217, but Stripe takes whole ones. (HUF and TWD are special in payouts only.)
 */
const STRIPE_DIGITS: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

const THREE_DIGIT_STEP = 10;

/** Our minor units as Stripe's amount; undefined when Stripe could only take another amount. */
export function toStripeAmount(amount: number, currency: string): number | undefined {
  const scaled = scale(amount, stripeDigits(currency) - minorUnitDigits(currency));
  return Number.isSafeInteger(scaled) && scaled % stepOf(currency) === 0 ? scaled : undefined;
}

/** The other way round. */
export function fromStripeAmount(amount: number, currency: string): number {
  return scale(amount, minorUnitDigits(currency) - stripeDigits(currency));
}

function stripeDigits(currency: string): number {
  return STRIPE_DIGITS[currency] ?? minorUnitDigits(currency);
}

/** Of currencies with three digits, Stripe takes amounts whose last digit is 0. */
function stepOf(currency: string): number {
  return stripeDigits(currency) === 3 ? THREE_DIGIT_STEP : 1;
}

function scale(amount: number, digits: number): number {
  return digits < 0 ? amount / 10 ** -digits : amount * 10 ** digits;
}
