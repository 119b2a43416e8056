import Joi, { type CustomValidator, type StringSchema } from 'joi';

// The patterns are in the OpenAPI document too: only what every dialect of regular expressions reads alike, so
// escapes instead of \s or \p{…}, and linear in time.
const SPACE = ' \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\ufeff';
/** Control characters, line and paragraph separators. */
const NO_SINGLE_LINE = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029';
/** As above, but for tab and line breaks. */
const NO_MULTI_LINE = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f';

const SINGLE_LINE = new RegExp(`^[${SPACE}]*[^${SPACE}${NO_SINGLE_LINE}][^${NO_SINGLE_LINE}]*$`, 'u');
const MULTI_LINE = new RegExp(`^[^${NO_MULTI_LINE}]*$`, 'u');
/** Half a surrogate pair, which UTF-8 cannot write. */
const BROKEN_UNICODE = /\p{Cs}/u;

/** Text on one line with something to read in it, up to `max` characters as it is sent; it is trimmed then. */
export function singleLine(max: number): StringSchema {
  return trimmed(max, SINGLE_LINE).messages({
    'string.pattern.base':
      '{#label} must be text on one line, without control characters or broken Unicode, and not only spaces',
  });
}

/** Text that may have line breaks and may be empty, up to `max` characters as it is sent; it is trimmed then. */
export function multiLine(max: number): StringSchema {
  return trimmed(max, MULTI_LINE, 0).allow('').messages({
    'string.pattern.base': '{#label} must not contain control characters or broken Unicode',
  });
}

/** A name for machines, such as a sku: `characters` is a character class, the first of them a letter or a digit. */
export function code(max: number, characters: string): StringSchema {
  return trimmed(max, new RegExp(`^[${SPACE}]*[A-Za-z0-9][${characters}]*[${SPACE}]*$`, 'u'));
}

/**
 * Any text of `min` to `max` characters. A character is a code point, in JSON Schema and here; Joi's own rules count
 * UTF-16 units, so that one emoji would be two.
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

/** Rules of a schema apply in order: the limits hold for what is sent, as the OpenAPI document says. */
function trimmed(max: number, pattern: RegExp, min = 1): StringSchema {
  return anyText(max, min).pattern(pattern).custom(trim);
}

const trim: CustomValidator<string> = (text, { error }) =>
  BROKEN_UNICODE.test(text) ? error('string.pattern.base') : text.trim();
