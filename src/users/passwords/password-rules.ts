import { invalid } from '../../errors/invalid';
import { isCommonPassword, lowerCase } from './common-passwords';
import { canonical } from './password';

/** What everyone knows of the owner of a password. */
export interface Owner {
  email: string;
  name: string;
}

const MIN_WORD_LENGTH = 3;
/** How many letters of its own a password needs beside what everyone knows. */
const MIN_OWN_LETTERS = 6;

export type PasswordRules = ReturnType<typeof createPasswordRules>;

/** Creates the rules that take more than the password itself; the schema has the others. */
export function createPasswordRules(shopName = '') {
  /** @throws {AppError} validation_failed for a password that is made of the owner's name or address, or the shop's name */
  function requireImpersonal(password: string, owner: Owner): void {
    if (isPersonal(password, owner, shopName))
      throw refused('is made of your name, your e-mail address or the name of the shop: choose another');
  }

  /** @throws {AppError} validation_failed for the password that the user has already */
  function requireAnother(password: string, current: string): void {
    if (canonical(password) === canonical(current))
      throw refused('is the one that you have already: choose another');
  }

  return { requireImpersonal, requireAnother };
}

function refused(message: string) {
  return invalid([{ path: 'password', message }]);
}

/** Returns whether the password is made of what everyone knows of its owner, or of the shop's name. */
export function isPersonal(password: string, { email, name }: Owner, shopName = ''): boolean {
  return isMadeOf(password, [...wordsOf(email), ...wordsOf(name), ...wordsOf(shopName)]);
}

/** Returns whether little is left of the password, or something common, without the words. */
function isMadeOf(password: string, words: string[]): boolean {
  const whole = lowerCase(password);
  const longestFirst = words.sort((one, other) => other.length - one.length);
  const rest = longestFirst.reduce((text, word) => text.replaceAll(word, ''), whole);
  if (rest === whole) return false;
  const own = rest.replace(/[^\p{L}]/gu, '');
  return own.length < MIN_OWN_LETTERS || isCommonPassword(own);
}

/** The words of a name, or of an address without its top-level domain. */
function wordsOf(text: string): string[] {
  const known = text.includes('@') ? text.slice(0, text.lastIndexOf('.')) : text;
  return lowerCase(known)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length >= MIN_WORD_LENGTH);
}
