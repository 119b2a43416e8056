/** How many different words of an entry a search can find. */
const MAX_WORDS = 40;
/** The length to which words are compared, in characters. */
const MAX_WORD_LENGTH = 24;
/** Letters that Unicode does not take apart into a letter and a mark. */
const PLAIN: Readonly<Record<string, string>> = {
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  þ: 'th',
  ς: 'σ',
};

/** Returns the text without differences of case and of encoding: `Straße`, `STRASSE` and `strasse` are one. */
export function foldCase(text: string): string {
  return text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

/** Returns the different words of a text, in lower case and without accents. */
export function wordsOf(text: string): string[] {
  const plain = foldCase(text.normalize('NFKC'))
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[æœøłđðħþς]/g, (letter) => PLAIN[letter]!);
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.map((word) => [...word].slice(0, MAX_WORD_LENGTH).join('')))];
}

/**
 * Returns what finds an entry with these texts: the beginnings of their words. Each is an entry of the index, so that a
 * search reads no more than the page that it returns, however many words begin like that.
 */
export function searchTermsOf(...texts: string[]): string[] {
  const words = wordsOf(texts.join(' ')).slice(0, MAX_WORDS);
  return [...new Set(words.flatMap(beginningsOf))];
}

function beginningsOf(word: string): string[] {
  const characters = [...word];
  return characters.map((_, n) => characters.slice(0, n + 1).join(''));
}
