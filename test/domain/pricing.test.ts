import fc from 'fast-check';
import type { OrderItem } from '../../src/domain/order';
import { unfulfilled } from '../../src/domain/placing';
import { type CatalogueEntry, priceAmendment, priceLines } from '../../src/domain/pricing';

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
    ['an unknown product', [line('ps_a'), line('ps_x')], [entry()], 'UnknownProduct', /ps_x\. Remove/],
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

describe('a price that contains the tax', () => {
  it.each([
    [999, 1, 1_900, { subtotal: 839, tax: 160, total: 999 }],
    [1_500, 1, 1_900, { subtotal: 1_261, tax: 239, total: 1_500 }],
    [999, 3, 1_900, { subtotal: 2_518, tax: 479, total: 2_997 }],
    [1_099, 1, 997.5, { subtotal: 999, tax: 100, total: 1_099 }],
    [999, 2, 0, { subtotal: 1_998, tax: 0, total: 1_998 }],
  ])('of %i, %i times at %d basis points', (unitPrice, quantity, taxRateBps, amounts) => {
    const item = entry({ unitPrice, taxRateBps, priceIncludesTax: true });
    expect(priceLines([line('ps_a', quantity)], [item])).toMatchObject({ ...amounts, items: [amounts] });
  });

  it('is what a unit costs, however many there are', () => {
    const prices = fc.record({
      unitPrice: fc.integer({ min: 0, max: 1_000_000 }),
      hundredths: fc.integer({ min: 0, max: 1_000_000 }),
      quantity: fc.integer({ min: 1, max: 10_000 }),
    });
    fc.assert(
      fc.property(prices, ({ unitPrice, hundredths, quantity }) => {
        const item = entry({ unitPrice, taxRateBps: hundredths / 100, priceIncludesTax: true });
        const { subtotal, tax, total } = priceLines([line('ps_a', quantity)], [item]);
        expect([total, subtotal + tax]).toEqual([unitPrice * quantity, total]);
      }),
    );
  });
});

describe('priceAmendment', () => {
  const a = entry({ unitPrice: 10, taxRateBps: 0, name: 'Then' });
  const now = entry({ unitPrice: 25, taxRateBps: 0, name: 'Now' });
  const b = entry({ id: 'ps_b', unitPrice: 7, taxRateBps: 0 });
  const order = (lines: [CatalogueEntry, number][], changes: Partial<OrderItem> = {}) => ({
    currency: 'EUR',
    items: lines.map(([of, quantity]): OrderItem => {
      const { items } = priceLines([line(of.id, quantity)], [of]);
      return { ...unfulfilled(items[0]!), ...changes };
    }),
  });
  const unitsOf = (...args: Parameters<typeof priceAmendment>) =>
    priceAmendment(...args).items.map(({ productServiceId, quantity, unitPrice, name }) => [
      productServiceId.slice(-1),
      quantity,
      unitPrice,
      name,
    ]);

  it('keeps lines that stay or shrink as they were sold', () => {
    expect(unitsOf(order([[a, 3]]), [line('ps_a', 3)], [now])).toEqual([['a', 3, 10, 'Then']]);
    expect(unitsOf(order([[a, 3]]), [line('ps_a', 1)], [])).toEqual([['a', 1, 10, 'Then']]);
  });

  it('adds units at the price of today, as a line of their own if it differs', () => {
    expect(unitsOf(order([[a, 3]]), [line('ps_a', 5)], [{ ...a, name: 'Now' }])).toEqual([
      ['a', 5, 10, 'Then'],
    ]);
    expect(unitsOf(order([[a, 3]]), [line('ps_a', 5), line('ps_b')], [now, b])).toEqual([
      ['a', 3, 10, 'Then'],
      ['a', 2, 25, 'Now'],
      ['b', 1, 7, 'A'],
    ]);
  });

  it.each([[{ taxRateBps: 700 }], [{ priceIncludesTax: true }]])('takes %j for another price', (change) => {
    expect(unitsOf(order([[a, 1]]), [line('ps_a', 2)], [{ ...a, ...change }])).toHaveLength(2);
  });

  it('keeps first what was sold first, whatever the lines are', () => {
    const sold = () =>
      order([
        [a, 2],
        [b, 1],
        [now, 2],
      ]);
    expect(unitsOf(sold(), [line('ps_a', 3)], [])).toEqual([
      ['a', 2, 10, 'Then'],
      ['a', 1, 25, 'Now'],
    ]);
    expect(unitsOf(sold(), [line('ps_b'), line('ps_a'), line('ps_a', 3)], [])).toEqual([
      ['b', 1, 7, 'A'],
      ['a', 1, 10, 'Then'],
      ['a', 1, 10, 'Then'],
      ['a', 2, 25, 'Now'],
    ]);
    expect(
      unitsOf(
        order([
          [a, 1],
          [a, 1],
        ]),
        [line('ps_a', 2)],
        [],
      ),
    ).toEqual([['a', 2, 10, 'Then']]);
  });

  it('does not sell again at the old price what was cancelled', () => {
    expect(unitsOf(order([[a, 3]], { cancelledQuantity: 2 }), [line('ps_a', 3)], [now])).toEqual([
      ['a', 1, 10, 'Then'],
      ['a', 2, 25, 'Now'],
    ]);
  });

  it.each([
    ['more units of what is retired', [line('ps_a', 4)], [], 'UnknownProduct', /ps_a.*keep the units/],
    ['what is unknown', [line('ps_a'), line('ps_x')], [], 'UnknownProduct', /ps_x/],
    [
      'another currency beside what it keeps',
      [line('ps_a'), line('ps_b')],
      [{ ...b, currency: 'USD' }],
      'MixedCurrencies',
      /EUR and USD/,
    ],
  ])('rejects %s', (_, lines, catalogue, name, message) => {
    expect(() => priceAmendment(order([[a, 3]]), lines, catalogue)).toThrow(
      expect.objectContaining({ name, message: expect.stringMatching(message) }),
    );
  });

  describe('of many lines', () => {
    const amend = (count: number) => {
      const many = Array.from({ length: count }, (_, n) => entry({ id: `ps_${n}` }));
      const dearer = many.map((one) => ({ ...one, unitPrice: 5_000 }));
      const twice = many.map(({ id }) => line(id, 2));
      return priceAmendment(order(many.map((one) => [one, 1])), twice, dearer);
    };

    it('accepts as many as an order can have', () => {
      expect(amend(50).items).toHaveLength(100);
    });

    it('rejects more', () => {
      const message = expect.stringMatching(/would have 102 lines.* can have 100: add fewer/);
      expect(() => amend(51)).toThrow(expect.objectContaining({ name: 'InvalidTransition', message }));
    });
  });
});
