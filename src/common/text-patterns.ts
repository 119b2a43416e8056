/**
 * Patterns of the formats that texts have in the OpenAPI document, for programs that test the API: generators of clients
 * and people do better with the name of a format. They run in linear time and use only what all dialects of regular expressions read
 * alike: escapes instead of \s or \p{…}. So they let pass what the API refuses where it depends on the characters beside
 * it, or needs more than four digits.
 */
const SPACE = '\\u0009 \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';
const LINE_BREAKS = '\\u000a\\u000d\\u2028\\u2029';
/** What is trimmed from the ends, and refused between them. */
const EDGE = '\\u000b\\u000c\\ufeff';
const REFUSED = [
  '\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f', // controls
  '\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u200e\\u200f\\u202a-\\u202e',
  '\\u2060-\\u206f\\u3164\\uffa0\\ufff0-\\ufffb',
].join('');
const ENDS = `${SPACE}${LINE_BREAKS}${EDGE}`;

/**
 * From the first character that is not trimmed on. A Braille pattern without dots is as blank as a space, but stays.
 * @param edge what is refused except at the end
 * @param blank what may be between such a pattern and the first visible character
 */
const textOf = (edge: string, blank: string): string =>
  `(?:\\u2800[${blank}\\u2800]*)?[^${ENDS}${REFUSED}\\u2800][^${edge}${REFUSED}]*(?:[${edge}][${ENDS}]*)?`;
const LINE = textOf(LINE_BREAKS + EDGE, SPACE);

export const TEXT_PATTERNS = {
  'single-line': `^[${ENDS}]*${LINE}$`,
  'optional-line': `^[${ENDS}]*(?:${LINE})?$`,
  'multi-line': `^[${ENDS}]*(?:${textOf(EDGE, SPACE + LINE_BREAKS)})?$`,
} as const;

export type TextFormat = keyof typeof TEXT_PATTERNS;
