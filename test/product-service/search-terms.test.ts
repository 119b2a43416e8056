import { foldCase, searchTermsOf, wordsOf } from '../../src/product-service/search-terms';

describe('wordsOf', () => {
  it.each([
    ['Café crème', ['cafe', 'creme']],
    ['CAFE\u0301', ['cafe']], // decomposed
    ['Straße STRASSE strasse', ['strasse']],
    ['Zürich, Łódź, Ørsted', ['zurich', 'lodz', 'orsted']],
    ['İstanbul ΟΔΟΣ ﬃ ＴＥＡ', ['istanbul', 'οδοσ', 'ffi', 'tea']],
    ['T-shirt, M (2 pack)', ['t', 'shirt', 'm', '2', 'pack']],
    ['有机棉 кофе', ['有机棉', 'кофе']],
    ['… — !', []],
    ['x'.repeat(30), ['x'.repeat(24)]],
  ])('of %j are %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe('searchTermsOf', () => {
  it('are the beginnings of all words', () => {
    expect(searchTermsOf('Mug, M', 'MUG-RED')).toEqual(['m', 'mu', 'mug', 'r', 're', 'red']);
  });

  it('are limited in number, whatever the texts', () => {
    const words = Array.from({ length: 5_000 }, (_, n) => `${n}`.padStart(40, 'ab')).join(' ');
    expect(searchTermsOf(words).length).toBeLessThanOrEqual(40 * 24);
  });
});

it.each([
  ['mug-a', 'MUG-A'],
  ['Straße', 'STRASSE'],
  ['É', 'e\u0301'],
  ['ς', 'Σ'],
  ['ß', 'ẞ'],
])('foldCase makes %s and %s one', (one, other) => {
  expect(foldCase(one)).toBe(foldCase(other));
});
