import { createHash } from 'node:crypto';
import { orderNumberOf, parseOrderNumber } from '../../src/domain/order-number';

const idOf = (n: number) => `ord_${createHash('sha256').update(String(n)).digest('hex').slice(0, 32)}`;

it('is two groups of five characters that cannot be mistaken for each other', () => {
  for (let n = 0; n < 1_000; n++) {
    expect(orderNumberOf(idOf(n))).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  }
});

it('is the same for the same order, and another one where it is taken', () => {
  expect(orderNumberOf(idOf(1))).toBe(orderNumberOf(idOf(1)));
  expect(orderNumberOf(idOf(1), 1)).not.toBe(orderNumberOf(idOf(1)));
});

it('is the same in every release', () => {
  expect([orderNumberOf('ord_1'), orderNumberOf('ord_1', 2)]).toEqual(['FR538-S9SHY', 'H6QC5-4G3BV']);
});

it('is another one each time it is taken', () => {
  const numbers = [0, 1, 2, 3].map((taken) => orderNumberOf(idOf(1), taken));
  expect(new Set(numbers).size).toBe(4);
});

it.each([
  ['7K3DQ-9QXWM', '7K3DQ-9QXWM'],
  ['7k3dq9qxwm', '7K3DQ-9QXWM'],
  ['ilIL0-oO9qx', '11110-009QX'],
])('is read from %s as people write it', (text, number) => {
  expect(parseOrderNumber(text)).toBe(number);
});

it.each(['7K3DQ-9QXW', '7K3DQ-9QXWMA', '7K3DQ-9QXWU', '7K3DQ 9QXWM', ''])('is not read from "%s"', (text) => {
  expect(parseOrderNumber(text)).toBeNull();
});

it('differs between 20,000 orders, and uses each character in each place', () => {
  const numbers = Array.from({ length: 20_000 }, (_, n) => orderNumberOf(idOf(n)));
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const place of [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]) {
    expect(new Set(numbers.map((number) => number[place])).size).toBe(32);
  }
});
