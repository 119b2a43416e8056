import { chargeableStep, formatAmount, minorUnitDigits, unchargeableReason } from '../domain/money';

/**
 * What cards can be charged, as Stripe documents it (https://docs.stripe.com/currencies). The sandbox follows the same
 * rules, so that no amount works in development only.
 */

/**
 * Decimal digits of Stripe's amounts in the currencies where they differ from ISO 4217. ISK and UGX have none in
 * ISO 4217, but Stripe counts hundredths, which must be 00. MGA has two, but Stripe counts whole units. HUF and TWD are
 * special for payouts only.
 */
const STRIPE_DIGITS: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

/**
 * The smallest charges of an account that settles in the same currency, in minor units. A charge in any other currency
 * has to be worth the minimum of the currency in which the account settles, which only Stripe knows.
 */
const MINIMUM: ReadonlyMap<string, number> = new Map(
  (
    [
      [30, 'GBP'],
      [50, 'ARS AUD BRL CAD CHF COP EUR IDR ILS INR JPY KRW NZD PHP RUB SGD USD ZAR'],
      [200, 'AED MYR PLN RON'],
      [250, 'DKK'],
      [300, 'NOK SEK'],
      [400, 'HKD'],
      [1_000, 'MXN THB'],
      [1_500, 'CZK'],
      [17_500, 'HUF'],
    ] as const
  ).flatMap(([minimum, currencies]) => currencies.split(' ').map((currency) => [currency, minimum])),
);

/** The largest charge of most cards, twelve digits in Stripe's unit; some networks allow less. */
const MAXIMUM_AT_STRIPE = 999_999_999_999;

/** Converts minor units to Stripe's amount. Returns undefined if Stripe cannot represent the amount. */
export function toStripeAmount(amount: number, currency: string): number | undefined {
  const scaled = scale(amount, stripeDigits(currency) - minorUnitDigits(currency));
  return Number.isSafeInteger(scaled) && amount % chargeableStep(currency) === 0 ? scaled : undefined;
}

/** Converts Stripe's amount to minor units. */
export function fromStripeAmount(amount: number, currency: string): number {
  return scale(amount, minorUnitDigits(currency) - stripeDigits(currency));
}

/** Returns why a card cannot be charged the amount, in minor units, or null if nothing is known against it. */
export function cardAmountProblem(amount: number, currency: string): string | null {
  const minimum = MINIMUM.get(currency) ?? 0;
  const maximum = fromStripeAmount(MAXIMUM_AT_STRIPE, currency);
  if (amount < minimum) return `the minimum is ${formatAmount(minimum, currency)}, so order more`;
  if (amount > maximum)
    return `the maximum is ${formatAmount(Math.floor(maximum), currency)}, so order less at once`;
  return unchargeableReason(amount, currency);
}

/**
 * Returns the reason for the customer why the payment service does not accept the amount.
 * @param otherwise what to do if nothing is known against the amount
 */
export function amountNotAccepted(
  { amount, currency }: { amount: number; currency: string },
  otherwise = 'change the items or their quantities',
): string {
  const problem = cardAmountProblem(amount, currency) ?? otherwise;
  return `The payment service does not accept a payment of ${formatAmount(amount, currency)}: ${problem}.`;
}

function stripeDigits(currency: string): number {
  return STRIPE_DIGITS[currency] ?? minorUnitDigits(currency);
}

function scale(amount: number, digits: number): number {
  return digits < 0 ? amount / 10 ** -digits : amount * 10 ** digits;
}
