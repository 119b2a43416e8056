import fc from 'fast-check';
import { commonPasswords } from '../../../tools/common-passwords';
import { isCommonPassword, reduce } from '../../../src/users/passwords/common-passwords';
import '../../support/random';

const list = commonPasswords();
const long = list.filter((password) => password.length >= 12);

it('knows all of a million passwords that are long enough for us', () => {
  expect(list.length).toBeGreaterThan(900_000);
  expect(long.length).toBeGreaterThan(40_000);
  expect(long.filter((password) => !isCommonPassword(password))).toEqual([]);
});

it('knows what people make of the others to have one that is long enough', () => {
  const words = list.filter((password) => /^[a-z]{5,8}$/.test(password));
  const property = fc.property(
    fc.nat(words.length - 1).map((n) => words[n]!),
    fc.constantFrom(
      (word: string) => `${word}20242025`,
      (word: string) => `${word[0]!.toUpperCase()}${word.slice(1)}1234567!`,
      (word: string) => word.repeat(3).toUpperCase(),
      (word: string) => `${word}${word}99`,
    ),
    (word, lengthen) => isCommonPassword(lengthen(word)),
  );
  fc.assert(property, { numRuns: 500 });
});

it('takes hardly any other password for a common one', () => {
  const word = fc.constantFrom(
    ...'plum seven noon before horse staple battery correct river lamp'.split(' '),
  );
  const phrases = fc.sample(fc.tuple(word, word, word, fc.integer({ min: 0, max: 1e9 })), 5_000);
  const others = phrases.map(([one, two, three, n]) => `${one} ${two} ${n} ${three}`);
  expect(others.filter(isCommonPassword).length).toBeLessThan(10);
});

it.each([
  ['LiverPool2024', 'liverpool'],
  ['dragondragon', 'dragon'],
  ['dragon1dragon1', 'dragon'],
  ['Password!!2024', 'password'],
  ['123412341234', '1234'],
  ['729150386416', '729150386416'],
  ['correct horse battery', 'correct horse battery'],
])('compares %s as %s', (password, reduced) => {
  expect(reduce(password)).toBe(reduced);
});
