import Joi, { type CustomValidator, type StringSchema } from 'joi';
import type { TextFormat } from './text-patterns';
import { hasEndlessMarks, isBroken, isVisible, lengthOf, MAX_MARKS, refusedCharacter } from './unicode';

const LINE_BREAK = /[\n\r\u2028\u2029]/u;
const BLANK = /^\s*$/u;

const MESSAGES = {
  'string.min': '{#label} must have at least {#limit} characters',
  'string.max': '{#label} must have at most {#limit} characters',
  'text.blank': '{#label} must not be blank',
  'text.broken': '{#label} has broken Unicode: half a surrogate pair',
  'text.marks': `{#label} has more than ${MAX_MARKS} combining marks in a row: remove some`,
  'text.lines': '{#label} must be one line of text: replace the line breaks',
  'text.refused': '{#label} has {#character}, a control or invisible character: remove it',
  'text.unseen': '{#label} must have something visible',
};

/**
 * How many UTF-16 units may be sent for a character that is kept: composing makes one of up to four, of up to two units
 * each. What is longer is too long whatever is trimmed from it, and is rejected unread.
 */
const UNITS_PER_CHARACTER = 8;

/** Returns whether a text is too long to be read, so that rejecting it costs nothing. */
export function isFarTooLong(sent: string, max: number): boolean {
  return sent.length > max * UNITS_PER_CHARACTER;
}

/**
 * One line of text with something visible. Line breaks and spaces at its ends are trimmed, and tabs within become
 * spaces. Here as in all texts, what is kept is in Unicode's normal form C, and may have `max` characters.
 */
export function singleLine(max: number): StringSchema {
  return text(max, 1, line).meta(inFormat('single-line'));
}

/** One line of text that may be left out, for which null and a blank text stand as well. */
export function optionalLine(max: number): StringSchema {
  return singleLine(max)
    .empty(Joi.string().pattern(BLANK).allow('', null))
    .meta({ jsonSchema: { type: ['string', 'null'], minLength: 0 } })
    .meta(inFormat('optional-line'));
}

/** One line of text that null and a blank text, which becomes an empty one, remove from where it is stored. */
export function removableLine(max: number): StringSchema {
  return text(max, 0, (value, helpers) => (BLANK.test(value) ? '' : line(value, helpers)))
    .allow('', null)
    .meta(inFormat('optional-line'));
}

/** Text that may have line breaks and may be empty. It is trimmed. */
export function multiLine(max: number): StringSchema {
  return text(max, 0, (value, helpers) => {
    const trimmed = value.trim();
    return trimmed === '' ? '' : visible(trimmed, helpers);
  })
    .allow('')
    .meta(inFormat('multi-line'));
}

/**
 * Any text of `min` to `max` characters. A character is a code point, as in JSON Schema; Joi's own rules
 * count UTF-16 units, of which an emoji has two.
 */
export function anyText(max: number, min = 1): StringSchema {
  return text(max, min, (value) => value);
}

/** What the OpenAPI document says of a text; TEXT_PATTERNS has what it means. */
function inFormat(format: TextFormat): { jsonSchema: { format: TextFormat } } {
  return { jsonSchema: { format } };
}

/** @param read returns the text as it is kept, or an error */
function text(max: number, min: number, read: CustomValidator<string>): StringSchema {
  const kept: CustomValidator<string> = (sent, helpers) => {
    if (isFarTooLong(sent, max)) return helpers.error('string.max', { limit: max });
    if (isBroken(sent)) return helpers.error('text.broken');
    if (hasEndlessMarks(sent)) return helpers.error('text.marks');
    const value = read(sent.normalize('NFC'), helpers);
    if (typeof value !== 'string') return value; // an error
    const length = lengthOf(value);
    if (length < min) return helpers.error('string.min', { limit: min });
    return length > max ? helpers.error('string.max', { limit: max }) : value;
  };
  return Joi.string()
    .meta({ jsonSchema: { minLength: min, maxLength: max } })
    .custom(kept)
    .messages(MESSAGES)
    .prefs({ abortEarly: true }); // or rules that follow would read what is far too long
}

const line: CustomValidator<string> = (value, helpers) => {
  const trimmed = value.trim();
  if (trimmed === '') return helpers.error('text.blank');
  if (LINE_BREAK.test(trimmed)) return helpers.error('text.lines');
  return visible(withoutTabs(trimmed), helpers);
};

const visible: CustomValidator<string> = (value, { error }) => {
  const character = refusedCharacter(value);
  if (character !== undefined) return error('text.refused', { character });
  return isVisible(value) ? value : error('text.unseen');
};

/** A tab becomes one space, together with the spaces around it. */
function withoutTabs(value: string): string {
  return value.replaceAll(/[ \t]+/gu, (gap) => (gap.includes('\t') ? ' ' : gap));
}
