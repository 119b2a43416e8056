import fc from 'fast-check';
import {
  AmountOverflow,
  chargeableStep,
  CURRENCIES,
  formatAmount,
  minorUnitDigits,
  multiplyAmount,
  shareOf,
  shareWithin,
  sumAmounts,
  unchargeableReason,
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

describe('steps of what cards can be charged', () => {
  it.each([
    ['EUR', 1],
    ['JPY', 1],
    ['ISK', 1],
    ['KWD', 10],
    ['BHD', 10],
    ['JOD', 10],
    ['OMR', 10],
    ['TND', 10],
    ['IQD', 10],
    ['LYD', 10],
    ['MGA', 100],
  ])('of %s are %i minor units', (currency, step) => {
    expect(chargeableStep(currency)).toBe(step);
  });

  it.each([
    [5_120, 'KWD', null],
    [5_124, 'EUR', null],
    [
      5_124,
      'KWD',
      'cards are charged in multiples of 0.010 KWD, so choose 5120 (5.120 KWD) or 5130 (5.130 KWD)',
    ],
    [4, 'TND', 'cards are charged in multiples of 0.010 TND, so choose 10 (0.010 TND)'],
    [150, 'MGA', 'cards are charged in multiples of 1.00 MGA, so choose 100 (1.00 MGA) or 200 (2.00 MGA)'],
  ])('allow %i %s, or say what is possible', (value, currency, reason) => {
    expect(unchargeableReason(value, currency)).toBe(reason);
  });

  it.each([
    [1_250, 1_000, 10, 120], // 125: half to even, down
    [1_350, 1_000, 10, 140], // 135: half to even, up
    [1_251, 1_000, 10, 130], // 125.1
    [999, 1_900, 100, 200], // 189.81
  ])('%i at %i basis points, in steps of %i, is %i', (value, basisPoints, step, share) => {
    expect(shareOf(value, basisPoints, step)).toBe(share);
  });

  it.each([
    [1_190, 1_900, 10, 190],
    [1_150, 1_900, 10, 180], // 183.6
    [30, 10_000, 10, 20], // 15: half to even, up
    [10, 10_000, 10, 0], // 5: half to even, down
  ])('%i contains, at %i basis points and in steps of %i, %i', (value, basisPoints, step, share) => {
    expect(shareWithin(value, basisPoints, step)).toBe(share);
  });

  it('round to the nearest', () => {
    fc.assert(
      fc.property(amount, hundredths, fc.constantFrom(1, 10, 100), (value, rate, step) => {
        const share = BigInt(shareOf(Math.min(value, MAX - step), rate / 100, step));
        const error = share * 1_000_000n - BigInt(Math.min(value, MAX - step)) * BigInt(rate);
        const half = 500_000n * BigInt(step);
        return share % BigInt(step) === 0n && -half <= error && error <= half;
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
