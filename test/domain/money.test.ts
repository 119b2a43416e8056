import fc from 'fast-check';
import {
  AmountOverflow,
  CURRENCIES,
  formatAmount,
  minorUnitDigits,
  multiplyAmount,
  shareOf,
  shareWithin,
  sumAmounts,
} from '../../src/domain/money';

const MAX = Number.MAX_SAFE_INTEGER;
const amount = fc.integer({ min: 0, max: MAX });
/** A rate in hundredths of a basis point. */
const hundredths = fc.integer({ min: 0, max: 1_000_000 });

describe('shareOf', () => {
  it.each([
    [3_998, 1_900, 760], // 759.62
    [50, 100, 0], // 0.5: half to even, down
    [150, 100, 2], // 1.5: half to even, up
    [250, 100, 2], // 2.5: half to even, down
    [251, 100, 3], // 2.51
    [0, 1_900, 0],
    [1_999, 0, 0],
    [1_999, 10_000, 1_999],
    [MAX, 10_000, MAX],
    [10_000, 997.5, 998], // 997.5: half to even, up
    [30_000, 997.5, 2_992], // 2992.5: half to even, down
    [MAX, 0.01, 9_007_199_255], // 9007199254.740991
    [100, 8.29, 0],
  ])('%i at %d basis points is %i', (value, basisPoints, share) => {
    expect(shareOf(value, basisPoints)).toBe(share);
  });

  it('is at most half a minor unit off, at every rate of two decimals', () => {
    fc.assert(
      fc.property(amount, hundredths, (value, rate) => {
        const error = BigInt(shareOf(value, rate / 100)) * 1_000_000n - BigInt(value) * BigInt(rate);
        return -500_000n <= error && error <= 500_000n;
      }),
    );
  });
});

describe('shareWithin', () => {
  it.each([
    [999, 1_900, 160], // 159.5042
    [1_500, 1_900, 239], // 239.4958
    [1_190, 1_900, 190],
    [3, 10_000, 2], // 1.5: half to even, up
    [1, 10_000, 0], // 0.5: half to even, down
    [10_997, 997.5, 997], // 997.46
    [0, 1_900, 0],
    [1_999, 0, 0],
    [MAX, 10_000, 4_503_599_627_370_496],
  ])('%i contains, at %d basis points, %i', (value, basisPoints, share) => {
    expect(shareWithin(value, basisPoints)).toBe(share);
  });

  it('is the share that added to the rest makes the whole, give or take half a minor unit', () => {
    fc.assert(
      fc.property(amount, hundredths, (value, rate) => {
        const share = BigInt(shareWithin(value, rate / 100));
        const error = share * BigInt(1_000_000 + rate) - BigInt(value) * BigInt(rate);
        return 2n * error <= BigInt(1_000_000 + rate) && -2n * error <= BigInt(1_000_000 + rate);
      }),
    );
  });
});

describe('amounts', () => {
  it('are exact or rejected', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 1, max: 10_000 }), (value, factor) => {
        const product = BigInt(value) * BigInt(factor);
        if (product > BigInt(MAX)) expect(() => multiplyAmount(value, factor)).toThrow(AmountOverflow);
        else expect(BigInt(multiplyAmount(value, factor))).toBe(product);
      }),
    );
  });

  it('sum up to the largest safe integer, and not beyond', () => {
    expect(sumAmounts([])).toBe(0);
    expect(sumAmounts([MAX - 1, 1])).toBe(MAX);
    const error = { name: 'AmountOverflow', message: expect.stringMatching(/^9007199254740992 is beyond/) };
    expect(() => sumAmounts([MAX, 1])).toThrow(expect.objectContaining(error) as Error);
  });
});

describe('currencies', () => {
  it('are distinct ISO 4217 codes', () => {
    expect(new Set(CURRENCIES).size).toBe(CURRENCIES.length);
    expect(CURRENCIES.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
  });

  it.each([
    ['EUR', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['ISK', 0],
    ['UGX', 0],
  ])('%s has %i minor digits', (currency, digits) => {
    expect(minorUnitDigits(currency)).toBe(digits);
  });

  it.each([
    [4_758, 'EUR', '47.58 EUR'],
    [5, 'EUR', '0.05 EUR'],
    [0, 'KWD', '0.000 KWD'],
    [500, 'JPY', '500 JPY'],
  ])('%i %s reads %s', (value, currency, text) => {
    expect(formatAmount(value, currency)).toBe(text);
  });
});
