import { csvRow } from '../../src/common/csv';

it('separates cells with commas and ends rows with CRLF (RFC 4180)', () => {
  expect(csvRow(['a', 1, true, null, 'b'])).toBe('a,1,true,,b\r\n');
});

it.each([
  ['a,b', '"a,b"'],
  ['say "yes"', '"say ""yes"""'],
  ['two\nlines', '"two\nlines"'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['Zürich', 'Zürich'],
])('writes %j as %j', (text, cell) => {
  expect(csvRow([text])).toBe(`${cell}\r\n`);
});

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '＝1', '－1'])(
  'defuses %s, which a spreadsheet would run',
  (text) => {
    expect(csvRow([text])).toBe(`'${text}\r\n`);
  },
);

it.each(['\t=1', '\r=1', '\n=1'])('defuses %j too, and puts line breaks into quotes', (text) => {
  expect(csvRow([text])).toMatch(/^"?'/);
});

it('leaves numbers alone', () => {
  expect(csvRow([-5, 'a-1'])).toBe('-5,a-1\r\n');
});
