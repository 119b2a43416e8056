import fc from 'fast-check';
import { type CatalogueEntry, priceLines } from '../../src/domain/pricing';

function entry(fields: Partial<CatalogueEntry> = {}): CatalogueEntry {
  const id = fields.id ?? 'ps_a';
  return {
    id,
    sku: id,
    name: 'A',
    kind: 'product',
    unitPrice: 1_999,
    currency: 'EUR',
    taxRateBps: 1_900,
    priceIncludesTax: false,
    ...fields,
  };
}

const line = (productServiceId: string, quantity = 1) => ({ productServiceId, quantity });

describe('priceLines', () => {
  it('prices each line with its snapshot and sums the lines', () => {
    const catalogue = [entry(), entry({ id: 'ps_b', kind: 'service', unitPrice: 50, taxRateBps: 100 })];
    expect(priceLines([line('ps_a', 2), line('ps_b'), line('ps_a')], catalogue)).toEqual({
      items: [
        {
          productServiceId: 'ps_a',
          sku: 'ps_a',
          name: 'A',
          kind: 'product',
          quantity: 2,
          unitPrice: 1_999,
          taxRateBps: 1_900,
          priceIncludesTax: false,
          subtotal: 3_998,
          tax: 760,
          total: 4_758,
        },
        {
          productServiceId: 'ps_b',
          sku: 'ps_b',
          name: 'A',
          kind: 'service',
          quantity: 1,
          unitPrice: 50,
          taxRateBps: 100,
          priceIncludesTax: false,
          subtotal: 50,
          tax: 0,
          total: 50,
        },
        {
          productServiceId: 'ps_a',
          sku: 'ps_a',
          name: 'A',
          kind: 'product',
          quantity: 1,
          unitPrice: 1_999,
          taxRateBps: 1_900,
          priceIncludesTax: false,
          subtotal: 1_999,
          tax: 380,
          total: 2_379,
        },
      ],
      currency: 'EUR',
      subtotal: 6_047,
      tax: 1_140,
      total: 7_187,
    });
  });

  it.each([
    ['an unknown product', [line('ps_a'), line('ps_x')], [entry()], 'UnknownProduct', /ps_x/],
    ['two unknown products', [line('ps_x'), line('ps_y')], [], 'UnknownProduct', /: ps_x, ps_y\./],
    [
      'two currencies',
      [line('ps_b'), line('ps_a')],
      [entry(), entry({ id: 'ps_b', currency: 'USD' })],
      'MixedCurrencies',
      /EUR and USD/,
    ],
    [
      'a line beyond the safe integers',
      [line('ps_a', 2)],
      [entry({ unitPrice: Number.MAX_SAFE_INTEGER })],
      'AmountTooLarge',
      /9007199254740991/,
    ],
    [
      'a tax beyond the safe integers',
      [line('ps_a')],
      [entry({ unitPrice: Number.MAX_SAFE_INTEGER })],
      'AmountTooLarge',
      /9007199254740991/,
    ],
  ])('rejects %s', (_, lines, catalogue, name, message) => {
    expect(() => priceLines(lines, catalogue)).toThrow(
      expect.objectContaining({ name, message: expect.stringMatching(message) }),
    );
  });

  it('taxes in steps of what cards can be charged, half to even', () => {
    const fils = entry({ currency: 'KWD', unitPrice: 1_250, taxRateBps: 1_000 });
    expect(priceLines([line('ps_a')], [fils])).toMatchObject({ tax: 120, total: 1_370 });
    expect(priceLines([line('ps_a')], [{ ...fils, unitPrice: 1_350 }])).toMatchObject({
      tax: 140,
      total: 1_490,
    });
  });

  it('rethrows an error that is not about the amount', () => {
    expect(() => priceLines([line('ps_a')], [entry({ unitPrice: 0.5 })])).toThrow(RangeError);
  });

  it('returns parts that sum to the whole', () => {
    const id = fc.integer({ min: 0, max: 9 }).map((n) => `ps_${n}`);
    const lines = fc.array(
      fc.record({ productServiceId: id, quantity: fc.integer({ min: 1, max: 10_000 }) }),
      {
        minLength: 1,
        maxLength: 100,
      },
    );
    const catalogue = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 0, max: 10_000 })), {
        minLength: 10,
        maxLength: 10,
      })
      .map((prices) =>
        prices.map(([unitPrice, taxRateBps], n) => entry({ id: `ps_${n}`, unitPrice, taxRateBps })),
      );
    fc.assert(
      fc.property(lines, catalogue, (sent, entries) => {
        const pricing = priceLines(sent, entries);
        const sum = (of: 'subtotal' | 'tax' | 'total') =>
          pricing.items.reduce((all, item) => all + item[of], 0);
        expect(pricing.items.map((item) => line(item.productServiceId, item.quantity))).toEqual(sent);
        expect(pricing).toMatchObject({ subtotal: sum('subtotal'), tax: sum('tax'), total: sum('total') });
        expect(pricing.total).toBe(pricing.subtotal + pricing.tax);
      }),
    );
  });
});
