import Joi, { type StringSchema } from 'joi';

/** Control characters, line and paragraph separators; half a surrogate pair, which UTF-8 cannot write. */
// eslint-disable-next-line no-control-regex -- refusing control characters is its purpose
const SINGLE_LINE = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Cs}]*$/u;
/** As above, but with tab and line breaks. */
// eslint-disable-next-line no-control-regex -- refusing control characters is its purpose
const MULTI_LINE = /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\p{Cs}]*$/u;

/**
 * Trimmed text on one line, 1 to `max` characters.
 * Bodies are validated without conversion; `convert` is on for this key alone, so that it is trimmed, not refused.
 */
export function singleLine(max: number): StringSchema {
  return Joi.string().prefs({ convert: true }).trim().min(1).max(max).pattern(SINGLE_LINE).messages({
    'string.pattern.base': '{#label} must not contain control characters, line breaks or broken Unicode',
  });
}

/** Trimmed text that may have line breaks and may be empty, up to `max` characters. */
export function multiLine(max: number): StringSchema {
  return Joi.string().prefs({ convert: true }).trim().allow('').max(max).pattern(MULTI_LINE).messages({
    'string.pattern.base': '{#label} must not contain control characters or broken Unicode',
  });
}
