import { preferencesOf } from '../../src/http/prefer';

it.each<[string | undefined, Record<string, string>]>([
  [undefined, {}],
  ['respond-async', { 'respond-async': '' }],
  ['Respond-Async, wait=10', { 'respond-async': '', wait: '10' }],
  ['wait = "10" ; a=b; c , respond-async', { wait: '10', 'respond-async': '' }],
  [', ,foo="a, respond-async", , bar="\\"x\\""', { foo: 'a, respond-async', bar: '"x"' }],
  ['foo; respond-async', { foo: '' }],
  ['wait=1, wait=2', { wait: '1' }],
  ['foo=""', { foo: '' }],
  ['respond-async, (', {}],
  ['foo bar', {}],
  ['foo="open', {}],
])('reads %p by the grammar of RFC 7240', (header, preferences) => {
  expect(Object.fromEntries(preferencesOf(header))).toEqual(preferences);
});

it('takes no longer for a header that is made to be slow', () => {
  expect(preferencesOf(`a${' ;'.repeat(5_000)}(`).size).toBe(0);
  expect(preferencesOf(`a="${'\\\\'.repeat(5_000)}`).size).toBe(0);
});
