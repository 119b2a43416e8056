import {
  availableTo,
  expiryOf,
  hasContentOf,
  holdMoves,
  mergedAway,
  newCart,
  quoteCart,
  quoteOrder,
  withDetails,
  withHold,
  withLine,
  withoutHold,
  withMerged,
  type Cart,
  type CartEntry,
} from '../../src/domain/cart';
import { priceLines } from '../../src/domain/pricing';
import { CREATED, failing, LATER, line } from './fixtures';

function entry(id: string, fields: Partial<CartEntry> = {}): CartEntry {
  return {
    id,
    sku: id.toUpperCase(),
    name: 'A',
    kind: 'product',
    unitPrice: 1_000,
    currency: 'EUR',
    taxRateBps: 1_900,
    priceIncludesTax: false,
    isActive: true,
    stock: { available: 10 },
    ...fields,
  };
}

const catalogue = [
  entry('ps_a'),
  entry('ps_b', { unitPrice: 250 }),
  entry('ps_s', { kind: 'service', stock: null }),
];
const empty = newCart({ id: 'cart_1', customerId: 'usr_1', tokenHash: null }, CREATED);
const guests = newCart({ id: 'cart_2', customerId: 'usr_2', tokenHash: 'hash' }, CREATED);

function cartOf(cart: Cart, ...items: [id: string, quantity: number][]): Cart {
  return items.reduce((next, [id, quantity]) => withLine(next, line(id, quantity), catalogue, CREATED), cart);
}

const full = cartOf(empty, ['ps_a', 2], ['ps_s', 1]);
const quantities = ({ items }: Cart) =>
  items.map(({ productServiceId, quantity }) => [productServiceId, quantity]);
const warned = (cart: Cart, entries: CartEntry[]) =>
  quoteCart(cart, entries).items.map(({ warnings }) => warnings.map(({ code }) => code));

it('newCart is open and empty, at its first version', () => {
  expect(empty).toMatchObject({ status: 'open', items: [], hold: null, version: 1, contentVersion: 1 });
});

it.each<[string, number[] | null, boolean]>([
  ['any', null, true],
  ['its version', [7], true],
  ['that since which its content is the same', [5], true],
  ['one between the two', [6], true],
  ['one of several', [2, 6], true],
  ['an earlier one', [4], false],
  ['a later one', [8], false],
  ['none', [], false],
])('a cart has the content of a version, if that is %s: %j', (_, versions, expected) => {
  expect(hasContentOf({ contentVersion: 5, version: 7 }, versions)).toBe(expected);
});

describe('withLine', () => {
  it('adds a product, sets its units and takes it out, each as a version with other content', () => {
    const more = withLine(full, line('ps_a', 3), catalogue, LATER);
    expect(quantities(more)).toEqual([
      ['ps_a', 3],
      ['ps_s', 1],
    ]);
    expect(more).toMatchObject({ version: 4, contentVersion: 4, updatedAt: LATER });
    expect(quantities(withLine(more, line('ps_a', 0), catalogue, LATER))).toEqual([['ps_s', 1]]);
  });

  it('changes nothing by a repeat, and takes over a price that has changed', () => {
    expect(withLine(full, line('ps_a', 2), catalogue, LATER)).toBe(full);
    expect(withLine(full, line('ps_b', 0), catalogue, LATER)).toBe(full);
    const dearer = [entry('ps_a', { unitPrice: 1_100 }), ...catalogue.slice(1)];
    const seen = withLine(full, line('ps_a', 2), dearer, LATER);
    expect(seen.items[0]).toMatchObject({ unitPrice: 1_100 });
    expect(warned(seen, dearer)).toEqual([[], []]);
  });

  it.each([
    ['UnknownProduct', line('ps_x'), catalogue],
    ['UnknownProduct', line('ps_b'), [...catalogue.slice(0, 1), entry('ps_b', { isActive: false })]],
    ['MixedCurrencies', line('ps_b'), [catalogue[0]!, entry('ps_b', { currency: 'USD' }), catalogue[2]!]],
    [
      'AmountTooLarge',
      line('ps_b', 2),
      [...catalogue, entry('ps_b', { unitPrice: Number.MAX_SAFE_INTEGER })].slice(2),
    ],
  ] as const)('refuses %s', (name, put, entries) => {
    expect(() => withLine(full, put, entries, LATER)).toThrow(failing(name, /./));
  });

  it('refuses a line beyond the hundredth', () => {
    const many = Array.from({ length: 101 }, (_, n) => entry(`ps_${n}`));
    const hundred = many
      .slice(0, 100)
      .reduce((cart, { id }) => withLine(cart, line(id), many, CREATED), empty);
    expect(() => withLine(hundred, line('ps_100'), many, LATER)).toThrow(
      failing('InvalidTransition', /101 lines, and can have 100/),
    );
  });
});

it('keeps the cart of a user for 90 days after its last change, and that of a guest for 30', () => {
  expect(expiryOf(withDetails(full, { note: 'x' }, LATER))).toBe('2026-04-02T00:00:00.000Z');
  expect(expiryOf(withDetails(guests, { note: 'x' }, LATER))).toBe('2026-02-01T00:00:00.000Z');
});

