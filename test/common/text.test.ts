import { anyText, code, multiLine, singleLine } from '../../src/common/text';

const STRICT = { convert: false };

describe('text', () => {
  it('is trimmed although bodies are not converted', () => {
    expect(singleLine(6).validate('  abc ', STRICT)).toEqual({ value: 'abc' });
    expect(multiLine(5).validate(' a\nb ', STRICT)).toEqual({ value: 'a\nb' });
    expect(code(6, 'a-z').validate(' abc  ', STRICT)).toEqual({ value: 'abc' });
  });

  it('is limited as sent, as maxLength of the OpenAPI document says', () => {
    for (const schema of [singleLine(5), multiLine(5), code(5, 'a-z')]) {
      expect(schema.validate('  abc ', STRICT).error).toBeDefined();
    }
  });

  it('may have characters beyond the basic plane, but no half surrogate pairs', () => {
    const five = '\u{1f600}'.repeat(5);
    for (const schema of [singleLine(5), multiLine(5), anyText(5)]) {
      expect(schema.validate(five, STRICT).error).toBeUndefined();
      expect(schema.validate(`${five}a`, STRICT).error?.message).toContain('at most 5 characters');
    }
    expect(anyText(9, 5).validate(five, STRICT).error).toBeUndefined();
    expect(anyText(9, 6).validate(five, STRICT).error?.message).toContain('at least 6 characters');
    for (const schema of [singleLine(5), multiLine(5)]) {
      expect(schema.validate('a\ud83d', STRICT).error?.message).toContain('broken Unicode');
    }
  });

  it.each(['', '   ', ' \u3000\u00a0', 'a\nb', 'a\u0000', 'a\u2028b', 'abcdef', 5])(
    'on a single line rejects %j',
    (value) => {
      expect(singleLine(5).validate(value, STRICT).error).toBeDefined();
    },
  );

  it.each(['a\u0000b', 'a\u001bb', 'abcdef', 5])('on several lines rejects %j', (value) => {
    expect(multiLine(5).validate(value, STRICT).error).toBeDefined();
  });

  it('on several lines may be empty', () => {
    expect(multiLine(5).validate('', STRICT).error).toBeUndefined();
  });
});
