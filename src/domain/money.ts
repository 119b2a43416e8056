/**
 * Money is an integer in the minor unit of an ISO 4217 currency (cents for EUR, yen for JPY).
 * Amounts are never floats and never leave the range of safe integers.
 */

/** The ISO 4217 codes of currencies in circulation, without funds, metals and testing codes. */
export const CURRENCIES: readonly string[] =
  `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
  CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
  HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
  MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
  RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
  TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG`.split(/\s+/);

const WITHOUT_MINOR_UNIT: ReadonlySet<string> = new Set(
  'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' '),
);
const WITH_THREE_DIGITS: ReadonlySet<string> = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));

/**
 * Returns the digits after the decimal point by ISO 4217. `Intl` follows CLDR, which differs for several
 * codes.
 */
export function minorUnitDigits(currency: string): number {
  if (WITHOUT_MINOR_UNIT.has(currency)) return 0;
  return WITH_THREE_DIGITS.has(currency) ? 3 : 2;
}

/**
 * Returns the smallest amount that cards can be charged, in the minor unit of the currency: every price, tax, share and
 * refund is a multiple of it. Currencies with three digits are charged in tens, and ariary, whose minor unit by
 * ISO 4217 is a hundredth though people count fifths, only whole (https://docs.stripe.com/currencies).
 */
export function chargeableStep(currency: string): number {
  if (currency === 'MGA') return 100;
  return WITH_THREE_DIGITS.has(currency) ? 10 : 1;
}

/** Returns why cards cannot be charged the amount exactly, with amounts that they can, or null if they can. */
export function unchargeableReason(amount: number, currency: string): string | null {
  const step = chargeableStep(currency);
  const below = amount - (amount % step);
  if (below === amount) return null;
  const choices = [below, below + step]
    .filter((choice) => choice > 0)
    .map((choice) => `${choice} (${formatAmount(choice, currency)})`);
  return `cards are charged in multiples of ${formatAmount(step, currency)}, so choose ${choices.join(' or ')}`;
}

/** Formats an amount for people: `formatAmount(4758, 'EUR')` is `47.58 EUR`. */
export function formatAmount(amount: number, currency: string): string {
  const digits = minorUnitDigits(currency);
  const padded = String(amount).padStart(digits + 1, '0');
  const decimals = digits === 0 ? '' : `.${padded.slice(-digits)}`;
  return `${padded.slice(0, padded.length - digits)}${decimals} ${currency}`;
}

/** Thrown when an amount would leave the range of safe integers. */
export class AmountOverflow extends Error {
  override name = 'AmountOverflow';
}

/** @throws {AmountOverflow} */
export function multiplyAmount(amount: number, factor: number): number {
  return exact(BigInt(amount) * BigInt(factor));
}

/** @throws {AmountOverflow} */
export function sumAmounts(amounts: readonly number[]): number {
  return exact(amounts.reduce((sum, amount) => sum + BigInt(amount), 0n));
}

/** 100 % in hundredths of a basis point: rates are basis points with up to two decimals. */
const WHOLE = 1_000_000n;

/** Returns a rate as an integer, in hundredths of a basis point: 997.5 is 99 750. */
function rateOf(basisPoints: number): bigint {
  return BigInt(Math.round(basisPoints * 100));
}

/**
 * Returns the share of a non-negative amount for a rate in basis points (1/100 %) with up to two decimals, rounded half
 * to even.
 * @param step of which the share is a multiple
 * @throws {AmountOverflow}
 */
export function shareOf(amount: number, basisPoints: number, step = 1): number {
  return exact(divideHalfEven(BigInt(amount) * rateOf(basisPoints), WHOLE, BigInt(step)));
}

/**
 * Returns what a non-negative amount contains of a share that was added at that rate, rounded half to even:
 * `shareWithin(1190, 1900)` is 190.
 * @param step of which the share is a multiple
 */
export function shareWithin(amount: number, basisPoints: number, step = 1): number {
  const rate = rateOf(basisPoints);
  return exact(divideHalfEven(BigInt(amount) * rate, WHOLE + rate, BigInt(step)));
}

/** Divides non-negative numbers, and rounds half to even to a multiple of the step. */
export function divideHalfEven(dividend: bigint, divisor: bigint, step: bigint): bigint {
  const ofSteps = divisor * step;
  const steps = dividend / ofSteps;
  const twiceRemainder = (dividend % ofSteps) * 2n;
  const roundsUp = twiceRemainder > ofSteps || (twiceRemainder === ofSteps && steps % 2n === 1n);
  return (roundsUp ? steps + 1n : steps) * step;
}

function exact(amount: bigint): number {
  if (amount > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new AmountOverflow(`${amount} is beyond the largest amount (${Number.MAX_SAFE_INTEGER})`);
  }
  return Number(amount);
}
