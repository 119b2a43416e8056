import { multiLine, singleLine } from '../../src/common/text';

const STRICT = { convert: false };

describe('text', () => {
  test('is trimmed although bodies are not converted', () => {
    expect(singleLine(5).validate('  abc ', STRICT).value).toBe('abc');
    expect(multiLine(5).validate(' a\nb ', STRICT).value).toBe('a\nb');
  });

  test.each(['', '   ', 'a\nb', 'a\u0000', 'a\u2028b', 'abcdef', 5])(
    'on a single line refuses %j',
    (value) => {
      expect(singleLine(5).validate(value, STRICT).error).toBeDefined();
    },
  );

  test.each(['a\u0000b', 'a\u001bb', 'abcdef', 5])('on many lines refuses %j', (value) => {
    expect(multiLine(5).validate(value, STRICT).error).toBeDefined();
  });

  test('on many lines may be empty', () => {
    expect(multiLine(5).validate('', STRICT).error).toBeUndefined();
  });
});
