import fc from 'fast-check';
import { anyText, multiLine, optionalLine, removableLine, singleLine } from '../../src/common/text';
import { TEXT_PATTERNS, type TextFormat } from '../../src/common/text-patterns';
import { refusedCharacter } from '../../src/common/unicode';
import { jsonSchemaOf } from '../../src/openapi/json-schema';

const STRICT = { convert: false };
const LONG = 10_000;

const lineOf = (text: unknown) => singleLine(LONG).validate(text, STRICT);
const linesOf = (text: unknown) => multiLine(LONG).validate(text, STRICT);

/** Texts of what is hard to get right: marks, joiners, selectors, tags, emoji, spaces, several scripts. */
const fragments = [
  'aZ1é\u0958\u212b\u3164한اکक्ක්ก👩🏽❤🏴🇩🇪 \t\n\r',
  'e\u0301\u1112\u1161\u11ab\u{e0067}\u{e007f}\ufe0f\u{e0100}\u180b\u180e\u3000\ufeff\u2028\u2800',
  '\u200b\u200c\u200d\u202e\u00ad\u0000\u0085\ud800',
].flatMap((characters) => [...characters]);
const texts = fc.oneof(
  fc.array(fc.constantFrom(...fragments), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

describe('text', () => {
  it('is trimmed although bodies are not converted', () => {
    expect(singleLine(6).validate('  abc ', STRICT)).toEqual({ value: 'abc' });
    expect(multiLine(5).validate(' a\nb ', STRICT)).toEqual({ value: 'a\nb' });
  });

  it('is limited by what is kept of it, in code points', () => {
    const five = '\u{1f600}'.repeat(5);
    for (const schema of [singleLine(5), multiLine(5)]) {
      expect(schema.validate('  abcde \n', STRICT)).toEqual({ value: 'abcde' });
      expect(schema.validate('abcdef', STRICT).error?.message).toContain('at most 5 characters');
    }
    for (const schema of [singleLine(5), multiLine(5), anyText(5)]) {
      expect(schema.validate(five, STRICT).error).toBeUndefined();
      expect(schema.validate('e\u0301'.repeat(5), STRICT)).toEqual({ value: '\u00e9'.repeat(5) });
      expect(schema.validate(`${five}a`, STRICT).error?.message).toContain('at most 5 characters');
    }
    expect(anyText(9, 5).validate(five, STRICT).error).toBeUndefined();
    expect(anyText(9, 6).validate(five, STRICT).error?.message).toContain('at least 6 characters');
    expect(anyText(9, 6).validate('e\u0301'.repeat(5), STRICT).error).toBeDefined();
  });

  it('has no half surrogate pairs', () => {
    for (const schema of [singleLine(5), multiLine(5), anyText(5), optionalLine(5), removableLine(5)]) {
      expect(schema.validate('a\ud83d', STRICT).error?.message).toContain('broken Unicode');
    }
  });

  it.each([
    ['in the composed form', 'Zu\u0308rich', 'Z\u00fcrich'],
    ['without a tab at the end', 'Alice\t', 'Alice'],
    ['without line breaks at the ends', '\r\nAlice\r\n', 'Alice'],
    ['without a byte order mark', '\ufeffAlice', 'Alice'],
    ['with a space for a tab', 'Alice \t\tB.', 'Alice B.'],
    ['with its spaces', 'Alice  B.', 'Alice  B.'],
  ])('on a single line is kept %s', (_, sent, kept) => {
    expect(lineOf(sent)).toEqual({ value: kept });
    expect(optionalLine(20).validate(sent, STRICT)).toEqual({ value: kept });
    expect(removableLine(20).validate(sent, STRICT)).toEqual({ value: kept });
  });

  it.each(['', '   ', ' \u3000\u00a0', 'a\nb', 'a\r\nb', 'a\u2028b', 'abcdef', 5])(
    'on a single line rejects %j',
    (value) => {
      expect(singleLine(5).validate(value, STRICT).error).toBeDefined();
    },
  );

  it.each(['a\u0000b', 'a\u001bb', 'abcdef', 5])('on several lines rejects %j', (value) => {
    expect(multiLine(5).validate(value, STRICT).error).toBeDefined();
  });

  it('on several lines may be empty', () => {
    for (const blank of ['', '  ', '\n\t'])
      expect(multiLine(5).validate(blank, STRICT)).toEqual({ value: '' });
  });

  it.each([null, '', ' ', '\t\n', '\u3000'])('that is optional is absent when it is %j', (blank) => {
    expect(optionalLine(5).validate(blank, STRICT)).toEqual({ value: undefined });
    expect(removableLine(5).validate(blank, STRICT).value || null).toBeNull();
  });

  it.each([
    ['a zero-width space', '\u200b'],
    ['a Hangul filler', '\u3164'],
    ['a word joiner', '\u2060\u2060'],
    ['joiners', '\u200d\u200c'],
    ['Braille without dots', '\u2800'],
    ['variation selectors', '\ufe0f'],
    ['tags', '\u{e0041}\u{e0042}'],
    ['a soft hyphen', '\u00ad'],
  ])('of nothing but %s is refused', (_, text) => {
    for (const schema of [singleLine(9), multiLine(9), optionalLine(9), removableLine(9)]) {
      expect(schema.validate(text, STRICT).error?.message).toMatch(/invisible|visible/);
    }
  });

  it.each([
    ['a text direction override', 'Alice\u202e', 'U+202E'],
    ['a text direction isolate', '\u2066Alice\u2069', 'U+2066'],
    ['a text direction mark', 'Alice\u200f!', 'U+200F'],
    ['a joiner between Latin letters', 'Ali\u200dce', 'U+200D'],
    ['a non-joiner between Latin letters', 'Ali\u200cce', 'U+200C'],
    ['a joiner at the end of an emoji', '\u{1f469}\u200d', 'U+200D'],
    ['two joiners', 'می\u200c\u200cخ', 'U+200C'],
    ['a word joiner', 'a\u2060b', 'U+2060'],
    ['a byte order mark', 'a\ufeffb', 'U+FEFF'],
    ['hidden tags', 'Alice\u{e0068}\u{e0069}', 'U+E0068'],
    ['a row of variation selectors', 'a\ufe0f\ufe0e', 'U+FE0E'],
    ['an annotation', 'a\ufff9b', 'U+FFF9'],
    ['a control character', 'a\u0007b', 'U+0007'],
  ])('with %s is refused, and the message names it', (_, text, name) => {
    expect(lineOf(text).error?.message).toContain(name);
    expect(linesOf(text).error?.message).toContain(name);
  });

  it.each([
    ['a family', '👨‍👩‍👧‍👦'],
    ['a skin tone in a profession', '👩🏽‍🚀'],
    ['a selector before a joiner', '❤️‍🔥 🏳️‍🌈'],
    ['a coloured heart and a keycap', '❤️ 1️⃣'],
    ['the flag of Wales', '🏴󠁧󠁢󠁷󠁬󠁳󠁿'],
    ['a Persian word', 'می\u200cخواهم'],
    ['a Persian ending after a foreign word', 'SMS\u200cها'],
    ['a Sinhala conjunct', 'ක්\u200dෂ'],
    ['a Malayalam chillu at the end', 'അവന്\u200d'],
    ['a Bengali reph', 'র\u200d্য'],
    ['Khmer words', 'ភ្នំ\u200bពេញ'],
    ['a Mongolian vowel separator', 'ᠬᠠᠭ\u180eᠠ'],
    ['a variant of a Han character', '葛\u{e0100}城市'],
    ['Arabic with a sign of a year', '\u0601١٤٤٨'],
  ])('with %s is kept as it is', (_, text) => {
    expect(lineOf(text)).toEqual({ value: text.normalize('NFC') });
    expect(linesOf(text)).toEqual({ value: text.normalize('NFC') });
  });

  it('keeps a text that it has kept before, and one text for all its spellings', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const schema of [singleLine(LONG), multiLine(LONG), optionalLine(LONG), removableLine(LONG)]) {
          const { value, error } = schema.validate(text, STRICT) as { value: string; error?: Error };
          if (error || value === undefined) continue;
          expect(schema.validate(value, STRICT).value).toBe(
            value || (schema.validate('', STRICT).value as string),
          );
          expect(schema.validate(` ${text.normalize('NFD')}\n`, STRICT)).toEqual({ value });
          expect(value).toBe(value.normalize('NFC').trim());
          expect(refusedCharacter(value)).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that is accepted fits the pattern of its format in the OpenAPI document', () => {
    for (const schema of [singleLine(LONG), multiLine(LONG), optionalLine(LONG), removableLine(LONG)]) {
      const pattern = new RegExp(TEXT_PATTERNS[jsonSchemaOf(schema).format as TextFormat], 'u');
      fc.assert(
        fc.property(texts, (text) => {
          if (!schema.validate(text, STRICT).error) expect(text).toMatch(pattern);
        }),
        { numRuns: 500 },
      );
    }
  });
});
