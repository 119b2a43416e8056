/**
 * What texts are made of. Characters that nobody sees make two texts look alike that are not, or turn around what
 * stands beside them, so they are refused, except where a script or an emoji is written with them.
 */

const LETTER = '[\\p{L}\\p{M}\\p{N}]';
/** One character of a script in which letters join or form clusters, which joiners influence. */
const JOINING = scripts(
  'Arabic Syriac Mandaic Mongolian Nko Phags_Pa Manichaean Adlam Hanifi_Rohingya Sogdian Devanagari Bengali ' +
    'Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Khmer Myanmar Tibetan Balinese Javanese Sundanese',
);
/** One character of a script that is written without spaces. */
const SPACELESS = scripts('Khmer Lao Myanmar Thai');
const VARIATION = '\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}';
const TAG = '[\\u{e0030}-\\u{e0039}\\u{e0061}-\\u{e007a}]';

/**
 * Where an invisible character has a meaning. For the joiners these are the contexts of UAX #31, as far as regular
 * expressions know the properties of characters: they have neither joining types nor viramas, so the script decides.
 */
const MEANINGFUL = [
  // The flags of England, Scotland and Wales: a black flag, the letters of the region, and an end.
  `\\u{1f3f4}${TAG}{3,6}\\u{e007f}`,
  // A joiner within an emoji, as between the members of a family.
  '(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]{0,2})\\u200d(?=\\p{Extended_Pictographic})',
  // Forms of letters, as in Sinhala and Malayalam, also at the end of a word.
  `(?<=${JOINING})\\u200d`,
  // Letters kept apart, as in Persian words, also before an ending that follows a foreign word or a number.
  `(?<=${LETTER})\\u200c(?=${JOINING})`,
  // Where a line may break between words without a space.
  `(?<=${SPACELESS})\\u200b(?=${SPACELESS})`,
  '(?<=\\p{scx=Mongolian})[\\u180b-\\u180f]',
  // The variant of the character before, such as the colourful one of a heart.
  `(?<=[^\\s${VARIATION}])[${VARIATION}]`,
].join('|');

/** The only format characters that are drawn: marks that stand before a number, or enclose it. */
const DRAWN = '[\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u{110bd}\\u{110cd}]';
const UNSEEN = `(?!${DRAWN})[\\p{Cc}\\p{Cf}\\p{Default_Ignorable_Code_Point}]`;
const REFUSED = new RegExp(`${MEANINGFUL}|[\\t\\n\\r]|(?<refused>${UNSEEN})`, 'gu');
/** A Braille pattern without dots is as blank as a space. */
const SEEN = new RegExp(`(?!${UNSEEN})[^\\p{White_Space}\\p{Cs}\\u2800]`, 'u');
const BROKEN = /\p{Cs}/u;
/** How many marks Unicode's Stream-Safe Text Format (UAX #15) has in a row: no language needs more. */
export const MAX_MARKS = 30;
const ENDLESS_MARKS = new RegExp(`\\p{M}{${MAX_MARKS + 1}}`, 'u');

/** Returns whether the text has half a surrogate pair, which UTF-8 cannot encode. */
export function isBroken(text: string): boolean {
  return BROKEN.test(text);
}

/** Returns whether so many combining marks follow each other that composing them takes long: it sorts them. */
export function hasEndlessMarks(text: string): boolean {
  return ENDLESS_MARKS.test(text);
}

/** Returns whether something of the text is visible. */
export function isVisible(text: string): boolean {
  return SEEN.test(text);
}

/**
 * Returns the first control character, text direction mark or other invisible character that the text must not have,
 * such as `U+202E`, or undefined. Tabs and line breaks are not among them.
 */
export function refusedCharacter(text: string): string | undefined {
  for (const { groups } of text.matchAll(REFUSED)) {
    if (groups?.refused !== undefined) return nameOf(groups.refused);
  }
  return undefined;
}

/** Returns how many characters a text has: an emoji of one code point is one. */
export function lengthOf(text: string): number {
  return [...text].length;
}

function scripts(names: string): string {
  const any = names.split(' ').map((name) => `\\p{scx=${name}}`);
  return `(?=${LETTER})[${any.join('')}]`;
}

function nameOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
