/** Money, times and words, as people read them. */

/** As in src/domain/money.ts: `Intl` follows CLDR, which differs from ISO 4217 for several codes. */
const WITHOUT_MINOR_UNIT = new Set(
  'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' '),
);
const WITH_THREE_DIGITS = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));

/**
 * Returns the digits after the decimal point.
 * @param {string} currency
 */
function digitsOf(currency) {
  if (WITHOUT_MINOR_UNIT.has(currency)) return 0;
  return WITH_THREE_DIGITS.has(currency) ? 3 : 2;
}

/**
 * Formats an amount in minor units: `decimalOf(4758, 'EUR')` is `47.58`.
 * @param {number} amount
 * @param {string} currency
 */
export function decimalOf(amount, currency) {
  const digits = digitsOf(currency);
  const sign = amount < 0 ? '-' : '';
  const padded = String(Math.abs(amount)).padStart(digits + 1, '0');
  const decimals = digits === 0 ? '' : `.${padded.slice(-digits)}`;
  return `${sign}${padded.slice(0, padded.length - digits)}${decimals}`;
}

/**
 * @param {number | null} amount in minor units; null if it is not known yet
 * @param {string | null} currency
 */
export function money(amount, currency) {
  if (amount === null || currency === null) return '–';
  const digits = digitsOf(currency);
  const format = new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // As a text, which keeps every digit of amounts that are no exact fraction.
  return format.format(/** @type {Intl.StringNumericLiteral} */ (decimalOf(amount, currency)));
}

/**
 * Reads what a person typed. Returns the amount in minor units, or null if it is none.
 * @param {string} text
 * @param {string} currency
 */
export function amountOf(text, currency) {
  const digits = digitsOf(currency);
  const [, whole, , decimals = ''] = /^\s*(\d{1,15})([.,](\d*))?\s*$/.exec(text) ?? [];
  if (whole === undefined || decimals.length > digits) return null;
  const amount = Number(whole + decimals.padEnd(digits, '0'));
  return Number.isSafeInteger(amount) ? amount : null;
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/**
 * @param {string} time ISO 8601
 * @param {number} now
 */
export function ago(time, now) {
  const seconds = (Date.parse(time) - now) / 1_000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  if (unit === 'second' && Math.abs(seconds) < 10) return 'just now';
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' });
  return format.format(Math.trunc(seconds / length), unit);
}

/** @param {string} time ISO 8601 */
export function fullTime(time) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' }).format(
    new Date(time),
  );
}

/**
 * @param {number} count
 * @param {string} one
 */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * Turns a value of the API into words: `partially_refunded` into `partially refunded`.
 * @param {string} value
 */
export function words(value) {
  return value.replaceAll('_', ' ');
}

/** @param {string} text */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
