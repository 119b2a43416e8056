/**
 * Patterns for the OpenAPI document. They run in linear time and use only what all dialects of regular expressions read
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

const START = `[${ENDS}\\u2800]*`;
/** @param edge what else is refused between the ends */
const fromFirstVisible = (edge: string): string =>
  `[^${ENDS}${REFUSED}\\u2800][^${edge}${REFUSED}]*(?:[${edge}][${ENDS}]*)?`;

export const SINGLE_LINE = `^${START}${fromFirstVisible(LINE_BREAKS + EDGE)}$`;
export const OPTIONAL_LINE = `^${START}(?:${fromFirstVisible(LINE_BREAKS + EDGE)})?$`;
export const MULTI_LINE = `^${START}(?:${fromFirstVisible(EDGE)})?$`;
