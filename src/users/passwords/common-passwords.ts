import filter from './common-passwords.json';
import { createBloomFilter, type BloomFilter } from './bloom-filter';
import { DEMO_PASSWORD } from '../demo-users';
import { canonical } from './password';

/** What is left of a password has to have as many characters to be compared. */
const MIN_CHARACTERS = 4;
/** Entries of the list that a password of ours can be as a whole. */
const MIN_PASSWORD_LENGTH = 12;

const isDemo = (reduced: string): boolean => reduced === reduce(DEMO_PASSWORD);
let loaded: BloomFilter | undefined;

/**
 * Returns whether attackers try the password first: it is one of the million most common ones, or published here, in
 * lower or upper case, repeated, or with digits and punctuation at its end.
 */
export function isCommonPassword(password: string): boolean {
  loaded ??= createBloomFilter(Buffer.from(filter.bits, 'base64'));
  const reduced = reduce(password);
  return isRepetitive(password) || isDemo(reduced) || formsOf(password).some(loaded.has);
}

/** Returns what is compared of a password, and what the filter has of an entry of the list. */
export function formsOf(password: string): string[] {
  const whole = lowerCase(password);
  const reduced = reduce(password);
  return [
    ...(whole.length >= MIN_PASSWORD_LENGTH ? [whole] : []),
    ...(reduced.length >= MIN_CHARACTERS ? [reduced] : []),
  ];
}

/** Returns what people make a longer password of: in lower case, once, and without what they put behind it. */
export function reduce(password: string): string {
  const once = comparable(lowerCase(password));
  const word = comparable(withoutEnd(once));
  return word === '' ? once : word;
}

/** Returns the text once, unless too little would be left to be compared. */
function comparable(text: string): string {
  const unit = unitOf(text);
  return unit.length < MIN_CHARACTERS ? text : unit;
}

/** Returns whether it is one to three characters over and over, perhaps with digits behind them. */
function isRepetitive(password: string): boolean {
  const whole = lowerCase(password);
  return [whole, withoutEnd(whole)].some((text) => {
    const unit = unitOf(text);
    return unit.length < MIN_CHARACTERS && unit.length < text.length;
  });
}

/** Returns the text without the digits and punctuation at its end. */
function withoutEnd(text: string): string {
  return text.replace(/[^\p{L}]+$/u, '');
}

/** Returns the shortest text of which the text is a repetition. */
function unitOf(text: string): string {
  for (let length = 1; length <= text.length / 2; length++)
    if (text.length % length === 0 && text.slice(0, length).repeat(text.length / length) === text)
      return text.slice(0, length);
  return text;
}

/** As passwords are compared with words. */
export function lowerCase(password: string): string {
  return canonical(password).toLowerCase();
}
