import { stockFindings, type CountedStock } from '../../src/domain/stock-flaws';

const stock: CountedStock = { id: 'ps_1', available: 4, reserved: 3, held: 2, received: 10 };
const units = { reserved: 3, held: 2, gone: 1 };

it('finds nothing in counters that agree with orders and carts', () => {
  expect(stockFindings(stock, units)).toEqual([]);
  expect(stockFindings({ ...stock, received: null }, units)).toEqual([]);
  expect(stockFindings({ ...stock, received: 6, available: 0 }, units)).toEqual([]); // the last unit is in use
});

it.each<[string, Partial<CountedStock>, string[]]>([
  ['reserved', { reserved: 4 }, ['stock_reserved_differs: reserved 3, not reserved 4']],
  ['held', { held: 0 }, ['stock_held_differs: held 2, not held 0']],
  ['available', { available: -1 }, ['stock_available_differs: available 4, not available -1']],
  [
    'all',
    { available: 5, reserved: 2, held: 1 },
    [
      'stock_reserved_differs: reserved 3, not reserved 2',
      'stock_held_differs: held 2, not held 1',
      'stock_available_differs: available 4, not available 5',
    ],
  ],
  [
    'what was put in',
    { received: 5 },
    ['stock_oversold: at most 5 in use, not reserved 3, held 2, gone 1, available 4'],
  ],
])('finds that %s differs', (_, fields, expected) => {
  const found = stockFindings({ ...stock, ...fields }, units);
  expect(found.map((one) => `${one.kind}: ${one.expected}, not ${one.found}`)).toEqual(expected);
  expect(found.every(({ subject }) => subject === 'ps_1')).toBe(true);
});
