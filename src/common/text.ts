import Joi, { type CustomValidator, type StringSchema } from 'joi';

// The patterns are in the OpenAPI document as well. So they run in linear time and use only what all dialects
// of regular expressions read alike: escapes instead of \s or \p{…}.
const SPACE = ' \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\ufeff';
/** Control characters, line and paragraph separators. */
const NO_SINGLE_LINE = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029';
/** Control characters, except for tab and line breaks. */
const NO_MULTI_LINE = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f';

const SINGLE_LINE = new RegExp(`^[${SPACE}]*[^${SPACE}${NO_SINGLE_LINE}][^${NO_SINGLE_LINE}]*$`, 'u');
const MULTI_LINE = new RegExp(`^[^${NO_MULTI_LINE}]*$`, 'u');
/** Half a surrogate pair, which UTF-8 cannot encode. */
const BROKEN_UNICODE = /\p{Cs}/u;

/** One line of text that is not blank. It may have `max` characters as sent, and is trimmed afterwards. */
export function singleLine(max: number): StringSchema {
  return trimmed(max, SINGLE_LINE).messages({
    'string.pattern.base':
      '{#label} must be one line of text that is not blank, without control characters or broken Unicode',
  });
}

/**
 * Text that may have line breaks and may be empty. It may have `max` characters as sent, and is trimmed
 * afterwards.
 */
export function multiLine(max: number): StringSchema {
  return trimmed(max, MULTI_LINE, 0).allow('').messages({
    'string.pattern.base': '{#label} must not contain control characters or broken Unicode',
  });
}

/**
 * An identifier such as a SKU. `characters` is a character class; the first character must be a letter or a
 * digit.
 */
export function code(max: number, characters: string): StringSchema {
  return trimmed(max, new RegExp(`^[${SPACE}]*[A-Za-z0-9][${characters}]*[${SPACE}]*$`, 'u'));
}

/**
 * Any text of `min` to `max` characters. A character is a code point, as in JSON Schema; Joi's own rules
 * count UTF-16 units, of which an emoji has two.
 */
export function anyText(max: number, min = 1): StringSchema {
  const limited: CustomValidator<string> = (text, { error }) => {
    const { length } = [...text];
    if (length < min) return error('string.min', { limit: min });
    return length > max ? error('string.max', { limit: max }) : text;
  };
  return Joi.string()
    .meta({ jsonSchema: { minLength: min, maxLength: max } })
    .custom(limited)
    .messages({
      'string.min': '{#label} must have at least {#limit} characters',
      'string.max': '{#label} must have at most {#limit} characters',
    });
}

/** Rules apply in order, so the limits hold for the text as sent, as the OpenAPI document says. */
function trimmed(max: number, pattern: RegExp, min = 1): StringSchema {
  return anyText(max, min).pattern(pattern).custom(trim);
}

const trim: CustomValidator<string> = (text, { error }) =>
  BROKEN_UNICODE.test(text) ? error('string.pattern.base') : text.trim();