describe('quoteCart', () => {
  it('costs what an order of the same lines would', () => {
    const { subtotal, tax, total, currency } = priceLines(full.items, catalogue);
    expect(quoteCart(full, catalogue)).toMatchObject({
      items: [
        { productServiceId: 'ps_a', sku: 'PS_A', total: 2_380, available: 10, warnings: [] },
        { productServiceId: 'ps_s', available: null, warnings: [] },
      ],
      subtotal,
      tax,
      total,
      currency,
    });
  });

  it('is empty for an empty cart', () => {
    expect(quoteCart(empty, [])).toEqual({ items: [], currency: null, subtotal: 0, tax: 0, total: 0 });
  });

  it('warns of a price that has changed, of units that are missing and of what is retired, which costs nothing', () => {
    const dearer = entry('ps_a', { unitPrice: 1_100, stock: { available: 1 } });
    expect(quoteCart(full, [dearer, entry('ps_s', { isActive: false })])).toMatchObject({
      items: [
        {
          unitPrice: 1_100,
          warnings: [
            {
              code: 'price_changed',
              detail: 'One costs 11.00 EUR now, not 10.00 EUR as when it was put into the cart.',
            },
            { code: 'out_of_stock', detail: 'Only 1 of the 2 units are available.' },
          ],
        },
        { sku: 'PS_S', unitPrice: null, total: null, warnings: [{ code: 'retired' }] },
      ],
      subtotal: 2_200,
    });
  });

  it('says what has become of the tax, of what is sold out, and of what is retired or removed', () => {
    const untaxed = entry('ps_a', { taxRateBps: 0, stock: { available: 0 } });
    const retired = {
      code: 'retired',
      detail: 'This is not for sale any more: take it out of the cart.',
    };
    expect(
      quoteCart(full, [untaxed, entry('ps_s', { kind: 'service', isActive: false })]).items,
    ).toMatchObject([
      {
        warnings: [
          { code: 'price_changed', detail: 'Its tax has changed since it was put into the cart.' },
          { code: 'out_of_stock', detail: 'It is out of stock.' },
        ],
      },
      { name: 'A', kind: 'service', warnings: [retired] },
    ]);
    expect(quoteCart(full, [untaxed]).items[1]).toMatchObject({
      name: null,
      kind: null,
      warnings: [retired],
    });
  });

  it('warns of no units as long as there are enough', () => {
    expect(warned(full, [entry('ps_a', { stock: { available: 2 } }), catalogue[2]!])).toEqual([[], []]);
  });
});

describe('quoteOrder', () => {
  it('prices lines, and warns of units that all lines of a product together lack', () => {
    const quote = quoteOrder([line('ps_a', 6), line('ps_a', 5)], catalogue);
    expect(quote).toMatchObject({ total: 13_090, currency: 'EUR' });
    expect(quote.items.map(({ warnings }) => warnings)).toEqual([
      [{ code: 'out_of_stock', detail: 'Only 10 of the 11 units are available.' }],
      [{ code: 'out_of_stock', detail: 'Only 10 of the 11 units are available.' }],
    ]);
  });

  it('counts the units of each product separately', () => {
    const quote = quoteOrder([line('ps_a', 6), line('ps_b', 6)], catalogue);
    expect(quote.items.map(({ warnings }) => warnings)).toEqual([[], []]);
  });

  it('refuses what cannot be ordered', () => {
    expect(() => quoteOrder([line('ps_x')], catalogue)).toThrow(failing('UnknownProduct', /ps_x/));
  });
});

describe('withMerged', () => {
  it('adds the units, and takes over the details that are missing', () => {
    const other = withDetails(cartOf(guests, ['ps_a', 9_999], ['ps_b', 1]), { note: 'Ring' }, CREATED);
    const merged = withMerged(full, other, catalogue, LATER);
    expect(quantities(merged)).toEqual([
      ['ps_a', 10_000],
      ['ps_s', 1],
      ['ps_b', 1],
    ]);
    expect(merged).toMatchObject({ id: 'cart_1', tokenHash: null, note: 'Ring', version: full.version + 1 });
    expect(mergedAway(other, 'cart_1', LATER)).toMatchObject({
      status: 'merged',
      mergedInto: 'cart_1',
      items: [],
      note: null,
      version: other.version + 1,
    });
  });

  it('refuses another currency', () => {
    const dollars = [catalogue[0]!, catalogue[2]!, entry('ps_d', { currency: 'USD' })];
    const other = withLine(guests, line('ps_d'), dollars, CREATED);
    expect(() => withMerged(full, other, dollars, LATER)).toThrow(failing('MixedCurrencies', /EUR and USD/));
  });
});

it('keeps what the cart has of its own when another one is merged into it', () => {
  const own = { note: 'Own', metadata: { from: 'own' } };
  const merged = withMerged(
    withDetails(full, own, CREATED),
    withDetails(cartOf(guests, ['ps_b', 1]), { note: 'Other', metadata: { from: 'other' } }, CREATED),
    catalogue,
    LATER,
  );
  expect(merged).toMatchObject(own);
});

it('takes over the address and the metadata of another cart only if it has none of its own', () => {
  const [home, office] = ['Home', 'Office'].map((name) => ({ name, line1: 'A 1', city: 'B', country: 'DE' }));
  const other = withDetails(guests, { shippingAddress: office!, metadata: { from: 'other' } }, CREATED);
  const cart = withDetails(full, { shippingAddress: home! }, CREATED);
  expect(withMerged(cart, other, catalogue, LATER)).toMatchObject({
    shippingAddress: home,
    metadata: { from: 'other' },
  });
  expect(withMerged(full, other, catalogue, LATER)).toMatchObject({ shippingAddress: office });
});

describe('a hold', () => {
  const HOLD_MS = 600_000;
  const UNTIL = new Date(Date.parse(CREATED) + HOLD_MS).toISOString();
  const held = withHold(full, catalogue, CREATED, HOLD_MS);

  it('is of the units of both when carts are merged, for no longer than before', () => {
    const other = withHold(cartOf(guests, ['ps_a', 1], ['ps_b', 3]), catalogue, LATER, HOLD_MS);
    expect(withMerged(held, other, catalogue, LATER).hold).toEqual({
      items: [line('ps_a', 3), line('ps_b', 3)],
      until: UNTIL,
    });
  });

  it('is of the goods in the cart, whose content stays', () => {
    expect(held.hold).toEqual({ items: [line('ps_a', 2)], until: UNTIL });
    expect(held).toMatchObject({ version: full.version + 1, contentVersion: full.contentVersion });
    expect(availableTo(held, catalogue).map(({ stock }) => stock?.available)).toEqual([12, 10, undefined]);
    const service = cartOf(empty, ['ps_s', 1]);
    expect(() => withHold(service, catalogue, CREATED, HOLD_MS)).toThrow(
      failing('InvalidTransition', /stock/),
    );
  });

  it('is that of the one cart that has one when carts are merged', () => {
    const other = cartOf(guests, ['ps_b', 3]);
    expect(withMerged(held, other, catalogue, LATER).hold).toEqual(held.hold);
    const heldOther = withHold(other, catalogue, CREATED, HOLD_MS);
    expect(withMerged(full, heldOther, catalogue, LATER).hold).toEqual(heldOther.hold);
  });

  it('is never of more than is in the cart, and of nothing that is put in later', () => {
    const set = (id: string, quantity: number, cart = held) =>
      withLine(cart, line(id, quantity), catalogue, CREATED).hold;
    expect(set('ps_a', 1)).toEqual({ items: [line('ps_a', 1)], until: UNTIL });
    expect(set('ps_a', 5)).toEqual(held.hold);
    expect(set('ps_b', 1)).toEqual(held.hold);
    expect(set('ps_a', 0)).toBeNull();
    const both = withHold(cartOf(full, ['ps_b', 1]), catalogue, CREATED, HOLD_MS);
    expect(set('ps_b', 0, both)).toEqual(held.hold);
  });

  it('is given up as another version of the same content', () => {
    expect(withoutHold(held)).toEqual({ ...full, version: held.version + 1, hold: null });
  });

  it('adds nothing to what is available to others', () => {
    expect(availableTo(full, catalogue)).toEqual(catalogue);
  });

  it('is not extended before its time is over', () => {
    const [before, after] = [-1, 0].map((ms) => new Date(Date.parse(UNTIL) + ms).toISOString());
    expect(withHold(held, catalogue, before!, HOLD_MS).hold!.until).toBe(UNTIL);
    expect(withHold(held, catalogue, after!, HOLD_MS).hold!.until > after!).toBe(true);
  });

  it('moves units between what is available and what is held, and never any others', () => {
    const moved = (available: number) => [
      { productServiceId: 'ps_a', available, reserved: 0, held: -available },
    ];
    expect(holdMoves([{ before: full, after: held }])).toEqual(moved(-2));
    const more = withHold(withLine(held, line('ps_a', 5), catalogue, CREATED), catalogue, CREATED, HOLD_MS);
    expect(holdMoves([{ before: held, after: more }])).toEqual(moved(-3));
    expect(holdMoves([{ before: more, after: withoutHold(more) }])).toEqual(moved(5));
    expect(holdMoves([{ before: held, after: null }])).toEqual(moved(2));
    for (const ids of [
      ['ps_a', 'ps_b'],
      ['ps_b', 'ps_a'],
    ]) {
      const cart = cartOf(empty, ...ids.map((id): [string, number] => [id, 1]));
      const moves = holdMoves([{ before: empty, after: withHold(cart, catalogue, CREATED, HOLD_MS) }]);
      expect(moves.map(({ productServiceId }) => productServiceId)).toEqual(['ps_a', 'ps_b']);
    }
    expect(holdMoves([{ before: held, after: withDetails(held, { note: 'x' }, LATER) }])).toEqual([]);
  });
});
